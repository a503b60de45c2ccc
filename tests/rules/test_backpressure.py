"""Going on when FreeSWITCH itself refuses calls."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules.backpressure import MAX_PAUSE, MIN_PAUSE, Backpressure, accepted, refused

NONE = Backpressure()


def refusals(*moments: float) -> Backpressure:
    state = NONE
    for now in moments:
        state = refused(state, now)
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
            state = refused(state, now)
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
        self.assertEqual(accepted(accepted(state, 6), 6), NONE)

    def test_a_call_that_was_placed_before_the_pause_was_over_says_nothing(self) -> None:
        state = refusals(0, 1, 3)
        self.assertEqual(accepted(state, placed_at=2), state)
        self.assertEqual(accepted(state, placed_at=4.9), state)
        self.assertEqual(accepted(NONE, placed_at=4), NONE)

    def test_a_clock_that_was_set_back_does_not_hold_for_longer_than_a_pause(self) -> None:
        state = refusals(1000)
        self.assertFalse(state.holds(10))

    @settings(deadline=None, max_examples=200)
    @given(st.lists(st.tuples(st.booleans(), st.floats(0, 1e6)), max_size=30), st.floats(0, 1e6))
    def test_no_history_holds_for_longer_than_the_longest(
        self, history: list[tuple[bool, float]], now: float
    ) -> None:
        state = NONE
        for was_refused, moment in history:
            state = refused(state, moment) if was_refused else accepted(state, moment)
            self.assertLessEqual(state.pause, MAX_PAUSE)
        self.assertFalse(state.holds(now) and state.holds(now + MAX_PAUSE + 0.001))
        self.assertTrue(refused(state, now).holds(now))
