"""Who is let in, and how a request is refused: over a real port, as a user would ask."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.web.access import (
    COOKIE,
    FORGIVEN_AFTER,
    MAX_ADDRESSES,
    MAX_FAILURES,
    SESSION_SECONDS,
    Access,
    RequestHeaders,
)
from ctidialer.web.answers import Refusal
from ctidialer.web.site import MAX_BODY_BYTES
from tests.support.node import HOST
from tests.web.web_case import TOKEN, Reply, WebTestCase

GUARDED = (
    ("GET", "/metrics"),
    ("GET", "/api/openapi.json"),
    ("GET", "/api/status"),
    ("GET", "/api/nodes"),
    ("GET", "/api/tasks"),
    ("GET", "/api/tasks/t/explain"),
    ("POST", "/api/tasks/t/pause"),
    ("POST", "/api/tasks/t/resume"),
    ("GET", "/api/tasks/t/waiting"),
    ("POST", "/api/tasks/t/cancel"),
    ("POST", "/api/tasks/t/requeue"),
    ("POST", "/api/schedules/c/cancel"),
    ("GET", "/api/dnc/optouts/1001"),
    ("POST", "/api/dnc/optouts/add"),
    ("POST", "/api/dnc/optouts/remove"),
    ("GET", "/api/lines"),
    ("POST", "/api/lines/l/off"),
    ("POST", "/api/lines/l/on"),
    ("POST", "/api/lines/l/try"),
    ("GET", "/api/records"),
    ("GET", "/api/check"),
    ("POST", "/api/drain"),
    ("DELETE", "/api/drain"),
    ("GET", "/api/history"),
    ("GET", "/api/events"),
    ("POST", "/logout"),
    ("GET", "/static/dashboard.js"),
    ("GET", "/api/nothing"),
)


class SessionTests(SynchronousTestCase):
    """Sessions and wrong tokens, by the clock."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.access = Access(TOKEN, self.clock.seconds)

    def admitted(self, session: str) -> bool:
        headers = RequestHeaders(cookies={COOKIE: session}, requested_with="ctidialer")
        try:
            self.access.admit(headers, changes=True)
        except Refusal as refusal:
            self.assertEqual(refusal.status, 401)
            return False
        return True

    def test_a_session_ends_after_its_time(self) -> None:
        session = self.access.sign_in(TOKEN)
        self.assertNotIn(TOKEN, session)
        self.clock.advance(SESSION_SECONDS - 1)
        self.assertTrue(self.admitted(session))
        self.clock.advance(1)
        self.assertFalse(self.admitted(session))

    def test_a_session_ends_when_it_is_ended(self) -> None:
        session, other = self.access.sign_in(TOKEN), self.access.sign_in(TOKEN)
        self.access.sign_out(session)
        self.assertEqual((self.admitted(session), self.admitted(other)), (False, True))

    def test_the_oldest_session_makes_room(self) -> None:
        first, *others = [self.access.sign_in(TOKEN) for _ in range(1001)]
        self.assertFalse(self.admitted(first))
        self.assertTrue(all(map(self.admitted, others)))

    def test_wrong_tokens_are_slowed_down(self) -> None:
        statuses = []
        for _ in range(MAX_FAILURES + 1):
            with self.assertRaises(Refusal) as caught:
                self.access.sign_in("wrong")
            statuses.append(caught.exception.status)
        self.assertEqual(statuses, [401] * MAX_FAILURES + [429])
        with self.assertRaises(Refusal) as caught:
            self.access.sign_in(TOKEN)
        self.assertEqual(dict(caught.exception.headers), {"Retry-After": "60"})
        self.clock.advance(FORGIVEN_AFTER)
        self.assertTrue(self.admitted(self.access.sign_in(TOKEN)))

    def wrong(self, address: str) -> int:
        with self.assertRaises(Refusal) as caught:
            self.access.sign_in("wrong", address)
        return int(caught.exception.status)

    def test_who_guesses_locks_nobody_else_out(self) -> None:
        self.assertEqual(
            [self.wrong("a") for _ in range(MAX_FAILURES + 1)], [401] * MAX_FAILURES + [429]
        )
        self.assertTrue(self.admitted(self.access.sign_in(TOKEN, "b")))
        with self.assertRaises(Refusal):
            self.access.sign_in(TOKEN, "a")

    def test_few_wrong_tokens_within_the_time_are_forgiven(self) -> None:
        for _ in range(3):
            self.assertEqual(
                [self.wrong("a") for _ in range(MAX_FAILURES - 1)], [401] * (MAX_FAILURES - 1)
            )
            self.access.sign_in(TOKEN, "a")
        for _ in range(3 * MAX_FAILURES):
            self.assertEqual(self.wrong("a"), 401)
            self.clock.advance(FORGIVEN_AFTER / MAX_FAILURES)

    def test_a_clock_set_back_keeps_nobody_out(self) -> None:
        self.clock.advance(10_000)
        self.assertEqual([self.wrong("a") for _ in range(MAX_FAILURES + 1)][-1], 429)
        self.clock.rightNow = 5_000.0
        self.access.sign_in(TOKEN, "a")

    def test_addresses_without_end_take_no_room_without_end(self) -> None:
        for number in range(MAX_ADDRESSES + 10):
            self.wrong(str(number))
        self.assertEqual(len(self.access._wrong._of), MAX_ADDRESSES)

    def test_a_bearer_token_counts_before_the_cookie(self) -> None:
        cookies = {COOKIE: self.access.sign_in(TOKEN)}
        for authorization, status in (
            ("Bearer wrong", 401),
            ("Bearer", 401),
            (f"Bearer {TOKEN}", None),
            ("Basic b3A6b3A=", None),
            ("", None),
        ):
            try:
                self.access.admit(RequestHeaders(authorization, cookies), changes=False)
                found = None
            except Refusal as refusal:
                found = refusal.status
            self.assertEqual((authorization, found), (authorization, status))

    def test_no_token_is_like_another(self) -> None:
        for token in ("", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "密码", "\ud800", "\0"):
            with self.assertRaises(Refusal):
                self.access.admit(RequestHeaders(authorization=f"Bearer {token}"), changes=False)


