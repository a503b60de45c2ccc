"""Who waits for a line."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.dialer.life.line_queue import LOOK_INTERVAL, LineQueue


class LineQueueTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.free = {"a": 0, "b": 0}
        self.queue = LineQueue(self.clock, self.has_line)
        self.got: list[tuple[str, bool]] = []

    def has_line(self, groups: tuple[str, ...], now: float) -> bool:
        return any(self.free[group] for group in groups)

    def wait(self, name: str, *groups: str, until: float = 30.0) -> Deferred[bool]:
        def come(has_line: bool) -> None:
            if has_line:
                self.free[next(group for group in groups if self.free[group])] -= 1
            self.got.append((name, has_line))

        waiting = self.queue.wait(groups, until)
        waiting.addCallback(come)
        return waiting

    def look(self, **free: int) -> list[tuple[str, bool]]:
        self.free.update(free)
        self.queue.look()
        got, self.got = self.got, []
        return got

    def test_in_the_order_in_which_they_came(self) -> None:
        for name in ("1", "2", "3"):
            self.wait(name, "a")
        self.assertEqual(self.look(), [])
        self.assertEqual(self.look(a=2), [("1", True), ("2", True)])
        self.assertEqual(self.look(a=2), [("3", True)])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_that_waits_for_another_group_keeps_nobody_waiting(self) -> None:
        self.wait("1", "a")
        self.wait("2", "b")
        self.assertEqual(self.look(b=1), [("2", True)])
        self.assertEqual(self.look(a=1), [("1", True)])

    def test_not_for_ever(self) -> None:
        self.wait("1", "a", until=5.0)
        for _ in range(5):
            self.clock.advance(1.0)
        self.assertEqual(self.got, [("1", False)])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_what_nobody_tells_of_is_seen_all_the_same(self) -> None:
        self.wait("1", "a")
        self.free["a"] = 1
        self.clock.advance(LOOK_INTERVAL)
        self.assertEqual(self.got, [("1", True)])

    def test_who_gives_up_keeps_nobody_waiting(self) -> None:
        first = self.wait("1", "a")
        self.wait("2", "a")
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.assertEqual(self.look(a=1), [("2", True)])
        self.assertEqual(self.clock.getDelayedCalls(), [])
