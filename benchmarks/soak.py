"""A million calls in one run: does the daemon's memory stay where it was?

Resident memory is read every so many calls; it is to be flat after the first hundred thousand.
Each number is different, and every record is read as it is written: each number must have exactly
one.  The stream is trimmed and the switch's log thrown away, so that neither grows.  Prints one
JSON line::

    python -m benchmarks.soak --numbers 1000000
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

import msgspec

from benchmarks.measuring import environment
from benchmarks.rig import HOST, Rig, measure, numbers, one_task
from ctidialer.contract import keys

TASK = "soak"
QUEUE = "soak_numbers"
LIMIT = 600
TALK = 0.2
KEPT = 50_000
"""Records that Redis keeps: more than come in between two looks."""

AHEAD = 50_000
"""Numbers that wait in the queue, at most."""

READ = 5_000
SLOWEST = 100
"""Calls a second, below which it is given up."""

PREFIX = 138 * 10**8
FLAT_AFTER = 100_000
TARGET = {"grown_mb_after_first_100000": "about 0", "records_of_each_number": 1}


class _Record(msgspec.Struct):
    number: str
    outcome: str


class Records:
    """Reads the stream on; counts the records of each number."""

    def __init__(self, rig: Rig, count: int) -> None:
        self._rig = rig
        self._seen = bytearray(count)
        self._last = "-"
        self._decoder = msgspec.json.Decoder(_Record)
        self.read = 0
        self.answered = 0

    async def look(self) -> bool:
        """Take in what was written since the last look; returns whether there was anything."""
        key = keys.records(HOST)
        reply = await self._rig.call("XRANGE", key, self._last, "+", "COUNT", READ)
        assert isinstance(reply, list)
        for entry in reply:
            assert isinstance(entry, list)
            assert isinstance(entry[0], bytes)
            self._take(entry[1])
            self._last = f"({entry[0].decode()}"
        return bool(reply)

    def _take(self, fields: object) -> None:
        assert isinstance(fields, list)
        assert isinstance(fields[1], bytes)
        record = self._decoder.decode(fields[1])
        index = int(record.number) - PREFIX
        self._seen[index] = min(255, self._seen[index] + 1)
        self.read += 1
        self.answered += record.outcome == "answered"

    def with_one(self) -> int:
        """Return how many numbers have exactly one record."""
        return self._seen.count(1)


async def soak(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Dial everything, reading memory on the way; return the figures."""
    await rig.start(None)
    await rig.start_switch({"default": {"talk": TALK}}, log="/dev/null")
    await rig.back_end.write_tables(one_task(TASK, QUEUE, LIMIT))
    rig.start_daemon(more=f"[records]\nmax_records = {KEPT}")
    records = Records(rig, given.numbers)
    fill = queue_filler(given.numbers)
    await rig.back_end.push(QUEUE, next(fill))
    await rig.until_recorded(1)
    began = rig.spent()
    samples: list[dict[str, float]] = []

    async def is_done() -> bool:
        if await rig.back_end.length("LLEN", QUEUE) < AHEAD // 2:
            await rig.back_end.push(QUEUE, next(fill, []))
        while await records.look():
            if records.read >= given.every * (len(samples) + 1):
                samples.append(sample(rig, records, began.at))
        return records.read >= int(given.numbers)

    await rig.until(is_done, within=given.numbers / SLOWEST + 60)
    spent = rig.spent().since(began)
    await rig.pause(1)
    await records.look()
    written = await entries_added(rig)
    return {
        "benchmark": "soak",
        "target": TARGET,
        "numbers": given.numbers,
        "records_written": written,
        "numbers_with_exactly_one_record": records.with_one(),
        "answered": records.answered,
        "left_in_flight": await rig.back_end.length("HLEN", keys.in_flight(HOST)),
        "wall_seconds": round(spent.at, 1),
        "calls_per_second": round(given.numbers / spent.at),
        "daemon_cpu_us_per_call": round(spent.daemon / given.numbers * 1e6),
        "grown_mb_after_first_100000": growth(samples),
        "samples": samples,
        "environment": environment(),
    }


def queue_filler(count: int) -> Iterator[list[str]]:
    """Give all numbers, a queue's worth at a time."""
    for start in range(0, count, AHEAD):
        yield numbers(min(AHEAD, count - start), start=start)


def sample(rig: Rig, records: Records, began: float) -> dict[str, float]:
    """Return how it stands; said on standard error too, for it takes long."""
    spent = rig.spent()
    now: dict[str, float] = {
        "calls": records.read,
        "resident_mb": round(rig.resident(), 1),
        "seconds": round(spent.at - began, 1),
        "daemon_cpu_seconds": round(spent.daemon, 1),
    }
    print(now, file=sys.stderr, flush=True)
    return now


def growth(samples: Sequence[dict[str, float]]) -> float | None:
    """Return by how much memory grew from the first hundred thousand calls to the end, in MB."""
    later = [one["resident_mb"] for one in samples if one["calls"] >= FLAT_AFTER]
    return round(later[-1] - later[0], 1) if later else None


async def entries_added(rig: Rig) -> int:
    """Return how many records were ever written to the stream, trimmed ones too."""
    reply = await rig.call("XINFO", "STREAM", keys.records(HOST))
    assert isinstance(reply, list)
    added = dict(zip(reply[::2], reply[1::2], strict=True)).get(b"entries-added")
    assert isinstance(added, int)
    return added


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--numbers", type=int, default=1_000_000)
    parser.add_argument("--every", type=int, default=50_000, help="calls between two samples")
    given = parser.parse_args(arguments)
    measure(lambda rig: soak(rig, given))


if __name__ == "__main__":
    main()
