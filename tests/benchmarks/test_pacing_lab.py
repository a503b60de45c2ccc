"""Hours of agents and callees, in virtual time, with the very rules; the seeds make them repeat."""

from __future__ import annotations

import random

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.pacing_lab import CEILING, SCENARIOS, Plan, figures, run
from benchmarks.pacing_world import Conditions, WholeSeconds
from ctidialer.rules.forecast.paces import ahead
from ctidialer.rules.forecast.world import HOUR, World
from ctidialer.rules.prediction.feedback import MIN_ANSWERS

HOURS = 1.0
UNDER_WAY = 2
"""Calls that may be lost after the task has gone back to one call an agent: they rang already."""


class LabTests(SynchronousTestCase):
    """A short version of the table of docs/prediction.rst."""

    def test_ten_agents(self) -> None:
        plan = Plan(scenario="stationary", agents=10, handle_mean=60.0, hours=HOURS, seed=1)
        ahead = run(plan)
        careful = run(evolve(plan, pace="progressive"))
        self.assertApproximates(careful.use[-1], 0.41, 0.03)
        self.assertEqual(careful.abandoned, 0.0)
        self.assertGreater(ahead.use[-1], careful.use[-1] + 0.15)
        self.assertLessEqual(ahead.abandoned, CEILING)
        self.assertGreater(ahead.answered, 300)

    def test_every_scenario_keeps_the_ceiling(self) -> None:
        for scenario in SCENARIOS:
            plan = Plan(scenario=scenario, agents=8, handle_mean=60.0, hours=HOURS, seed=2)
            found = run(plan)
            allowed = CEILING * max(found.answered, MIN_ANSWERS) + UNDER_WAY
            self.assertLessEqual(found.abandoned * found.answered, allowed, scenario)
            self.assertGreater(found.answered, 100, scenario)

    def test_calls_that_are_given_up(self) -> None:
        """They cost dials, and give agents calls."""
        plan = Plan(scenario="stationary", agents=10, handle_mean=60.0, hours=HOURS, seed=3)
        kept, given_up = run(plan), run(evolve(plan, may_release=True))
        self.assertGreater(given_up.dials_per_answer, kept.dials_per_answer)
        self.assertLessEqual(given_up.abandoned, CEILING)

    def test_agents_who_begin_with_whole_seconds(self) -> None:
        """Of a call of six seconds it costs a half, in which nobody is busy."""
        base = Conditions(
            agents=10, answer_from=1.0, answer_until=5.0, ring_out=6.0, handle_mean=6.0
        )
        whole = WholeSeconds(base)
        uses = []
        for conditions in (lambda now: base, whole.at):
            world = World(conditions=conditions, pace=ahead, chance=random.Random(1))
            hour = world.run(HOUR / 4)[0]
            uses.append((hour.busy_seconds - whole.rests) / hour.agent_seconds)
            self.assertLessEqual(hour.abandoned, CEILING * hour.answered)
        self.assertGreater(uses[0], uses[1] + 0.03)
        self.assertGreater(uses[1], uses[0] - 0.2)
        self.assertApproximates(whole.rests / hour.answered, 0.6, 0.1)

    def test_the_line_that_is_printed(self) -> None:
        plan = Plan(scenario="stationary", agents=5, handle_mean=60.0, hours=1.0, seed=4)
        line = figures(plan, [run(plan)])
        self.assertEqual((line["agents"], line["runs"], line["earlier_use_last"]), (5, 1, 63))
