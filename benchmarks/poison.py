"""What entries of 90 MB in one task's queue do to the pace of another task.

The entries are digits without end, a JSON text with one variable as large, and JSON that is nested
as deep.  None can be dialed; each must end in a small ``invalid`` record, and the other task must
not notice.  Prints one JSON line::

    python -m benchmarks.poison --megabytes 90 --entries 6
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from twisted.internet.threads import deferToThread

from benchmarks.bare_redis import BareRedis, encoded
from benchmarks.measuring import environment
from benchmarks.rig import Rig, measure
from benchmarks.steady import CPS, STEADY, begin, pace
from benchmarks.tasks import task, tasks_key
from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from ctidialer.store.address import parse_address

POISONED = "poisoned"
QUEUE = f"numbers-{POISONED}"
SLOWEST = 6
TARGET = {"longest_gap_seconds": 0.5, "calls_per_second": CPS, "invalid": "all entries"}


async def poisoned(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Have a task with entries that no one should dial beside one that dials; return figures."""
    wire = await begin(rig, given.seconds + 120)
    size = given.megabytes * 1_000_000
    path = parse_address(rig.redis.url).path
    resident, before = rig.resident(), rig.spent()
    since = time.time()
    for index in range(given.entries):
        await deferToThread(push, path, entry(index, size))
    pushed = pace(wire, since)
    since = time.time()
    await rig.back_end.write_tables({tasks_key(): {POISONED: task(POISONED)}})
    await rig.back_end.publish(keys.TASK, POISONED)
    await rig.pause(given.seconds)
    figures, spent = pace(wire, since), rig.spent().since(before)

    async def all_are_taken() -> bool:
        taken = [one for one in await rig.records() if one.task == POISONED]
        return len(taken) >= int(given.entries)

    await rig.until(all_are_taken)
    records = [one for one in await rig.records() if one.task == POISONED]
    return {
        "benchmark": "poison",
        "target": TARGET,
        "entries": given.entries,
        "megabytes_each": given.megabytes,
        "task": STEADY,
        "while_pushed": pushed,
        "while_taken": figures,
        "recorded": len(records),
        "invalid": sum(one.outcome is Outcome.INVALID for one in records),
        "left_in_queue": await rig.back_end.length("LLEN", QUEUE),
        "largest_record_bytes": max((len(one.entry) for one in records), default=0),
        "daemon_cpu_seconds": round(spent.daemon, 2),
        "redis_cpu_seconds": round(spent.redis, 2),
        "slowest_commands_ms": await slowest(rig),
        "grown_mb": round(rig.resident() - resident, 1),
        "environment": environment(),
    }


async def slowest(rig: Rig) -> list[tuple[str, float]]:
    """Return the commands that kept Redis longest: no other is answered meanwhile."""
    reply = await rig.call("SLOWLOG", "GET", 128)
    assert isinstance(reply, list)
    times = []
    for one in reply:
        assert isinstance(one, list)
        micros, words = one[2], one[3]
        assert isinstance(micros, int)
        assert isinstance(words, list)
        assert isinstance(words[0], bytes)
        times.append((words[0].decode(), round(micros / 1000, 1)))
    return sorted(times, key=lambda pair: -pair[1])[:SLOWEST]


def entry(index: int, size: int) -> bytes:
    """Return one of three sorts of entries, of about so many bytes."""
    match index % 3:
        case 0:
            return b"1" * size
        case 1:
            head, tail = b'{"params":{"number":"139"},"variables":{"a":"', b'"}}'
            return head + b"x" * (size - len(head) - len(tail)) + tail
        case _:
            return b"[" * (size // 2) + b"]" * (size // 2)


def push(path: str, what: bytes) -> None:
    """Append an entry, past the careful client."""
    redis = BareRedis(path)
    redis.send(encoded("RPUSH", QUEUE, what))
    redis.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=int, default=90)
    parser.add_argument("--entries", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=20, help="after they were pushed")
    given = parser.parse_args(arguments)
    measure(lambda rig: poisoned(rig, given))


if __name__ == "__main__":
    main()
