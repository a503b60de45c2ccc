"""Events that are heard late, and clocks that differ, drift or are set."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.dialer.life.event_clock import MAX_DISORDER, MAX_LATE, WINDOW, EventClock
from ctidialer.esl.events import Event, make_event

EPOCH = 1_800_000_000.0
"""What FreeSWITCH's clock shows when ours shows 0."""


def stamped(at: float) -> Event:
    return make_event({"Event-Date-Timestamp": str(round(at * 1e6))})


class EventClockTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.events = EventClock(self.clock.seconds)

    def hear(self, happened: float, heard: float, ahead: float = EPOCH) -> float:
        """Return when an event is taken to have happened."""
        self.clock.advance(heard - self.clock.seconds())
        return self.events.moment(stamped(happened + ahead))

    def test_an_event_without_a_stamp_has_happened_now(self) -> None:
        self.clock.advance(7)
        for told in ("", "soon", "-3"):
            event = make_event({"Event-Date-Timestamp": told} if told else {})
            self.assertEqual(self.events.moment(event), 7)

    def test_what_is_heard_late_has_happened_earlier(self) -> None:
        self.assertAlmostEqual(self.hear(1.0, 1.0), 1.0, 5)
        self.assertAlmostEqual(self.hear(2.0, 5.0), 2.0, 5)
        self.assertAlmostEqual(self.hear(4.9, 5.0), 4.9, 5)
        self.assertAlmostEqual(self.hear(6.0, 6.0), 6.0, 5)

    def test_a_clock_that_is_set_forward(self) -> None:
        self.hear(1.0, 1.0)
        self.assertAlmostEqual(self.hear(2.0, 2.0, EPOCH + 3600), 2.0, 5)
        self.assertAlmostEqual(self.hear(3.0, 4.0, EPOCH + 3600), 3.0, 5)

    def test_a_clock_that_is_set_back(self) -> None:
        self.hear(1.0, 1.0)
        self.assertAlmostEqual(self.hear(2.0, 2.0, EPOCH - 5), 2.0, 5)
        self.assertAlmostEqual(self.hear(3.0, 4.0, EPOCH - 5), 3.0, 5)

    def test_a_little_is_forgotten_after_two_windows(self) -> None:
        """So much that the order of the stamps does not tell of it."""
        back = MAX_DISORDER / 2
        self.hear(1.0, 1.0)
        self.assertAlmostEqual(self.hear(2.0, 2.0, EPOCH - back), 2.0 - back, 5)
        for at in (WINDOW + 3, 2 * WINDOW + 4):
            self.hear(at, at, EPOCH - back)
        at = 2 * WINDOW + 5
        self.assertAlmostEqual(self.hear(at, at, EPOCH - back), at, 5)

    def test_after_a_long_stop_what_came_before_it_is_remembered(self) -> None:
        self.hear(1.0, 1.0)
        heard = 1.0 + 10 * WINDOW
        self.assertAlmostEqual(self.hear(heard - MAX_LATE + 1, heard), heard - MAX_LATE + 1, 5)

    def test_of_what_is_too_late_nothing_is_known(self) -> None:
        self.hear(1.0, 1.0)
        self.assertEqual(self.hear(2.0, 2.0 + 2 * MAX_LATE), 2.0 + 2 * MAX_LATE)

    def test_another_freeswitch(self) -> None:
        self.hear(1.0, 1.0)
        self.events.forget()
        self.assertAlmostEqual(self.hear(2.0, 2.0, EPOCH - 0.5), 2.0, 5)

    @given(
        st.lists(st.tuples(st.floats(0, 5), st.floats(0, 20)), max_size=60),
        st.floats(-1e6, 1e6),
    )
    def test_one_that_was_heard_at_once_puts_all_in_their_places(
        self, steps: list[tuple[float, float]], ahead: float
    ) -> None:
        """Whatever the clocks' difference; events are heard in the order in which they happen."""
        clock = Clock()
        events = EventClock(clock.seconds)
        events.moment(stamped(EPOCH + ahead))
        happened = 0.0
        for until_next, late in steps:
            happened += until_next
            clock.advance(max(0.0, happened + late - clock.seconds()))
            found = events.moment(stamped(happened + EPOCH + ahead))
            now = clock.seconds()
            self.assertLessEqual(found, now)
            if now - happened <= MAX_LATE and now < WINDOW:
                self.assertAlmostEqual(found, happened, 3)
