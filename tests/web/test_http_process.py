"""The interface of the real daemon, in a process of its own."""

from __future__ import annotations

import socket
from re import search
from typing import Any

from twisted.internet import reactor
from twisted.web.client import HTTPConnectionPool

from tests.web.web_case import TOKEN, WebTestCase

HTTP = f'[http]\nlisten = "127.0.0.1:{{}}"\ntoken = "{TOKEN}"'


class _Port:
    """Stands for the interface of this test case, where a process has it."""

    def __init__(self, port: int) -> None:
        self.port = port


class ProcessTests(WebTestCase):
    async def begin(self) -> Any:
        await self.usual_tables()
        daemon = self.start_daemon(extra=HTTP.format(0))
        self.pool = HTTPConnectionPool(reactor, persistent=False)
        self.web: Any = _Port(0)

        async def listens() -> bool:
            text = daemon.log_path.read_text("utf-8")
            found = search(r"HTTP is listened for on http://127\.0\.0\.1:(\d+)", text)
            self.web.port = int(found[1]) if found else 0
            return found is not None

        await self.until("it listens", listens)
        return daemon

    async def is_ready(self) -> bool:
        return (await self.ask("GET", "/readyz", token=None)).status == 200

    async def test_a_drain_is_watched_to_its_end(self) -> None:
        daemon = await self.begin()
        await self.until("ready", self.is_ready)
        events = await self.listen_to()
        await self.put_numbers(["1001"])
        await self.records_of(1)

        async def is_told() -> bool:
            return bool(events.of("status")) and bool(events.of("record"))

        await self.until("told", is_told)
        status = await daemon.stop()
        self.assertIn(status, (0, 143, -15), daemon.last_words())
        await events.closed
        self.assertNotIn(TOKEN, daemon.log_path.read_text("utf-8"))
        self.assertNotIn("Traceback", daemon.log_path.read_text("utf-8"))

    async def test_a_port_in_use(self) -> None:
        await self.usual_tables()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            daemon = self.start_daemon(extra=HTTP.format(taken.getsockname()[1]))
            status = await daemon.ended()
        text = daemon.log_path.read_text("utf-8")
        self.assertEqual(status, 1, text)
        self.assertIn("http.listen 127.0.0.1:", text)
        self.assertNotIn("Traceback", text)
