"""What FreeSWITCH makes of our calls."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.line import Line
from ctidialer.dialer.dispatch.node_limits import NodeLimits
from ctidialer.dialer.life.acceptance import MAX_REMEMBERED, Acceptance
from ctidialer.dialer.life.calls import Calls
from ctidialer.dialer.life.journal import Journal
from ctidialer.rules.attempt import Attempt
from ctidialer.rules.routing import Choice
from ctidialer.rules.turned_away import MAX_TIMES
from tests.dialer.fakes import FakeSwitch

NOW = 1_700_000_000.0
GOOD, OTHER = (Choice("g", Line(name, "user/1000"), "user/1000") for name in ("gw1", "gw2"))


class AcceptanceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.limits = NodeLimits(0, 0.0)
        self.calls = Calls(self.clock, FakeSwitch(), Journal())
        self.acceptance = Acceptance(self.clock, self.limits, self.calls)

    @property
    def now(self) -> float:
        return self.clock.seconds()

    def seems_refused(self, uuid: str) -> None:
        attempt = Attempt(uuid, "gw1", "g", dialed_at=self.now)
        self.calls.placing(attempt)
        self.calls.seems_refused(attempt)

    def others_go_out(self, choice: Choice = GOOD) -> None:
        self.clock.advance(1)
        self.acceptance.accepted(b"other", choice, self.now)

    def never_left(self) -> bool:
        self.clock.advance(1)
        return self.acceptance.never_left(b"1", GOOD, self.now)

    def test_what_seems_refused_lowers_the_rate_before_it_is_certain(self) -> None:
        self.seems_refused("a")
        self.assertTrue(self.limits.backpressure.holds(self.now))
        self.clock.advance(1)
        self.assertTrue(self.acceptance.is_careful(self.now))

    def test_a_refusal_that_has_become_certain_lowers_nothing_more(self) -> None:
        self.seems_refused("a")
        before = self.limits.backpressure
        self.clock.advance(1)
        self.assertFalse(self.acceptance.refused(b"1", GOOD, "a", was_careful=False))
        self.assertIs(self.limits.backpressure, before)

    def test_calls_that_are_placed_and_not_refused_raise_it_again(self) -> None:
        self.seems_refused("a")
        self.clock.advance(1)
        self.assertTrue(self.limits.is_refused(self.now))
        self.calls.placing(Attempt("b", "gw1", "g", dialed_at=self.now))
        self.clock.advance(1)
        self.assertFalse(self.limits.is_refused(self.now))

    def test_a_uuid_that_a_producer_gave_counts_for_each_try_anew(self) -> None:
        self.seems_refused("crm-7")
        self.acceptance.refused(b"1", GOOD, "crm-7", was_careful=False)
        for _ in range(3 * MAX_TIMES):
            self.others_go_out()
            self.clock.advance(60)
            self.seems_refused("another")
            self.seems_refused("crm-7")
            self.assertFalse(self.acceptance.refused(b"1", GOOD, "crm-7", was_careful=False))

    def test_one_that_never_left_is_nothing_to_the_rate(self) -> None:
        self.never_left()
        self.assertEqual(self.limits.backpressure.pause, 0)

    def test_only_calls_that_went_out_the_same_way_count(self) -> None:
        for choice, is_given_up in ((GOOD, True), (OTHER, False)):
            for _ in range(MAX_TIMES - 1):
                self.assertFalse(self.never_left())
                self.others_go_out(choice)
            self.assertIs(self.never_left(), is_given_up)

    def burst(self, number: bytes, *, was_careful: bool) -> bool:
        """Have a call refused along with others, after one that went out; ``number`` is b"first" or
        another one of the burst.
        """
        self.others_go_out()
        self.clock.advance(60)
        for uuid in ("first", "second"):
            self.seems_refused(f"{uuid} {self.now}")
        uuid = f"{number.decode()} {self.now}"
        self.clock.advance(1)
        return self.acceptance.refused(number, GOOD, uuid, was_careful=was_careful)

    def test_one_that_is_above_the_limits_in_each_burst_is_not_given_up(self) -> None:
        for _ in range(3 * MAX_TIMES):
            self.assertFalse(self.burst(b"second", was_careful=False))

    def test_one_that_is_refused_also_at_the_lower_rate_is(self) -> None:
        given_up = [self.burst(b"second", was_careful=True) for _ in range(MAX_TIMES)]
        self.assertEqual(given_up, [*[False] * (MAX_TIMES - 1), True])

    def test_one_with_which_each_burst_begins_is(self) -> None:
        given_up = [self.burst(b"first", was_careful=False) for _ in range(MAX_TIMES)]
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
