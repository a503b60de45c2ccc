"""``ctidialer token``, as it is used."""

from __future__ import annotations

from ctidialer.settings.tokens import Role, read_tokens
from tests.cli.command_case import CommandTestCase


class TokenTests(CommandTestCase):
    async def test_a_token_and_its_hash(self) -> None:
        done = await self.run_command("token", "wall", "--json")
        self.assertEqual((done.status, done.err), (0, ""))
        made = done.json()
        (hashed,) = read_tokens([made["hash"]])
        self.assertTrue(hashed.fits(made["token"]))
        self.assertEqual((hashed.name, hashed.role), ("wall", Role.READ))

    async def test_for_people(self) -> None:
        done = await self.run_command("token", "crm", "--role", "operate")
        self.assertEqual(done.status, 0)
        token, settings = done.out.splitlines()
        self.assertRegex(token, r"^token for crm: [A-Za-z0-9_-]{43}$")
        self.assertIn('tokens = [...]: "crm:operate:sha256:', settings)

    async def test_a_name_that_is_none(self) -> None:
        done = await self.run_command("token", "a:b")
        self.assertEqual((done.status, done.out), (2, ""))
        self.assertIn("is no name of a token", done.err)
