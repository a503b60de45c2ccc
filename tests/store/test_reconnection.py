"""When the next try is made: on a clock, with connections that fail."""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.store.connection import WatchedConnection
from ctidialer.store.endpoint import LoginRefused
from ctidialer.store.errors import StoreError, StoreUnavailable
from ctidialer.store.reconnection import BackOff, Reconnection

STEP = 1 / 64
STEADY = BackOff(random=lambda: 0.0)


class Life:
    """Tries that fail one after the other, as listed; then no more end."""

    def __init__(self, outcomes: Iterable[StoreError | WatchedConnection | Exception]) -> None:
        self.clock = Clock()
        self.tries: list[float] = []
        self.heard: list[str] = []
        self._outcomes = list(outcomes)
        self.reconnection: Reconnection[WatchedConnection] = Reconnection(
            self.clock, self._make, self._connect, self, STEADY, "redis://there"
        )

    def _make(self) -> WatchedConnection:
        given = self._outcomes[0]
        return given if isinstance(given, WatchedConnection) else WatchedConnection(self.clock)

    async def _connect(self, connection: WatchedConnection) -> None:
        self.tries.append(self.clock.seconds())
        outcome = self._outcomes.pop(0)
        if outcome is not connection:
            assert isinstance(outcome, Exception)
            raise outcome

    def connected(self, connection: WatchedConnection) -> None:
        self.heard.append("up")

    def disconnected(self, reason: str) -> None:
        self.heard.append(reason)

    def run(self, seconds: float) -> None:
        self.reconnection.start()
        self.clock.pump([STEP] * round(seconds / STEP))


class BackOffTests(SynchronousTestCase):
    """How long is waited."""

    def test_the_wait_doubles_up_to_the_most(self) -> None:
        waits = [STEADY.wait(failures) for failures in (1, 2, 3, 6, 7, 8, 1000)]
        self.assertEqual(waits, [0.1, 0.2, 0.4, 3.2, 4.0, 4.0, 4.0])

    def test_chance_takes_away_up_to_half(self) -> None:
        self.assertAlmostEqual(BackOff(random=lambda: 1.0).wait(8), 2.0)
        waits = {BackOff().wait(8) for _ in range(20)}
        self.assertGreater(len(waits), 1)
        self.assertTrue(all(2.0 <= wait <= 4.0 for wait in waits))


class ReconnectionTests(SynchronousTestCase):
    """The life of a connection."""

    def assert_tries(self, life: Life, expected: list[float]) -> None:
        self.assertEqual(len(life.tries), len(expected), life.tries)
        for tried, wanted in zip(life.tries, expected, strict=True):
            self.assertApproximates(tried, wanted, 4 * STEP)

    def test_failures_are_spaced_and_said_when_the_reason_changes(self) -> None:
        life = Life([StoreUnavailable("a"), StoreUnavailable("a"), StoreUnavailable("b")] * 9)
        life.run(0.8)
        self.assert_tries(life, [0.0, 0.1, 0.3, 0.7])
        self.assertEqual(life.heard, ["a", "b", "a"])

    def test_a_refused_login_waits_half_a_minute(self) -> None:
        life = Life([LoginRefused("wrong")] * 3)
        life.run(61)
        self.assert_tries(life, [0.0, 30.0, 60.0])
        self.assertEqual(life.heard, ["wrong"])

    def test_connections_that_go_at_once_are_spaced_too(self) -> None:
        connections = [WatchedConnection(Clock()) for _ in range(5)]
        for connection in connections[:3]:
            connection.lost.callback("gone")
        life = Life(connections)
        life.run(1.0)
        self.assert_tries(life, [0.0, 0.1, 0.3, 0.7])
        self.assertEqual(life.heard, ["up", "gone"] * 3 + ["up"])

    def test_one_that_lasted_is_replaced_at_once(self) -> None:
        lasting, next_one = WatchedConnection(Clock()), WatchedConnection(Clock())
        life = Life([StoreUnavailable("a")] * 5 + [lasting, next_one])
        life.run(20)
        lasting.lost.callback("gone")
        life.clock.advance(0.1)
        self.assertEqual(life.heard, ["a", "up", "gone", "up"])

    def test_stopped_it_tries_no_more(self) -> None:
        life = Life([StoreUnavailable("a")] * 2)
        life.run(0.0)
        self.assertIsNone(self.successResultOf(life.reconnection.stop()))
        life.clock.advance(100)
        self.assert_tries(life, [0.0])
        self.assertEqual(life.clock.getDelayedCalls(), [])

    def test_a_fault_of_the_program_is_logged_and_survived(self) -> None:
        life = Life([ZeroDivisionError(), WatchedConnection(Clock())])
        life.run(0.2)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(life.heard, ["up"])