class TokenTests(WebTestCase):
    def assert_error(self, reply: Reply, status: int, code: str) -> str:
        self.assertEqual((reply.status, reply.json["error"]["code"]), (status, code))
        return str(reply.json["error"]["message"])

    async def test_nothing_but_health_without_the_right_token(self) -> None:
        await self.usual_tables()
        self.start_web()
        for method, path in GUARDED:
            for token in (None, "wrong"):
                reply = await self.ask(method, path, token=token)
                self.assertIn("Bearer", self.assert_error(reply, 401, "unauthorized"), path)
                self.assertIn("Bearer", reply.headers["www-authenticate"])
        self.assertEqual((await self.ask("GET", "/healthz", token=None)).status, 200)
        self.assertEqual((await self.ask("GET", "/static/login.js", token=None)).status, 200)
        basic = await self.ask("GET", "/api/status", token=None, authorization=f"Basic {TOKEN}")
        self.assert_error(basic, 401, "unauthorized")
        self.assertEqual(await self.call("EXISTS", keys.control(HOST)), 0)

    async def test_wrong_methods_paths_and_bodies(self) -> None:
        await self.usual_tables()
        self.start_web()
        wrong = await self.ask("PUT", "/api/drain")
        self.assert_error(wrong, 405, "method_not_allowed")
        self.assertEqual(wrong.headers["allow"], "DELETE, POST")
        self.assertEqual((await self.ask("POST", "/api/status")).headers["allow"], "GET, HEAD")
        for path in ("/api/nothing", "/static/nothing.js", "/static/..%2Ftap.py", "/api/status/"):
            self.assert_error(await self.ask("GET", path), 404, "not_found")
        self.assert_error(await self.ask("GET", "/api/tasks/%FF/explain"), 400, "bad_request")
        for body in (
            b"{",
            b"[]",
            b'{"why": 1}',
            b'{"why": "%s"}' % (b"x" * 201),
            b"\r",
            b"[" * 50_000,
        ):
            reply = await self.ask("POST", "/api/drain", body=body)
            self.assert_error(reply, 400, "bad_request")
        for query in ("outcome=null", "outcome=busy&outcome=busy", "before=NIL", "limit=-1"):
            self.assert_error(await self.ask("GET", f"/api/records?{query}"), 400, "bad_request")
        huge = await self.ask("POST", "/api/drain", body=b" " * (MAX_BODY_BYTES + 1))
        self.assert_error(huge, 413, "too_large")

    async def test_head_has_the_headers_of_get(self) -> None:
        await self.usual_tables()
        self.start_web()
        for path in ("/api/history", "/healthz", "/api/openapi.json", "/"):
            got, head = await self.ask("GET", path), await self.ask("HEAD", path)
            self.assertEqual((head.status, head.body), (got.status, b""), path)
            self.assertEqual(head.headers["content-type"], got.headers["content-type"])
        stream = await self.ask("HEAD", "/api/events")
        self.assertEqual((stream.status, stream.body), (200, b""))

    async def test_what_every_answer_says_to_browsers(self) -> None:
        await self.usual_tables()
        self.start_web()
        for path in ("/", "/api/status", "/api/nothing", "/static/login.css", "/metrics"):
            headers = (await self.ask("GET", path)).headers
            self.assertEqual(headers["cache-control"], "no-store", path)
            self.assertEqual(headers["x-content-type-options"], "nosniff", path)
            self.assertEqual(headers["referrer-policy"], "no-referrer", path)
        events = await self._request(
            "GET", "/api/events", {"authorization": [f"Bearer {TOKEN}"]}, None
        )
        self.assertEqual(events.headers.getRawHeaders("cache-control"), ["no-store"])
        events._transport.loseConnection()
        page = await self.ask("GET", "/", token=None)
        self.assertEqual((page.status, page.headers["content-type"][:9]), (401, "text/html"))
        self.assertIn("frame-ancestors 'none'", page.headers["content-security-policy"])


