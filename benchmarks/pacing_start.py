"""How many of the first answers are abandoned by a task that has learnt nothing yet.

The agents are all free as it begins.  Cold starts of every kind, in virtual time, with the very
rules: callees of whom few answer or all do, at once or after a while, and short and long calls.
Prints one JSON line for each kind, and a table at the end::

    python -m benchmarks.pacing_start --agents 40 --runs 10

docs/prediction.rst has the figures.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from statistics import mean

from attrs import frozen
from rich.console import Console
from rich.table import Table

from benchmarks.measuring import environment
from benchmarks.pacing_world import Conditions
from ctidialer.rules.forecast.paces import ahead
from ctidialer.rules.forecast.world import HOUR, World

MARKS = (100, 200, 500)
"""Answers after which the abandoned ones are counted."""

ANSWER_RATES = (0.3, 0.5, 0.7, 0.9, 1.0)
HANDLE_MEANS = (6.0, 60.0)
SOON, LATER = (0.5, 2.0, 10.0), (5.0, 25.0, 30.0)
"""From and until when callees answer, and when the others end to ring; seconds."""


@frozen
class Start:
    """One cold start: the abandoned among the first answers, for each mark that was reached
    within the hours it was given, and the agents' use up to the last of them."""

    abandoned: tuple[int, ...]
    use: float


def start(
    conditions: Conditions, seed: int, hours: float = 1.0, marks: tuple[int, ...] = MARKS
) -> Start:
    """Begin a task that has learnt nothing; it ends at the last of the marks."""
    abandoned: list[int] = []

    def watched(world: World) -> int:
        ledger = world.learnt.ledger
        if len(abandoned) < len(marks) and ledger.answers >= marks[len(abandoned)]:
            abandoned.append(ledger.abandoned)
        return ahead(world)

    world = World(conditions=lambda now: conditions, pace=watched, chance=random.Random(seed))
    while len(abandoned) < len(marks) and world.now < hours * HOUR:
        world.run(world.now + 1.0)
    agent_seconds = sum(hour.agent_seconds for hour in world.hours)
    use = sum(hour.busy_seconds for hour in world.hours) / agent_seconds
    return Start(tuple(abandoned), use)


def figures(conditions: Conditions, starts: Sequence[Start]) -> dict[str, object]:
    """Return what starts of one kind came to: mean and most of the abandoned at each mark."""
    line: dict[str, object] = {
        "agents": conditions.agents,
        "handle_mean": conditions.handle_mean,
        "answer_from": conditions.answer_from,
        "answer_until": conditions.answer_until,
        "answer_rate": conditions.answer_rate,
        "use": round(100 * mean(one.use for one in starts), 1),
    }
    for place, mark in enumerate(MARKS):
        counts = [one.abandoned[place] for one in starts if len(one.abandoned) > place]
        line[f"abandoned_of_{mark}"] = round(mean(counts), 1) if counts else None
        line[f"most_of_{mark}"] = max(counts, default=None)
    return line


def kinds(agents: int) -> list[Conditions]:
    """Return the kinds of callees and calls that are tried."""
    return [
        Conditions(
            agents=agents,
            answer_rate=rate,
            answer_from=answers[0],
            answer_until=answers[1],
            ring_out=answers[2],
            handle_mean=handle_mean,
        )
        for handle_mean, answers, rate in itertools.product(
            HANDLE_MEANS, (SOON, LATER), ANSWER_RATES
        )
    ]


def table(lines: Sequence[dict[str, object]]) -> Table:
    """Return the figures for people."""
    shown = Table(title="Abandoned of the first answers: mean, most of any run")
    for name in lines[0]:
        shown.add_column(name.replace("_", " "))
    for line in lines:
        shown.add_row(*("" if value is None else str(value) for value in line.values()))
    return shown


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--agents", type=int, default=40)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args(arguments)
    lines = []
    with ProcessPoolExecutor(given.jobs) as pool:
        for conditions in kinds(given.agents):
            starts = list(pool.map(start, itertools.repeat(conditions), range(given.runs)))
            lines.append(figures(conditions, starts))
            print(json.dumps(lines[-1]), flush=True)
    print(json.dumps({"benchmark": "pacing_start", "environment": environment()}))
    Console(stderr=True, width=140).print(table(lines))


if __name__ == "__main__":
    main()
