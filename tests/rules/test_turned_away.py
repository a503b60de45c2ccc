"""When a number that is turned away again and again is given up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules.turned_away import MAX_TIMES, TurnedAway, again


class AgainTests(SynchronousTestCase):
    def test_never_while_no_other_call_goes_out(self) -> None:
        state = None
        for _ in range(100):
            state = again(state, 7)
        self.assertEqual(state, TurnedAway(1, 7))

    def test_after_five_times_with_other_calls_in_between(self) -> None:
        state = None
        for went_out in range(MAX_TIMES):
            self.assertFalse(state is not None and state.is_given_up)
            state = again(state, went_out)
        assert state is not None
        self.assertTrue(state.is_given_up)

    @given(st.lists(st.integers(0, 3), min_size=1))
    def test_it_counts_the_times_before_which_a_call_went_out(self, calls: list[int]) -> None:
        state, went_out = None, 0
        for count in calls:
            went_out += count
            state = again(state, went_out)
        assert state is not None
        self.assertEqual(state.times, 1 + sum(count > 0 for count in calls[1:]))
