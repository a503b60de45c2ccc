"""What ``ctidialer report`` takes for a million records: seconds, CPU and the most memory.

The records lie in a Redis of their own: 50 tasks over a week, one to three calls each, half of them
answered.  Each run is a process of its own, as it is for who types it, and as the daemon starts it
for what is asked over HTTP.  Prints one JSON line::

    python -m benchmarks.report_records --records 1000000
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from benchmarks.measuring import environment
from benchmarks.rig import HOST, Rig, measure
from ctidialer.contract import keys
from ctidialer.contract.record import AttemptRecord, Kind, Outcome, Record
from ctidialer.contract.record_document import encode_record

TARGET = {"seconds": 20, "most_resident_mb": 200}
TASKS = 50
SPAN = 7 * 86400.0
BATCH = 1000
VARIABLES = {"customer_id": "c-1029384", "da2_result": "power off"}
WRITE = "for _, one in ipairs(ARGV) do redis.call('XADD', KEYS[1], '*', 'record', one) end"
COMMAND = "from ctidialer.cli import main; main()"


async def reports(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Write the records, then measure a report by the day, and one by the hour."""
    await rig.start_redis()
    stream, length = keys.records(HOST), 0
    for batch in batches(given.records):
        length += sum(map(len, batch))
        await rig.call("EVAL", WRITE, 1, stream, *batch)
    return {
        "benchmark": "report_records",
        "target": TARGET,
        "records": given.records,
        "bytes_each": round(length / given.records),
        **{by: runs_of(rig.redis.url, by, given.runs) for by in ("day", "hour")},
        "environment": environment(),
    }


def runs_of(url: str, by: str, count: int) -> list[dict[str, float]]:
    """Run the command so many times; return what each run took."""
    return [one_report(url, by) for _ in range(count)]


def one_report(url: str, by: str) -> dict[str, float]:
    """Run the command; return what it took."""
    words = ("report", "--redis", url, "--host", HOST, "--by", by, "--json")
    command = [sys.executable, "-c", COMMAND, *words]
    began = time.monotonic()
    nothing = os.open(os.devnull, os.O_WRONLY)
    pid = os.posix_spawn(
        command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, nothing, 1)]
    )
    os.close(nothing)
    _, status, used = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"the report ended with {os.waitstatus_to_exitcode(status)}")
    return {
        "seconds": round(time.monotonic() - began, 2),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "most_resident_mb": round(used.ru_maxrss * 1024 / 1e6, 1),
    }


def batches(count: int) -> Iterator[list[bytes]]:
    """Yield records as JSON, so many at a time, in the order in which their numbers ended."""
    chance, now = random.Random(1), time.time()
    for start in range(0, count, BATCH):
        size = min(BATCH, count - start)
        ends = (now - SPAN + SPAN * (start + index) / count for index in range(size))
        yield [encode_record(record(chance, end)) for end in ends]


def record(chance: random.Random, end: float) -> Record:
    """Return the record of a number that ended then."""
    answered = chance.random() < 0.5
    last = attempt(chance, end, answered)
    failed = [replace(last, answered_at=None, bridged_at=None)] * chance.choice((0, 0, 0, 1, 2))
    return Record(
        id=f"{chance.getrandbits(128):032x}",
        kind=Kind.QUEUE,
        task=f"task-{chance.randrange(TASKS):03}",
        number=f"138{chance.randrange(10**8):08}",
        entry=b'{"number":"13800138000","variables":{"customer_id":"c-1029384"}}',
        outcome=Outcome.ANSWERED if answered else chance.choice((Outcome.BUSY, Outcome.NO_ANSWER)),
        taken_at=last.dialed_at - 0.1,
        ended_at=end,
        host=HOST,
        attempts=(*failed, last),
        agent=f"{chance.randrange(1000, 1100)}" if answered else None,
        variables=VARIABLES,
    )


def attempt(chance: random.Random, end: float, answered: bool) -> AttemptRecord:
    """Return a call that ended then."""
    talk, connect, ring = (chance.expovariate(1 / mean) for mean in (60, 2, 12))
    answer = end - talk - connect if answered else None
    progress = (end if answer is None else answer) - ring
    return AttemptRecord(
        uuid=f"{chance.getrandbits(128):032x}",
        line=f"line-{chance.randrange(20):02}",
        line_group="trunk",
        dialed_at=progress - 1.5,
        progress_at=progress,
        answered_at=answer,
        ended_at=end,
        hangup_cause="NORMAL_CLEARING" if answered else "NO_ANSWER",
        sip_code=200 if answered else 480,
        bridged_at=end - talk if answered else None,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=2)
    given = parser.parse_args(arguments)
    measure(lambda rig: reports(rig, given))


if __name__ == "__main__":
    main()
