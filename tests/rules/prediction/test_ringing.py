"""When callees answer, as it is learnt."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules.prediction.ringing import MAX_RING, RingTimes

ENDS = st.lists(st.tuples(st.sampled_from(("answered", "ended", "cut_short")), st.floats(0, 200)))


def learnt(ends: list[tuple[str, float]]) -> RingTimes:
    """Return what is known after so many calls."""
    found = RingTimes()
    for how, age in ends:
        found = getattr(found, f"was_{how}")(age)
    return found


class RingTests(SynchronousTestCase):
    """The chance that a call is answered."""

    def test_before_anything_was_seen(self) -> None:
        curve = RingTimes().curve([])
        self.assertAlmostEqual(curve.answer_rate, 0.5)
        self.assertAlmostEqual(curve.answers_within(0.0, 4.0), 0.0)
        self.assertAlmostEqual(curve.answers_within(0.0, 17.0), 0.25)
        self.assertAlmostEqual(curve.answers_within(17.0, 100.0), 1 / 3)

    def test_callees_who_answer_after_ten_seconds_or_never(self) -> None:
        chance = random.Random(2)
        ends = [
            ("answered", 10.5) if chance.random() < 0.2 else ("ended", 30.5) for _ in range(5000)
        ]
        curve = learnt(ends).curve([])
        self.assertApproximates(curve.answer_rate, 0.2, 0.02)
        self.assertApproximates(curve.answers_within(9.0, 3.0), 0.2, 0.02)
        self.assertLess(curve.answers_within(12.0, 60.0), 0.02)

    def test_calls_that_ring_now_are_known_not_to_have_been_answered(self) -> None:
        known = learnt([("answered", 3.5)] * 10)
        self.assertLess(known.curve([50.0] * 100).answer_rate, known.curve([]).answer_rate)

    def test_a_call_that_the_dialer_gave_up_is_no_refusal(self) -> None:
        """What it would have come to after that is as likely as before."""
        ends = [("answered", 20.5), ("ended", 25.5)] * 200
        given_up = learnt([*ends, *[("cut_short", 15.0)] * 400]).curve([])
        self.assertApproximates(given_up.answer_rate, learnt(ends).curve([]).answer_rate, 0.02)

    def test_how_far_off_it_may_be(self) -> None:
        """Of so many calls, all seen to their end, it is the deviation of a binomial share."""
        ends = [("answered", 10.5), *[("ended", 30.5)] * 3] * 1000
        self.assertApproximates(learnt(ends).curve([]).doubt(60), (0.75 / 0.25 / 4000) ** 0.5, 5e-4)

    def test_who_has_seen_nothing_may_be_far_off(self) -> None:
        doubts = [
            learnt([("answered", 10.5), ("ended", 30.5)] * count).curve([]).doubt(27)
            for count in (0, 5, 50, 500)
        ]
        self.assertGreater(doubts[0], 0.5)
        self.assertEqual(doubts, sorted(doubts, reverse=True))
        self.assertLess(doubts[-1], 0.05)

    def test_what_calls_do_later_is_not_known_of_calls_that_were_answered_early(self) -> None:
        early = learnt([("answered", 1.5)] * 40).curve([2.0] * 40)
        self.assertGreater(
            early.doubt(27), 2 * learnt([("answered", 1.5)] * 80).curve([]).doubt(27)
        )

    def test_an_age_beyond_all_seconds(self) -> None:
        self.assertEqual(RingTimes().curve([]).answers_within(MAX_RING + 1.0, 10.0), 0.0)

    @settings(deadline=None, max_examples=100)
    @given(ENDS, st.lists(st.floats(0, 200), max_size=20), st.floats(0, 200), st.floats(0, 100))
    def test_chances_are_chances(
        self, ends: list[tuple[str, float]], ringing: list[float], age: float, seconds: float
    ) -> None:
        curve = learnt(ends).curve(ringing)
        chance = curve.answers_within(age, seconds)
        self.assertTrue(-1e-9 <= chance <= 1.0 + 1e-9, chance)
        self.assertLessEqual(chance, curve.answers_within(age, seconds + 1.0) + 1e-9)
        for still, answered in zip(curve.still, curve.answered, strict=True):
            self.assertLessEqual(still + answered, 1.0 + 1e-9)
