"""How many connections may be open, and for how long one that asks nothing stays."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.web.connections import MAX_REFUSED, Connections
from tests.web.web_case import WebTestCase

PATIENCE = 60.0
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"


class CountTests(SynchronousTestCase):
    def statuses(self, connections: Connections, *addresses: str) -> list[int | None]:
        found: list[int | None] = []
        for address in addresses:
            refusal = connections.refusal(address)
            if refusal is None:
                connections.opened(address)
            found.append(None if refusal is None else refusal.status)
        return found

    def test_of_all_and_of_one_address(self) -> None:
        connections = Connections(3, 2)
        self.assertEqual(self.statuses(connections, *"aaabb"), [None, None, 429, None, 503])
        connections.closed("a")
        self.assertEqual(self.statuses(connections, "a", "b"), [None, 503])
        for address in "aab":
            connections.closed(address)
        self.assertEqual((len(connections), len(connections._open)), (0, 0))

    def test_zero_is_no_limit(self) -> None:
        self.assertEqual(self.statuses(Connections(0, 0), *["a"] * 500), [None] * 500)


class RefusedTests(WebTestCase):
    def begin(self, **http: Any) -> None:
        self.start_web(self.web_settings(**http))

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.web.port), PATIENCE)
        self.addCleanup(connection.close)
        return connection

    async def asked(self, connection: socket.socket, request: bytes = HEALTH) -> bytes:
        """Send a request, and return the first that is answered; empty = it was closed."""

        def ask() -> bytes:
            try:
                connection.sendall(request)
                return connection.recv(65536)
            except ConnectionError:
                return b""

        return await deferToThread(ask)

    async def test_the_next_one_is_told_when_to_try_again(self) -> None:
        for http, status in (
            ({"max_connections": 2}, b"503 Service Unavailable"),
            ({"max_connections_per_address": 2}, b"429 Too Many Requests"),
        ):
            self.begin(**http)
            held = [self.connect(), self.connect()]
            for one in held:
                self.assertIn(b" 200 ", await self.asked(one))
            answer = await self.asked(self.connect())
            self.assertTrue(answer.startswith(b"HTTP/1.1 " + status), answer)
            self.assertIn(b"\r\nRetry-After: 5\r\n", answer)
            self.assertIn(b'"message":"too many connections are open', answer)
            held[0].close()

            async def is_let_in() -> bool:
                return b" 200 " in await self.asked(self.connect())

            await self.until("there is room again", is_let_in)

    async def test_an_event_stream_counts(self) -> None:
        self.begin(max_connections=1)
        await self.listen_to()
        self.assertIn(b" 503 ", await self.asked(self.connect()))

    async def test_those_who_do_not_take_the_answer_are_few(self) -> None:
        self.begin(max_connections=1)
        self.assertIn(b" 200 ", await self.asked(self.connect()))
        many = await deferToThread(lambda: [self.connect() for _ in range(3 * MAX_REFUSED)])

        async def are_gone() -> bool:
            return await deferToThread(lambda: all(map(is_closed, many)))

        await self.until("all are gone", are_gone)

    async def test_who_asks_nothing_is_closed(self) -> None:
        self.begin(idle_timeout=0.2)
        silent, slow = self.connect(), self.connect()
        slow.sendall(HEALTH[:10])
        for connection in (silent, slow):
            self.assertEqual(await self.asked(connection, b""), b"")


def is_closed(connection: socket.socket) -> bool:
    """Say whether the other side has closed a connection; what it said first is passed over."""
    connection.settimeout(0.05)
    try:
        return connection.recv(65536) == b""
    except TimeoutError:
        return False
    except OSError:
        return True
