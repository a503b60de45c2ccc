"""What predictive dialing reaches through the whole daemon, beside the laboratory.

Real Redis, the simulated switch and ``twistd ctidialer`` in processes of their own.  The agents
(`ctidialer.stage.agents`) are in this process.  The laboratory runs the same
conditions in virtual time.  Prints one JSON line::

    python -m benchmarks.pacing_live --agents 20 --handle 6 --seconds 240 --mode predictive
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from statistics import mean

from benchmarks.measuring import environment
from benchmarks.pacing_world import Conditions, WholeSeconds
from benchmarks.rig import HOST, Rig, measure, numbers, one_task
from ctidialer.nodes.pacing import read_pacing
from ctidialer.rules.forecast.paces import ahead, progressive
from ctidialer.rules.forecast.world import World
from ctidialer.rules.prediction.pacer import PacingRules
from ctidialer.stage.agents import StageAgents

TASK, QUEUE, GROUP = "bench", "bench_numbers", "sales"
CALLCENTER = "sales@default"
UNRECORDED = 15.0
"""Seconds at the end whose calls may still be up."""

CEILING = 0.03
ANSWER_RATE, ANSWER_FROM, ANSWER_UNTIL, RING_OUT = 0.3, 1.0, 5.0, 6.0
NUMBERS_PER_SECOND = 40
LAB_RUNS = 5


async def dial(rig: Rig, given: argparse.Namespace) -> dict[str, object]:
    """Dial for the agents, and return what came of it."""
    conditions = Conditions(
        agents=given.agents,
        answer_rate=ANSWER_RATE,
        answer_from=ANSWER_FROM,
        answer_until=ANSWER_UNTIL,
        ring_out=RING_OUT,
        handle_mean=given.handle,
    )
    agents = await hire(rig, conditions, given)
    named = {"agent_queue": CALLCENTER} if agents is None else {"agent_group": GROUP}
    destination = {"destination_extension": CALLCENTER if agents is None else "8888"}
    await rig.back_end.write_tables(
        one_task(TASK, QUEUE, 1000, dial_mode=given.mode, **named, **destination)
    )
    await rig.back_end.push(QUEUE, numbers(round(given.seconds * NUMBERS_PER_SECOND)))
    rig.start_daemon()
    await rig.watch(rig.back_end.recorded, bool)
    await rig.pause(given.warm_up)
    if agents is not None:
        agents.count_from_now()
    begun = time.time()
    before = rig.spent()
    await rig.pause(given.seconds - given.warm_up)
    spent = rig.spent().since(before)
    use = await use_by_records(rig, given.agents, begun) if agents is None else agents.use()
    if agents is not None:
        agents.end()
    report = await read_pacing(rig.link, HOST, TASK)
    assert report is not None
    assert report.pacing is not None
    told = report.pacing
    return {
        "benchmark": "pacing_live",
        "mode": given.mode,
        "source": given.source,
        "agents": given.agents,
        "handle_mean": given.handle,
        "seconds": given.seconds,
        "use_percent": round(100 * use, 1),
        "use_told_percent": None if told.use is None else round(100 * told.use, 1),
        "answered": told.answered,
        "abandoned": told.abandoned,
        "abandoned_percent": round(100 * told.share, 2),
        "daemon_percent_of_a_core": round(100 * spent.daemon / spent.at, 1),
        **laboratory(conditions, given, whole_seconds=given.source == "callcenter"),
        "target": "agents about as busy as in the laboratory, and at most 3 % abandoned",
        "environment": environment(),
    }


async def hire(rig: Rig, conditions: Conditions, given: argparse.Namespace) -> StageAgents | None:
    """Start Redis, switch and agents; None = the agents are those of the switch."""
    script = {"mix": _callees(), "seed": given.seed}
    if given.source == "callcenter":
        await rig.start(None)
        handle_time = json.dumps({"mean": conditions.handle_mean, "cv": conditions.variation})
        work = {"agents": given.agents, "queue": CALLCENTER, "handle_time": handle_time}
        await rig.start_switch(script, **work)
        return None
    await rig.start(script)
    chance = random.Random(given.seed)
    agents = StageAgents(rig, GROUP, given.agents, lambda: conditions.handle_time(chance))
    await agents.start()
    return agents


async def use_by_records(rig: Rig, agents: int, begun: float) -> float:
    """Return the share of the agents' time in calls that are over; the last seconds are left out,
    as their calls have no record yet."""
    end = time.time() - UNRECORDED
    busy = 0.0
    for record in await rig.records():
        last = record.attempts[-1]
        if last.bridged_at is not None and last.ended_at is not None:
            busy += max(0.0, min(last.ended_at, end) - max(last.bridged_at, begun))
    return busy / (agents * (end - begun))


def _callees() -> list[dict[str, object]]:
    answers = {"result": "answer", "ring": [ANSWER_FROM, ANSWER_UNTIL], "talk": 3600}
    lets_ring = {"result": "sip", "status": 480, "ring": RING_OUT}
    return [
        {"weight": ANSWER_RATE, "progress": "ringing", **answers},
        {"weight": 1.0 - ANSWER_RATE, "progress": "ringing", **lets_ring},
    ]


def laboratory(
    conditions: Conditions,
    given: argparse.Namespace,
    runs: int = LAB_RUNS,
    *,
    whole_seconds: bool = False,
) -> dict[str, object]:
    """Return what the laboratory reaches under the same conditions, in the same time.

    ``whole_seconds``: with `WholeSeconds` agents.
    """
    found = [_laboratory_run(conditions, given, seed, whole_seconds) for seed in range(runs)]
    uses, shares = zip(*found, strict=True)
    return {
        "laboratory_use_percent": round(100 * mean(uses), 1),
        "laboratory_use_range": [round(100 * min(uses), 1), round(100 * max(uses), 1)],
        "laboratory_abandoned_percent": round(100 * mean(shares), 2),
    }


def _laboratory_run(
    conditions: Conditions, given: argparse.Namespace, seed: int, whole_seconds: bool
) -> tuple[float, float]:
    """Return the use of the agents after the warm-up, and the share of the abandoned in all."""
    callcenter = WholeSeconds(conditions)
    world = World(
        conditions=callcenter.at if whole_seconds else lambda now: conditions,
        rules=PacingRules(ceiling=CEILING),
        pace=ahead if given.mode == "predictive" else progressive,
        chance=random.Random(seed),
    )

    def busy_by(seconds: float) -> float:
        return sum(hour.busy_seconds for hour in world.run(seconds)) - callcenter.rests

    warm = busy_by(given.warm_up)
    busy = busy_by(given.seconds) - warm
    return busy / (given.agents * (given.seconds - given.warm_up)), world.learnt.ledger.share


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--agents", type=int, default=20)
    parser.add_argument("--handle", type=float, default=6.0, help="seconds, on average")
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--warm-up", type=float, default=60.0, help="seconds before it counts")
    parser.add_argument("--mode", default="predictive", choices=("progressive", "predictive"))
    parser.add_argument(
        "--source",
        default="tables",
        choices=("tables", "callcenter"),
        help="who the agents are: the back end's, or those of mod_callcenter",
    )
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    measure(lambda rig: dial(rig, given))


if __name__ == "__main__":
    main()
