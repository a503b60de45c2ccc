"""What of a call is counted over hosts, and when its place has to be left."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.counted import Counted
from ctidialer.rules.counting import MIN_PLENTY, can_be_left_later, has_to_be_left


class LeavingTests(SynchronousTestCase):
    def test_of_a_rate_alone_nothing_is_left(self) -> None:
        self.assertFalse(has_to_be_left(Counted.of("k", None, 10.0)))
        self.assertTrue(has_to_be_left(Counted.of("k", 5, 10.0)))
        self.assertTrue(has_to_be_left(Counted.of("k", 1, None, rest=3.0)))

    def test_a_rest_begins_at_once(self) -> None:
        self.assertFalse(can_be_left_later(Counted("k", None, 0.0, 3.0), 0))
        self.assertFalse(can_be_left_later(Counted("k", 1000, 0.0, 3.0), 1))

    def test_a_place_waits_while_a_quarter_is_free(self) -> None:
        trunk = Counted("k", 40)
        self.assertEqual(
            [can_be_left_later(trunk, taken) for taken in (1, 30, 31, 40, 45)],
            [True, True, False, False, False],
        )

    def test_a_small_trunk_needs_four_free_places(self) -> None:
        taken = [can_be_left_later(Counted("k", 6), taken) for taken in (1, 2, 3)]
        self.assertEqual(taken, [True, True, False])
        self.assertFalse(can_be_left_later(Counted("k", 4), 1))

    def test_a_rate_must_not_fill_what_is_free_meanwhile(self) -> None:
        quick = [can_be_left_later(Counted.of("k", 60, 100.0), taken) for taken in (19, 21, 22)]
        self.assertEqual(quick, [True, False, False])

    @given(st.integers(1, 10_000), st.integers(1, 10_000))
    def test_never_near_the_count(self, count: int, taken: int) -> None:
        if can_be_left_later(Counted("k", count), taken):
            self.assertGreaterEqual(count - taken, MIN_PLENTY)
            self.assertLessEqual(taken, 0.75 * count)
