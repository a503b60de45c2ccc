"""What one complete call costs the daemon: claim, note, originate, its events, record.

Real Redis (or Valkey), the simulated switch in a process of its own, the real ``twistd ctidialer``;
crash safety on, for it cannot be switched off.  CPU time of the daemon's process is read from the
system before the numbers are pushed and after the last record, so that its start does not count.

Prints one JSON line::

    python -m benchmarks.whole_dialer --numbers 20000 --limit 600
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater, react

from ctidialer.cli.daemon_process import DaemonProcess, start_daemon
from ctidialer.cli.record_stream import read_records
from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from ctidialer.store.address import parse_address
from ctidialer.store.link import Link
from ctidialer.store.server import RedisProcess, start_redis
from ctidialer.switchsim.process import SwitchProcess, start_switch

HOST = "bench"
TASK = "bench"
QUEUE = "bench_numbers"
PASSWORD = "simulated"
MORE_THAN_COME = 1_000_000
"""Sessions a second: a switch that refused calls would have the daemon slow down, as it must."""

LOOK = 0.05
BATCH = 1000
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@frozen
class Plan:
    """What to dial: ``talk`` is how long each answered call lasts, in seconds."""

    numbers: int
    limit: int
    talk: float
    warm_up: int
    entry_variables: bool


@frozen
class Spent:
    """What three processes had used by one moment, in seconds; ``at`` is the wall clock."""

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


class Bench:
    """A daemon between a Redis and a simulated switch, all on this machine."""

    def __init__(self, plan: Plan, directory: Path) -> None:
        self._plan = plan
        self._directory = directory
        self._redis: RedisProcess
        self._switch: SwitchProcess
        self._daemon: DaemonProcess
        self._link: Link

    async def run(self) -> dict[str, Any]:
        """Dial everything and return the figures."""
        await self._start()
        try:
            await self._dial(self._plan.warm_up)
            before = self._spent()
            await self._dial(self._plan.numbers)
            spent = self._spent().since(before)
            return self._figures(spent, await self._answered())
        finally:
            await self._end()

    async def _start(self) -> None:
        self._redis = await start_redis(reactor, self._directory / "redis")
        self._link = Link(reactor, parse_address(self._redis.url))
        self._link.start()
        await self._link.when_up(10)
        folder = self._directory / "switch"
        folder.mkdir()
        script = {"default": {"result": "answer", "talk": self._plan.talk}}
        self._switch = await start_switch(
            reactor, folder, script=script, password=PASSWORD, sessions_per_second=MORE_THAN_COME
        )
        await self._write_tables()
        self._daemon = start_daemon(reactor, self._directory, self._settings())

    async def _write_tables(self) -> None:
        params = {
            "enable": True,
            "line_group": ["main"],
            "limit": self._plan.limit,
            "number_queue": QUEUE,
            "destination_extension": "8888",
        }
        line = {"count": self._plan.limit, "dialstring": "sofia/gateway/gw1/${destination_number}"}
        tables: dict[str, dict[str, object]] = {
            keys.at(keys.TASK, keys.TEMPLATE): {TASK: {"params": params}},
            keys.at(keys.LINE, HOST): {"gw1": {"params": line}},
            keys.at(keys.LINE_GROUP, HOST): {"main": {"line": [["gw1"]]}},
        }
        for key, documents in tables.items():
            for name, document in documents.items():
                await self._link.call("HSET", key, name, json.dumps(document))

    def _settings(self) -> str:
        return "\n".join(
            [
                f'[node]\nhost = "{HOST}"',
                f"[redis]\nurl = {json.dumps(self._redis.url)}",
                f'[freeswitch]\naddress = "127.0.0.1:{self._switch.port}"',
                f'password = "{PASSWORD}"',
                "",
            ]
        )

    async def _dial(self, count: int) -> None:
        """Push ``count`` numbers and wait until each has its record."""
        recorded = await self._length("XLEN", keys.records(HOST))
        for start in range(0, count, BATCH):
            entries = [self._entry(index) for index in range(start, min(start + BATCH, count))]
            await self._link.call("RPUSH", QUEUE, *entries)
        while await self._length("XLEN", keys.records(HOST)) < recorded + count:
            if not self._daemon.running:
                raise RuntimeError(f"the daemon has ended:\n{self._daemon.last_words()}")
            await deferLater(reactor, LOOK)

    def _entry(self, index: int) -> str:
        number = f"138{index:08d}"
        if not self._plan.entry_variables:
            return number
        return json.dumps({"params": {"number": number}, "variables": {"customer": str(index)}})

    async def _length(self, command: str, key: str) -> int:
        length = await self._link.call(command, key)
        assert isinstance(length, int)
        return length

    def _spent(self) -> Spent:
        return Spent(
            time.monotonic(),
            cpu_seconds(self._daemon.pid),
            cpu_seconds(self._switch.pid),
            cpu_seconds(self._redis.pid),
        )

    async def _answered(self) -> int:
        """Return how many numbers were answered at their first call; else it was another work."""
        records = await read_records(self._link, keys.records(HOST))
        return sum(
            record.outcome is Outcome.ANSWERED and len(record.attempts) == 1 for record in records
        )

    def _figures(self, spent: Spent, answered: int) -> dict[str, Any]:
        numbers = self._plan.numbers
        return {
            "benchmark": "whole_dialer",
            "calls": numbers,
            "answered": answered - self._plan.warm_up,
            "limit": self._plan.limit,
            "talk_seconds": self._plan.talk,
            "wall_seconds": round(spent.at, 2),
            "calls_per_second": round(numbers / spent.at),
            "daemon_cpu_us_per_call": round(spent.daemon / numbers * 1e6),
            "switch_cpu_us_per_call": round(spent.switch / numbers * 1e6),
            "redis_cpu_us_per_call": round(spent.redis / numbers * 1e6),
            "calls_per_second_of_a_core": round(numbers / spent.daemon),
            "redis": self._redis.description,
        }

    async def _end(self) -> None:
        if self._daemon.running:
            await self._daemon.stop()
        await self._switch.kill()
        await self._link.stop()
        await self._redis.stop()


def cpu_seconds(pid: int | None) -> float:
    """Return the CPU time, user and system, that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--numbers", type=int, default=20_000)
    parser.add_argument("--limit", type=int, default=600, help="calls at once")
    parser.add_argument("--talk", type=float, default=0.2, help="seconds of each call")
    parser.add_argument("--warm-up", type=int, default=2_000, help="calls before it counts")
    parser.add_argument("--variables", action="store_true", help="JSON entries with a variable")
    given = parser.parse_args(arguments)
    plan = Plan(given.numbers, given.limit, given.talk, given.warm_up, given.variables)

    def run(_: object) -> Deferred[None]:
        return Deferred.fromCoroutine(_print(plan))

    react(run)


async def _print(plan: Plan) -> None:
    with tempfile.TemporaryDirectory(prefix="ctidialer-bench-") as folder:
        print(json.dumps(await Bench(plan, Path(folder)).run()))


if __name__ == "__main__":
    main()
