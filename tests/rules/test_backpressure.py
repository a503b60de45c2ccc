"""Going on when FreeSWITCH itself refuses calls."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules.backpressure import (
    LIFTED_AFTER,
    MAX_CAREFUL_CPS,
    MAX_PAUSE,
    MIN_CEILING,
    MIN_PAUSE,
    Backpressure,
    accepted,
    refused,
)

NONE = Backpressure()


def refusals(*moments: float) -> Backpressure:
    state = NONE
    for now in moments:
        state = refused(state, now, now)
    return state


class BackpressureTests(SynchronousTestCase):
    def test_nothing_holds_at_first(self) -> None:
        self.assertFalse(NONE.holds(0))
        self.assertFalse(NONE.holds(1e10))

    def test_a_refusal_holds_for_a_while(self) -> None:
        state = refusals(100)
        self.assertTrue(state.holds(100))
        self.assertTrue(state.holds(100 + MIN_PAUSE - 0.01))
        self.assertFalse(state.holds(100 + MIN_PAUSE))

    def test_the_refusals_of_one_burst_count_once(self) -> None:
        self.assertEqual(refusals(100, 100, 100.1, 100.2), refusals(100))

    def test_each_round_doubles_the_pause_up_to_the_longest(self) -> None:
        now, pauses, state = 0.0, [], NONE
        for _ in range(8):
            state = refused(state, now, now)
            pauses.append(state.pause)
            now = state.until
        self.assertEqual(pauses, [0.5, 1, 2, 4, 8, 16, 16, 16])
        self.assertEqual(pauses[-1], MAX_PAUSE)

    def test_a_call_that_was_placed_after_the_pause_and_taken_halves_it(self) -> None:
        state = refusals(0, 1, 3)
        self.assertEqual((state.pause, state.until), (2, 5))
        state = accepted(state, placed_at=5.5)
        self.assertEqual(state.pause, 1)
        self.assertFalse(state.holds(5.5))
        self.assertEqual(accepted(accepted(state, 6), 6).pause, 0)

    def test_a_call_that_was_placed_before_the_pause_was_over_says_nothing(self) -> None:
        state = refusals(0, 1, 3)
        self.assertEqual(accepted(state, placed_at=2), state)
        self.assertEqual(accepted(state, placed_at=4.9), state)
        self.assertEqual(accepted(NONE, placed_at=4), NONE)

    def test_a_clock_that_was_set_back_does_not_hold_for_longer_than_a_pause(self) -> None:
        state = refusals(1000)
        self.assertFalse(state.holds(10))


KNOWN = Backpressure(0.0, 100.0, ceiling=200.0, good_rate=200.0)
"""FreeSWITCH has taken some calls since a pause that was over at 100."""


KNOWN_PAUSED = Backpressure(0.5, 100.5, ceiling=200.0, good_rate=200.0)
"""FreeSWITCH has refused a call at 100, and taken none since."""


def at_rate(state: Backpressure, now: float, taken: float) -> Backpressure:
    """Return the state when a call is refused while FreeSWITCH takes so many calls a second."""
    return refused(state, now, now, taken)


def rising(state: Backpressure, since: float, seconds: float, step: float = 0.01) -> Backpressure:
    """Have FreeSWITCH take all calls that the ceiling allows."""
    due = 0.0
    for index in range(round(seconds / step)):
        now = since + index * step
        due += (state.cps(now) or 0.0) * step
        while due >= 1:
            due -= 1
            state = accepted(state, now)
    return state


class CeilingTests(SynchronousTestCase):
    def test_there_is_none_at_first(self) -> None:
        self.assertIsNone(NONE.cps(0))
        self.assertIs(accepted(NONE, 5), NONE)
        self.assertFalse(NONE.is_careful(0))

    def test_a_refusal_sets_it_a_little_below_what_was_taken(self) -> None:
        self.assertEqual(at_rate(NONE, 100, 200).cps(100), 180)

    def test_it_is_never_below_the_least(self) -> None:
        state = NONE
        for now in range(100, 200, 3):
            state = at_rate(accepted(state, now - 1), now, 1)
        self.assertEqual(state.ceiling, MIN_CEILING)

    def test_a_first_refusal_says_little_of_what_is_good(self) -> None:
        """Perhaps few calls were taken because few were placed."""
        state = at_rate(NONE, 100, 2)
        self.assertEqual(state.ceiling, MIN_CEILING)
        self.assertGreater(rising(state, 100.5, 6).ceiling, 200)

    def test_a_refusal_soon_after_a_pause_lowers_what_counts_as_good(self) -> None:
        """In so short a time no rate is measured: a single call more or less would be much."""
        state = refused(KNOWN, 100.8, 100.8, 3)
        self.assertEqual((state.good_rate, state.ceiling), (0.7 * 200, 0.7 * 200))

    def test_so_does_one_while_few_calls_are_placed(self) -> None:
        state = refused(KNOWN, 120, 120, 3)
        self.assertEqual((state.good_rate, state.ceiling), (0.7 * 200, 0.7 * 200))

    def test_one_at_the_ceiling_measures_what_is_good(self) -> None:
        state = refused(KNOWN, 120, 120, 190)
        self.assertEqual((state.good_rate, state.ceiling), (0.9 * 190, 0.9 * 190))

    def test_what_is_placed_during_a_pause_was_on_its_way_before(self) -> None:
        state = at_rate(NONE, 100, 200)
        self.assertFalse(state.is_careful(100.4))
        self.assertTrue(state.is_careful(100.6))

    def test_it_is_low_while_it_is_unknown_whether_any_call_is_taken(self) -> None:
        state = refused(KNOWN_PAUSED, 100.5, 100.5)
        self.assertEqual((state.good_rate, state.ceiling), (200, MAX_CAREFUL_CPS))
        self.assertTrue(state.is_careful(102))

    def test_it_is_soon_back_where_calls_were_taken_and_rises_slowly_from_there(self) -> None:
        state = refused(KNOWN_PAUSED, 100.5, 100.5)
        state = rising(state, 101.5, 4.5)
        self.assertApproximates(state.ceiling, 202, 3)
        self.assertFalse(state.is_careful(106))
        self.assertApproximates(rising(state, 106, 1).ceiling - state.ceiling, 2.9, 0.3)

    def test_the_longer_nothing_is_refused_the_faster_it_rises(self) -> None:
        state = Backpressure(0.5, 100.5, ceiling=30.0, good_rate=30.0)
        after = {seconds: rising(state, 100.5, seconds).ceiling for seconds in (7, 30, 59)}
        self.assertApproximates(after[7], 33, 1)
        self.assertApproximates(after[30], 65, 8)
        self.assertGreater(after[59], 200)

    def test_it_is_lifted_after_a_minute_without_a_refusal(self) -> None:
        state = accepted(at_rate(NONE, 100, 33), 101)
        self.assertIsNotNone(state.cps(100 + LIFTED_AFTER))
        self.assertIsNone(state.cps(101 + LIFTED_AFTER))
        self.assertEqual(accepted(state, 101 + LIFTED_AFTER), NONE)

    def test_it_stays_until_a_call_was_taken(self) -> None:
        self.assertEqual(refusals(0, 1, 3).cps(10_000), MAX_CAREFUL_CPS)

    def test_a_refusal_long_after_another_one_is_a_first_one(self) -> None:
        once = accepted(at_rate(NONE, 100, 2), 101)
        self.assertEqual(at_rate(once, 1000, 300).ceiling, at_rate(NONE, 1000, 300).ceiling)

    def test_a_call_that_was_placed_before_it_was_set_is_of_the_same_burst(self) -> None:
        state = at_rate(NONE, 100, 33)
        self.assertIs(refused(state, 101, 99.9, 33), state)

    def test_a_clock_that_was_set_back_does_not_keep_it(self) -> None:
        state = at_rate(NONE, 1000, 33)
        self.assertIsNone(accepted(state, 10).cps(10))
        self.assertIsNone(accepted(state, 1001).cps(10))
        self.assertIsNot(refused(state, 10, 10), state)


class HistoryTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=200)
    @given(st.lists(st.tuples(st.booleans(), st.floats(0, 1e6)), max_size=30), st.floats(0, 1e6))
    def test_no_history_holds_for_longer_than_the_longest(
        self, history: list[tuple[bool, float]], now: float
    ) -> None:
        state = NONE
        for was_refused, moment in history:
            state = refused(state, moment, moment) if was_refused else accepted(state, moment)
            self.assertLessEqual(state.pause, MAX_PAUSE)
        self.assertFalse(state.holds(now) and state.holds(now + MAX_PAUSE + 0.001))
        again = refused(state, now, now)
        self.assertTrue(again.holds(now) or state.has_slowed(now, now))

    @settings(deadline=None, max_examples=200)
    @given(st.lists(st.tuples(st.booleans(), st.floats(0, 3), st.floats(0, 500)), max_size=40))
    def test_no_refusal_raises_the_ceiling(self, history: list[tuple[bool, float, float]]) -> None:
        state, now = NONE, 1000.0
        for was_refused, seconds, taken in history:
            now += seconds
            before = state.cps(now)
            state = refused(state, now, now, taken) if was_refused else accepted(state, now)
            if was_refused and before is not None:
                self.assertLessEqual(state.ceiling, before)
