"""What the daemon needs while thousands of calls are up, and whether it still answers.

Prints one JSON line::

    python -m benchmarks.scale_calls --calls 500 5000
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence

import msgspec
from twisted.internet import reactor
from twisted.internet.utils import getProcessOutputAndValue

from benchmarks.measuring import environment
from benchmarks.rig import HOST, Rig, measure, numbers
from benchmarks.tasks import task, tasks_key
from ctidialer.contract import keys

MB = 150
TALK = 3600
SETTLE = 2.0
CPU_OVER = 5.0
TARGET = {"resident_mb": MB}


async def calls_up(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Have ever more calls up; return the figures of each number of calls."""
    await rig.start({"default": {"talk": TALK}})
    rig.start_daemon()
    by_calls: dict[str, object] = {}
    there = 0
    for count in sorted(given.calls):
        name = f"up-{count}"
        await rig.back_end.push(f"numbers-{name}", numbers(count - there, start=there))
        await rig.back_end.write_tables({tasks_key(): {name: task(name, limit=count)}})
        there = count
        await until_up(rig, count)
        by_calls[str(count)] = await figures(rig, name)
    return {
        "benchmark": "scale_calls",
        "target": TARGET,
        "by_calls": by_calls,
        "environment": environment(),
    }


async def until_up(rig: Rig, count: int) -> None:
    """Wait until the daemon's own status says that so many calls are up."""

    async def are_up() -> bool:
        status = await rig.call("GET", keys.status(HOST))
        return isinstance(status, bytes) and msgspec.json.decode(status)["calls"] >= count

    await rig.until(are_up, within=600)
    await rig.pause(SETTLE)


async def figures(rig: Rig, task_name: str) -> dict[str, object]:
    """Return what the daemon needs now, and how long the commands take to answer."""
    before = rig.spent()
    await rig.pause(CPU_OVER)
    spent = rig.spent().since(before)
    return {
        "resident_mb": round(rig.resident(), 1),
        "cpu_percent": round(spent.daemon / spent.at * 100, 2),
        "status_seconds": await answered(rig, "status", "--json"),
        "explain_seconds": await answered(rig, "explain", task_name, "--json"),
    }


async def answered(rig: Rig, *command: str) -> float | None:
    """Return how long a command took to answer with JSON, None where it did not."""
    began = time.perf_counter()
    arguments = [*command, "--redis", rig.redis.url, "--host", HOST]
    output, _, _ = await getProcessOutputAndValue(
        sys.executable,
        ["-c", "from ctidialer.cli.main import main; main()", *arguments],
        dict(os.environ),
        reactor=reactor,
    )
    took = round(time.perf_counter() - began, 2)
    try:
        json.loads(output)
    except ValueError:
        return None
    return took


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, nargs="+", default=[500, 5000])
    given = parser.parse_args(arguments)
    measure(lambda rig: calls_up(rig, given))


if __name__ == "__main__":
    main()
