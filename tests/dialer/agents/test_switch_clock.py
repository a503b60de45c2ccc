"""What FreeSWITCH's clock shows, by what it has told and by the stamps of its events."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.dialer.agents.switch_clock import SwitchClock
from ctidialer.dialer.life.event_clock import WINDOW
from ctidialer.esl.events import make_event
from tests.dialer.fakes import NOW, stamp


class SwitchClockTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.time = SwitchClock(self.clock)

    def hear(self, ahead: float) -> None:
        """Let an event come, stamped by a clock that is so many seconds ahead."""
        self.time.heard(make_event(stamp(self.clock.seconds() + ahead)))

    def ahead(self) -> float:
        return round(self.time.now() - self.clock.seconds(), 3)

    def test_before_anything_is_told_it_is_ours(self) -> None:
        self.assertFalse(self.time.is_known)
        self.assertEqual(self.ahead(), 0.0)

    def test_whole_seconds_tell_of_large_differences_only(self) -> None:
        for epoch, ahead in ((NOW + 300, 300.0), (NOW - 1, 0.0)):
            self.time.told(f"{epoch:.0f}\n")
            self.assertEqual(self.ahead(), ahead)
        for nothing in ("", "-ERR no such command"):
            self.time.told(nothing)
            self.assertTrue(self.time.is_known)
            self.assertEqual(self.ahead(), 0.0)

    def test_events_tell_it_exactly(self) -> None:
        self.time.told(f"{NOW + 300:.0f}")
        self.hear(300.4)
        self.assertEqual(self.ahead(), 300.4)

    def test_an_event_may_be_late(self) -> None:
        self.hear(0.0)
        self.clock.advance(4.0)
        self.hear(-3.0)
        self.assertEqual(self.ahead(), 0.0)

    def test_a_clock_that_is_set_is_followed_also_by_less_than_a_minute(self) -> None:
        for ours, ahead in ((20.0, 20.0), (-20.0, 0.0)):
            with self.subTest(by=ours):
                self.hear(ahead - ours)
                for _ in range(3):
                    self.clock.advance(WINDOW)
                    self.hear(ahead)
                self.assertEqual(self.ahead(), ahead)

    def test_another_freeswitch(self) -> None:
        self.hear(20.0)
        self.time.forget()
        self.assertFalse(self.time.is_known)
        self.assertEqual(self.ahead(), 0.0)
