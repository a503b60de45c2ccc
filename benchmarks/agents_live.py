"""Predictive dialing for agents of a real FreeSWITCH, and whether the records tell the truth.

Needs a FreeSWITCH for tests with mod_callcenter, a queue without agents of its own and a SIP
profile, and sipp, which is the callees.  The agents' own calls stay up (``uuid-standby``); handle
time and ringing are drawn at random.  A second listener, in a process of its own, writes down what
FreeSWITCH says; each record is held against it.  The laboratory runs the same conditions in virtual
time.  Prints one JSON line; exit status 1 = a record and FreeSWITCH differ::

    python -m benchmarks.agents_live --address 127.0.0.1:8021 --agents 20 --minutes 30
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from twisted.internet import reactor

from benchmarks.measuring import environment, spread
from benchmarks.pacing_live import laboratory
from benchmarks.rig import HOST, Rig, measure, numbers, one_task
from benchmarks.sip_callees import Callees, start_callees
from benchmarks.standby_agents import StandbyAgents
from benchmarks.switch_story import Line, disagreements, read_lines, services, stories, use
from ctidialer.contract import keys
from ctidialer.nodes.pacing import read_pacing
from ctidialer.settings import FreeSwitch
from ctidialer.stage.child_process import ChildProcess, dying_with_us, spawn, with_our_packages

EVENTS = "events.jsonl"
TASK, NUMBERS = "bench", "bench_numbers"
NUMBERS_PER_SECOND = 10
CALLS_PER_AGENT = 20
LAB_RUNS = 20
TARGET = "no disagreement; at most 3 % abandoned; agents about as busy as in the laboratory"

STRETCH = 300.0
"""Seconds for each of which agent use is told."""

LATER = 0.5
"""Seconds by which an agent is free later than his wrap-up says, on average: mod_callcenter counts
whole ones."""

SETTLED = 2.0
"""Seconds after the last record in which the witness has heard all of it."""

MAX_SHOWN = 20
"""Disagreements that are printed; all are counted."""


async def dial(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Dial for the agents, and return what came of it."""
    freeswitch = FreeSwitch(address=given.address, password=given.password)
    callees = callees_of(given)
    chance = random.Random(given.seed)
    await rig.start(None)
    sipp, port = start_callees(reactor, rig.directory, callees)
    agents = StandbyAgents(
        freeswitch, given.queue, given.agents, given.wrap_up, lambda: callees.talk_time(chance)
    )
    events = (given.events or rig.directory / EVENTS).absolute()
    witness = start_witness(rig.directory, given, events)
    try:
        await rig.until(lambda: is_written(events))
        await agents.start()
        await write_task(rig, given, port)
        rig.start_daemon(freeswitch)
        await rig.pause(given.warm_up)
        begun, before = time.time(), rig.spent()
        await rig.pause(given.seconds - given.warm_up)
        over, spent = time.time(), rig.spent().since(before)
        told = await figures_told(rig)
        await let_all_end(rig)
    finally:
        await agents.end()
        await witness.kill()
        await sipp.kill()
    return {
        "benchmark": "agents_live",
        "agents": given.agents,
        "mode": given.mode,
        "seconds": given.seconds,
        **await figures_seen(rig, given, read_lines(events), begun, over),
        **told,
        "daemon_percent_of_a_core": round(100 * spent.daemon / spent.at, 1),
        **laboratory(callees, given, LAB_RUNS),
        "target": TARGET,
        "environment": environment(),
    }


def callees_of(given: argparse.Namespace) -> Callees:
    """Return the conditions, as the laboratory and sipp take them."""
    least, most = given.talk
    return Callees(
        agents=given.agents,
        answer_rate=given.answer_rate,
        answer_from=given.answered_after[0],
        answer_until=given.answered_after[1],
        ring_out=given.ring_out,
        handle_mean=(least + most) / 2 + given.wrap_up + LATER,
        talk_from=least,
        talk_until=most,
        wrap_up=given.wrap_up,
    )


def start_witness(directory: Path, given: argparse.Namespace, events: Path) -> ChildProcess:
    """Start the second listener; what it hears goes to the file ``events``."""
    events.unlink(missing_ok=True)
    child = ChildProcess(directory / "witness.log")
    options = [f"--address={given.address}", f"--password={given.password}", f"--file={events}"]
    command = [sys.executable, "-m", "benchmarks.switch_witness", *options]
    spawn(reactor, child, dying_with_us(command), directory, environ=with_our_packages(os.environ))
    return child


