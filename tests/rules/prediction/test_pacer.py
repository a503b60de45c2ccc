"""How many calls a task places."""

from __future__ import annotations

import math

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules.prediction.feedback import MIN_ANSWERS, MIN_LOG, Ledger, Risk
from ctidialer.rules.prediction.look_ahead import Situation
from ctidialer.rules.prediction.pacer import (
    Learnt,
    PacingRules,
    calls_to_place,
    should_release,
)

RULES = PacingRules()
BUSY = tuple(float(age) for age in range(0, 190, 10))


def placed(
    situation: Situation, learnt: Learnt, rules: PacingRules = RULES, at_most: int = 1000
) -> int:
    """Return how many calls are placed."""
    return calls_to_place(situation, learnt, learnt.curves(situation, rules), rules, at_most)


def seasoned() -> Learnt:
    """Return what is learnt from calls that are answered by one in four, and last a minute."""
    learnt = Learnt()
    for turn in range(400):
        if turn % 4 == 0:
            learnt = learnt.answered(5.0 + turn % 20).freed(30.0 + turn % 60)
            learnt = learnt.judged(RULES, is_abandoned=False)
        else:
            learnt = learnt.unanswered(30.5)
    return learnt


class PacerTests(SynchronousTestCase):
    """One task."""

    def test_each_free_agent_has_a_call_from_the_first_moment(self) -> None:
        self.assertGreaterEqual(placed(Situation(free=5), Learnt()), 5)

    def test_calls_are_placed_for_agents_who_will_be_free(self) -> None:
        self.assertGreater(
            placed(Situation(free=0, busy=tuple(map(float, range(60))) * 2), seasoned()), 0
        )

    def test_nobody_is_there(self) -> None:
        self.assertEqual(placed(Situation(free=0), seasoned()), 0)

    def test_after_too_many_abandoned_one_call_an_agent(self) -> None:
        careful = evolve(seasoned(), risk=Risk(MIN_LOG))
        self.assertEqual(placed(Situation(free=0, busy=BUSY), careful), 0)
        self.assertEqual(placed(Situation(free=3, busy=BUSY), careful), 3)

    def test_at_the_ceiling_one_call_an_agent(self) -> None:
        full = evolve(seasoned(), ledger=Ledger(answers=100, abandoned=6))
        self.assertEqual(placed(Situation(free=0, busy=BUSY), full), 0)
        self.assertEqual(placed(Situation(free=4, busy=BUSY, ringing=(1.0,)), full), 3)

    @settings(deadline=None, max_examples=100)
    @given(
        st.integers(0, 30),
        st.lists(st.floats(0, 600), max_size=40).map(tuple),
        st.lists(st.floats(0, 60), max_size=40).map(tuple),
        st.integers(0, 5),
        st.integers(0, 100),
    )
    def test_its_bounds(
        self,
        free: int,
        busy: tuple[float, ...],
        ringing: tuple[float, ...],
        waiting: int,
        at_most: int,
    ) -> None:
        situation = Situation(free=free, busy=busy, ringing=ringing, waiting=waiting)
        count = placed(situation, seasoned(), at_most=at_most)
        self.assertLessEqual(count, at_most)
        self.assertGreaterEqual(count, min(at_most, max(0, situation.progressive)))

    def test_more_free_agents_are_never_fewer_calls(self) -> None:
        counts = [placed(Situation(free=free, busy=BUSY), seasoned()) for free in range(20)]
        self.assertEqual(counts, sorted(counts))


class FirstCallsTests(SynchronousTestCase):
    """A task that has learnt nothing, whatever its callees will do."""

    @settings(deadline=None, max_examples=100)
    @given(
        st.integers(0, 500),
        st.lists(st.floats(0, 600), max_size=40).map(tuple),
        st.lists(st.floats(0, 3), max_size=40).map(tuple),
        st.integers(0, 5),
        st.integers(0, 5),
    )
    def test_all_may_answer_at_once(
        self,
        free: int,
        busy: tuple[float, ...],
        ringing: tuple[float, ...],
        waiting: int,
        abandoned: int,
    ) -> None:
        """If all callees answer and no busy agent is free in time, half of the calls that the
        ceiling leaves may be abandoned, and no more."""
        learnt = evolve(Learnt(), ledger=Ledger(abandoned, abandoned))
        situation = Situation(free=free, busy=busy, ringing=ringing, waiting=waiting)
        count = placed(situation, learnt)
        without_agent = len(ringing) + waiting + count - free
        half = (RULES.ceiling * MIN_ANSWERS - abandoned) / 2
        self.assertTrue(count == 0 or without_agent <= half, (count, without_agent))
        self.assertGreaterEqual(count, min(1000, max(0, situation.progressive)))

    def test_what_was_learnt_widens_it(self) -> None:
        """The same agents get more calls, once it is known how few callees answer."""
        situation = Situation(free=40)
        self.assertEqual(placed(situation, Learnt()), 43)
        self.assertGreater(placed(situation, seasoned()), 80)


class ReleaseTests(SynchronousTestCase):
    """Calls that are given up."""

    crowded = Situation(free=0, busy=(1.0,) * 5, ringing=(16.0,) * 40)

    def should(self, situation: Situation, rules: PacingRules) -> bool:
        """Return whether one is given up."""
        learnt = seasoned()
        return should_release(situation, learnt, learnt.curves(situation, rules), rules)

    def test_only_where_the_task_says_so(self) -> None:
        self.assertFalse(self.should(self.crowded, RULES))
        self.assertTrue(self.should(self.crowded, evolve(RULES, may_release=True)))

    def test_none_that_has_rung_for_less_than_it_must(self) -> None:
        rules = evolve(RULES, may_release=True, ring_min=17.0)
        self.assertFalse(self.should(self.crowded, rules))

    def test_none_while_there_are_agents(self) -> None:
        calm = evolve(self.crowded, free=40)
        self.assertFalse(self.should(calm, evolve(RULES, may_release=True)))


class LearntTests(SynchronousTestCase):
    """What is kept of what was seen."""

    def test_old_answers_fade(self) -> None:
        learnt = Learnt()
        for _ in range(4000):
            learnt = learnt.answered(5.5)
        total = sum(learnt.ring.answered)
        self.assertApproximates(total, 2000 / math.log(2) * 0.75 + 2.5, 10)

    def test_a_machine_is_an_answer_and_judged_by_nobody(self) -> None:
        learnt = Learnt().answered(7.0)
        self.assertEqual((learnt.ledger, learnt.risk), (Ledger(), Risk()))
