"""A whole node to break: its own Redis with an append-only file, proxies, daemons to be killed."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint, UNIXClientEndpoint
from twisted.internet.interfaces import IStreamClientEndpoint

from chaos.daemons import start_chaos_daemon
from chaos.proxy import Proxy
from ctidialer.contract import keys
from ctidialer.contract.record import Record
from ctidialer.settings import FreeSwitch
from ctidialer.stage.daemon import DaemonProcess, settings_text
from ctidialer.stage.redis import RedisProcess, start_redis
from ctidialer.store.address import parse_address
from ctidialer.store.in_flight import InFlight
from ctidialer.store.reading import NodeReading
from tests.dialer.switch_case import SwitchTestCase
from tests.support.node import HOST, PASSWORD
from tests.support.proxy import serving
from tests.support.redis import link_to, new_directory

LEASE = 1.0
NODE = """
domain = "{host}"
timezone = "Asia/Shanghai"
lease = {lease}
drain_timeout = 5
call_check_interval = {interval}
"""


class FaultCase(SwitchTestCase):
    """``redis_server`` and ``switch`` are what is broken; the daemon sees them through proxies."""

    redis_password: str | None = None
    call_check_interval = 1.0

    async def set_up(self) -> None:
        await super().set_up()
        self.redis_directory = new_directory(self)
        await self.start_redis()
        self.redis = link_to(self, self.url)
        await self.redis.when_up(60)
        self.redis_proxy = await serving(self, Proxy(reactor, self._to_redis))
        self.switch_proxy = await serving(self, Proxy(reactor, self._to_switch))

    async def start_redis(self, **options: Any) -> None:
        """Start the server on what its append-only file has."""
        self.redis_server: RedisProcess = await start_redis(
            reactor, self.redis_directory, aof=True, password=self.redis_password, **options
        )
        self.url = self.redis_server.url
        self.addCleanup(self.redis_server.kill)

    async def restart_redis(self, **options: Any) -> None:
        """Start the server again, and wait until this test is connected to it."""
        await self.start_redis(**options)
        await self.redis.when_up(60)

    async def restart_switch(self) -> None:
        """Kill the switch and start another one, which knows of no calls; its log goes on."""
        await self.switch.kill()
        self.switch = await self.start_switch()

    def launch(
        self, stop_at: str = "", count: int = 1, name: str = "daemon", **orders: object
    ) -> DaemonProcess:
        """Start the test build; it is killed at ``stop_at``, or when the test ends.

        ``orders`` are further ones of :mod:`chaos.entry`.
        """
        if stop_at:
            orders = {"stop_at": stop_at, "count": count, **orders}
        login = f":{self.redis_password}@" if self.redis_password else ""
        redis = f"redis://{login}{self.redis_proxy.address}/0"
        freeswitch = FreeSwitch(address=self.switch_proxy.address, password=PASSWORD)
        node = NODE.format(host=HOST, lease=LEASE, interval=self.call_check_interval)
        text = settings_text(HOST, redis, freeswitch, node=node)
        daemon = start_chaos_daemon(reactor, self.directory, text, orders, name)
        self.addCleanup(daemon.kill)
        return daemon

    # --- what came of it ---------------------------------------------------------------------

    async def in_flight(self) -> list[InFlight]:
        """Return what is in flight."""
        return await NodeReading(self.redis, HOST).in_flight()

    async def noted(self, number: str) -> str:
        """Wait until a call to this number is noted as being placed; return its UUID."""
        found: list[str] = []

        async def is_noted() -> bool:
            found[:] = [
                entry.dialing.uuid
                for entry in await self.in_flight()
                if entry.dialing and number.encode() in entry.entry
            ]
            return bool(found)

        await self.until(f"{number} is noted", is_noted)
        return found[0]

    async def holder(self) -> int | None:
        """Return the process id of the daemon that has the host's name, None = nobody."""
        holder = await self.call("HGET", keys.lease(HOST), "holder")
        return int(json.loads(holder)["pid"]) if isinstance(holder, bytes) else None

    async def holds(self, daemon: DaemonProcess) -> None:
        """Wait until this daemon has the host's name."""

        async def has_it() -> bool:
            return await self.holder() == daemon.pid

        await self.until("the daemon has its host's name", has_it)

    async def said(self, daemon: DaemonProcess, words: str) -> None:
        """Wait until the daemon's log has these words."""

        async def is_there() -> bool:
            return words in daemon.log_path.read_text("utf-8", "replace")

        await self.until(f"the log says {words!r}", is_there)

    def assert_one_record_each(self, records: tuple[Record, ...], numbers: list[str]) -> None:
        """Check that each number has one record, and no call was placed twice."""
        self.assertEqual(sorted(record.number or "" for record in records), sorted(numbers))
        self.assertEqual(len({record.id for record in records}), len(records))
        dialed = [line.uuid_asked for line in self.switch_log().originates]
        self.assertEqual(len(dialed), len(set(dialed)))
        recorded = [attempt.uuid for record in records for attempt in record.attempts]
        self.assertEqual(set(dialed) - set(recorded), set())

    def _to_redis(self) -> IStreamClientEndpoint:
        return UNIXClientEndpoint(reactor, parse_address(self.url).path)

    def _to_switch(self) -> IStreamClientEndpoint:
        return TCP4ClientEndpoint(reactor, "127.0.0.1", self.switch.port)
