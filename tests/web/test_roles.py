"""Tokens with a name and a role: who may only look gives no order, and each order has a name."""

from __future__ import annotations

from ctidialer.contract import keys
from ctidialer.contract.control import decode_order
from ctidialer.settings.tokens import Role, new_token
from tests.support.node import HOST
from tests.web.test_access import GUARDED
from tests.web.web_case import WebTestCase


class RoleTests(WebTestCase):
    async def set_up(self) -> None:
        await super().set_up()
        self.reader, reading = new_token("wall", Role.READ)
        self.operator, operating = new_token("crm", Role.OPERATE)
        await self.usual_tables()
        dialer = self.start_web(self.web_settings(tokens=(str(reading), str(operating))))
        await dialer.parts.link.when_up()

    async def ordered_by(self, field: str) -> str:
        raw = await self.call("HGET", keys.control(HOST), field)
        assert isinstance(raw, bytes)
        return decode_order(raw).by

    async def test_who_may_only_read_gives_no_order(self) -> None:
        for method, path in GUARDED:
            if path == "/api/events":
                continue
            reply = await self.ask(method, path, token=self.reader)
            is_order = method != "GET" and path != "/logout"
            self.assertEqual(reply.status == 403, is_order, (method, path, reply))
            if is_order:
                said = reply.json["error"]["message"]
                self.assertEqual(said, "the token 'wall' may only read: its role is not operate")
        self.assertEqual(await self.call("EXISTS", keys.control(HOST)), 0)

    async def test_an_order_has_the_name_of_its_token(self) -> None:
        reply = await self.ask("POST", "/api/drain", {"why": "x"}, token=self.operator)
        self.assertEqual(reply.status, 200)
        self.assertEqual(await self.ordered_by("drain"), "crm (http 127.0.0.1)")
        await self.ask("DELETE", "/api/drain", {"why": "x"})
        self.assertEqual(await self.ordered_by("undrain"), "http 127.0.0.1")

    async def test_a_session_has_the_role_of_its_token(self) -> None:
        for token, status in ((self.reader, 403), (self.operator, 200)):
            reply = await self.ask("POST", "/login", {"token": token}, token=None)
            self.assertEqual(reply.status, 204)
            cookie = reply.headers["set-cookie"].partition(";")[0]
            given = {"token": None, "cookie": cookie, "x_requested_with": "ctidialer"}
            seen = await self.ask("GET", "/api/status", token=None, cookie=cookie)
            self.assertEqual(seen.status, 200)
            drained = await self.ask("POST", "/api/drain", {}, **given)  # type: ignore[arg-type]
            self.assertEqual(drained.status, status)
            out = await self.ask("POST", "/logout", **given)  # type: ignore[arg-type]
            self.assertEqual(out.status, 204)
        self.assertEqual(await self.ordered_by("drain"), "crm (http 127.0.0.1)")


class OnlyNamedTests(WebTestCase):
    async def test_named_tokens_alone_will_do(self) -> None:
        reader, hashed = new_token("wall", Role.READ)
        await self.usual_tables()
        self.start_web(self.web_settings(token="", tokens=(str(hashed),)))
        self.assertEqual((await self.ask("GET", "/api/status", token=None)).status, 401)
        self.assertEqual((await self.ask("GET", "/api/status", token="")).status, 401)
        self.assertEqual((await self.ask("GET", "/api/status", token=reader)).status, 200)
