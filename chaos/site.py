"""Everything that is running: Redis with its append-only file, the switch, proxies, the daemon."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.internet.endpoints import TCP4ClientEndpoint, UNIXClientEndpoint, connectProtocol
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IStreamClientEndpoint

from chaos.daemons import Supervisor, start_chaos_daemon
from chaos.load import CDR_LIST, HOST, MAX_CALLS
from chaos.proxy import Proxy
from ctidialer.contract import keys
from ctidialer.esl.client import EventSocketProtocol
from ctidialer.esl.errors import EslError
from ctidialer.reconnection import BackOff
from ctidialer.settings import FreeSwitch
from ctidialer.stage.daemon import DaemonProcess, settings_text
from ctidialer.stage.stage import PASSWORD, Stage
from ctidialer.store.address import parse_address
from ctidialer.store.errors import StoreError
from ctidialer.store.reading import NodeReading

USER = "ctidialer"
USER_PASSWORD = "chaos"
NODE = f"""
domain = "{HOST}"
timezone = "Asia/Shanghai"
max_calls = {MAX_CALLS}
drain_timeout = 2
lease = 2
call_check_interval = 2
"""
MORE = f"""
[config]
poll_interval = 1
[schedule]
poll_interval = 0.5
[records]
list = "{CDR_LIST}"
"""


class Site(Stage):
    """A stage on which the daemon sees Redis and the switch through proxies only.

    What we do with Redis ourselves goes past the proxy.
    """

    def __init__(
        self,
        reactor: Any,
        directory: Path,
        script: Mapping[str, object],
        orders: Mapping[str, object],
    ) -> None:
        super().__init__(reactor, directory, HOST, BackOff(0.01, 0.1, 0.1))
        self.redis_proxy = Proxy(reactor, self._to_redis)
        self.switch_proxy = Proxy(reactor, self._to_switch)
        self.supervisor = Supervisor(reactor, self._start_daemon)
        self._script = dict(script)
        self._orders = orders
        self.generation = 0

    async def start(self) -> None:
        """Start everything but the daemon."""
        await self.restart_redis()
        await self.restart_switch()
        await self.redis_proxy.listen()
        await self.switch_proxy.listen()

    async def restart_redis(self) -> None:
        """Start Redis on what its append-only file has."""
        user = f"user {USER} on >{USER_PASSWORD} ~* &* +@all"
        await self.start_redis(aof=True, directives=[user])

    async def restart_switch(self) -> None:
        """Start a switch that knows of no calls; its log goes on."""
        await self.start_switch(self._script, max_sessions=100_000, log_answers=True)

    async def order(self, *commands: str) -> None:
        """Run API commands at the switch, past the proxy; one that is away takes no orders."""
        endpoint = self._to_switch()
        try:
            socket = await connectProtocol(endpoint, EventSocketProtocol(self.reactor))
        except ConnectError:
            return
        try:
            await socket.auth(PASSWORD)
            for command in commands:
                await socket.api(command)
        except EslError:
            return
        finally:
            gone = socket.when_gone()
            socket.close()
            await gone

    async def noted(self) -> set[str] | None:
        """Return the UUIDs of the calls noted as being placed just now; None = Redis is away."""
        try:
            entries = await NodeReading(self.link, HOST).in_flight()
        except StoreError:
            return None
        return {entry.dialing.uuid for entry in entries if entry.dialing and entry.dialing.uuid}

    async def holder(self) -> int | None:
        """Return the process id of the daemon that has the host's name, None = nobody."""
        holder = await self.call("HGET", keys.lease(HOST), "holder")
        return None if holder is None else int(json.loads(holder)["pid"])

    async def end(self) -> None:
        """End everything, whatever state it is in."""
        if hasattr(self.supervisor, "current"):
            await self.supervisor.kill()
        for proxy in (self.redis_proxy, self.switch_proxy):
            if proxy.port:
                await proxy.close()
        await super().end()

    def _to_redis(self) -> IStreamClientEndpoint:
        return UNIXClientEndpoint(self.reactor, parse_address(self.redis.url).path)

    def _to_switch(self) -> IStreamClientEndpoint:
        return TCP4ClientEndpoint(self.reactor, "127.0.0.1", self.switch.port)

    def _start_daemon(self) -> DaemonProcess:
        redis = f"redis://{USER}:{USER_PASSWORD}@{self.redis_proxy.address}/0"
        freeswitch = FreeSwitch(address=self.switch_proxy.address, password=PASSWORD)
        text = settings_text(HOST, redis, freeswitch, node=NODE, more=MORE)
        return start_chaos_daemon(self.reactor, self.directory, text, self._orders)

    async def call(self, *arguments: str | bytes | int) -> Any:
        """Send one command to Redis, past the proxy; again for as long as Redis is away."""
        while True:
            try:
                await self.link.when_up(30)
                return await self.link.call(*arguments)
            except StoreError as error:
                if not getattr(error, "reason", ""):
                    raise
