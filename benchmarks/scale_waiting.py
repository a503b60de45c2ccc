"""A great many numbers that wait, and a great many that are due in the same second.

Measured: what the daemon and Redis need a second while none of them is due, beside what they need
when none waits, in turn; then how those that are due are called (in which order, and how fast), and
what the fresh numbers of another task do meanwhile.  Lines are without limit.  Prints one JSON
line::

    python -m benchmarks.scale_waiting --waiting 1000000 --due 100000
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise

from benchmarks.measuring import environment
from benchmarks.rig import Rig, measure, numbers
from benchmarks.tasks import task, tasks_key
from benchmarks.wire import Wire
from ctidialer.contract import keys
from ctidialer.contract.record import Kind
from ctidialer.contract.waiting import Carried, WaitReason, encode_carried
from ctidialer.stage.back_end import BATCH_SIZE
from ctidialer.store.waiting import Waiting

TASK, STEADY = "again", "steady"
PLACE = Waiting(keys.TEMPLATE, Kind.QUEUE, TASK)
RETRY_PLAN = [{"outcome": ["busy"], "after": 3600, "count": 3}]
FAR = 30 * 86_400
STEPS = 10
"""Those that are due have so many due times, all within one second."""
TARGET = {"idle": "nothing to be measured", "misplaced": 0, "fresh_calls_per_second": "its cps"}


async def measured(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Let numbers wait, then have others be due; return the figures."""
    await rig.start({"default": {"talk": 0.5}})
    again = task(TASK, limit=given.limit, retry_plan=RETRY_PLAN)
    tasks = {TASK: again, STEADY: task(STEADY, cps=given.cps, limit=1000)}
    await rig.back_end.write_tables({tasks_key(): tasks})
    rig.start_daemon()
    await rig.back_end.push(f"numbers-{TASK}", numbers(1))
    await rig.until_recorded(1)
    idle = [await idle_twice(rig, given) for _ in range(given.rounds)]
    return {
        "benchmark": "scale_waiting",
        "target": TARGET,
        "waiting": given.waiting,
        "idle_cpu_ms_per_second": idle,
        "due": given.due,
        **await work_off(rig, given),
        "resident_mb": round(rig.resident(), 1),
        "environment": environment(),
    }


async def idle_twice(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Return what a second costs while nothing waits, and while all of them do."""
    await rig.call("UNLINK", *PLACE.names)
    nothing = await idle(rig, given.seconds)
    await put_to_wait(rig, [time.time() + FAR], given.waiting)
    return {"none_waits": nothing, "all_wait": await idle(rig, given.seconds)}


async def idle(rig: Rig, seconds: float) -> dict[str, float]:
    """Return the CPU time of each second in which nothing happens, in milliseconds."""
    await rig.pause(2.0)
    before = rig.spent()
    await rig.pause(seconds)
    spent = rig.spent().since(before)
    return {
        "daemon": round(spent.daemon / spent.at * 1000, 1),
        "redis": round(spent.redis / spent.at * 1000, 1),
    }


async def work_off(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Have so many be due in one second beside a task with fresh numbers; return the figures."""
    await rig.back_end.push(f"numbers-{STEADY}", numbers(1_000_000, start=10_000_000))
    wire = Wire(rig.switch.log_path)
    due = time.time() - 1
    dues = [due + step / STEPS for step in range(STEPS)]
    before, began = rig.spent(), time.time()
    await put_to_wait(rig, dues, given.due)

    async def all_on_the_wire() -> bool:
        wire.look()
        return sum(line.task == TASK for line in wire.starts) > int(given.due)

    await rig.until(all_on_the_wire, within=1800)
    spent = rig.spent().since(before)
    called = of_task(wire, TASK)[1:]
    fresh = [one for one in wire.starts_of(STEADY) if began + 1 <= one <= called[-1][0]]
    return {
        "seconds": round(called[-1][0] - called[0][0], 1),
        "calls_per_second": round(len(called) / (called[-1][0] - called[0][0])),
        "misplaced": misplaced([number for _, number in called], given.due // STEPS),
        "fresh_calls_per_second": round(len(fresh) / (called[-1][0] - began - 1), 2),
        "fresh_cps": given.cps,
        "fresh_longest_gap_ms": round(max((b - a for a, b in pairwise(fresh)), default=0.0) * 1000),
        "daemon_cpu_us_per_call": round(spent.daemon / (len(called) + len(fresh)) * 1e6),
        "redis_cpu_us_per_call": round(spent.redis / (len(called) + len(fresh)) * 1e6),
    }


def of_task(wire: Wire, name: str) -> list[tuple[float, str]]:
    """Return when which number of a task was called, in order."""
    return sorted((line.time, line.number) for line in wire.starts if line.task == name)


def misplaced(called: Sequence[str], each: int) -> int:
    """Return how far, at most, a number was called from among those with the same due time."""
    steps = ((place, int(number[3:]) // each) for place, number in enumerate(called))
    return max(max(step * each - place, place - (step + 1) * each + 1, 0) for place, step in steps)


async def put_to_wait(rig: Rig, dues: Sequence[float], count: int) -> None:
    """Let so many numbers wait, as the daemon's scripts leave them; each due time has its share."""
    each = -(-count // len(dues))
    members = _members(count)
    for due in dues:
        await _add(rig, repr(due), islice(members, each))
    await rig.call("HINCRBY", PLACE.names[2], f"{PLACE.field}:{WaitReason.RETRY.value}", count)
    await rig.call("ZADD", PLACE.names[1], "LT", repr(dues[0]), PLACE.field)


async def _add(rig: Rig, due: str, members: Iterable[bytes]) -> None:
    members = iter(members)
    while batch := [part for one in islice(members, BATCH_SIZE) for part in (due, one)]:
        await rig.call("ZADD", PLACE.key, *batch)


def _members(count: int) -> Iterator[bytes]:
    since = time.time()
    for index in range(count):
        entry_id = f"0123456789abcdef-{since:.0f}-{index}"
        carried = Carried(entry_id, since, since, WaitReason.RETRY, 1, {"busy": 1}, TASK, "left")
        yield encode_carried(carried) + f"\n139{index:08d}".encode()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--waiting", type=int, default=1_000_000, help="not yet due")
    parser.add_argument("--due", type=int, default=100_000, help="in the same second")
    parser.add_argument("--limit", type=int, default=600, help="calls at once of those that wait")
    parser.add_argument("--cps", type=float, default=50, help="of the task with fresh numbers")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each look at idling")
    parser.add_argument("--rounds", type=int, default=2, help="looks at idling, in turn")
    given = parser.parse_args(arguments)
    measure(lambda rig: measured(rig, given))


if __name__ == "__main__":
    main()
