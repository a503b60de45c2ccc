"""What 200,000 tasks cost, of which ten dial; beside fewer, to see how that grows.

The others are closed (half disabled, half past their last day), or they are open and their queues
empty: at most 50,000 of these.  Measured twice each: with nothing to dial, and while the ten dial
slowly; then the daemon is started anew, and timed until its first call.  Prints one JSON line::

    python -m benchmarks.scale_tasks --tasks 1000 10000 200000 --seconds 20
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence

from benchmarks.measuring import environment
from benchmarks.rig import Rig, measure, numbers
from benchmarks.tasks import closed_tasks, task, tasks_key, waiting_tasks

DIALING = 10
CPS = 1.0
TARGET = {"idle_cpu_percent": 5, "first_call_after_start_seconds": 10}
MOST_WAITING = 50_000
OTHERS: Mapping[str, Callable[[int], dict[str, object]]] = {
    "closed": closed_tasks,
    "waiting": waiting_tasks,
}


async def idle(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Measure with all sorts and numbers of other tasks; return the figures."""
    await rig.start({"default": {"talk": 0.5}})
    ten = {f"dialing-{index}": task(f"dialing-{index}", cps=CPS) for index in range(DIALING)}
    await rig.back_end.push("numbers-dialing-0", numbers(1))
    await rig.back_end.write_tables({tasks_key(): ten})
    rig.start_daemon()
    await rig.until_recorded(1)
    waiting = sorted({min(count, MOST_WAITING) for count in given.tasks})
    counts = {"closed": given.tasks, "waiting": waiting}
    figures = {
        sort: {str(count): await among(rig, ten, make(count), given) for count in counts[sort]}
        for sort, make in OTHERS.items()
    }
    return {
        "benchmark": "scale_tasks",
        "target": TARGET,
        "seconds": given.seconds,
        "dialing": DIALING,
        "cps_of_each": CPS,
        **figures,
        "environment": environment(),
    }


async def among(
    rig: Rig,
    ten: Mapping[str, object],
    others: Mapping[str, object],
    given: argparse.Namespace,
) -> dict[str, float]:
    """Return what the daemon uses with these other tasks, in percent of a core."""
    await rig.call("DEL", tasks_key())
    await rig.back_end.write_tables({tasks_key(): {**others, **ten}})
    await rig.pause(given.settle)
    before = rig.spent()
    await rig.pause(given.seconds)
    spent = rig.spent().since(before)
    for name in ten:
        await rig.back_end.push(f"numbers-{name}", numbers(round(CPS * given.seconds) + DIALING))
    before, recorded = rig.spent(), await rig.back_end.recorded()
    await rig.pause(given.seconds)
    dialed = rig.spent().since(before)
    calls = await rig.back_end.recorded() - recorded
    await rig.call("DEL", *(f"numbers-{name}" for name in ten))
    return {
        "idle_cpu_percent": percent(spent.daemon, spent.at),
        "idle_redis_cpu_percent": percent(spent.redis, spent.at),
        "dialing_cpu_percent": percent(dialed.daemon, dialed.at),
        "calls": calls,
        "resident_mb": round(rig.resident(), 1),
        "first_call_after_start_seconds": await first_call(rig, f"numbers-{next(iter(ten))}"),
    }


async def first_call(rig: Rig, queue: str) -> float:
    """Start the daemon anew; return the seconds until its first call has its record."""
    assert rig.daemon is not None
    await rig.daemon.stop()
    await rig.back_end.push(queue, numbers(1))
    recorded, began = await rig.back_end.recorded(), time.monotonic()
    rig.start_daemon()
    await rig.until_recorded(recorded + 1)
    return round(time.monotonic() - began, 2)


def percent(cpu: float, wall: float) -> float:
    """Return CPU time as a share of a core."""
    return round(cpu / wall * 100, 2)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tasks", type=int, nargs="+", default=[1000, 10_000, 200_000])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--settle", type=float, default=12, help="seconds, the tables being read")
    given = parser.parse_args(arguments)
    measure(lambda rig: idle(rig, given))


if __name__ == "__main__":
    main()
