"""How much a stream may hold, and when it ends: with its session, and with the daemon's process."""

from __future__ import annotations

import socket
from re import search
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.web.client import readBody
from twisted.web.http import HTTPChannel

from ctidialer.web import access
from ctidialer.web.stream import StreamListener
from tests.web.web_case import TOKEN, Events, WebTestCase

ASKED = f"GET /api/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
HTTP = f'[http]\nlisten = "127.0.0.1:0"\ntoken = "{TOKEN}"'
DRAINED = (0, -15, 143)
MUCH = b'{"text":"%s"}' % (b"x" * 500_000)


def deaf_to(port: int) -> socket.socket:
    """Ask for the stream over a connection from which nobody reads."""
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", port))
    deaf.sendall(ASKED)
    return deaf


class DeafTests(WebTestCase):
    async def test_nothing_piles_up(self) -> None:
        await self.usual_tables()
        self.start_web()
        listening = self.web._stream
        deaf = deaf_to(self.web.port)
        self.addCleanup(deaf.close)

        async def is_there() -> bool:
            return len(listening) == 1

        await self.until("it listens", is_there)
        (listener,) = listening._listeners

        async def is_full() -> bool:
            listening.second(MUCH)
            return listener._full_since is not None

        await self.until("it is full", is_full)
        held = waiting(listener)
        self.assertGreater(held, 0)
        for _ in range(100):
            listening.second(MUCH)
            await deferLater(reactor, 0)
        self.assertLessEqual(waiting(listener), held)
        self.assertLess(held, 2 * len(MUCH))

    async def test_one_that_reads_again_is_told_again(self) -> None:
        await self.usual_tables()
        self.start_web()
        listening = self.web._stream
        events = await self.listen_to()
        transport: Any = events.transport
        transport.pauseProducing()
        (listener,) = listening._listeners

        async def is_full() -> bool:
            listening.second(MUCH)
            return listener._full_since is not None

        await self.until("it is full", is_full)
        transport.resumeProducing()

        async def is_told() -> bool:
            return any("sample" in status for status in events.of("status")[-1:])

        await self.until("it is told again", is_told)


class SessionTests(WebTestCase):
    async def sign_in(self) -> dict[str, list[str]]:
        """Return the headers of who has signed in."""
        reply = await self.ask("POST", "/login", {"token": TOKEN}, token=None)
        cookie = reply.headers["set-cookie"].partition(";")[0]
        return {"cookie": [cookie], "x-requested-with": ["ctidialer"]}

    async def listen(self, headers: dict[str, list[str]]) -> Events | None:
        """Open the stream in a session; None = the session is over."""
        response = await self._request("GET", "/api/events", headers, None)
        if response.code == 401:
            await readBody(response)
            return None
        self.assertEqual(response.code, 200)
        events = Events()
        response.deliverBody(events)
        self.addCleanup(self._hang_up, events)
        return events

    async def test_who_signs_out_hears_no_more(self) -> None:
        await self.usual_tables()
        self.start_web()
        mine, others = await self.sign_in(), await self.sign_in()
        events, still = await self.listen(mine), await self.listen(others)
        assert events is not None
        assert still is not None
        out = await self._request("POST", "/logout", mine, None)
        self.assertEqual(out.code, 204)
        await events.closed
        told = len(still.of("status"))

        async def goes_on() -> bool:
            return len(still.of("status")) > told

        await self.until("the other one is told", goes_on)
        self.assertFalse(still.closed.called)

    async def test_no_stream_is_longer_than_its_session(self) -> None:
        self.patch(access, "SESSION_SECONDS", 0.5)
        await self.usual_tables()
        self.start_web()
        events = None
        while events is None:  # on a busy machine a session may be over before it is used
            events = await self.listen(await self.sign_in())
        by_token = await self.listen_to()
        await events.closed
        self.assertFalse(by_token.closed.called)


class ProcessTests(WebTestCase):
    async def test_the_daemon_ends_though_one_does_not_read(self) -> None:
        await self.usual_tables()
        daemon = self.start_daemon(extra=HTTP)
        found: list[Any] = []

        async def listens() -> bool:
            text = daemon.log_path.read_text("utf-8")
            found[:] = [search(r"HTTP is listened for on http://[\d.]+:(\d+)", text)]
            return found[0] is not None

        await self.until("it listens", listens)
        deaf = deaf_to(int(found[0][1]))
        self.addCleanup(deaf.close)
        # It has been answered; from here on nobody reads.
        self.assertEqual(await self.in_time(deaf), b"HTTP/1.1 200 OK")
        status = await daemon.stop()
        self.assertIn(status, DRAINED, daemon.last_words())
        self.assertNotIn("Traceback", daemon.log_path.read_text("utf-8"))

    async def in_time(self, deaf: socket.socket) -> bytes:
        """Return the first line of what comes."""
        deaf.setblocking(False)
        said = b""

        async def has_said() -> bool:
            nonlocal said
            try:
                said += deaf.recv(15 - len(said))
            except BlockingIOError:
                return False
            return len(said) == 15

        await self.until("an answer", has_said)
        return said


def waiting(listener: StreamListener) -> int:
    """Return how many bytes wait in the daemon to be sent."""
    channel = listener._request.channel
    assert isinstance(channel, HTTPChannel)
    transport: Any = channel.transport
    return int(len(transport.dataBuffer) - transport.offset + transport._tempDataLen)
