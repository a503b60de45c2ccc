"""What comes over a connection byte by byte: odd headers, odd paths, bodies that are too long."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import clientFromString, connectProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import implementer

from ctidialer.web.access import COOKIE, MAX_FAILURES
from ctidialer.web.site import MAX_BODY_BYTES
from tests.web.web_case import TOKEN, Reply, WebTestCase

BEARER = f"Authorization: Bearer {TOKEN}".encode()
OURS = b"X-Requested-With: ctidialer"


class Wire(Protocol):
    """Sends some bytes, and keeps what comes until the connection is closed."""

    def __init__(self, sent: bytes) -> None:
        self.sent = sent
        self.received = b""
        self.closed: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(self.sent)

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.closed.callback(self.received)


@implementer(ILogObserver)
class Kept:
    """Keeps what is logged."""

    def __init__(self, events: list[LogEvent]) -> None:
        self.events = events

    def __call__(self, event: LogEvent) -> None:
        self.events.append(event)


class SiteCase(WebTestCase):
    """Begins with the daemon; what is logged stands in ``self.logged``."""

    address = "127.0.0.1"

    async def set_up(self) -> None:
        await super().set_up()
        self.logged: list[LogEvent] = []
        kept = Kept(self.logged)
        globalLogPublisher.addObserver(kept)
        self.addCleanup(globalLogPublisher.removeObserver, kept)
        await self.usual_tables()
        self.begin()
        await self.until("ready", self.is_ready)

    async def is_ready(self) -> bool:
        """Say whether calls can be placed."""
        return (await self.raw(b"GET /readyz")).status == 200

    def begin(self) -> None:
        """Start the daemon with its interface."""
        self.start_web()

    async def send(self, sent: bytes) -> bytes:
        """Send bytes over a connection of their own; return all that comes back."""
        host = self.address.replace(":", r"\:")
        endpoint = clientFromString(reactor, f"tcp:{host}:{self.web.port}")
        wire: Any = await connectProtocol(endpoint, Wire(sent))
        received = await wire.closed
        assert isinstance(received, bytes)
        return received

    async def raw(
        self, first: bytes, *headers: bytes, body: bytes = b"", host: bytes = b"localhost"
    ) -> Reply:
        """Send a request whose first line is ``first``; return what is answered."""
        lines = [first + b" HTTP/1.1", b"Host: " + host, *headers, b"Connection: close", b"", body]
        received = await self.send(b"\r\n".join(lines))
        head, _, rest = received.partition(b"\r\n\r\n")
        status, *named = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(": ") for line in named)
        found = {name.lower(): value for name, _, value in pairs}
        return Reply(int(status.split(" ")[1]), found, rest)

    def assert_refused(self, reply: Reply, status: int, code: str) -> None:
        """Check that an answer is an error that says what it is."""
        self.assertEqual((reply.status, reply.json["error"]["code"]), (status, code))
        self.assertTrue(reply.json["error"]["message"])

    def text_of_log(self) -> str:
        """Return all fields of all that was logged."""
        return "\n".join(f"{event}" for event in self.logged)


class HeaderTests(SiteCase):
    async def test_headers_that_are_no_utf_8_are_wrong_and_no_fault(self) -> None:
        for header in (
            b"Authorization: Bearer \xff\xfe",
            b"Authorization: Bearer",
            b"Authorization:",
            b"Authorization: \xe4\xb8\xad",
            b"Cookie: \xff=\xff; a=b",
            b"Cookie: " + COOKIE.encode() + b"=\xff",
        ):
            self.assert_refused(await self.raw(b"GET /api/status", header), 401, "unauthorized")
        for header in (b"Origin: \xff", b"X-Requested-With: \xff", b"Content-Type: \xff"):
            reply = await self.raw(b"GET /api/status", BEARER, header)
            self.assertEqual((header, reply.status), (header, 200))
        self.assertNotIn("Traceback", self.text_of_log())
        self.assertEqual(self.flushLoggedErrors(), [])

    async def test_the_name_of_the_scheme_in_any_case(self) -> None:
        header = f"authorization: bEARER   {TOKEN} ".encode()
        self.assertEqual((await self.raw(b"GET /api/status", header)).status, 200)

    async def test_a_session_beside_what_others_set(self) -> None:
        """Cookies are sent to every port of a host, those of other programs too."""
        session = (await self.ask("POST", "/login", {"token": TOKEN}, token=None)).headers
        ours = session["set-cookie"].partition(";")[0].encode()
        for cookie in (ours, b'a={"b": 1, "c"}; ' + ours, b"\xff; =; x; " + ours + b";y=1"):
            reply = await self.raw(b"GET /api/status", b"Cookie: " + cookie)
            self.assertEqual((cookie, reply.status), (cookie, 200))

    async def test_what_a_proxy_asks_for_itself_does_not_hide_the_session(self) -> None:
        session = (await self.ask("POST", "/login", {"token": TOKEN}, token=None)).headers
        ours = b"Cookie: " + session["set-cookie"].partition(";")[0].encode()
        basic = b"Authorization: Basic b3A6b3A="
        self.assertEqual((await self.raw(b"GET /api/status", basic, ours)).status, 200)
        wrong = await self.raw(b"GET /api/status", b"Authorization: Bearer x", ours)
        self.assert_refused(wrong, 401, "unauthorized")

    async def test_every_answer_has_the_security_headers(self) -> None:
        asked = (
            (b"GET /healthz", 200),
            (b"GET /api/status", 401),
            (b"GET /api/%FF", 401),
            (b"POST /login", 400),
            (b"GET /", 401),
        )
        for first, status in asked:
            reply = await self.raw(first)
            self.assertEqual((first, reply.status), (first, status))
            self.assertEqual(reply.headers["x-content-type-options"], "nosniff")
            self.assertEqual(reply.headers["referrer-policy"], "no-referrer")
            self.assertEqual(reply.headers["cache-control"], "no-store")
            self.assertNotIn("twisted", reply.headers["server"].lower())
            if status == 401:
                self.assertIn("Bearer", reply.headers["www-authenticate"])

    async def test_no_content_has_no_length(self) -> None:
        """RFC 9110 section 8.6."""
        body = json.dumps({"token": TOKEN}).encode()
        length = b"Content-Length: %d" % len(body)
        reply = await self.raw(b"POST /login", length, body=body)
        self.assertEqual((reply.status, reply.body), (204, b""))
        self.assertNotIn("content-length", reply.headers)
        self.assertNotIn("content-type", reply.headers)


class PathTests(SiteCase):
    async def test_no_path_leads_out_of_the_files(self) -> None:
        for path in (
            b"/static/..%2f..%2fsettings.py",
            b"/static/%2e%2e%2f%2e%2e/settings.py",
            b"/static/../../settings.py",
            b"/static/%2fetc%2fpasswd",
            b"/static//etc/passwd",
            b"/static/..\\..\\settings.py",
            b"/static/dashboard.js%00.css",
            b"/static/__init__.py",
            b"/static/login.html",
            b"/static/",
            b"//",
            b"/healthz/",
            b"/HEALTHZ",
            b"http://localhost/api/nothing",
        ):
            reply = await self.raw(b"GET " + path, BEARER)
            self.assertEqual((path, reply.status), (path, 404))
            unknown = await self.raw(b"GET " + path)
            self.assertEqual((path, unknown.status), (path, 401))

    async def test_percent_encoding_that_is_none(self) -> None:
        for path in (b"/api/tasks/%/explain", b"/api/tasks/%4/explain", b"/%zz", b"/%C3%28"):
            self.assert_refused(await self.raw(b"GET " + path, BEARER), 400, "bad_request")
            self.assert_refused(await self.raw(b"GET " + path), 401, "unauthorized")

    async def test_methods(self) -> None:
        for method in (b"PUT", b"OPTIONS", b"TRACE", b"get"):
            reply = await self.raw(method + b" /api/status", BEARER)
            self.assertEqual((method, reply.status), (method, 405))
            self.assertEqual(reply.headers["allow"], "GET, HEAD")
            self.assert_refused(await self.raw(method + b" /api/status"), 401, "unauthorized")

    async def test_a_query_that_is_odd(self) -> None:
        for query in (b"limit=", b"limit=-1", b"limit=1e3", b"limit=%D9%A1", b"offset=9999999999"):
            reply = await self.raw(b"GET /api/tasks?" + query, BEARER)
            self.assert_refused(reply, 400, "bad_request")
        for query in (b"before=1-99999999999999999999", b"before=-", b"before=%2B"):
            reply = await self.raw(b"GET /api/records?" + query, BEARER)
            self.assert_refused(reply, 400, "bad_request")
        for query in (b"q=%FF", b"q=%", b"&&=;", b"limit=0", b"?"):
            reply = await self.raw(b"GET /api/tasks?" + query, BEARER)
            self.assertEqual((query, reply.status), (query, 200))


class BodyTests(SiteCase):
    async def test_a_body_may_be_so_long_and_no_longer(self) -> None:
        for more, status in ((0, 200), (1, 413)):
            body = b'{"why": "x"}'.ljust(MAX_BODY_BYTES + more)
            length = b"Content-Length: %d" % len(body)
            chunks = b"".join(
                b"%x\r\n%s\r\n" % (len(body[at : at + 5000]), body[at : at + 5000])
                for at in range(0, len(body), 5000)
            )
            whole = await self.raw(b"POST /api/drain", BEARER, length, body=body)
            chunked = await self.raw(
                b"POST /api/drain",
                BEARER,
                b"Transfer-Encoding: chunked",
                body=chunks + b"0\r\n\r\n",
            )
            self.assertEqual((whole.status, chunked.status), (status, status))

    async def test_who_may_not_ask_is_not_told_of_his_body(self) -> None:
        body = bytes(MAX_BODY_BYTES + 1)
        length = b"Content-Length: %d" % len(body)
        reply = await self.raw(b"POST /api/drain", length, body=body)
        self.assert_refused(reply, 401, "unauthorized")

    async def test_bodies_that_are_no_orders(self) -> None:
        for body in (b"\xff", b'{"why": "\xff"}', b'{"why": "\\ud800"}', b"nul", b'"x"', b"1e999"):
            length = b"Content-Length: %d" % len(body)
            reply = await self.raw(b"POST /api/drain", BEARER, length, body=body)
            self.assert_refused(reply, 400, "bad_request")
        multipart = b"Content-Type: multipart/form-data; boundary=x"
        reply = await self.raw(
            b"POST /login", multipart, b"Content-Length: 5", OURS, body=b"--x\r\n"
        )
        self.assertEqual(reply.status, 400)
        self.assertEqual(self.flushLoggedErrors(), [])


class LogTests(SiteCase):
    async def test_neither_requests_nor_tokens_are_logged(self) -> None:
        await self.raw(b"GET /api/tasks?q=searched-for", BEARER)
        await self.raw(b"GET /api/nothing-here", BEARER)
        await self.ask("POST", "/login", {"token": TOKEN}, token=None)
        await self.ask("POST", "/login", {"token": "nearly-right"}, token=None)
        await self.raw(b"GET /api/status", b"Authorization: Bearer also-wrong")
        text = self.text_of_log()
        self.assertIn("HTTP is listened for on", text)
        for secret in (TOKEN, "nearly-right", "also-wrong", "searched-for", "nothing-here"):
            self.assertNotIn(secret, text)


class LoginTests(SiteCase):
    async def test_a_foreign_page_cannot_use_up_the_attempts(self) -> None:
        for origin in ("http://evil.example", "null"):
            for _ in range(MAX_FAILURES):
                reply = await self.ask(
                    "POST", "/login", {"token": "x"}, token=None, origin=origin, host="localhost"
                )
                self.assertEqual((origin, reply.status), (origin, 403))
        reply = await self.ask("POST", "/login", {"token": TOKEN}, token=None)
        self.assertEqual(reply.status, 204)

    async def test_the_page_itself_may_sign_in(self) -> None:
        reply = await self.ask(
            "POST",
            "/login",
            {"token": TOKEN},
            token=None,
            origin="https://dialer.example",
            host="dialer.example",
        )
        self.assertEqual(reply.status, 204)

    async def test_behind_tls_the_cookie_is_for_tls_alone(self) -> None:
        plain = await self.ask("POST", "/login", {"token": TOKEN}, token=None)
        self.assertNotIn("Secure", plain.headers["set-cookie"])
        behind = await self.ask(
            "POST", "/login", {"token": TOKEN}, token=None, x_forwarded_proto="https"
        )
        self.assertIn("; Secure", behind.headers["set-cookie"])


class WithoutTokenTests(SiteCase):
    token = ""

    async def test_other_names_are_refused(self) -> None:
        """DNS rebinding: a page of anybody's whose name leads to 127.0.0.1."""
        for host in (b"evil.example", b"127.0.0.1.nip.example", b"\xff", b"", b"[::2]:80"):
            for path in (b"/api/status", b"/", b"/nothing", b"/static/dashboard.js"):
                reply = await self.raw(b"GET " + path, host=host)
                self.assertEqual((host, path, reply.status), (host, path, 403))

    async def test_requests_without_a_host(self) -> None:
        asked = b"POST /api/drain HTTP/1.0\r\nOrigin: null\r\n\r\n"
        self.assertIn(b" 403 ", (await self.send(asked)).partition(b"\r\n")[0])


class SixTests(SiteCase):
    address = "::1"

    def begin(self) -> None:
        self.start_web(self.web_settings(listen="[::1]:0", token=""))

    async def test_ipv6(self) -> None:
        reply = await self.raw(b"GET /api/status", host=b"[::1]:%d" % self.web.port)
        self.assertEqual(reply.status, 200)
        addresses = [event["address"] for event in self.logged if "address" in event]
        self.assertIn(f"http://[::1]:{self.web.port}", addresses)
