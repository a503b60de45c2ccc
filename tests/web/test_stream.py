"""The event stream and clients that behave badly."""

from __future__ import annotations

import socket

from ctidialer.web import stream
from tests.web.web_case import TOKEN, WebTestCase

MUCH = b'{"text":"%s"}' % (b"x" * 500_000)


class DeafClientTests(WebTestCase):
    async def test_one_that_does_not_read_is_cut(self) -> None:
        self.patch(stream, "CUT_TIMEOUT", 0.2)
        await self.usual_tables()
        self.start_web()
        listening = self.web._stream
        deaf = socket.create_connection(("127.0.0.1", self.web.port))
        self.addCleanup(deaf.close)
        deaf.sendall(
            f"GET /api/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
        )

        async def is_there() -> bool:
            return len(listening) == 1

        await self.until("it listens", is_there)

        async def is_cut() -> bool:
            listening.second(MUCH)
            return len(listening) == 0

        await self.until("it is cut", is_cut)
        other = await self.listen_to()

        async def goes_on() -> bool:
            return bool(other.of("status"))

        await self.until("another one is told", goes_on)

    async def test_nothing_is_left_of_one_that_has_gone(self) -> None:
        await self.usual_tables()
        self.start_web()
        first, second = await self.listen_to(), await self.listen_to()
        self.assertEqual(len(self.web._stream), 2)
        await self._hang_up(first)
        await self._hang_up(second)

        async def is_empty() -> bool:
            return len(self.web._stream) == 0

        await self.until("nobody listens", is_empty)

    async def test_no_more_than_can_be_served(self) -> None:
        self.patch(stream, "MAX_LISTENERS", 1)
        await self.usual_tables()
        self.start_web()
        await self.listen_to()
        refused = await self.ask("GET", "/api/events")
        self.assertEqual((refused.status, refused.json["error"]["code"]), (503, "unavailable"))
