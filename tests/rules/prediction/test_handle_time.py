"""How long agents are busy, as it is learnt."""

from __future__ import annotations

import math
import random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules.prediction.handle_time import EDGES, PRIOR_MEAN, HandleTimes

AGES = st.floats(0.0, 100_000.0)


def learnt(times: list[float]) -> HandleTimes:
    """Return what is known after so many calls."""
    found = HandleTimes()
    for seconds in times:
        found = found.ended(seconds)
    return found


class HandleTimeTests(SynchronousTestCase):
    """The chance that an agent is free again."""

    def test_before_anything_was_seen(self) -> None:
        curve = HandleTimes().curve([])
        self.assertAlmostEqual(curve.mean, PRIOR_MEAN, places=3)
        self.assertAlmostEqual(curve.ends_within(0.0, PRIOR_MEAN), 1 - math.exp(-1), places=6)
        self.assertAlmostEqual(curve.ends_within(700.0, PRIOR_MEAN), 1 - math.exp(-1), places=6)

    def test_times_of_one_mean(self) -> None:
        chance = random.Random(1)
        curve = learnt([chance.expovariate(1 / 40) for _ in range(4000)]).curve([])
        self.assertApproximates(curve.mean, 40.0, 2.0)
        for age in (0.0, 30.0, 100.0):
            self.assertApproximates(curve.ends_within(age, 20.0), 1 - math.exp(-0.5), 0.05)

    def test_a_time_that_all_calls_need(self) -> None:
        """Nobody is free sooner, and then all are within one bin of it."""
        curve = learnt([60.0] * 1000).curve([])
        self.assertLess(curve.ends_within(0.0, 40.0), 0.02)
        self.assertGreater(curve.ends_within(50.0, 30.0), 0.9)

    def test_calls_that_still_run_are_seconds_without_an_end(self) -> None:
        known = learnt([5.0] * 10)
        self.assertGreater(known.curve([300.0] * 50).mean, known.curve([]).mean)

    def test_what_is_old_counts_less(self) -> None:
        curve = learnt([300.0] * 500).faded(0.01)
        for _ in range(500):
            curve = curve.ended(20.0)
        self.assertLess(curve.curve([]).mean, 40.0)

    def test_how_far_off_it_may_be(self) -> None:
        self.assertAlmostEqual(learnt([30.0] * 398).curve([]).doubt, 0.05)
        self.assertGreater(HandleTimes().curve([]).doubt, 0.7)

    def test_an_age_below_zero_is_none(self) -> None:
        """A clock that was set back must not undo seconds."""
        self.assertEqual(HandleTimes().ended(-5.0), HandleTimes().ended(0.0))

    @settings(deadline=None, max_examples=100)
    @given(st.lists(AGES, max_size=30), st.lists(AGES, max_size=30), AGES, st.floats(0.0, 100.0))
    def test_chances_are_chances(
        self, times: list[float], running: list[float], age: float, seconds: float
    ) -> None:
        curve = learnt(times).curve(running)
        chance = curve.ends_within(age, seconds)
        self.assertTrue(0.0 <= chance <= 1.0)
        self.assertLessEqual(chance, curve.ends_within(age, seconds + 1.0))

    @settings(deadline=None, max_examples=100)
    @given(st.lists(AGES, max_size=30))
    def test_every_second_is_counted_once(self, times: list[float]) -> None:
        before, after = sum(HandleTimes().exposure), sum(learnt(times).exposure)
        self.assertApproximates(after - before, sum(times), 1e-6 * max(1.0, sum(times)))

    def test_bins_reach_far(self) -> None:
        self.assertGreater(EDGES[-1], 10 * 3600)
