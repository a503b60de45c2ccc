"""How long a number waits: pushed to an idle task, and behind a call that has just ended.

The first is timed from before the RPUSH is sent to the originate in the switch's log, at moments
without any rhythm.  The second ends with the originate that takes a call's place, for a task that
is at its limit and has a long queue; it begins with the end of the call in that log, and, as
``of_event``, with the moment the daemon read the hang-up event: what lies between is the switch's
own time, to write three events of 8 KB.  Prints one JSON line::

    python -m benchmarks.latency --samples 300 --limits 5 200
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence

from benchmarks.measuring import environment
from benchmarks.rig import Rig, measure, numbers, one_task
from benchmarks.wire import Wire, quantiles

TASK = "bench"
QUEUE = "bench_numbers"
TALK = (0.3, 0.9)
PUSHED = "139"
TARGET = {"push_ms_p99": 60, "refill_ms_p50": 2}


async def latency(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Measure both and return the figures."""
    await rig.start(
        {"default": {"talk": TALK}, "prefixes": {PUSHED: {"talk": 0.05}}},
    )
    rig.start_daemon()
    wire = Wire(rig.switch.log_path)
    await rig.back_end.write_tables(one_task(TASK, QUEUE, 100))
    await rig.back_end.push(QUEUE, numbers(1))
    await rig.until_recorded(1)
    before = rig.spent()
    pushed = await pushes(rig, wire, given.samples)
    refills = {str(limit): await refill(rig, wire, limit, given.samples) for limit in given.limits}
    spent = rig.spent().since(before)
    return {
        "benchmark": "latency",
        "target": TARGET,
        "samples": given.samples,
        "push_ms": pushed,
        "refill_ms_by_limit": refills,
        "wall_seconds": round(spent.at, 1),
        "daemon_cpu_seconds": round(spent.daemon, 2),
        "environment": environment(),
    }


async def pushes(rig: Rig, wire: Wire, samples: int) -> dict[str, float]:
    """Push one number after another to the idle task; return how long each took to the wire."""
    pushed: dict[str, float] = {}
    for index in range(samples):
        await rig.pause(random.uniform(0.05, 0.15))
        number = f"{PUSHED}{index:08d}"
        pushed[number] = time.time()
        await rig.back_end.push(QUEUE, [number])

    async def are_all_there() -> bool:
        wire.look()
        return sum(line.number in pushed for line in wire.starts) >= samples

    await rig.until(are_all_there, within=600)
    return dict(
        quantiles(line.time - pushed[line.number] for line in wire.starts if line.number in pushed)
    )


async def refill(rig: Rig, wire: Wire, limit: int, samples: int) -> dict[str, dict[str, float]]:
    """Keep a task of its own at its limit; return how long each freed slot stood empty."""
    task = f"refill-{limit}"
    queue = f"{task}_numbers"
    await rig.back_end.push(queue, numbers(samples + 3 * limit))
    await rig.back_end.write_tables(one_task(task, queue, limit))

    async def are_enough() -> bool:
        wire.look()
        return len(wire.starts_of(task)) >= samples + 2 * limit

    await rig.until(are_enough, within=600)
    starts, ends = wire.starts_of(task), wire.ends_of(task)
    await rig.call("DEL", queue)
    await until_quiet(rig, wire)
    return {
        "of_end": dict(quantiles(freed(ends, starts, limit))),
        "of_event": dict(quantiles(freed(await read_ends(rig, task), starts, limit))),
    }


def freed(ends: Sequence[float], starts: Sequence[float], limit: int) -> list[float]:
    """Return how long each slot stood empty.

    The start number limit + k takes the place of the end number k: there are never more calls.
    """
    pairs = zip(ends[limit:], starts[2 * limit :], strict=False)
    return [start - end for end, start in pairs]


async def read_ends(rig: Rig, task: str) -> list[float]:
    """Return when the daemon read that the calls of a task had ended, in order."""
    records = await rig.records()
    attempts = [one for record in records if record.task == task for one in record.attempts]
    return sorted(one.ended_at for one in attempts if one.ended_at is not None)


async def until_quiet(rig: Rig, wire: Wire) -> None:
    """Wait for the end of all calls."""

    async def is_quiet() -> bool:
        wire.look()
        return len(wire.ends) == len(wire.starts)

    await rig.until(is_quiet)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--limits", type=int, nargs="+", default=[5, 200], help="calls at once")
    given = parser.parse_args(arguments)
    measure(lambda rig: latency(rig, given))


if __name__ == "__main__":
    main()