async def is_written(path: Path) -> bool:
    """Say whether something stands in a file."""
    return path.exists() and path.stat().st_size > 0


async def write_task(rig: Rig, given: argparse.Namespace, port: int) -> None:
    """Write the task, its line to sipp, and more numbers than can be called."""
    tables = one_task(
        TASK,
        NUMBERS,
        given.agents * CALLS_PER_AGENT,
        dial_mode=given.mode,
        agent_queue=given.queue,
        destination_extension=f"answer,callcenter:{given.queue}",
        destination_dialplan="inline",
        abandon_extension="hangup",
    )
    dialstring = f"sofia/{given.profile}/${{destination_number}}@127.0.0.1:{port}"
    params = {"count": given.agents * CALLS_PER_AGENT, "dialstring": dialstring}
    tables[keys.at(keys.LINE, HOST)] = {f"{TASK}-line": {"params": params}}
    await rig.back_end.write_tables(tables)
    await rig.back_end.push(NUMBERS, numbers(round(given.seconds * NUMBERS_PER_SECOND)))


async def let_all_end(rig: Rig) -> None:
    """Take the numbers away, and wait until every call has its record."""
    await rig.call("DEL", NUMBERS)

    async def in_flight() -> object:
        return await rig.call("HLEN", keys.in_flight(HOST))

    await rig.watch(in_flight, lambda count: count == 0, patience=120.0)
    await rig.pause(SETTLED)


async def figures_told(rig: Rig) -> dict[str, object]:
    """Return what the daemon itself says of it: ``ctidialer pacing``."""
    report = await read_pacing(rig.link, HOST, TASK)
    assert report is not None
    assert report.pacing is not None
    assert report.learnt is not None
    return {
        "answered": report.pacing.answered,
        "abandoned": report.pacing.abandoned,
        "abandoned_percent": round(100 * report.pacing.share, 2),
        "risk_percent": round(100 * report.learnt.risk, 2),
        "learnt_handle_mean": round(report.learnt.handle_mean, 1),
        "learnt_answer_rate": round(report.learnt.answer_rate, 3),
    }


async def figures_seen(
    rig: Rig, given: argparse.Namespace, lines: Sequence[Line], begun: float, over: float
) -> dict[str, object]:
    """Return what FreeSWITCH says of it, and where the records differ."""
    told, records = stories(lines, HOST), await rig.records()
    served = services(lines, given.queue)
    start = begun - given.warm_up
    differ = disagreements(records, told)

    def used(since: float, until: float) -> float:
        return round(100 * use(served, given.agents, given.wrap_up + LATER, since, until), 1)

    count = round((over - start) // STRETCH)
    stretches = [(start + STRETCH * at, start + STRETCH * (at + 1)) for at in range(count)]
    reached = [story for story in told.values() if story.bridged_at is not None]
    return {
        "calls": len(told),
        "records": len(records),
        "bridged": len(reached),
        "records_abandoned": sum(record.abandoned for record in records),
        "disagreements": len(differ),
        "they_are": differ[:MAX_SHOWN],
        "use_percent": used(begun, over),
        "use_by_stretch": [used(*stretch) for stretch in stretches],
        "handle_mean": round(
            mean(one.ended - one.begun for one in served) + given.wrap_up + LATER, 1
        ),
        "answer_to_agent_seconds": spread(story.waited or 0.0 for story in reached),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--address", required=True, help="the Event Socket of FreeSWITCH")
    parser.add_argument("--password", default="ClueCon")
    parser.add_argument("--queue", default="sales@default", help="one without agents")
    parser.add_argument("--profile", default="external", help="of sofia, to call 127.0.0.1")
    parser.add_argument("--agents", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=1800.0)
    parser.add_argument("--warm-up", type=float, default=300.0, help="seconds before it counts")
    parser.add_argument("--mode", default="predictive", choices=("progressive", "predictive"))
    parser.add_argument("--answer-rate", type=float, default=0.4)
    parser.add_argument(
        "--answered-after", type=float, nargs=2, default=(5.0, 25.0), help="seconds, at least, most"
    )
    parser.add_argument("--ring-out", type=float, default=30.0, help="seconds, of the others")
    parser.add_argument(
        "--talk", type=float, nargs=2, default=(12.0, 52.0), help="seconds, at least, most"
    )
    parser.add_argument("--wrap-up", type=int, default=8, help="seconds")
    parser.add_argument("--events", type=Path, help="file that keeps what FreeSWITCH said")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    measure(lambda rig: dial(rig, given))


if __name__ == "__main__":
    main()
