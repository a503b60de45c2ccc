"""Calls wait for the starts that Redis has given, and pass on those that they do not use."""

from __future__ import annotations

from itertools import cycle, pairwise

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.counted import SPACING, Counted
from ctidialer.dialer.dispatch.counted_things import Thing
from ctidialer.dialer.dispatch.given_starts import MAX_SLACK, MAX_WAIT, GivenStarts
from tests.dialer.fakes import NOW, clock

TRUNK = (Thing(Counted("trunk", None, 0.1), "trunk"),)
OTHER = (Thing(Counted("other", None, 0.1), "other"),)
BEGAN = 7_000_000_000
"""Redis' clock at the beginning, in microseconds."""


class GivenStartsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = clock()
        self.starts = GivenStarts(self.clock)
        self.came: dict[str, tuple[float, float]] = {}

    def wait(self, name: str, start_in: float, things: tuple[Thing, ...] = TRUNK) -> None:
        """Let a call wait; when it comes, keep when that was and which start it had."""
        start = BEGAN + round((self.clock.seconds() - NOW + start_in) * 1e6)

        def has_come(had: int) -> None:
            self.came[name] = (round(self.clock.seconds() - NOW, 1), (had - BEGAN) / 1e6)

        self.starts.wait(things, start, start_in).addCallback(has_come)

    def runs_for(self, seconds: float) -> None:
        for _ in range(round(seconds * 100)):
            self.clock.advance(0.01)

    def in_(self, moment: float) -> float:
        """Return how many seconds there are until a moment after the beginning."""
        return NOW + moment - self.clock.seconds()

    def until_timer(self) -> float:
        """Return how many seconds there are until the next timer."""
        return min(one.getTime() for one in self.clock.getDelayedCalls()) - self.clock.seconds()

    def pass_on(self, start: float) -> float:
        return (self.starts.pass_on(TRUNK, BEGAN + round(start * 1e6)) - BEGAN) / 1e6

    def test_each_at_its_time(self) -> None:
        for name, start_in in (("c", 0.3), ("a", 0.0), ("b", 0.1)):
            self.wait(name, start_in)
        self.runs_for(0.4)
        self.assertEqual(self.came, {"a": (0.0, 0.0), "b": (0.1, 0.1), "c": (0.3, 0.3)})

    def test_a_start_that_is_not_used_moves_all_up(self) -> None:
        for name, start_in in (("a", 0.1), ("b", 0.2), ("c", 0.3)):
            self.wait(name, start_in)
        self.wait("d", 0.2, OTHER)
        self.runs_for(0.1)
        self.assertEqual(self.pass_on(0.1), 0.3)
        self.runs_for(0.3)
        expected = {"a": (0.1, 0.1), "b": (0.1, 0.1), "c": (0.2, 0.2), "d": (0.2, 0.2)}
        self.assertEqual(self.came, expected)

    def test_where_nobody_waits_it_is_left_over(self) -> None:
        self.wait("a", 0.1)
        self.runs_for(0.2)
        self.assertEqual(self.pass_on(0.1), 0.1)

    def test_who_was_late_does_not_make_up_for_it_at_once(self) -> None:
        times: list[float] = []
        for number in range(1, 6):
            came = self.starts.wait(TRUNK, BEGAN + number * 100_000, number / 10)
            came.addCallback(lambda _: times.append(self.clock.seconds()))
        self.clock.advance(0.4)  # the process stood still
        self.runs_for(0.6)
        self.assertEqual(len(times), 5)
        for before, after in pairwise(times):
            self.assertGreater(after - before, 0.1 / SPACING - MAX_SLACK - 1e-6)

    def test_those_that_come_too_late_together_go_one_after_the_other(self) -> None:
        self.runs_for(0.5)
        times: list[float] = []
        for number in range(1, 4):
            came = self.starts.wait(TRUNK, BEGAN + number * 100_000, 0.0)
            came.addCallback(lambda _: times.append(self.clock.seconds()))
        self.assertEqual(len(times), 1)
        self.runs_for(0.3)
        self.assertEqual(len(times), 3)
        for before, after in pairwise(times):
            self.assertGreater(after - before, 0.1 / SPACING - MAX_SLACK - 1e-6)

    def test_timers_that_are_a_little_late_do_not_add_up(self) -> None:
        late = 0.004
        for number in range(1, 501):
            came = self.starts.wait(TRUNK, BEGAN + number * 100_000, self.in_(number / 10))
            self.clock.advance(self.until_timer() + late)
            self.successResultOf(came)
            self.assertLess(self.clock.seconds() - NOW - number / 10, 2 * late, number)

    def test_late_timers_leave_no_second_with_more_than_the_rate_and_one(self) -> None:
        times: list[float] = []
        for number in range(1, 61):
            came = self.starts.wait(TRUNK, BEGAN + number * 100_000, number / 10)
            came.addCallback(lambda _: times.append(self.clock.seconds()))
        lateness = cycle((0.0, 0.049, 0.3, 0.012, 0.0, 0.07))
        while len(times) < 60:
            self.clock.advance(self.until_timer() + next(lateness))
        for first, last in zip(times, times[11:], strict=False):
            self.assertGreater(last - first, 1.0)

    def test_a_clock_that_is_put_back(self) -> None:
        self.wait("a", 0.1)
        self.runs_for(0.2)
        self.clock.rightNow -= 3600
        self.starts.wait(TRUNK, BEGAN + 400_000, 0.1).addCallback(lambda _: self.came.clear())
        self.runs_for(MAX_WAIT + 0.1)
        self.assertEqual(self.came, {})
