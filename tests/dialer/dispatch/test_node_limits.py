"""How fast a node may start calls."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.dialer.dispatch.node_limits import UNLIMITED, NodeLimits
from ctidialer.rules.backpressure import MIN_PAUSE


def starts(limits: NodeLimits, now: float, seconds: float) -> int:
    """Start as many calls as there is room for, all the time; return how many they were."""
    count = 0
    for step in range(round(seconds * 100)):
        moment = now + step / 100
        room = limits.room(0, 0, moment)
        limits.started(room, moment)
        count += room
    return count


class CallsTests(SynchronousTestCase):
    def test_zero_is_no_limit(self) -> None:
        self.assertEqual(NodeLimits(0, 0.0).room(5000, 0, 1.0), UNLIMITED)

    def test_calls_and_claims_under_way_both_take_room(self) -> None:
        self.assertEqual(NodeLimits(10, 0.0).room(4, 5, 1.0), 1)

    def test_the_room_is_never_negative(self) -> None:
        self.assertEqual(NodeLimits(3, 0.0).room(5, 0, 1.0), 0)


class PaceTests(SynchronousTestCase):
    def test_calls_start_at_the_rate_and_not_faster(self) -> None:
        self.assertIn(starts(NodeLimits(0, 2.0), 100.0, seconds=10), range(19, 22))

    def test_a_claim_under_way_is_counted_against_the_rate(self) -> None:
        self.assertEqual(NodeLimits(0, 1.0).room(0, 1, 100.0), 0)

    def test_the_next_start_is_when_there_is_room(self) -> None:
        limits = NodeLimits(0, 2.0)
        self.assertEqual(limits.next_start(100.0), 100.0)
        limits.started(1, 100.0)
        self.assertEqual(limits.room(1, 0, 100.4), 0)
        self.assertEqual(limits.next_start(100.4), 100.5)
        self.assertEqual(limits.room(1, 0, 100.5), 1)


class BackpressureTests(SynchronousTestCase):
    def test_a_refusal_stops_all_starts_for_a_while(self) -> None:
        limits = NodeLimits(0, 0.0)
        limits.refused(100.0)
        self.assertEqual(limits.room(0, 0, 100.0), 0)

    def test_after_the_pause_calls_start_carefully(self) -> None:
        limits = NodeLimits(0, 0.0)
        limits.refused(100.0)
        self.assertIn(starts(limits, 100.0 + MIN_PAUSE, seconds=1), range(9, 13))

    def test_a_call_that_is_taken_ends_the_care(self) -> None:
        limits = NodeLimits(0, 0.0)
        limits.refused(100.0)
        limits.accepted(placed_at=99.0)
        self.assertEqual(limits.room(0, 0, 101.0), 1)
        limits.accepted(placed_at=101.0)
        self.assertEqual(limits.room(0, 0, 101.0), UNLIMITED)
