"""What holds whatever callees and agents do."""

from __future__ import annotations

import math

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules.prediction.feedback import (
    AIM,
    AMPLE,
    FIRST_RISK,
    GAIN,
    MAX_LOG,
    MIN_ANSWERS,
    MIN_LOG,
    PROGRESSIVE_BELOW,
    Ledger,
    Risk,
)

CEILING = 0.03

Runs = list[tuple[bool, int]]
"""Whether callees want to abandon, and so many answers of that kind, one run after the other."""

PATTERNS = st.lists(st.tuples(st.booleans(), st.integers(1, 400)), max_size=12)


def unrolled(runs: Runs) -> list[bool]:
    return [wish for wish, count in runs for _ in range(count)]


class RiskTests(SynchronousTestCase):
    """The share of answers that may find no agent."""

    def test_it_falls_with_an_abandoned_call_and_rises_slowly(self) -> None:
        first = Risk()
        self.assertAlmostEqual(first.share, FIRST_RISK)
        worse = first.after_answer(CEILING, is_abandoned=True)
        self.assertAlmostEqual(worse.log, first.log - GAIN * (1 - AIM * CEILING))
        better = first.after_answer(CEILING, is_abandoned=False)
        self.assertAlmostEqual(better.log, first.log + GAIN * AIM * CEILING)

    def test_it_stays_within_its_bounds(self) -> None:
        low, high = Risk(MIN_LOG), Risk(MAX_LOG)
        self.assertEqual(low.after_answer(CEILING, is_abandoned=True).log, MIN_LOG)
        self.assertEqual(high.after_answer(CEILING, is_abandoned=False).log, MAX_LOG)

    @settings(deadline=None, max_examples=100)
    @given(PATTERNS, st.integers(0, 40))
    @example([(True, 200)], 40)
    @example([(False, 300), (True, 200)] * 5, 0)
    def test_the_bound_whatever_callees_do(self, runs: Runs, under_way: int) -> None:
        """Callees abandon whenever they like, except that a task that has gone back to one call an
        agent has only those calls to lose that were on their way."""
        risk, ahead, left = Risk(), 0, under_way
        for count, wish in enumerate(unrolled(runs), start=1):
            if risk.is_progressive:
                is_abandoned = wish and left > 0
                left -= is_abandoned
            else:
                is_abandoned, left = wish, under_way
                ahead += wish
            risk = risk.after_answer(CEILING, is_abandoned=is_abandoned)
            most = AIM * CEILING * count + (math.log(FIRST_RISK) - PROGRESSIVE_BELOW) / 0.2 + 1
            self.assertLessEqual(ahead, most)


class LedgerTests(SynchronousTestCase):
    """The hard stop."""

    def test_the_first_answers_bear_as_many_as_two_hundred(self) -> None:
        self.assertEqual(Ledger().can_bear(CEILING), CEILING * MIN_ANSWERS)
        self.assertEqual(Ledger(answers=50, abandoned=6).can_bear(CEILING), 0)
        self.assertEqual(Ledger(answers=400, abandoned=6).can_bear(CEILING), 6)

    def test_the_ceiling_itself_may_be_reached(self) -> None:
        """29 of 1,000 are below three in a hundred, and the thirtieth just reaches it."""
        self.assertEqual(Ledger(answers=1000, abandoned=29).can_bear(CEILING), 1)
        self.assertEqual(Ledger(answers=1000, abandoned=30).can_bear(CEILING), 0)

    def test_the_risk_shrinks_before_it_ends(self) -> None:
        self.assertEqual(Ledger().ease(CEILING), 1.0)
        eases = [Ledger(answers=1000, abandoned=30 - left).ease(CEILING) for left in (6, 3, 1, 0)]
        self.assertEqual(eases[0], 1.0)
        self.assertAlmostEqual(eases[1], (3 / AMPLE) ** 2)
        self.assertEqual(eases[3], 0.0)
        self.assertEqual(Ledger(answers=1000, abandoned=40).ease(CEILING), 0.0)

    def test_the_share(self) -> None:
        self.assertEqual((Ledger().share, Ledger(answers=50, abandoned=2).share), (0.0, 0.04))

    @settings(deadline=None, max_examples=100)
    @given(PATTERNS)
    @example([(True, 200)])
    @example([(False, 900), (True, 900)])
    def test_whoever_obeys_it_keeps_the_ceiling(self, runs: Runs) -> None:
        ledger = Ledger()
        for wish in unrolled(runs):
            may = ledger.can_bear(CEILING) >= 1
            ledger = ledger.after_answer(is_abandoned=wish and may)
            allowed = CEILING * max(ledger.answers, MIN_ANSWERS)
            self.assertLessEqual(ledger.abandoned, allowed + 1e-9)
