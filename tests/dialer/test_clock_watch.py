"""The timers follow a clock that is set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.task import Clock, LoopingCall
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.dialer.clock_watch import ClockWatch


class SettableClock(Clock):
    """A clock that can be set without time passing; its timers behave as the reactor's."""

    monotonic = 0.0

    def advance(self, amount: float) -> None:
        self.monotonic += amount
        super().advance(amount)

    def set_by(self, step: float) -> None:
        self.rightNow += step

    def callFromThread(self, function: Callable[[], None]) -> None:
        function()


class ClockWatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = SettableClock()
        self.clock.advance(100_000)
        self.watch = ClockWatch(self.clock, lambda: self.clock.monotonic)
        self.fired: list[Any] = []

    def test_a_timer_keeps_its_distance_when_the_clock_is_set_back(self) -> None:
        self.clock.callLater(10, self.fired.append, "ten")
        self.clock.advance(4)
        self.clock.set_by(-3600)
        self.watch.look()
        self.clock.advance(5.9)
        self.assertEqual(self.fired, [])
        self.clock.advance(0.2)
        self.assertEqual(self.fired, ["ten"])

    def test_a_timer_that_was_set_since_is_left_alone(self) -> None:
        self.clock.set_by(-3600)
        self.clock.callLater(10, self.fired.append, "ten")
        self.clock.advance(0.5)
        self.watch.look()
        self.clock.advance(9.4)
        self.assertEqual(self.fired, [])
        self.clock.advance(0.2)
        self.assertEqual(self.fired, ["ten"])

    def test_set_on_it_moves_nothing(self) -> None:
        # What was set before is due at once; what was set since is in the new time.
        self.clock.set_by(3600)
        self.clock.callLater(10, self.fired.append, "ten")
        self.watch.look()
        self.clock.advance(10.1)
        self.assertEqual(self.fired, ["ten"])

    def test_a_loop_goes_on(self) -> None:
        loop = LoopingCall(self.fired.append, "tick")
        loop.clock = self.clock
        loop.start(1.0, now=False)
        for _ in range(3):
            self.clock.set_by(-3600)
            self.watch.look()
            self.clock.pump([0.5] * 4)
        self.assertIn(len(self.fired), (5, 6, 7))
        loop.stop()

    def test_small_steps_move_nothing(self) -> None:
        self.clock.callLater(1, self.fired.append, "one")
        for _ in range(5):
            self.clock.set_by(-0.1)
            self.watch.look()
        self.clock.advance(1.1)
        self.assertEqual(self.fired, [])
        self.clock.advance(0.5)
        self.assertEqual(self.fired, ["one"])

    def test_each_step_is_followed_once(self) -> None:
        self.clock.callLater(10, self.fired.append, "ten")
        self.clock.set_by(-3600)
        self.watch.look()
        self.watch.look()
        self.clock.advance(9)
        self.watch.look()
        self.assertEqual(self.fired, [])
        self.clock.advance(1.1)
        self.assertEqual(self.fired, ["ten"])
