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
        for one, other in zip(added.answered, there.answered, strict=True):
            self.assertAlmostEqual(one, other, places=6)
        self.assertEqual(added.calls, there.calls)
        self.assertAlmostEqual(added.overflow(), there.overflow(), places=6)
        self.assertAlmostEqual(added.answers, there.answers, places=6)


class MostCallsTests(SynchronousTestCase):
    """How many calls may be placed."""

    @settings(deadline=None, max_examples=100)
    @given(SITUATIONS, st.floats(1e-4, 0.5), st.floats(0, 100), st.integers(0, 300))
    def test_one_by_one_comes_to_the_same(
        self, situation: Situation, risk: float, bearable: float, at_most: int
    ) -> None:
        curves = curves_of(situation)
        seen = outlook(situation, curves)

        def is_allowed(count: int) -> bool:
            then: Outlook = seen.with_calls(count, curves.new_call_chances)
            is_bearable = then.worst_likely(curves) <= bearable
            return is_bearable and then.overflow() <= risk * then.answers

        counted = 0
        while counted < at_most and is_allowed(counted + 1):
            counted += 1
        self.assertEqual(most_calls(seen, curves, risk, bearable, at_most), counted)

    def test_more_risk_is_more_calls(self) -> None:
        situation = Situation(free=2, busy=tuple(map(float, range(0, 200, 10))))
        curves = curves_of(situation)
        seen = outlook(situation, curves)
        counts = [most_calls(seen, curves, math.exp(log), 99.0, 1000) for log in range(-8, 0)]
        self.assertEqual(counts, sorted(counts))
        self.assertGreater(counts[-1], counts[0])

    def test_who_can_bear_more_places_more(self) -> None:
        situation = Situation(free=10)
        curves = HandleTimes().curve(()), RingTimes().curve(())
        seen = outlook(situation, Curves(*curves, grace=2.0))
        counts = [
            most_calls(seen, Curves(*curves, grace=2.0), 0.5, bearable, 1000)
            for bearable in (0.0, 1.0, 3.0, 4.0)
        ]
        self.assertEqual(counts, [10, 11, 13, 14])
