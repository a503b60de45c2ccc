"""What predictive dialing reaches: hours of agents and callees in seconds, with the very rules.

Prints one JSON line for each scenario and number of agents, and a table at the end::

    python -m benchmarks.pacing_lab --agents 5 10 20 --runs 10 --hours 8
    python -m benchmarks.pacing_lab --scenarios drift --runs 4 --hours 176 --agents 20

Exit status 1 = a run abandoned more than the ceiling allows.  docs/prediction.rst has the figures.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from statistics import mean
from time import process_time

from attrs import evolve, frozen
from rich.console import Console
from rich.table import Table

from benchmarks.measuring import environment
from benchmarks.pacing_world import Conditions
from ctidialer.rules.forecast.actors import Hour
from ctidialer.rules.forecast.paces import ahead, progressive
from ctidialer.rules.forecast.world import HOUR, World
from ctidialer.rules.prediction.pacer import PacingRules

CEILING = 0.03
LEARNT = {
    (60.0, 5): (59, 62, 63),
    (60.0, 10): (72, 73, 73),
    (60.0, 20): (80, 81, 81),
    (60.0, 50): (89, 90, 90),
    (60.0, 100): (93, 94, 94),
    (180.0, 5): (73, 78, 78),
    (180.0, 10): (80, 83, 83),
    (180.0, 20): (87, 87, 87),
    (180.0, 50): (92, 92, 92),
    (180.0, 100): (93, 95, 95),
}
"""Agent use in percent, hours 1, 2 and the last, that an earlier simulation in C reached; it aimed
at 2.9 % abandoned, this one at 2.7 %, which costs up to a point.  Keys: handle time, agents."""

DRIFT_INTERVAL = 1800.0


def stationary(base: Conditions, seed: int, now: float) -> Conditions:
    """Nothing changes."""
    return base


def drift(base: Conditions, seed: int, now: float) -> Conditions:
    """Every half hour answer rate, mean and variation of the handle time are others."""
    chance = random.Random(f"{seed} {now // DRIFT_INTERVAL}")
    return evolve(
        base,
        answer_rate=chance.uniform(0.15, 0.5),
        handle_mean=base.handle_mean * math.exp(chance.uniform(-0.7, 0.7)),
        variation=chance.uniform(0.4, 1.2),
    )


def ramp(base: Conditions, seed: int, now: float) -> Conditions:
    """In the first hour the agents come one after the other, and callees answer more and more."""
    part = min(1.0, now / HOUR)
    return evolve(
        base,
        agents=max(1, round(base.agents * part)),
        answer_rate=base.answer_rate * (0.4 + 0.6 * part),
    )


def lunch(base: Conditions, seed: int, now: float) -> Conditions:
    """Within a few minutes of every fourth hour half of the agents leave, for half an hour."""
    within = now % (4 * HOUR) - 2 * HOUR
    away = min(max(0.0, within / 300.0), 1.0) if within < 1800.0 else 0.0
    return evolve(base, agents=max(1, base.agents - round(base.agents * away / 2)))


def dead_trunk(base: Conditions, seed: int, now: float) -> Conditions:
    """In ten minutes of every hour every call fails after some seconds."""
    return evolve(base, is_dead=1800.0 <= now % HOUR < 2400.0)


SCENARIOS: dict[str, Callable[[Conditions, int, float], Conditions]] = {
    "stationary": stationary,
    "drift": drift,
    "ramp": ramp,
    "lunch": lunch,
    "dead_trunk": dead_trunk,
}
PACES = {"predictive": ahead, "progressive": progressive}


@frozen
class Plan:
    """One run: ``handle_mean`` and ``hours`` as they say, everything else at its usual value."""

    scenario: str
    agents: int
    handle_mean: float
    hours: float
    seed: int
    pace: str = "predictive"
    may_release: bool = False


@frozen
class Outcome:
    """What a run came to: agent use of each hour, shares 0 to 1, and what one decision cost."""

    use: tuple[float, ...]
    abandoned: float
    answered: int
    dials_per_answer: float
    seconds: float


def run(plan: Plan) -> Outcome:
    """Simulate one run."""
    base = Conditions(agents=plan.agents, handle_mean=plan.handle_mean)
    begun = process_time()
    world = World(
        conditions=partial(SCENARIOS[plan.scenario], base, plan.seed),
        rules=PacingRules(ceiling=CEILING, may_release=plan.may_release),
        pace=PACES[plan.pace],
        chance=random.Random(f"{plan.seed} {plan.agents} {plan.handle_mean}"),
    )
    hours = world.run(plan.hours * HOUR)
    answered = sum(hour.answered for hour in hours)
    return Outcome(
        use=tuple(hour.busy_seconds / hour.agent_seconds for hour in hours if hour.agent_seconds),
        abandoned=share(hours),
        answered=answered,
        dials_per_answer=sum(hour.dialed for hour in hours) / max(1, answered),
        seconds=process_time() - begun,
    )


def share(hours: Sequence[Hour]) -> float:
    """Return the abandoned of the answered calls."""
    answered = sum(hour.answered for hour in hours)
    return sum(hour.abandoned for hour in hours) / max(1, answered)


def figures(plan: Plan, outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Return what the runs of one plan, with different seeds, came to."""
    hourly = [mean(uses) * 100 for uses in zip(*(one.use for one in outcomes), strict=True)]
    later = hourly[1:] or hourly
    known = LEARNT.get((plan.handle_mean, plan.agents))
    is_comparable = plan.scenario == "stationary" and plan.pace == "predictive"
    return {
        "scenario": plan.scenario,
        "pace": plan.pace,
        "release": plan.may_release,
        "agents": plan.agents,
        "handle_mean": plan.handle_mean,
        "hours": plan.hours,
        "runs": len(outcomes),
        "use_hour_1": round(hourly[0], 1),
        "use_later": round(mean(later), 1),
        "use_last": round(hourly[-1], 1),
        "earlier_use_last": known[-1] if known and is_comparable and not plan.may_release else None,
        "abandoned_mean": round(100 * mean(one.abandoned for one in outcomes), 2),
        "abandoned_worst": round(100 * max(one.abandoned for one in outcomes), 2),
        "answered": sum(one.answered for one in outcomes),
        "dials_per_answer": round(mean(one.dials_per_answer for one in outcomes), 2),
        "cpu_seconds": round(sum(one.seconds for one in outcomes), 1),
    }


