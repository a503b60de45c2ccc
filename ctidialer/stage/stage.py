"""Redis, a simulated switch and the real daemon, each in a process of its own.

Everything runs on free loopback ports or unix sockets, and is gone when the stage is ended.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from ctidialer.contract import keys
from ctidialer.contract.record import Record
from ctidialer.nodes.record_scan import read_records
from ctidialer.reconnection import BackOff
from ctidialer.settings import FreeSwitch
from ctidialer.stage.back_end import BackEnd
from ctidialer.stage.daemon import DaemonProcess, settings_text, start_daemon
from ctidialer.stage.redis import RedisProcess, start_redis
from ctidialer.stage.switch import SwitchProcess, start_switch
from ctidialer.stage.watching import LOOK_INTERVAL, StageFailed, Stalled, watch
from ctidialer.store.address import parse_address
from ctidialer.store.connection import Reply
from ctidialer.store.link import Link
from ctidialer.switchsim.calllog import CallLog, read_call_log

PASSWORD = "simulated"
"""The simulated switch's."""

CONNECT_TIMEOUT = 30.0
STALL_TIMEOUT = 60.0
"""Seconds without any change after which it is no use to wait on."""

Part = TypeVar("Part")
Seen = TypeVar("Seen")


class Stage:
    """The three processes of the node ``host``, in ``directory``; each starts when it is told to.

    ``link`` and ``back_end`` are our own way to Redis; ``back_off`` is the link's.
    """

    def __init__(
        self, reactor: Any, directory: Path, host: str, back_off: BackOff | None = None
    ) -> None:
        self.reactor = reactor
        self.directory = directory
        self.host = host
        self.back_end = BackEnd(self.call, host)
        self._back_off = back_off
        self._redis: RedisProcess | None = None
        self._link: Link | None = None
        self._switch: SwitchProcess | None = None
        self.daemon: DaemonProcess | None = None

    @property
    def redis(self) -> RedisProcess:
        """The Redis that was started last."""
        return _started(self._redis, "Redis")

    @property
    def link(self) -> Link:
        """Our own link to it."""
        return _started(self._link, "Redis")

    @property
    def switch(self) -> SwitchProcess:
        """The switch that was started last."""
        return _started(self._switch, "the switch")

    @property
    def has_switch(self) -> bool:
        """Whether a switch was started."""
        return self._switch is not None

    # --- starting and ending -------------------------------------------------------------------

    async def start_redis(self, **options: Any) -> None:
        """Start Redis, or start it again on what it has kept; return when we are connected."""
        self._redis = await start_redis(self.reactor, self.directory / "redis", **options)
        if self._link is None:
            address = parse_address(self._redis.url)
            self._link = Link(self.reactor, address, back_off=self._back_off)
            self._link.start()
        await self._link.when_up(CONNECT_TIMEOUT)

    async def start_switch(self, script: Mapping[str, object], **options: object) -> None:
        """Start a switch that knows of no calls; the log of one before it goes on."""
        directory = self.directory / "switch"
        directory.mkdir(exist_ok=True)
        self._switch = await start_switch(
            self.reactor, directory, dict(script), **{"password": PASSWORD, **options}
        )

    def freeswitch(self) -> FreeSwitch:
        """Return where the switch is."""
        return FreeSwitch(address=f"127.0.0.1:{self.switch.port}", password=PASSWORD)

    def start_daemon(
        self, freeswitch: FreeSwitch | None = None, *, node: str = "", more: str = ""
    ) -> DaemonProcess:
        """Start the daemon, by default on our switch.

        ``node`` are further keys of ``[node]``, ``more`` further tables of its settings.
        """
        freeswitch = freeswitch or self.freeswitch()
        text = settings_text(self.host, self.redis.url, freeswitch, node=node, more=more)
        self.daemon = start_daemon(self.reactor, self.directory, text)
        return self.daemon

    async def end(self) -> None:
        """End everything that runs, whatever state it is in."""
        for process in (self.daemon, self._switch):
            if process is not None:
                await process.kill()
        if self._link is not None:
            await self._link.stop()
        if self._redis is not None:
            await self._redis.kill()

    # --- what goes on ---------------------------------------------------------------------------

    async def call(self, *arguments: str | bytes | int) -> Reply:
        """Send one command to Redis."""
        return await self.link.call(*arguments)

    def pause(self, seconds: float) -> Deferred[None]:
        """Let some time pass."""
        return deferLater(self.reactor, seconds)

    async def watch(
        self,
        look: Callable[[], Awaitable[Seen]],
        is_done: Callable[[Seen], bool],
        patience: float = STALL_TIMEOUT,
        interval: float = LOOK_INTERVAL,
    ) -> Seen:
        """Look until ``is_done``, as :func:`~ctidialer.stage.watching.watch` does.

        Raises StageFailed, with the daemon's last words, when nothing moves or it has ended.
        """

        async def look_at_all() -> Seen:
            self.check_daemon()
            return await look()

        try:
            return await watch(self.reactor, look_at_all, is_done, patience, interval)
        except Stalled as error:
            raise StageFailed(f"{error}\n{self._last_words()}") from error

    async def until(
        self, is_so: Callable[[], Awaitable[bool]], within: float = STALL_TIMEOUT
    ) -> None:
        """Wait until something is so; StageFailed when time is over, or the daemon has ended."""
        await self.watch(is_so, bool, within)

    async def until_recorded(self, count: int) -> None:
        """Wait until so many records stand in the stream; StageFailed where it stalls."""
        await self.watch(self.back_end.recorded, lambda recorded: recorded >= count)

    def check_daemon(self) -> None:
        """Raise StageFailed if the daemon has ended by itself."""
        if self.daemon is not None and not self.daemon.running:
            raise StageFailed(f"the daemon has ended:\n{self._last_words()}")

    def _last_words(self) -> str:
        return "" if self.daemon is None else self.daemon.last_words()

    async def records(self) -> tuple[Record, ...]:
        """Return the records so far, oldest first."""
        return await read_records(self.link, keys.records(self.host))

    def call_log(self) -> CallLog:
        """Return what the switch was asked for, so far."""
        return read_call_log(self.switch.log_path)


def _started(part: Part | None, name: str) -> Part:
    if part is None:
        raise StageFailed(f"{name} was not started")
    return part
