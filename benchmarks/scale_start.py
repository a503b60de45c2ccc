"""How soon 50,000 tasks dial after the start, among 150,000 that are closed.

Each has a queue of its own.  First a thousand of them, spread over the table, have a number each:
until the last of these is on the wire every task has been put in force, and every queue has been
looked at.  Then, with nothing to dial and nothing changed, what the polls of the tables cost.
Last, all of them have a number: from there on it is the rate of calls that counts.  Prints one JSON
line::

    python -m benchmarks.scale_start --closed 150000 --open 50000
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable, Mapping, Sequence

from benchmarks.measuring import environment
from benchmarks.rig import Rig, measure
from benchmarks.scale_tasks import percent
from benchmarks.tasks import closed_tasks, task, tasks_key
from benchmarks.wire import Wire

TARGET = {"last_of_sample_seconds": 10, "idle_cpu_percent": 5}
POLLS = 10.0
"""Seconds of which the idle time is measured: two polls."""


async def starts(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Start the daemon twice; return the figures."""
    await rig.start({"default": {"result": "busy", "ring": 0.05}})
    opened = {f"open-{index}": task(f"open-{index}") for index in range(given.open)}
    await rig.back_end.write_tables({tasks_key(): {**closed_tasks(given.closed), **opened}})
    names = list(opened)
    sample = names[:: max(1, given.open // given.sample)]
    of_sample = await started(rig, sample, given)
    await rig.pause(given.settle)
    idle = await idling(rig)
    assert rig.daemon is not None
    await rig.daemon.stop()
    return {
        "benchmark": "scale_start",
        "target": TARGET,
        "closed": given.closed,
        "open": given.open,
        "sample": of_sample,
        "idle": idle,
        "all": await started(rig, names, given),
        "environment": environment(),
    }


async def started(rig: Rig, names: Sequence[str], given: argparse.Namespace) -> Mapping[str, float]:
    """Give each of these tasks a number and start the daemon; return when they are called."""
    await push(rig, names)
    wire, called = Wire(rig.switch.log_path), 0
    wire.look()
    before = len(wire.starts)
    began = time.time()
    rig.start_daemon()
    first = cpu_at_first = 0.0
    while called < len(names) and time.time() - began < given.most:
        await rig.pause(0.1)
        rig.check_daemon()
        wire.look()
        called = len(wire.starts) - before
        if called and not first:
            first, cpu_at_first = wire.starts[before].time - began, rig.spent().daemon
    last = wire.starts[-1].time - began if called else 0.0
    return {
        "tasks": len(names),
        "called": called,
        "first_seconds": round(first, 2),
        "last_of_sample_seconds": round(last, 2),
        "within_10_seconds": sum(one.time - began <= 10 for one in wire.starts[before:]),
        "daemon_cpu_at_first_seconds": round(cpu_at_first, 2),
        "daemon_cpu_at_last_seconds": round(rig.spent().daemon, 2),
        "load": round(os.getloadavg()[0], 2),
    }


async def push(rig: Rig, names: Iterable[str]) -> None:
    """Give each task one number."""
    waiting = [rig.call("RPUSH", f"numbers-{name}", f"138{n:08d}") for n, name in enumerate(names)]
    for one in waiting:
        await one


async def idling(rig: Rig) -> Mapping[str, float]:
    """Return what the daemon uses while nothing happens, in percent of a core."""
    before = rig.spent()
    await rig.pause(POLLS)
    spent = rig.spent().since(before)
    return {
        "daemon_cpu_percent": percent(spent.daemon, spent.at),
        "redis_cpu_percent": percent(spent.redis, spent.at),
        "resident_mb": round(rig.resident(), 1),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--closed", type=int, default=150_000)
    parser.add_argument("--open", type=int, default=50_000)
    parser.add_argument("--sample", type=int, default=1000, help="tasks with numbers at first")
    parser.add_argument("--settle", type=float, default=15, help="seconds until it is idle")
    parser.add_argument("--most", type=float, default=50, help="seconds to wait for all calls")
    given = parser.parse_args(arguments)
    measure(lambda rig: starts(rig, given))


if __name__ == "__main__":
    main()
