"""What it costs when nobody of a long list may be called yet: all of it is put to wait in Redis.

Prints one JSON line: the seconds until all wait, the CPU time for each number, and what the daemon
and Redis then need each second while nothing is due::

    python -m benchmarks.out_of_hours --numbers 100000
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from twisted.internet import reactor
from twisted.internet.task import deferLater

from benchmarks.rig import Rig, measure, numbers, one_task

TASK = "bench"
QUEUE = "bench_numbers"
IDLE_SECONDS = 10.0


async def put_to_wait(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Let every number wait and return the figures."""
    await rig.start({})
    begin = datetime.now(UTC) + timedelta(hours=6)
    hours = [{"begin": f"{begin:%H:%M}", "end": f"{begin + timedelta(hours=2):%H:%M}"}]
    rules = {"callee_hour": hours, "callee_timezone": "UTC"}
    await rig.back_end.write_tables(one_task(TASK, QUEUE, given.limit, **rules))
    rig.start_daemon()
    began, before = time.monotonic(), rig.spent()
    await rig.back_end.push(QUEUE, numbers(given.numbers))
    while await rig.back_end.waiting() < given.numbers:
        await deferLater(reactor, 0.2)
    seconds, spent = time.monotonic() - began, rig.spent().since(before)
    before = rig.spent()
    await deferLater(reactor, IDLE_SECONDS)
    idle = rig.spent().since(before)
    return {
        "benchmark": "out_of_hours",
        "numbers": given.numbers,
        "seconds": round(seconds, 1),
        "daemon_cpu_us_per_number": round(spent.daemon / given.numbers * 1e6),
        "redis_cpu_us_per_number": round(spent.redis / given.numbers * 1e6),
        "daemon_cpu_ms_per_idle_second": round(idle.daemon / IDLE_SECONDS * 1e3, 1),
        "redis_cpu_ms_per_idle_second": round(idle.redis / IDLE_SECONDS * 1e3, 1),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--numbers", type=int, default=100_000)
    parser.add_argument("--limit", type=int, default=20, help="calls at once")
    given = parser.parse_args(arguments)
    measure(lambda rig: put_to_wait(rig, given))


if __name__ == "__main__":
    main()
