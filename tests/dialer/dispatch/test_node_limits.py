"""How fast a node may start calls."""

from __future__ import annotations

from collections import deque

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.dialer.dispatch.node_limits import UNLIMITED, NodeLimits
from ctidialer.rules.backpressure import MIN_PAUSE
from ctidialer.switchsim.limits import SessionLimits


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
    def setUp(self) -> None:
        self.limits = NodeLimits(0, 0.0)

    def test_a_refusal_stops_all_starts_for_a_while(self) -> None:
        self.assertTrue(self.limits.refused(100.0, 100.0))
        self.assertEqual(self.limits.room(0, 0, 100.0), 0)

    def test_after_the_pause_calls_start_carefully(self) -> None:
        self.limits.refused(100.0, 100.0)
        self.assertEqual(self.limits.slowed_to(101.0), 10)
        self.assertIn(starts(self.limits, 100.0 + MIN_PAUSE, seconds=0.3), range(3, 5))

    def test_calls_that_are_not_refused_in_time_raise_the_rate(self) -> None:
        self.limits.refused(100.0, 100.0)
        self.assertIn(starts(self.limits, 101.0, seconds=1), range(13, 17))
        self.assertIn(starts(self.limits, 102.0, seconds=1), range(22, 30))

    def test_a_call_that_is_refused_raises_nothing(self) -> None:
        self.limits.refused(100.0, 100.0)
        self.limits.started(2, 101.0)
        self.limits.refused(101.1, 101.0)
        self.limits.room(0, 0, 101.4)
        self.assertEqual(self.limits.slowed_to(103.0), 10)

    def test_refusals_of_one_burst_count_once(self) -> None:
        self.assertTrue(self.limits.refused(100.0, 99.9))
        self.assertFalse(self.limits.refused(100.6, 99.9))
        self.assertTrue(self.limits.refused(100.7, 100.6))

    def test_after_a_minute_without_a_refusal_nothing_is_slower(self) -> None:
        self.limits.refused(100.0, 100.0)
        self.limits.started(1, 101.0)
        self.assertEqual(self.limits.room(0, 0, 161.0), UNLIMITED)
        self.assertIsNone(self.limits.slowed_to(161.0))

    def test_a_ceiling_that_is_not_reached_slows_nothing_down(self) -> None:
        self.limits.refused(100.0, 100.0)
        self.limits.started(1, 101.0)
        self.assertEqual(self.limits.room(0, 0, 102.0), 1)
        self.assertIsNone(self.limits.slowed_to(102.0))
        self.limits.started(1, 102.0)
        self.assertEqual(self.limits.slowed_to(102.0), 11)
        self.assertIsNone(self.limits.slowed_to(102.2))


class SwitchWithLimits:
    """A task that wants ``cps`` calls a second, and FreeSWITCH as it counts its sessions.

    Of a refusal it is heard ``delay`` seconds later, and of nothing else: calls ring for long.
    """

    def __init__(self, cps: float, switch: SessionLimits, delay: float = 0.12) -> None:
        self.node = NodeLimits(0, cps)
        self.switch = switch
        self.delay = delay
        self.taken: list[float] = []
        self.refused: list[float] = []
        self._unheard: deque[float] = deque()
        self._now = 1000.4

    def run(self, seconds: float, talk: float = 3.0, step: float = 0.05) -> None:
        """Dial for so long; each call that is taken lasts ``talk`` seconds."""
        end = self._now + seconds
        while self._now < end:
            self._hear()
            room = self.node.room(0, 0, self._now)
            self.node.started(room, self._now)
            for _ in range(room):
                self._place(talk)
            self._now += step

    def _place(self, talk: float) -> None:
        up = sum(moment > self._now - talk for moment in self.taken[-2000:])
        if self.switch.admit(up, self._now):
            self.refused.append(self._now)
            self._unheard.append(self._now)
        else:
            self.taken.append(self._now)

    def _hear(self) -> None:
        while self._unheard and self._unheard[0] <= self._now - self.delay:
            self.node.refused(self._now, self._unheard.popleft())


class OverloadTests(SynchronousTestCase):
    """A task that wants far more than FreeSWITCH gives."""

    def test_most_of_a_session_rate_is_used_and_few_calls_are_refused(self) -> None:
        for per_second in (30, 100, 300):
            dialed = SwitchWithLimits(1000, SessionLimits(per_second=per_second))
            dialed.run(10)
            dialed.taken.clear()
            dialed.refused.clear()
            dialed.run(120)
            self.assertGreater(len(dialed.taken) / 120, 0.8 * (per_second - 1))
            self.assertLess(len(dialed.refused), 0.02 * len(dialed.taken))

    def test_calls_that_end_make_room_for_others(self) -> None:
        """100 sessions of 4 s are 25 calls a second."""
        dialed = SwitchWithLimits(1000, SessionLimits(max_sessions=100))
        dialed.run(10, talk=4)
        dialed.taken.clear()
        dialed.refused.clear()
        dialed.run(120, talk=4)
        self.assertGreater(len(dialed.taken) / 120, 0.8 * 25)
        self.assertLess(len(dialed.refused), 0.05 * len(dialed.taken))

    def test_a_limit_that_was_raised_is_soon_used(self) -> None:
        dialed = SwitchWithLimits(200, SessionLimits(per_second=30))
        dialed.run(60)
        dialed.switch.set_rate(2000, 1060.4)
        dialed.run(60)
        dialed.taken.clear()
        dialed.run(10)
        self.assertGreater(len(dialed.taken), 1800)

    def test_after_a_pause_of_freeswitch_the_rate_is_soon_back(self) -> None:
        dialed = SwitchWithLimits(200, SessionLimits())
        dialed.run(10)
        dialed.switch.paused_outbound = True
        dialed.run(60)
        self.assertLess(len(dialed.refused), 70)
        dialed.switch.paused_outbound = False
        dialed.run(16 + 6)
        dialed.taken.clear()
        dialed.run(10)
        self.assertGreater(len(dialed.taken), 1700)
