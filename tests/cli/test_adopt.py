"""``ctidialer adopt``, as it is used wrongly; what it does is in ``tests.nodes.test_adoption``."""

from __future__ import annotations

from tests.cli.command_case import CommandTestCase


class AdoptTests(CommandTestCase):
    async def test_options_that_cannot_be_used(self) -> None:
        for words, said in (
            (("--freeswitch", "fs9"), "'fs9' is not host:port"),
            (("--password", "x"), "--password goes with --freeswitch"),
        ):
            done = await self.on_node("adopt", "fs9", *words)
            self.assertEqual((done.status, done.out), (2, ""))
            self.assertIn(said, done.err)
