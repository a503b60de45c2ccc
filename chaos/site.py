"""Everything that is running: Redis with its append-only file, the switch, proxies, the daemon."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.internet.endpoints import TCP4ClientEndpoint, UNIXClientEndpoint
from twisted.internet.interfaces import IStreamClientEndpoint

from chaos.daemons import Supervisor
from chaos.load import CDR_LIST, HOST, MAX_CALLS
from chaos.proxy import Proxy
from ctidialer.stage.redis import RedisProcess, start_redis
from ctidialer.stage.switch import SwitchProcess, start_switch
from ctidialer.store.address import parse_address
from ctidialer.store.errors import StoreError
from ctidialer.store.link import Link
from ctidialer.store.reading import Reading
from ctidialer.store.reconnection import BackOff

PASSWORD = "simulated"
LEASE = 2.0
SETTINGS = """
[node]
host = "{host}"
domain = "{host}"
timezone = "Asia/Shanghai"
max_calls = {max_calls}
drain_timeout = 2
lease = {lease}
call_check_interval = 2
[redis]
url = "redis://127.0.0.1:{redis_port}/0"
[freeswitch]
address = "127.0.0.1:{switch_port}"
password = "{password}"
[schedule]
poll_interval = 0.5
[records]
list = "{cdr}"
"""


class Site:
    """The processes in ``directory``; the daemon sees Redis and the switch through proxies only.

    ``link`` is the harness's own way to Redis, past the proxy.
    """

    def __init__(
        self,
        reactor: Any,
        directory: Path,
        script: Mapping[str, object],
        orders: Mapping[str, object],
    ) -> None:
        self.reactor = reactor
        self.directory = directory
        self.daemon_log = directory / "daemon.log"
        self.redis_proxy = Proxy(reactor, self._to_redis)
        self.switch_proxy = Proxy(reactor, self._to_switch)
        self.redis: RedisProcess
        self.switch: SwitchProcess
        self.link: Link
        self.supervisor: Supervisor
        self._script = dict(script)
        self._orders = orders

    async def start(self) -> None:
        """Start everything but the daemon."""
        await self.start_redis()
        url = self.redis.url
        self.link = Link(self.reactor, parse_address(url), back_off=BackOff(0.01, 0.1, 0.1))
        self.link.start()
        await self.link.when_up(10)
        await self.start_switch()
        await self.redis_proxy.listen()
        await self.switch_proxy.listen()
        config = self.directory / "ctidialer.toml"
        config.write_text(self._settings(), "utf-8")
        self.supervisor = Supervisor(self.reactor, config, self.daemon_log, self._orders)

    async def start_redis(self) -> None:
        """Start Redis on what its append-only file has."""
        self.redis = await start_redis(self.reactor, self.directory / "redis", aof=True)

    async def start_switch(self) -> None:
        """Start a switch that knows of no calls; its log goes on."""
        directory = self.directory / "switch"
        directory.mkdir(exist_ok=True)
        self.switch = await start_switch(
            self.reactor, directory, self._script, password=PASSWORD, max_sessions=100_000
        )

    async def noted(self) -> set[str] | None:
        """Return the UUIDs of the calls noted as being placed just now; None = Redis is away."""
        try:
            entries = await Reading(self.link, HOST).in_flight()
        except StoreError:
            return None
        return {entry.dialing.uuid for entry in entries if entry.dialing and entry.dialing.uuid}

    async def end(self) -> None:
        """End everything, whatever state it is in."""
        if hasattr(self, "supervisor") and hasattr(self.supervisor, "current"):
            await self.supervisor.kill()
        if hasattr(self, "switch"):
            await self.switch.kill()
        for proxy in (self.redis_proxy, self.switch_proxy):
            if proxy.port:
                await proxy.close()
        if hasattr(self, "link"):
            await self.link.stop()
        if hasattr(self, "redis"):
            await self.redis.kill()

    def _to_redis(self) -> IStreamClientEndpoint:
        return UNIXClientEndpoint(self.reactor, parse_address(self.redis.url).path)

    def _to_switch(self) -> IStreamClientEndpoint:
        return TCP4ClientEndpoint(self.reactor, "127.0.0.1", self.switch.port)

    def _settings(self) -> str:
        return SETTINGS.format(
            host=HOST,
            max_calls=MAX_CALLS,
            lease=LEASE,
            redis_port=self.redis_proxy.port,
            switch_port=self.switch_proxy.port,
            password=PASSWORD,
            cdr=CDR_LIST,
        )

    async def call(self, *arguments: str | bytes | int) -> Any:
        """Send one command to Redis, past the proxy; again for as long as Redis is away."""
        while True:
            try:
                await self.link.when_up(30)
                return await self.link.call(*arguments)
            except StoreError as error:
                if not getattr(error, "reason", ""):
                    raise

    async def write(self, documents: Mapping[str, Mapping[str, object]]) -> None:
        """Write tables as a back end does."""
        for key, fields in documents.items():
            for name, document in fields.items():
                await self.call("HSET", key, name, json.dumps(document))