class CookieTests(WebTestCase):
    async def sign_in(self) -> str:
        """Return the cookie."""
        reply = await self.ask("POST", "/login", {"token": TOKEN}, token=None)
        self.assertEqual((reply.status, reply.body), (204, b""))
        cookie, *attributes = reply.headers["set-cookie"].split("; ")
        self.assertEqual(
            sorted(attributes),
            ["HttpOnly", f"Max-Age={SESSION_SECONDS:.0f}", "Path=/", "SameSite=Strict"],
        )
        self.assertNotIn(TOKEN, cookie)
        return cookie

    async def test_a_session(self) -> None:
        await self.usual_tables()
        self.start_web()
        cookie = await self.sign_in()
        seen = await self.ask("GET", "/api/status", token=None, cookie=cookie)
        self.assertEqual(seen.status, 200)
        drained = await self.ask("POST", "/api/drain", token=None, cookie=cookie)
        self.assertEqual(drained.status, 403)
        self.assertIn("X-Requested-With", drained.json["error"]["message"])
        foreign = await self.ask(
            "POST",
            "/api/drain",
            token=None,
            cookie=cookie,
            x_requested_with="ctidialer",
            origin="http://elsewhere.example",
        )
        self.assertEqual(foreign.status, 403)
        out = await self.ask(
            "POST", "/logout", token=None, cookie=cookie, x_requested_with="ctidialer"
        )
        self.assertEqual((out.status, "Max-Age=0" in out.headers["set-cookie"]), (204, True))
        after = await self.ask("GET", "/api/status", token=None, cookie=cookie)
        self.assertEqual(after.status, 401)

    async def test_a_form(self) -> None:
        await self.usual_tables()
        self.start_web()
        reply = await self._form(f"token={TOKEN}")
        self.assertEqual((reply.status, reply.headers["location"]), (303, "."))
        self.assertEqual((await self._form("token=wrong")).status, 401)
        self.assertEqual((await self._form("other=1")).status, 400)

    async def test_wrong_tokens_are_answered_shortly(self) -> None:
        await self.usual_tables()
        self.start_web()
        statuses = [
            (await self.ask("POST", "/login", {"token": "wrong"}, token=None)).status
            for _ in range(MAX_FAILURES + 1)
        ]
        self.assertEqual(statuses, [401] * MAX_FAILURES + [429])
        self.assertEqual((await self.ask("GET", "/api/status")).status, 200)  # who has it, is in

    async def _form(self, text: str) -> Reply:
        return await self.ask(
            "POST",
            "/login",
            token=None,
            body=text.encode(),
            content_type="application/x-www-form-urlencoded",
        )


class WithoutTokenTests(WebTestCase):
    token = ""

    async def test_only_loopback_names_and_own_pages(self) -> None:
        await self.usual_tables()
        self.start_web()
        for host in ("127.0.0.1:80", "localhost:8090", "[::1]:8090", "LOCALHOST"):
            reply = await self.ask("GET", "/api/status", token=None, host=host)
            self.assertEqual((host, reply.status), (host, 200))
        for host in ("evil.example", "127.0.0.1.evil.example", "10.0.0.1:8090", ""):
            reply = await self.ask("GET", "/api/status", token=None, host=host)
            self.assertEqual((host, reply.status), (host, 403))
        foreign = await self.ask(
            "POST", "/api/drain", token=None, host="localhost", origin="http://evil.example"
        )
        self.assertEqual(foreign.status, 403)
        self.assertEqual((await self.ask("GET", "/", token=None)).status, 200)


class PortTests(WebTestCase):
    async def test_a_port_in_use_is_said(self) -> None:
        await self.usual_tables()
        self.start_web()
        taken = f"127.0.0.1:{self.web.port}"
        self.start_web(self.web_settings(self.settings("fs2"), listen=taken))
        self.assertEqual(len(self.not_listened), 1)
        self.assertIn(taken, self.not_listened[0])
        self.assertEqual(self.web.port, 0)
