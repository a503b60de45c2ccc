"""The dialer against a bare pipelining script, in turn, on a real FreeSWITCH.

FreeSWITCH is the bottleneck here; what is shown is that the dialer, with Redis, records and every
guarantee, gets (nearly) as much out of it as a script that does nothing else.  ``--address`` is its
Event Socket; the calls go to its null endpoint unless ``--dialstring`` says otherwise, and the
extension must hang up by itself::

    python -m benchmarks.freeswitch --address 127.0.0.1:8021 --extension 8888

Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence

from twisted.internet import reactor
from twisted.internet.utils import getProcessOutputAndValue

from benchmarks.measuring import spread
from benchmarks.rig import HOST, Rig, measure, numbers, one_task
from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from ctidialer.settings import FreeSwitch

TASK = "bench"
QUEUE = "bench_numbers"
TO_SETTLE = 2.0
"""Seconds between two runs, for the calls of one to be gone before the next."""


async def compare(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Run both in turn and return the figures."""
    await rig.start(None)
    tables = one_task(TASK, QUEUE, given.limit, destination_extension=given.extension)
    lines = tables[keys.at(keys.LINE, HOST)]
    for line in lines:
        lines[line] = {"params": {"count": given.limit, "dialstring": given.dialstring}}
    await rig.back_end.write_tables(tables)
    rig.start_daemon(FreeSwitch(address=given.address, password=given.password))
    await dialed(rig, given, given.limit)  # both are warm: it has connected, and has its scripts
    scripts, dialers, spent = [], [], []
    for _ in range(given.rounds):
        scripts.append(await bare(given))
        await rig.pause(TO_SETTLE)
        before = rig.spent()
        dialers.append(await dialed(rig, given, given.numbers))
        spent.append(rig.spent().since(before).daemon)
        await rig.pause(TO_SETTLE)
    return figures(given, scripts, dialers, spent, await not_answered(rig))


async def bare(given: argparse.Namespace) -> float:
    """Return the calls per second of the script."""
    names = ("address", "password", "numbers", "limit", "dialstring", "extension")
    options = [f"--{name}={getattr(given, name)}" for name in names]
    command = ["-m", "benchmarks.bare_script", *options, *(["--native"] if given.native else [])]
    out, problem, status = await getProcessOutputAndValue(
        sys.executable, command, env=os.environ, reactor=reactor
    )
    if status:
        raise RuntimeError(problem.decode())
    found = json.loads(out)
    if found["answered"] != given.numbers:
        raise RuntimeError(f"of {given.numbers} calls {found['answered']} were answered")
    return float(given.numbers / found["seconds"])


async def dialed(rig: Rig, given: argparse.Namespace, count: int) -> float:
    """Return the calls per second of the dialer, from the first push to the last record."""
    before = await rig.back_end.recorded()
    entries = numbers(count, start=before)
    started = time.monotonic()
    await rig.back_end.push(QUEUE, entries)
    await rig.until_recorded(before + count)
    return count / (time.monotonic() - started)


async def not_answered(rig: Rig) -> int:
    """Return how many numbers were not answered at their first call."""
    records = await rig.records()
    return sum(one.outcome is not Outcome.ANSWERED or len(one.attempts) != 1 for one in records)


def figures(
    given: argparse.Namespace,
    scripts: Sequence[float],
    dialers: Sequence[float],
    spent: Sequence[float],
    not_answered: int,
) -> dict[str, object]:
    """Return what was measured."""
    script, dialer = spread(scripts, 1), spread(dialers, 1)
    return {
        "benchmark": "freeswitch",
        "dialstring": given.dialstring,
        "calls": given.numbers,
        "limit": given.limit,
        "script_calls_per_second": script,
        "dialer_calls_per_second": dialer,
        "dialer_of_script": round(dialer["median"] / script["median"], 3),
        "daemon_cpu_us_per_call": spread((each / given.numbers * 1e6 for each in spent), 0),
        "not_answered": not_answered,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    environ = os.environ
    parser.add_argument("--address", default=environ.get("CTIDIALER_TEST_FREESWITCH"))
    parser.add_argument(
        "--password", default=environ.get("CTIDIALER_TEST_FREESWITCH_PASSWORD", "ClueCon")
    )
    parser.add_argument("--numbers", type=int, default=5000)
    parser.add_argument("--limit", type=int, default=400, help="calls at once")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dialstring", default="null/${destination_number}")
    parser.add_argument("--extension", default="8888", help="answers, and hangs up by itself")
    parser.add_argument("--native", action="store_true", help="the script uses plain bgapi")
    given = parser.parse_args(arguments)
    if not given.address:
        parser.error("--address: where is FreeSWITCH's Event Socket?")
    measure(lambda rig: compare(rig, given))


if __name__ == "__main__":
    main()
