"""What the pacing of one task costs the daemon: one decision, and what is done once a second.

Prints one JSON line for each number of agents::

    python -m benchmarks.pacing_cost --agents 20 100 500
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Sequence
from time import process_time

from benchmarks.measuring import environment
from ctidialer.contract.agent_dialing import AgentDialing, DialMode
from ctidialer.dialer.agents.pacer import TaskPacer
from ctidialer.rules.agents import AgentsNow
from ctidialer.rules.prediction.keeping import encode

NOW = 1_800_000_000.0
RINGING_PER_AGENT = 2.5


def busy_pacer(agents: int, chance: random.Random) -> tuple[TaskPacer, AgentsNow]:
    """Return a task in full work: nine in ten agents busy, the calls of all ages."""
    pacer = TaskPacer(AgentDialing(mode=DialMode.PREDICTIVE, queue="q"))
    for call in range(round(agents * RINGING_PER_AGENT)):
        pacer.placed(("ringing", call), NOW - chance.uniform(0, 30))
    busy = tuple(chance.uniform(0, 200) for _ in range(agents * 9 // 10))
    for call, age in enumerate(busy):
        pacer.connected(("connected", call), NOW - age)
    for _ in range(500):
        pacer.learnt = pacer.learnt.answered(chance.uniform(4, 25)).freed(chance.uniform(5, 200))
    free = agents - len(busy)
    return pacer, AgentsNow(free=free, busy=busy, talking=len(busy), as_of=NOW)


def microseconds(work: Callable[[], object], times: int) -> float:
    """Return what one time costs in processor time."""
    begun = process_time()
    for _ in range(times):
        work()
    return round((process_time() - begun) / times * 1e6, 1)


def figures(agents: int, times: int) -> dict[str, object]:
    """Return what a task with so many agents costs."""
    pacer, now = busy_pacer(agents, random.Random(agents))
    at = iter(NOW + second for second in range(10**9))

    def decide() -> int:
        return pacer.room(now, 2, NOW + 0.5, 1000)

    def second() -> None:
        moment = next(at)
        pacer.look(now, moment)
        pacer.curves(pacer.situation(now, 2, moment), moment)
        pacer.status(now, 2, moment)

    decide()
    decision = microseconds(decide, times)
    every_second = microseconds(second, times // 4)
    return {
        "benchmark": "pacing_cost",
        "agents": agents,
        "ringing": round(agents * RINGING_PER_AGENT),
        "decision_us": decision,
        "once_a_second_us": every_second,
        "learnt_bytes": len(encode(pacer.learnt)),
        "core_percent_at_50_decisions_a_second": round((50 * decision + every_second) / 1e4, 2),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--agents", type=int, nargs="+", default=[20, 100, 500])
    parser.add_argument("--times", type=int, default=2000)
    given = parser.parse_args(arguments)
    for agents in given.agents:
        print(json.dumps(figures(agents, given.times)), flush=True)
    print(json.dumps({"benchmark": "pacing_cost", "environment": environment()}))


if __name__ == "__main__":
    main()
