"""Everything that is running: Redis with its append-only file; and for each host its switch, its
daemon, and proxies between them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, UNIXClientEndpoint, connectProtocol
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IStreamClientEndpoint

from chaos.daemons import Supervisor, start_chaos_daemon
from chaos.load import CDR_LIST, DOMAIN, MAX_CALLS
from chaos.proxy import Proxy
from chaos.rewriting import TablesOf
from ctidialer.contract import keys
from ctidialer.esl.client import EventSocketProtocol
from ctidialer.esl.errors import EslError
from ctidialer.reconnection import BackOff
from ctidialer.settings import FreeSwitch
from ctidialer.stage.daemon import DaemonProcess, settings_text
from ctidialer.stage.stage import PASSWORD, Stage
from ctidialer.stage.switch import SwitchProcess, start_switch
from ctidialer.store.address import parse_address
from ctidialer.store.errors import StoreError
from ctidialer.store.reading import NodeReading

USER = "ctidialer"
USER_PASSWORD = "chaos"
ADOPT_AFTER = 4.0
"""Seconds without its lease after which a host is taken over by others; most calls are shorter."""

LEASE = 2
"""Seconds."""

NODE = f"""
domain = "{DOMAIN}"
timezone = "Asia/Shanghai"
max_calls = {MAX_CALLS}
drain_timeout = 2
lease = {LEASE}
call_check_interval = 2
"""
ADOPTS = f"""
adopt = true
adopt_after = {ADOPT_AFTER}
"""
MORE = f"""
[config]
poll_interval = 1
[schedule]
poll_interval = 0.5
[records]
list = "{CDR_LIST}"
"""


class Ground(Stage):
    """Redis, and the sites of the hosts that use it.

    What we do with Redis ourselves goes past all proxies.  ``sites`` are those of the hosts that
    are there, ``lost`` of those that will not come back.  ``script`` is what the callees do,
    ``orders`` what the daemons of the test build are to do (:mod:`chaos.entry`), ``tables`` what a
    back end writes.
    """

    def __init__(
        self,
        reactor: Any,
        directory: Path,
        script: Mapping[str, object],
        orders: Mapping[str, object],
        node: str = NODE,
    ) -> None:
        super().__init__(reactor, directory, DOMAIN, BackOff(0.01, 0.1, 0.1))
        self.script = dict(script)
        self.orders = orders
        self.node = node
        self.sites: list[Site] = []
        self.lost: list[Site] = []
        self.generation = 0
        self.tables: TablesOf

    @property
    def all_sites(self) -> list[Site]:
        """The sites of all hosts that there ever were."""
        return [*self.lost, *self.sites]

    async def start(self) -> None:
        """Start Redis."""
        await self.restart_redis()

    async def restart_redis(self) -> None:
        """Start Redis on what its append-only file has."""
        user = f"user {USER} on >{USER_PASSWORD} ~* &* +@all"
        await self.start_redis(aof=True, directives=[user])

    async def add_host(self) -> Site:
        """Start everything of one more host but its daemon."""
        site = Site(self, f"fs{len(self.all_sites) + 1}")
        await site.start()
        self.sites.append(site)
        return site

    async def noted(self, hosts: Iterable[str]) -> set[str] | None:
        """Return the UUIDs of the calls that these hosts have noted as being placed just now.

        None = Redis is away.
        """
        noted: set[str] = set()
        for host in hosts:
            try:
                entries = await NodeReading(self.link, host).in_flight()
            except StoreError:
                return None
            noted |= {one.dialing.uuid for one in entries if one.dialing and one.dialing.uuid}
        return noted

    async def call(self, *arguments: str | bytes | int) -> Any:
        """Send one command to Redis; again for as long as Redis is away."""
        while True:
            try:
                await self.link.when_up(30)
                return await self.link.call(*arguments)
            except StoreError as error:
                if not getattr(error, "reason", ""):
                    raise

    async def end(self) -> None:
        """End everything, whatever state it is in."""
        for site in self.all_sites:
            await site.end()
        await super().end()


class Site:
    """One host, whose daemon sees Redis and the switch through proxies only.

    ``switch_ended`` has the moments (unix s) at which a switch of this host was killed or shut
    down, ``lost_at`` the one at which the host was lost.
    """

    def __init__(self, ground: Ground, name: str) -> None:
        self.ground = ground
        self.name = name
        self.reactor = ground.reactor
        self.directory = ground.directory / name
        self.redis_proxy = Proxy(self.reactor, self._to_redis)
        self.switch_proxy = Proxy(self.reactor, self._to_switch)
        self.supervisor = Supervisor(self.reactor, self._start_daemon)
        self.switch_ended: list[float] = []
        self.lost_at = 0.0
        self.switch: SwitchProcess

    async def start(self) -> None:
        """Start everything but the daemon."""
        self.directory.mkdir(exist_ok=True)
        await self.start_switch()
        await self.redis_proxy.listen()
        await self.switch_proxy.listen()

    async def start_switch(self) -> None:
        """Start a switch that knows of no calls; its log goes on."""
        self.switch = await start_switch(
            self.reactor,
            self.directory,
            dict(self.ground.script),
            password=PASSWORD,
            max_sessions=100_000,
            log_answers=True,
        )

    async def kill_switch(self) -> None:
        """Kill the switch, and its calls with it."""
        await self.switch.kill()
        self.switch_ended.append(self.reactor.seconds())

    async def stop_switch(self) -> None:
        """Shut the switch down; it ends its calls before it goes."""
        await self.switch.stop()
        self.switch_ended.append(self.reactor.seconds())

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

    async def holder(self) -> int | None:
        """Return the process id of the daemon that has the host's name, None = nobody."""
        holder = await self.ground.call("HGET", keys.lease(self.name), "holder")
        return None if holder is None else int(json.loads(holder)["pid"])

    async def lose(self, *, with_switch: bool) -> None:
        """The host is lost for good: its daemon, its network, and its switch too, if it is so."""
        await self.supervisor.kill()
        self.lost_at = self.reactor.seconds()
        for proxy in (self.redis_proxy, self.switch_proxy):
            await proxy.close()
        if with_switch:
            await self.kill_switch()
        self.ground.sites.remove(self)
        self.ground.lost.append(self)

    def pause(self, seconds: float) -> Deferred[None]:
        """Let some time pass."""
        return self.ground.pause(seconds)

    async def end(self) -> None:
        """End everything, whatever state it is in."""
        if hasattr(self.supervisor, "current"):
            await self.supervisor.kill()
        for proxy in (self.redis_proxy, self.switch_proxy):
            if proxy.port:
                await proxy.close()
        if hasattr(self, "switch"):
            await self.switch.kill()

    def _to_redis(self) -> IStreamClientEndpoint:
        return UNIXClientEndpoint(self.reactor, parse_address(self.ground.redis.url).path)

    def _to_switch(self) -> IStreamClientEndpoint:
        return TCP4ClientEndpoint(self.reactor, "127.0.0.1", self.switch.port)

    def _start_daemon(self) -> DaemonProcess:
        redis = f"redis://{USER}:{USER_PASSWORD}@{self.redis_proxy.address}/0"
        freeswitch = FreeSwitch(address=self.switch_proxy.address, password=PASSWORD)
        text = settings_text(self.name, redis, freeswitch, node=self.ground.node, more=MORE)
        return start_chaos_daemon(self.reactor, self.directory, text, self.ground.orders)
