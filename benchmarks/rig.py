"""Redis, the simulated switch and the real daemon, each in a process of its own, to be measured.

Everything runs on free loopback ports and is gone when the measurement is over.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import frozen
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater, react

from ctidialer.contract import keys
from ctidialer.stage.daemon import DaemonProcess, start_daemon
from ctidialer.stage.redis import RedisProcess, start_redis
from ctidialer.stage.switch import SwitchProcess, start_switch
from ctidialer.store.address import parse_address
from ctidialer.store.connection import Reply
from ctidialer.store.link import Link

HOST = "bench"
PASSWORD = "simulated"

MORE_THAN_COME = 1_000_000
"""Sessions a second: a switch that refused calls would have the daemon slow down, as it must."""

STALLED = 60.0
"""Seconds without any new record after which a measurement is given up."""

LOOK = 0.05
BATCH = 1000
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")

Tables = Mapping[str, Mapping[str, object]]
"""Documents by name, by key."""


@frozen
class Spent:
    """CPU time that each process had used by one moment, in seconds; ``at`` is the wall clock."""

    at: float
    daemon: float
    switch: float
    redis: float

    def since(self, before: Spent) -> Spent:
        """Return what was used since ``before``."""
        return Spent(
            self.at - before.at,
            self.daemon - before.daemon,
            self.switch - before.switch,
            self.redis - before.redis,
        )


class Rig:
    """A daemon between a Redis and a simulated switch, in ``directory``."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.redis: RedisProcess
        self.switch: SwitchProcess
        self.daemon: DaemonProcess | None = None
        self.link: Link

    async def start(self, script: Mapping[str, object] | None) -> None:
        """Start Redis and a switch whose callees do what ``script`` says; not the daemon yet.

        None = no switch: the daemon will be given a real one.
        """
        self.redis = await start_redis(reactor, self.directory / "redis")
        self.link = Link(reactor, parse_address(self.redis.url))
        self.link.start()
        await self.link.when_up(10)
        if script is not None:
            await self._start_switch(script)

    async def _start_switch(self, script: Mapping[str, object]) -> None:
        folder = self.directory / "switch"
        folder.mkdir()
        self.switch = await start_switch(
            reactor,
            folder,
            script=dict(script),
            password=PASSWORD,
            sessions_per_second=MORE_THAN_COME,
            max_sessions=MORE_THAN_COME,
        )

    def start_daemon(self, settings: str = "", address: str = "", password: str = PASSWORD) -> None:
        """Start the daemon with more ``settings`` (TOML sections), by default on our switch."""
        text = [
            f'[node]\nhost = "{HOST}"',
            f"[redis]\nurl = {json.dumps(self.redis.url)}",
            f"[freeswitch]\naddress = {json.dumps(address or f'127.0.0.1:{self.switch.port}')}",
            f"password = {json.dumps(password)}",
            settings,
            "",
        ]
        self.daemon = start_daemon(reactor, self.directory, "\n".join(text))

    async def call(self, *arguments: bytes | str | int) -> Reply:
        """Send one command to Redis, as a back end would."""
        return await self.link.call(*arguments)

    async def write_tables(self, tables: Tables) -> None:
        """Write documents as a back end would, many with one command."""
        for key, documents in tables.items():
            pairs = [(name, json.dumps(one)) for name, one in documents.items()]
            for start in range(0, len(pairs), BATCH):
                batch = pairs[start : start + BATCH]
                await self.call("HSET", key, *(part for pair in batch for part in pair))

    async def push(self, queue: str, entries: Iterable[str]) -> None:
        """Append entries to a list, many with one command."""
        waiting = list(entries)
        for start in range(0, len(waiting), BATCH):
            await self.call("RPUSH", queue, *waiting[start : start + BATCH])

    async def length(self, command: str, key: str) -> int:
        """Return what LLEN, XLEN, ZCARD or HLEN says."""
        length = await self.call(command, key)
        assert isinstance(length, int)
        return length

    async def recorded(self) -> int:
        """Return how many records stand in the stream."""
        return await self.length("XLEN", keys.records(HOST))

    async def until(
        self, is_so: Callable[[], Coroutine[Any, Any, bool]], within: float = STALLED
    ) -> None:
        """Wait until something is so; RuntimeError when the daemon has ended, or time is over."""
        deadline = time.monotonic() + within
        while not await is_so():
            self._check_daemon()
            if time.monotonic() > deadline:
                raise RuntimeError(f"it was not so within {within} s")
            await self.pause(LOOK)

    def _check_daemon(self) -> None:
        if self.daemon is not None and not self.daemon.running:
            raise RuntimeError(f"the daemon has ended:\n{self.daemon.last_words()}")

    async def until_recorded(self, count: int) -> None:
        """Wait until so many records stand in the stream; RuntimeError where it stalls."""
        seen, since = -1, time.monotonic()
        while (now := await self.recorded()) < count:
            if now != seen:
                seen, since = now, time.monotonic()
            self._check_daemon()
            if time.monotonic() - since > STALLED:
                raise RuntimeError(f"{now} of {count} records, and no more for {STALLED} s")
            await self.pause(LOOK)

    def pause(self, seconds: float) -> Deferred[None]:
        """Let some time pass."""
        return deferLater(reactor, seconds)

    def spent(self) -> Spent:
        """Return what the processes have used so far."""
        assert self.daemon is not None
        return Spent(
            time.monotonic(),
            cpu_seconds(self.daemon.pid),
            cpu_seconds(self.switch.pid) if hasattr(self, "switch") else 0.0,
            cpu_seconds(self.redis.pid),
        )

    def resident(self) -> float:
        """Return the daemon's resident memory in MB."""
        assert self.daemon is not None
        pages = int(Path(f"/proc/{self.daemon.pid}/statm").read_text().split()[1])
        return pages * PAGE / 1e6

    async def end(self) -> None:
        """Stop everything that runs."""
        if self.daemon is not None and self.daemon.running:
            await self.daemon.kill()
        if hasattr(self, "switch"):
            await self.switch.kill()
        if hasattr(self, "link"):
            await self.link.stop()
        if hasattr(self, "redis"):
            await self.redis.stop()


def cpu_seconds(pid: int | None) -> float:
    """Return the CPU time, user and system, that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def one_task(task: str, queue: str, limit: int, **params: object) -> dict[str, dict[str, object]]:
    """Return the tables of one task that dials ``queue`` over one line of its own."""
    usual = {
        "enable": True,
        "line_group": [task],
        "limit": limit,
        "number_queue": queue,
        "destination_extension": "8888",
    }
    line = {"count": max(1, limit), "dialstring": "sofia/gateway/gw1/${destination_number}"}
    return {
        keys.at(keys.TASK, keys.TEMPLATE): {task: {"params": {**usual, **params}}},
        keys.at(keys.LINE, HOST): {f"{task}-line": {"params": line}},
        keys.at(keys.LINE_GROUP, HOST): {task: {"line": [[f"{task}-line"]]}},
    }


def numbers(count: int, start: int = 0) -> list[str]:
    """Return plain numbers, none twice."""
    return [f"138{index:08d}" for index in range(start, start + count)]


def measure(work: Callable[[Rig], Coroutine[Any, Any, Mapping[str, object]]]) -> None:
    """Run ``work`` with a rig and print what it returns as one JSON line."""

    async def measured() -> None:
        with TemporaryDirectory(prefix="ctidialer-bench-") as folder:
            rig = Rig(Path(folder))
            try:
                print(json.dumps(await work(rig)), flush=True)
            finally:
                await rig.end()

    react(lambda _: Deferred.fromCoroutine(measured()))
