"""What a node may do at once."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.dialer.dispatch.node_limits import UNLIMITED, NodeLimits
from ctidialer.rules.backpressure import SHORTEST


class CallsTests(SynchronousTestCase):
    def test_zero_is_no_limit(self) -> None:
        limits = NodeLimits(0, 0.0)
        limits.taken(5000, 1.0)
        self.assertEqual(limits.room(1.0), UNLIMITED)

    def test_calls_and_claims_under_way_both_take_room(self) -> None:
        limits = NodeLimits(10, 0.0)
        limits.taken(4, 1.0)
        limits.asked = 5
        self.assertEqual(limits.room(1.0), 1)

    def test_the_room_is_never_negative(self) -> None:
        limits = NodeLimits(3, 0.0)
        limits.taken(5, 1.0)
        self.assertEqual(limits.room(1.0), 0)


class PaceTests(SynchronousTestCase):
    def test_calls_start_at_the_rate_and_not_faster(self) -> None:
        limits = NodeLimits(0, 2.0)
        started, now = 0, 100.0
        for _ in range(1000):  # ten seconds
            count = limits.room(now)
            limits.taken(count, now)
            started += count
            now += 0.01
        self.assertIn(started, range(19, 22))

    def test_a_claim_under_way_is_counted_against_the_rate(self) -> None:
        limits = NodeLimits(0, 1.0)
        limits.asked = 1
        self.assertEqual(limits.room(100.0), 0)

    def test_the_next_start_is_when_there_is_room(self) -> None:
        limits = NodeLimits(0, 2.0)
        self.assertEqual(limits.next_start(100.0), 100.0)
        limits.taken(1, 100.0)
        self.assertEqual(limits.room(100.4), 0)
        self.assertEqual(limits.next_start(100.4), 100.5)
        self.assertEqual(limits.room(100.5), 1)


class BackpressureTests(SynchronousTestCase):
    def test_a_refusal_stops_all_starts_for_a_while(self) -> None:
        limits = NodeLimits(0, 0.0)
        limits.refused(100.0)
        self.assertEqual(limits.room(100.0), 0)

    def test_after_the_pause_calls_start_carefully(self) -> None:
        limits = NodeLimits(0, 0.0)
        limits.refused(100.0)
        now, started = 100.0 + SHORTEST, 0
        for _ in range(100):  # one second
            count = limits.room(now)
            limits.taken(count, now)
            started += count
            now += 0.01
        self.assertIn(started, range(9, 13))

    def test_a_call_that_is_taken_ends_the_care(self) -> None:
        limits = NodeLimits(0, 0.0)
        limits.refused(100.0)
        limits.accepted(placed_at=99.0)
        self.assertEqual(limits.room(101.0), 1)
        limits.accepted(placed_at=101.0)
        self.assertEqual(limits.room(101.0), UNLIMITED)
