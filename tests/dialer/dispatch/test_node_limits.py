"""How fast a node may start calls."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.dialer.dispatch.node_limits import MAX_RETURN_TIME, UNLIMITED, NodeLimits
from ctidialer.rules import pacing
from ctidialer.rules.backpressure import MIN_PAUSE
from ctidialer.rules.pacing import Pace
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

    def dial(self, count: int, now: float) -> None:
        """Start and place so many calls at once."""
        self.limits.started(count, now)
        for index in range(count):
            self.limits.placed(f"{index} {now}", now)

    def refuse(self, now: float) -> bool:
        """Have a call refused of which it is heard at once."""
        self.dial(1, now)
        return self.limits.refused(f"0 {now}", now, now)

    def test_a_refusal_stops_all_starts_for_a_while(self) -> None:
        self.assertTrue(self.refuse(100.0))
        self.assertEqual(self.limits.room(0, 0, 100.0), 0)
        self.assertEqual(self.limits.next_further(100.0), 100.0 + MIN_PAUSE)

    def test_after_the_pause_calls_start_carefully(self) -> None:
        self.refuse(100.0)
        self.assertEqual(self.limits.slowed_to(101.0), 10)
        self.assertIn(starts(self.limits, 100.0 + MIN_PAUSE, seconds=1), range(10, 12))

    def test_calls_that_are_not_refused_in_time_raise_the_rate(self) -> None:
        self.refuse(100.0)
        self.dial(5, 101.0)
        self.limits.room(0, 0, 101.4)
        self.assertEqual(self.limits.slowed_to(101.4), 10)
        self.assertIn(starts(self.limits, 102.0, seconds=1), range(15, 17))

    def test_a_call_that_is_refused_raises_nothing(self) -> None:
        self.refuse(100.0)
        self.dial(2, 101.0)
        for index in range(2):
            self.limits.refused(f"{index} 101.0", 101.1, 101.0)
        self.limits.room(0, 0, 103.0)
        self.assertEqual(self.limits.slowed_to(103.0), 10)

    def test_nor_do_numbers_that_are_not_placed(self) -> None:
        self.refuse(100.0)
        for now in range(101, 120):
            self.limits.started(1, float(now))
            self.limits.unspent(float(now))
        self.assertEqual(self.limits.slowed_to(120.0), 10)

    def test_numbers_that_are_not_placed_use_up_no_start(self) -> None:
        self.refuse(100.0)
        self.limits.started(1, 101.0)
        self.limits.unspent(101.0)
        self.assertEqual(self.limits.room(0, 0, 101.0), 1)

    def test_refusals_of_one_burst_count_once(self) -> None:
        self.dial(2, 99.9)
        self.assertTrue(self.limits.refused("0 99.9", 100.0, 99.9))
        self.assertFalse(self.limits.refused("1 99.9", 100.6, 99.9))
        self.assertTrue(self.refuse(100.7))

    def test_claims_under_way_when_a_refusal_is_heard_stop_nobody_for_long(self) -> None:
        self.refuse(100.0)
        self.limits.started(1000, 100.1)
        self.assertGreater(starts(self.limits, 101.5, seconds=1), 8)

    def test_after_a_minute_without_a_refusal_nothing_is_slower(self) -> None:
        self.refuse(100.0)
        self.dial(1, 101.0)
        self.assertEqual(self.limits.room(0, 0, 161.0), UNLIMITED)
        self.assertIsNone(self.limits.slowed_to(161.0))

    def test_a_ceiling_that_is_not_reached_slows_nothing_down(self) -> None:
        self.refuse(100.0)
        self.dial(1, 101.0)
        self.limits.room(0, 0, 102.0)
        for now in (102.0, 102.2, 102.4, 102.6, 102.8):
            self.dial(1, now)
            self.assertIsNone(self.limits.slowed_to(now))
        self.assertGreater(starts(self.limits, 103.0, seconds=1), 9)
        self.assertGreater(self.limits.slowed_to(104.0) or 0, 10)

    def test_nothing_is_taken_before_a_refused_number_is_back(self) -> None:
        self.limits.gives_back(100.0)
        self.assertEqual(self.limits.room(0, 0, 100.1), 0)
        self.assertEqual(self.limits.next_further(100.1), 100.0 + MAX_RETURN_TIME)
        self.assertEqual(self.limits.room(0, 0, 100.0 + MAX_RETURN_TIME), UNLIMITED)

    def test_a_clock_that_was_set_back_makes_nothing_wait_for_it(self) -> None:
        self.refuse(1000.0)
        self.limits.gives_back(1000.0)
        self.assertGreater(starts(self.limits, 100.0, seconds=1), 9)
        self.dial(2, 101.0)
        self.assertEqual(self.limits.room(0, 0, 102.0), UNLIMITED)


class SwitchWithLimits:
    """A task that wants ``cps`` calls a second, and FreeSWITCH as it counts its sessions.

    A call is placed ``wait`` seconds after it was counted, as on a shared rate.  Of a refusal it is
    heard ``delay`` seconds later, and a second after that the number goes back; of a call that is
    taken nothing is heard: it rings.
    """

    def __init__(
        self, cps: float, switch: SessionLimits, delay: float = 0.12, wait: float = 0.0
    ) -> None:
        self.cps = cps
        self.node = NodeLimits(0, 0.0)
        self.switch = switch
        self.talk = 3.0
        self.taken: list[float] = []
        self.refused: list[float] = []
        self._delay = delay
        self._wait = wait
        self._pace = Pace()
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._count = count()
        self._now = 1000.4

    def forget(self) -> None:
        """Count from now on."""
        self.taken.clear()
        self.refused.clear()

    def run(self, seconds: float, step: float = 0.05) -> None:
        """Dial for so long."""
        end = self._now + seconds
        while self._now < end:
            self._happens()
            room = min(
                self.node.room(0, 0, self._now), pacing.room(self._pace, self.cps, self._now)
            )
            self.node.started(room, self._now)
            self._pace = pacing.spent(self._pace, self.cps, room, self._now)
            for index in range(room):
                self._at(self._now + self._wait + index * 1e-5, self._place)
            self._happens()
            self._now += step

    def _at(self, moment: float, what: Callable[[float], None]) -> None:
        heappush(self._events, (moment, next(self._count), what))

    def _happens(self) -> None:
        while self._events and self._events[0][0] <= self._now + 0.01:
            moment, _, what = heappop(self._events)
            what(moment)

    def _place(self, now: float) -> None:
        uuid = f"{next(self._count)}"
        self.node.placed(uuid, now)
        up = sum(moment > now - self.talk for moment in self.taken[-2000:])
        if self.switch.admit(up, now):
            self.refused.append(now)
            self._at(now + self._delay, lambda heard: self._hear(uuid, now, heard))
        else:
            self.taken.append(now)

    def _hear(self, uuid: str, placed_at: float, now: float) -> None:
        self.node.refused(uuid, now, placed_at)
        self._at(now + 1.0, self.node.gives_back)


class OverloadTests(SynchronousTestCase):
    """A task that wants far more than FreeSWITCH gives."""

    def test_most_of_a_session_rate_is_used_and_few_calls_are_refused(self) -> None:
        for per_second in (30, 100, 300):
            for wait in (0.0, 0.4):
                dialed = SwitchWithLimits(1000, SessionLimits(per_second=per_second), wait=wait)
                dialed.run(20)
                dialed.forget()
                dialed.run(120)
                self.assertGreater(len(dialed.taken) / 120, 0.8 * (per_second - 1))
                self.assertLess(len(dialed.refused), 0.02 * len(dialed.taken))

    def test_calls_that_end_make_room_for_others(self) -> None:
        """100 sessions of 4 s are 25 calls a second."""
        dialed = SwitchWithLimits(1000, SessionLimits(max_sessions=100))
        dialed.talk = 4.0
        dialed.run(20)
        dialed.forget()
        dialed.run(120)
        self.assertGreater(len(dialed.taken) / 120, 0.8 * 25)
        self.assertLess(len(dialed.refused), 0.05 * len(dialed.taken))

    def test_a_limit_that_was_raised_is_soon_used(self) -> None:
        dialed = SwitchWithLimits(200, SessionLimits(per_second=30))
        dialed.run(60)
        dialed.switch.set_rate(2000, 1060.4)
        dialed.run(60)
        dialed.forget()
        dialed.run(10)
        self.assertGreater(len(dialed.taken), 1800)

    def test_after_a_pause_of_freeswitch_the_rate_is_soon_back(self) -> None:
        for delay, wait in ((0.12, 0.0), (0.35, 0.0), (0.12, 0.5)):
            dialed = SwitchWithLimits(200, SessionLimits(), delay, wait)
            dialed.run(10)
            dialed.switch.paused_outbound = True
            dialed.run(60)
            self.assertLess(len(dialed.refused), 250)
            dialed.switch.paused_outbound = False
            dialed.run(16 + 6)
            dialed.forget()
            dialed.run(10)
            self.assertGreater(len(dialed.taken), 1600)

    def test_a_refusal_in_a_lull_does_not_slow_down_what_comes_after_it(self) -> None:
        for has_refused_before in (False, True):
            dialed = SwitchWithLimits(200, SessionLimits())
            dialed.switch.paused_outbound = has_refused_before
            dialed.run(1)
            dialed.switch.paused_outbound = False
            dialed.run(20)
            dialed.cps = 2.0
            dialed.run(10)
            dialed.switch.paused_outbound = True
            dialed.run(0.6)
            dialed.switch.paused_outbound = False
            dialed.cps = 200.0
            dialed.run(10)
            dialed.forget()
            dialed.run(10)
            self.assertGreater(len(dialed.taken), 1500)
