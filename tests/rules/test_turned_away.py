"""When a number that is turned away again and again is given up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules.turned_away import MAX_TIMES, TurnedAway, again


class AgainTests(SynchronousTestCase):
    def test_never_while_no_other_call_goes_out(self) -> None:
        state = None
        for now in range(100):
            state = again(state, now, None)
        self.assertEqual(state, TurnedAway(1, 0))

    def test_never_for_calls_that_were_placed_before_it(self) -> None:
        state = again(None, 10, 9)
        for now in range(11, 100):
            state = again(state, now, 10)
        self.assertEqual(state, TurnedAway(1, 10))

    def test_a_call_that_is_heard_of_late_counts(self) -> None:
        """It was placed after the first time, and FreeSWITCH's word of it came after the third."""
        state = again(again(again(None, 10, None), 20, None), 30, None)
        self.assertEqual(again(state, 40, 11), TurnedAway(2, 40))

    def test_after_five_times_with_other_calls_in_between(self) -> None:
        state = None
        for now in range(MAX_TIMES):
            self.assertFalse(state is not None and state.is_given_up)
            state = again(state, now, now - 0.5)
        assert state is not None
        self.assertTrue(state.is_given_up)

    @given(st.lists(st.integers(0, 3), min_size=1))
    def test_it_counts_the_times_before_which_a_call_went_out(self, calls: list[int]) -> None:
        state, went_out = None, None
        for now, count in enumerate(calls):
            went_out = now - 0.5 if count else went_out
            state = again(state, now, went_out)
        assert state is not None
        self.assertEqual(state.times, 1 + sum(count > 0 for count in calls[1:]))
