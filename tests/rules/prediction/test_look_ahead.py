"""What is foreseen, against sums that are worked out in full."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules.prediction.handle_time import HandleTimes
from ctidialer.rules.prediction.look_ahead import (
    HORIZONS,
    Curves,
    Outlook,
    Situation,
    most_calls,
    outlook,
)
from ctidialer.rules.prediction.ringing import RingTimes

GRACE = 2.0


def curves_of(situation: Situation) -> Curves:
    """Return what is known before anything was seen."""
    return Curves(
        handle=HandleTimes().curve(situation.busy),
        ring=RingTimes().curve(situation.ringing),
        grace=GRACE,
    )


def distribution(chances: list[float]) -> list[float]:
    """Return the chance of each number of them that come true, worked out in full."""
    found = [1.0]
    for chance in chances:
        longer = [0.0] * (len(found) + 1)
        for number, share in enumerate(found):
            longer[number] += share * (1.0 - chance)
            longer[number + 1] += share * chance
        found = longer
    return found


def true_overflow(situation: Situation, curves: Curves, horizon: int) -> float:
    """Return how many callees find no agent at a horizon, on average, without any approximation."""
    answers = distribution([curves.answers(int(a), (horizon,))[0] for a in situation.ringing])
    frees = distribution([curves.frees(int(a), (horizon,))[0] for a in situation.busy])
    return sum(
        one * other * max(0, situation.waiting + many - situation.free - few)
        for many, one in enumerate(answers)
        for few, other in enumerate(frees)
    )


SITUATIONS = st.builds(
    Situation,
    free=st.integers(0, 20),
    busy=st.lists(st.floats(0, 600), max_size=60).map(tuple),
    ringing=st.lists(st.floats(0, 100), max_size=60).map(tuple),
    waiting=st.integers(0, 5),
)


class OutlookTests(SynchronousTestCase):
    """Callees who will have answered, less agents who will be free."""

    def test_nobody_anywhere(self) -> None:
        empty = Situation(free=0)
        self.assertEqual(outlook(empty, curves_of(empty)).overflow(), 0.0)

    def test_those_who_wait_and_those_who_are_free_are_certain(self) -> None:
        situation = Situation(free=1, waiting=4)
        self.assertEqual(outlook(situation, curves_of(situation)).overflow(), 3.0)

    @settings(deadline=None, max_examples=100)
    @given(SITUATIONS)
    def test_against_the_full_sums(self, situation: Situation) -> None:
        """The normal distribution is no further off than a sixth of a callee."""
        curves = curves_of(situation)
        foreseen = outlook(situation, curves).overflow()
        true = max(true_overflow(situation, curves, u) for u in HORIZONS)
        self.assertApproximates(foreseen, true, 1 / 6)

    @settings(deadline=None, max_examples=100)
    @given(SITUATIONS, st.integers(0, 30))
    def test_calls_that_are_added_are_calls_that_ring(
        self, situation: Situation, count: int
    ) -> None:
        curves = curves_of(situation)
        chances = tuple(curves.answers(0, HORIZONS))
        added = outlook(situation, curves).with_calls(count, chances)
        ringing = Situation(
            free=situation.free,
            busy=situation.busy,
            ringing=(*situation.ringing, *([0.0] * count)),
            waiting=situation.waiting,
        )
        there = outlook(ringing, curves)
        for one, other in zip(added.means, there.means, strict=True):
            self.assertAlmostEqual(one, other, places=6)
        self.assertAlmostEqual(added.overflow(), there.overflow(), places=6)
        self.assertAlmostEqual(added.answers, there.answers, places=6)


class MostCallsTests(SynchronousTestCase):
    """How many calls may be placed."""

    @settings(deadline=None, max_examples=100)
    @given(SITUATIONS, st.floats(1e-4, 0.5), st.integers(0, 300))
    def test_one_by_one_comes_to_the_same(
        self, situation: Situation, risk: float, at_most: int
    ) -> None:
        curves = curves_of(situation)
        seen, chances = outlook(situation, curves), curves.new_call_chances

        def is_allowed(count: int) -> bool:
            then: Outlook = seen.with_calls(count, chances)
            return then.overflow() <= risk * then.answers

        counted = 0
        while counted < at_most and is_allowed(counted + 1):
            counted += 1
        self.assertEqual(most_calls(seen, chances, risk, at_most), counted)

    def test_more_risk_is_more_calls(self) -> None:
        situation = Situation(free=2, busy=tuple(map(float, range(0, 200, 10))))
        curves = curves_of(situation)
        seen, chances = outlook(situation, curves), curves.new_call_chances
        counts = [most_calls(seen, chances, math.exp(log), 1000) for log in range(-8, 0)]
        self.assertEqual(counts, sorted(counts))
        self.assertGreater(counts[-1], counts[0])
