"""A burst of scheduled numbers, all due in one second, behind a great many that are not yet due.

Measured: until the last of the burst is on the wire, and what a queue task does meanwhile.  Lines
are without limit.  Prints one JSON line::

    python -m benchmarks.scale_schedule --members 100000 1000000 --burst 10000
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

from benchmarks.measuring import environment
from benchmarks.rig import HOST, Rig, Spent, measure, numbers
from benchmarks.tasks import task, tasks_key
from benchmarks.wire import Wire, most_in_a_second
from ctidialer.contract import keys
from ctidialer.stage.back_end import BATCH_SIZE

KEY = keys.at(keys.SCHEDULE_NUMBER, HOST)
CONFIG = "bench"
QUEUE_TASK = "steady"
CPS = 10
FAR = 30 * 86_400
BEFORE = 3.0
AFTER = 3.0
TARGET = {"burst_seconds": "reported", "queue_calls_per_second": CPS}


async def bursts(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Have a burst before every number of members; return the figures."""
    await rig.start({"default": {"talk": 0.5}})
    params = {"line_group": ["bench"], "destination_extension": "8888"}
    await rig.back_end.write_tables(
        {keys.at(keys.SCHEDULE_CONFIG, HOST): {CONFIG: {"params": params}}}
    )
    await rig.back_end.write_tables(
        {tasks_key(): {QUEUE_TASK: task(QUEUE_TASK, cps=CPS, limit=1000)}}
    )
    await rig.back_end.push(f"numbers-{QUEUE_TASK}", numbers(100_000))
    rig.start_daemon()
    await rig.until_recorded(1)
    wire = Wire(rig.switch.log_path)
    there, by_members = 0, {}
    for count in sorted(given.members):
        await add(rig, time.time() + FAR, count - there, start=there)
        there = count
        by_members[str(count)] = await burst(rig, wire, given.burst, start=count)
    return {
        "benchmark": "scale_schedule",
        "target": TARGET,
        "burst": given.burst,
        "by_members": by_members,
        "resident_mb": round(rig.resident(), 1),
        "environment": environment(),
    }


async def burst(rig: Rig, wire: Wire, count: int, start: int) -> dict[str, object]:
    """Have so many numbers come due in one second; return what came of it."""
    due = math.ceil(time.time() + BEFORE + count / 10_000)
    await add(rig, due, count, start=10_000_000 + start)
    await rig.pause(due - time.time() - 1)
    before = rig.spent()
    wire.look()
    earlier = sum(line.task != QUEUE_TASK for line in wire.starts)

    async def are_on_the_wire() -> bool:
        wire.look()
        return sum(line.task != QUEUE_TASK for line in wire.starts) >= earlier + count

    await rig.until(are_on_the_wire, within=600)
    spent = rig.spent().since(before)
    await rig.pause(AFTER)
    wire.look()
    return figures(wire, due, count, spent)


def figures(wire: Wire, due: float, count: int, spent: Spent) -> dict[str, object]:
    """Return how late the burst was, and how steady the queue task."""
    burst = sorted(line.time for line in wire.starts if line.task != QUEUE_TASK)[-count:]
    last = burst[-1]
    queue = [one for one in wire.starts_of(QUEUE_TASK) if due <= one < last]
    gaps = [later - one for one, later in pairwise(queue)]
    return {
        "first_after_ms": round((burst[0] - due) * 1000),
        "burst_seconds": round(last - due, 2),
        "burst_calls_per_second": round(count / (last - burst[0])),
        "burst_most_in_a_second": most_in_a_second(burst),
        "queue_calls_per_second": round(len(queue) / (last - due), 2),
        "queue_longest_gap_ms": round(max(gaps, default=0.0) * 1000),
        "daemon_cpu_seconds": round(spent.daemon, 2),
        "redis_cpu_seconds": round(spent.redis, 2),
    }


async def add(rig: Rig, due: float, count: int, start: int) -> None:
    """Add so many members that are all due at ``due``."""
    members = _members(count, start)
    for _ in range(0, count, BATCH_SIZE):
        batch = [part for member in islice(members, BATCH_SIZE) for part in (str(due), member)]
        await rig.call("ZADD", KEY, *batch)


def _members(count: int, start: int) -> Iterator[str]:
    for number in range(start, start + count):
        yield json.dumps({"params": {"number": f"139{number:08d}", "config": CONFIG}})


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--members", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--burst", type=int, default=10_000)
    given = parser.parse_args(arguments)
    measure(lambda rig: bursts(rig, given))


if __name__ == "__main__":
    main()
