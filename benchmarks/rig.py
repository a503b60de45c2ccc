"""Redis, the simulated switch and the real daemon, each in a process of its own, to be measured.

Everything runs on free loopback ports and is gone when the measurement is over.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attrs import frozen
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from ctidialer.contract import keys
from ctidialer.stage.stage import Stage

HOST = "bench"

MORE_THAN_COME = 1_000_000
"""Sessions a second: a switch that refused calls would have the daemon slow down, as it must."""

PAGE = os.sysconf("SC_PAGE_SIZE")


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


class Rig(Stage):
    """A stage whose processes are measured."""

    def __init__(self, directory: Path) -> None:
        super().__init__(reactor, directory, HOST)

    async def start(self, script: Mapping[str, object] | None) -> None:
        """Start Redis and a switch whose callees do what ``script`` says; not the daemon yet.

        None = no switch: the daemon will be given a real one.
        """
        await self.start_redis()
        if script is not None:
            await self.start_switch(script)

    async def start_switch(self, script: Mapping[str, object], **options: object) -> None:
        """Start a switch that refuses nobody: ``listen="127.0.0.1:8021"``, ``log="/dev/null"``…"""
        rates = {"sessions_per_second": MORE_THAN_COME, "max_sessions": MORE_THAN_COME}
        await super().start_switch(script, **{**rates, **options})

    def spent(self) -> Spent:
        """Return what the processes have used so far."""
        assert self.daemon is not None
        return Spent(
            time.monotonic(),
            cpu_seconds(self.daemon.pid),
            cpu_seconds(self.switch.pid) if self.has_switch else 0.0,
            cpu_seconds(self.redis.pid),
        )

    def resident(self) -> float:
        """Return the daemon's resident memory in MB."""
        assert self.daemon is not None
        pages = int(Path(f"/proc/{self.daemon.pid}/statm").read_text().split()[1])
        return pages * PAGE / 1e6


def cpu_seconds(pid: int) -> float:
    """Return the CPU time, user and system, that a process has used so far.

    By the process's own clock, to the nanosecond: /proc/PID/stat counts in ticks of 10 ms, so that
    a short run used none. Python has no clock_getcpuclockid(3); this is the number it returns on
    Linux, and 2 stands for the clock of the scheduler.
    """
    return time.clock_gettime((~pid << 3) | 2)


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
