"""Whether a call costs the same however many lines its group has.

Each number of lines has a task and a queue of its own; all lines stand in one tier of the group, so
that each call chooses among all of them.  Prints one JSON line::

    python -m benchmarks.scale_lines --lines 10 1000 10000 --calls 10000
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

from benchmarks.measuring import environment
from benchmarks.rig import HOST, Rig, measure, numbers
from benchmarks.tasks import task, tasks_key
from ctidialer.contract import keys

LIMIT = 600
TALK = 0.1
TARGET = {"daemon_cpu_us_per_call": "the same with 10,000 lines as with 10"}


async def many_lines(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Dial through groups of all sizes; return the figures."""
    await rig.start({"default": {"talk": TALK}})
    rig.start_daemon()
    await stretch(rig, 10, "warm-up", given.calls)
    by_lines = {
        str(count): await stretch(rig, count, f"of-{count}", given.calls)
        for count in sorted(given.lines)
    }
    return {
        "benchmark": "scale_lines",
        "target": TARGET,
        "calls": given.calls,
        "limit": LIMIT,
        "by_lines": by_lines,
        "resident_mb": round(rig.resident(), 1),
        "environment": environment(),
    }


async def stretch(rig: Rig, count: int, name: str, calls: int) -> dict[str, object]:
    """Dial so many calls through a group of ``count`` lines; return what they cost."""
    names = [f"{name}-{index}" for index in range(count)]
    room = math.ceil(LIMIT / count)
    line = {"count": room, "dialstring": "sofia/gateway/gw1/${destination_number}"}
    document = task(name, limit=LIMIT)
    await rig.back_end.write_tables(
        {
            keys.at(keys.LINE, HOST): {one: {"params": line} for one in names},
            keys.at(keys.LINE_GROUP, HOST): {"bench": {"line": [names]}},
            tasks_key(): {name: document},
        }
    )
    for table in (keys.LINE, keys.LINE_GROUP, keys.TASK):
        await rig.back_end.publish(table)
    await rig.pause(2 + count / 2000)
    recorded, before = await rig.back_end.recorded(), rig.spent()
    await rig.back_end.push(f"numbers-{name}", numbers(calls))
    await rig.until_recorded(recorded + calls)
    spent = rig.spent().since(before)
    return {
        "calls_per_second": round(calls / spent.at),
        "daemon_cpu_us_per_call": round(spent.daemon / calls * 1e6),
        "lines_used": len(await used(rig, calls)),
    }


async def used(rig: Rig, calls: int) -> set[str | None]:
    """Return the lines of the last calls."""
    records = (await rig.records())[-calls:]
    return {attempt.line for record in records for attempt in record.attempts}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lines", type=int, nargs="+", default=[10, 1000, 10_000])
    parser.add_argument("--calls", type=int, default=10_000)
    given = parser.parse_args(arguments)
    measure(lambda rig: many_lines(rig, given))


if __name__ == "__main__":
    main()
