"""Whether a call costs the same whatever the length of the queue.

Queues of two lengths are dialed; of each the first calls are measured, then the queue is cut and
its last ones are.  Redis answers LLEN for the status meanwhile, timed from here.  Prints one JSON
line::

    python -m benchmarks.scale_queue --lengths 100000 1000000 --calls 10000
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from benchmarks.measuring import environment
from benchmarks.rig import Rig, measure, numbers, one_task
from benchmarks.wire import quantiles
from ctidialer.contract import keys

LIMIT = 600
TARGET = {"cpu_us_per_call": "the same at every length"}


async def long_queues(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Dial queues of all lengths; return the figures."""
    await rig.start({"default": {"talk": 0.1}})
    rig.start_daemon()
    await stretch(rig, "warm-up", given.calls, given.calls)
    by_length = {}
    for length in given.lengths:
        name = f"queue-{length}"
        first = await stretch(rig, name, length, given.calls)
        last = await stretch(rig, f"{name}-end", given.calls, given.calls)
        by_length[str(length)] = {"first": first, "last": last}
    return {
        "benchmark": "scale_queue",
        "target": TARGET,
        "calls_of_each_stretch": given.calls,
        "by_length": by_length,
        "environment": environment(),
    }


async def stretch(rig: Rig, name: str, length: int, calls: int) -> dict[str, object]:
    """Dial the first ``calls`` numbers of a queue of this ``length``; the rest is thrown away."""
    await rig.back_end.push(name, numbers(length))
    before, recorded = rig.spent(), await rig.back_end.recorded()
    await rig.back_end.write_tables(one_task(name, name, LIMIT))
    asked: list[float] = []

    async def are_done() -> bool:
        asked_at = time.perf_counter()
        await rig.back_end.length("LLEN", name)
        asked.append(time.perf_counter() - asked_at)
        return await rig.back_end.recorded() - recorded >= calls

    for table in (keys.LINE, keys.LINE_GROUP, keys.TASK):
        await rig.back_end.publish(table)
    await rig.until(are_done, within=600)
    spent, dialed = rig.spent().since(before), await rig.back_end.recorded() - recorded
    await rig.call("UNLINK", name)
    await rig.pause(1)
    return {
        "calls": dialed,
        "calls_per_second": round(dialed / spent.at),
        "daemon_cpu_us_per_call": round(spent.daemon / dialed * 1e6),
        "redis_cpu_us_per_call": round(spent.redis / dialed * 1e6),
        "llen_ms": quantiles(asked),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lengths", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--calls", type=int, default=10_000)
    given = parser.parse_args(arguments)
    measure(lambda rig: long_queues(rig, given))


if __name__ == "__main__":
    main()
