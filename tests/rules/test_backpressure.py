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


def starts(rate: int, until: float, seconds: float = 1.0) -> list[float]:
    """Return when calls were started, ``rate`` a second, before ``until``."""
    return [until - (index + 0.5) / rate for index in range(round(rate * seconds))]


def at_rate(state: Backpressure, now: float, rate: int) -> Backpressure:
    """Return the state when a call is refused while so many calls a second start."""
    return refused(state, now, now, starts(rate, now))


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

    def test_what_was_placed_at_the_same_time_or_later_does_not_count(self) -> None:
        """It is not known yet what FreeSWITCH made of it."""
        moments = [*starts(50, 100), *[100.0] * 30, 100.1, 100.2]
        self.assertEqual(refused(NONE, 100.3, 100, moments).ceiling, 45)

    def test_it_is_never_below_the_least(self) -> None:
        state = NONE
        for now in range(100, 200, 3):
            state = at_rate(accepted(state, now - 1), now, 1)
        self.assertEqual(state.ceiling, MIN_CEILING)

    def test_a_refusal_soon_after_a_pause_lowers_what_counts_as_good(self) -> None:
        """In so short a time no rate is measured: a single call more or less would be much."""
        before = accepted(at_rate(NONE, 100, 200), 100.5)
        state = refused(before, 100.8, 100.8, [100.6, 100.7])
        self.assertEqual((state.good_rate, state.ceiling), (0.7 * 180, 0.7 * 180))

    def test_it_is_low_while_it_is_unknown_whether_any_call_is_taken(self) -> None:
        state = refused(at_rate(NONE, 100, 200), 100.5, 100.5)
        self.assertEqual((state.good_rate, state.ceiling), (180, MAX_CAREFUL_CPS))
        self.assertTrue(state.is_careful(102))

    def test_it_is_soon_back_where_calls_were_taken_and_rises_slowly_from_there(self) -> None:
        state = refused(at_rate(NONE, 100, 200), 100.5, 100.5)
        state = rising(state, 101.5, 4.5)
        self.assertApproximates(state.ceiling, 183, 3)
        self.assertFalse(state.is_careful(106))
        self.assertApproximates(rising(state, 106, 1).ceiling - state.ceiling, 2.6, 0.3)

    def test_the_longer_nothing_is_refused_the_faster_it_rises(self) -> None:
        state = at_rate(NONE, 100, 33)
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

    def test_a_refusal_while_few_calls_are_placed_slows_down_for_a_moment(self) -> None:
        """What was taken says little then of what FreeSWITCH takes."""
        state = at_rate(NONE, 100, 2)
        self.assertGreater(rising(state, 100.5, 3).ceiling, MAX_CAREFUL_CPS)

    def test_a_refusal_long_after_another_one_is_a_first_one(self) -> None:
        once = accepted(at_rate(NONE, 100, 2), 101)
        self.assertEqual(at_rate(once, 1000, 300).ceiling, at_rate(NONE, 1000, 300).ceiling)

    def test_a_call_that_was_placed_before_it_was_set_is_of_the_same_burst(self) -> None:
        state = at_rate(NONE, 100, 33)
        self.assertIs(refused(state, 101, 99.9, starts(33, 100)), state)

    def test_a_clock_that_was_set_back_does_not_keep_it(self) -> None:
        state = accepted(at_rate(NONE, 1000, 33), 1001)
        self.assertIsNone(state.cps(10))
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
