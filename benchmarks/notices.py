"""Fifty thousand notices a second: does a task keep its pace, and what do they cost?

A back end that publishes each of its tasks again and again is no reason to stop dialing, nor to let
a real change wait.  In the midst of the storm tasks are changed, one after another, and timed until
the change is on the wire; another one after it.  Prints one JSON line::

    python -m benchmarks.notices --rate 50000 --seconds 10
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from twisted.internet.defer import Deferred

from benchmarks.measuring import environment
from benchmarks.rig import HOST, Rig, measure
from benchmarks.steady import CPS, begin, pace, run_beside
from benchmarks.tasks import closed_tasks, task, tasks_key
from benchmarks.wire import Wire, quantiles
from ctidialer.contract import keys
from ctidialer.store.address import parse_address

CHANGED = "changed"
BETWEEN_CHANGES = 0.5
TARGET = {"longest_gap_seconds": 0.5, "calls_per_second": CPS, "a_change_in_it_ms_max": 100}


async def storm(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Publish without end while a task dials; return the figures."""
    wire = await begin(rig, 3 * given.seconds)
    tasks = dict(zip((f"t{index}" for index in range(given.names)), _closed(given), strict=True))
    await rig.back_end.write_tables({tasks_key(): tasks})
    await rig.back_end.publish(keys.TASK)
    await rig.pause(given.settle)
    since, before = time.time(), rig.spent()
    await rig.pause(given.seconds)
    quiet, alone = pace(wire, since), rig.spent().since(before)
    resident = rig.resident()
    since, before = time.time(), rig.spent()
    storming = Deferred.fromCoroutine(run_beside("benchmarks.bare_redis", _arguments(rig, given)))
    in_it = await changes(rig, wire, storming)
    sent = await storming
    noisy, spent = pace(wire, since), rig.spent().since(before)
    return {
        "benchmark": "notices",
        "target": TARGET,
        "names": given.names,
        "published": sent,
        "quiet": {**quiet, "daemon_cpu_percent": round(alone.daemon / alone.at * 100, 1)},
        "storm": {**noisy, "daemon_cpu_percent": round(spent.daemon / spent.at * 100, 1)},
        "a_change_in_it_ms": quantiles(in_it),
        "a_change_after_it_ms": round(await changed(rig, wire, CHANGED) * 1000, 1),
        "grown_mb": round(rig.resident() - resident, 1),
        "environment": environment(),
    }


def _closed(given: argparse.Namespace) -> list[object]:
    return list(closed_tasks(given.names).values())


def _arguments(rig: Rig, given: argparse.Namespace) -> list[str]:
    where = {"socket": parse_address(rig.redis.url).path, "channel": f"config@{HOST}"}
    sizes = {"rate": given.rate, "seconds": given.seconds, "names": given.names}
    return [f"--{name}={value}" for name, value in {**where, **sizes}.items()]


async def changes(rig: Rig, wire: Wire, storming: Deferred[dict[str, object]]) -> list[float]:
    """Change one task after another while it storms; return how long each change took."""
    took: list[float] = []
    await rig.pause(BETWEEN_CHANGES)
    while not took or not storming.called:
        took.append(await changed(rig, wire, f"{CHANGED}-{len(took)}"))
        await rig.pause(BETWEEN_CHANGES)
    return took[:-1] or took  # the last one may have come after the storm


async def changed(rig: Rig, wire: Wire, name: str) -> float:
    """Return the seconds from a notice of a new task to its first call."""
    await rig.back_end.push(f"numbers-{name}", ["13900000000"])
    await rig.back_end.write_tables({tasks_key(): {name: task(name)}})
    published = time.time()
    await rig.back_end.publish(keys.TASK, name)

    async def is_called() -> bool:
        wire.look()
        return bool(wire.starts_of(name))

    await rig.until(is_called)
    return wire.starts_of(name)[0] - published


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rate", type=float, default=50_000, help="notices a second")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--names", type=int, default=1000, help="tasks that they name in turn")
    parser.add_argument("--settle", type=float, default=2)
    given = parser.parse_args(arguments)
    measure(lambda rig: storm(rig, given))


if __name__ == "__main__":
    main()