def table(lines: Sequence[dict[str, object]]) -> Table:
    """Return the figures for people."""
    shown = Table(title=f"Agent use and abandoned calls, percent; ceiling {CEILING:.0%}")
    names = (
        *("scenario", "pace", "agents", "handle_mean", "use_hour_1", "use_later", "use_last"),
        *("earlier_use_last", "abandoned_mean", "abandoned_worst"),
    )
    for name in names:
        shown.add_column(name.replace("_", " "))
    for line in lines:
        shown.add_row(*("" if line[name] is None else str(line[name]) for name in names))
    return shown


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--agents", type=int, nargs="+", default=[5, 10, 20, 50, 100])
    parser.add_argument("--handle-means", type=float, nargs="+", default=[60.0, 180.0])
    parser.add_argument("--scenarios", nargs="+", choices=tuple(SCENARIOS), default=["stationary"])
    parser.add_argument("--pace", choices=tuple(PACES), default="predictive")
    parser.add_argument("--release", action="store_true", help="give up calls that ring too long")
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args(arguments)
    lines = []
    with ProcessPoolExecutor(given.jobs) as pool:
        for scenario in given.scenarios:
            for handle_mean in given.handle_means:
                for agents in given.agents:
                    plan = Plan(
                        scenario=scenario,
                        agents=agents,
                        handle_mean=handle_mean,
                        hours=given.hours,
                        seed=given.seed,
                        pace=given.pace,
                        may_release=given.release,
                    )
                    plans = [evolve(plan, seed=given.seed + turn) for turn in range(given.runs)]
                    lines.append(figures(plan, list(pool.map(run, plans))))
                    print(json.dumps(lines[-1]), flush=True)
    print(json.dumps({"benchmark": "pacing_lab", "environment": environment()}))
    Console(stderr=True, width=140).print(table(lines))
    is_kept = all(float(str(line["abandoned_worst"])) <= 100 * CEILING for line in lines)
    sys.exit(0 if is_kept or given.pace != "predictive" else 1)


if __name__ == "__main__":
    main()
