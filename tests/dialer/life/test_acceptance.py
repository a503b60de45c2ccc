"""What FreeSWITCH makes of our calls."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.line import Line
from ctidialer.dialer.dispatch.node_limits import NodeLimits
from ctidialer.dialer.life.acceptance import MAX_REMEMBERED, Acceptance
from ctidialer.rules.routing import Choice
from ctidialer.rules.turned_away import MAX_TIMES

NOW = 1_700_000_000.0
GOOD, OTHER = (Choice("g", Line(name, "user/1000"), "user/1000") for name in ("gw1", "gw2"))


class AcceptanceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.limits = NodeLimits(0, 0.0)
        self.acceptance = Acceptance(self.limits)
        self.now = NOW

    def others_go_out(self, choice: Choice = GOOD) -> None:
        self.now += 1
        self.acceptance.accepted(b"other", choice, self.now)

    def never_left(self) -> bool:
        self.now += 1
        return self.acceptance.never_left(b"1", GOOD, self.now)

    def test_a_refusal_lowers_the_rate_and_a_call_that_is_taken_raises_it(self) -> None:
        self.assertFalse(self.acceptance.refused(b"1", GOOD, NOW, was_careful=False))
        self.assertTrue(self.limits.backpressure.holds(NOW))
        self.acceptance.accepted(b"1", GOOD, NOW + 60)
        self.assertEqual(self.limits.backpressure.pause, 0)

    def test_one_that_never_left_is_nothing_to_the_rate(self) -> None:
        self.never_left()
        self.assertEqual(self.limits.backpressure.pause, 0)

    def test_only_calls_that_went_out_the_same_way_count(self) -> None:
        for choice, is_given_up in ((GOOD, True), (OTHER, False)):
            for _ in range(MAX_TIMES - 1):
                self.assertFalse(self.never_left())
                self.others_go_out(choice)
            self.assertIs(self.never_left(), is_given_up)

    def burst(self, *, was_careful: bool) -> bool:
        """Have a call refused behind another one, after a call that went out."""
        self.others_go_out()
        self.now += 60
        self.acceptance.refused(b"first", GOOD, self.now, was_careful=False)
        return self.acceptance.refused(b"1", GOOD, self.now + 0.1, was_careful=was_careful)

    def test_one_that_is_above_the_limits_in_each_burst_is_not_given_up(self) -> None:
        for _ in range(3 * MAX_TIMES):
            self.assertFalse(self.burst(was_careful=False))

    def test_one_that_is_refused_also_at_the_lower_rate_is(self) -> None:
        given_up = [self.burst(was_careful=True) for _ in range(MAX_TIMES)]
        self.assertEqual(given_up, [*[False] * (MAX_TIMES - 1), True])

    def test_calls_that_were_placed_before_say_nothing(self) -> None:
        """FreeSWITCH is paused, and those that are up end one after the other."""
        for _ in range(3 * MAX_TIMES):
            self.assertFalse(self.never_left())
            self.acceptance.accepted(b"other", GOOD, NOW)

    def test_a_call_of_its_own_begins_the_count_anew(self) -> None:
        for _ in range(3 * MAX_TIMES):
            self.assertFalse(self.never_left())
            self.acceptance.accepted(b"1", GOOD, self.now)

    def test_what_is_remembered_is_bounded(self) -> None:
        for index in range(MAX_REMEMBERED + 10):
            self.acceptance.never_left(str(index).encode(), GOOD, NOW)
        self.assertEqual(len(self.acceptance._turned_away), MAX_REMEMBERED)
