"""When the next try is made, and what is known of it: on a clock, with connections that fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.reconnection import BackOff, ConnectionState, LinkPhase, Reconnection
from tests.support.logbook import logged_by

STEP = 1 / 64
STEADY = BackOff(random=lambda: 0.0)


class Refused(OSError):
    """A wrong password."""


class Wire:
    """A connection; it goes when the test, or who closes it, says so."""

    def __init__(self) -> None:
        self.gone: Deferred[str] = Deferred()


Outcome = Exception | Wire


class Life:
    """Tries that end as listed, one after the other; those after the last never end."""

    def __init__(self, outcomes: Iterable[Outcome]) -> None:
        self.clock = Clock()
        self.tries: list[float] = []
        self.heard: list[str] = []
        self.left_behind = 0
        self.is_slow_to_close = False
        self.then: Callable[[str], None] = lambda word: None
        self._outcomes = list(outcomes)
        self.reconnection: Reconnection[Wire] = Reconnection(
            self.clock, self, STEADY, "Redis at there", expected=(OSError,), refusals=(Refused,)
        )

    async def connect(self) -> Wire:
        self.tries.append(self.clock.seconds())
        if not self._outcomes:
            await self._for_ever()
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _for_ever(self) -> None:
        self.left_behind += 1
        try:
            await Deferred()
        except CancelledError:
            self.left_behind -= 1
            raise

    def when_gone(self, connection: Wire) -> Deferred[str]:
        return connection.gone

    def close(self, connection: Wire) -> None:
        if not self.is_slow_to_close:
            connection.gone.callback("closed")

    def without_secrets(self, problem: str) -> str:
        return problem.replace("secret", "***")

    def connected(self, connection: Wire) -> None:
        self._hear("up")

    def disconnected(self, problem: str) -> None:
        self._hear(problem)

    def _hear(self, word: str) -> None:
        self.heard.append(word)
        self.then(word)

    @property
    def state(self) -> ConnectionState:
        return self.reconnection.state

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


class ConnectionStateTests(SynchronousTestCase):
    """What is known of a connection: values only."""

    def test_the_life_of_a_connection(self) -> None:
        state = ConnectionState()
        self.assertEqual((state.phase, state.problem), (LinkPhase.STOPPED, "not connected yet"))
        state = state.trying(10.0)
        self.assertEqual((state.phase, state.last_try), (LinkPhase.CONNECTING, 10.0))
        state = state.ended(11.0, "refused", 4.0).waiting(11.0, 0.5)
        self.assertEqual((state.phase, state.failures), (LinkPhase.WAITING, 1))
        self.assertEqual((state.problem, state.last_try, state.next_try), ("refused", 10.0, 11.5))
        self.assertEqual(state.told(11.2), "refused; next try in 0.3 s")
        self.assertEqual(state.told(12.0), "refused; next try in 0.0 s")
        state = state.trying(11.5).connected(11.6)
        self.assertEqual((state.phase, state.problem), (LinkPhase.CONNECTED, ""))
        self.assertEqual((state.connected_at, state.next_try), (11.6, None))
        self.assertEqual(state.told(12.0), "")
        self.assertEqual(state.stopped().phase, LinkPhase.STOPPED)

    def test_a_connection_that_did_not_last_is_one_more_failure(self) -> None:
        state = ConnectionState(failures=3).trying(0.0).connected(1.0)
        self.assertEqual(state.ended(5.0, "gone", 4.0).failures, 4)
        self.assertEqual(state.ended(5.1, "gone", 4.0).failures, 1)


class ReconnectionTests(SynchronousTestCase):
    """The life of a connection."""

    def assert_tries(self, life: Life, expected: list[float]) -> None:
        self.assertEqual(len(life.tries), len(expected), life.tries)
        for tried, wanted in zip(life.tries, expected, strict=True):
            self.assertApproximates(tried, wanted, 4 * STEP)

    def test_failures_are_spaced_and_told_when_the_problem_changes(self) -> None:
        life = Life([OSError("a"), OSError("a"), OSError("b")] * 9)
        life.run(0.8)
        self.assert_tries(life, [0.0, 0.1, 0.3, 0.7])
        self.assertEqual(life.heard, ["a", "b", "a"])
        self.assertEqual((life.state.phase, life.state.failures), (LinkPhase.WAITING, 4))
        assert life.state.next_try is not None
        self.assertApproximates(life.state.next_try, 1.5, 4 * STEP)

    def test_a_refused_login_waits_half_a_minute_and_is_said_each_time(self) -> None:
        life = Life([Refused("wrong secret")] * 3)
        lines = logged_by(self)
        life.run(61)
        self.assert_tries(life, [0.0, 30.0, 60.0])
        self.assertEqual(life.heard, ["wrong ***"])
        said = [formatEvent(event) for event in lines]
        self.assertEqual(said, ["No Redis at there: wrong *** (next try in 30.0 s)"] * 3)

    def test_an_outage_is_said_once_and_its_end_too(self) -> None:
        life = Life([*[OSError("a")] * 4, Wire()])
        lines = logged_by(self)
        life.run(20)
        said = [formatEvent(event) for event in lines]
        there = "Redis at there"
        self.assertEqual(said, [f"No {there}: a (next try in 0.1 s)", f"{there} is back"])

    def test_connections_that_go_at_once_are_spaced_too(self) -> None:
        wires = [Wire() for _ in range(5)]
        for wire in wires[:3]:
            wire.gone.callback("gone")
        life = Life(wires)
        life.run(1.0)
        self.assert_tries(life, [0.0, 0.1, 0.3, 0.7])
        self.assertEqual(life.heard, ["up", "gone"] * 3 + ["up"])

    def test_one_that_lasted_is_replaced_at_once(self) -> None:
        lasting, next_one = Wire(), Wire()
        life = Life([OSError("a")] * 5 + [lasting, next_one])
        life.run(20)
        lasting.gone.callback("gone")
        life.clock.advance(0.1)
        self.assertEqual(life.heard, ["a", "up", "gone", "up"])
        self.assertEqual(life.state.phase, LinkPhase.CONNECTED)

    def test_a_fault_of_the_program_is_logged_and_survived(self) -> None:
        life = Life([ZeroDivisionError(), Wire()])
        life.run(0.2)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(life.heard, ["ZeroDivisionError()", "up"])

    def test_a_fault_of_who_lives_on_it_is_logged_and_survived(self) -> None:
        wire = Wire()
        life = Life([wire, Wire()])

        def stumble(word: str) -> None:
            raise KeyError(word)

        life.then = stumble
        life.run(0.1)
        wire.gone.callback("gone")
        life.clock.advance(1)
        self.assertEqual(life.heard, ["up", "gone", "up"])
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 3)


class StopTests(SynchronousTestCase):
    """It is stopped at any moment, and nothing is left."""

    def assert_stopped(self, life: Life, stopped: Deferred[None]) -> None:
        self.successResultOf(stopped)
        tries = len(life.tries)
        life.clock.advance(100)
        self.assertEqual(len(life.tries), tries)
        self.assertEqual(life.clock.getDelayedCalls(), [])
        self.assertEqual(life.state.phase, LinkPhase.STOPPED)
        self.assertEqual(life.left_behind, 0)

    def test_before_it_was_started(self) -> None:
        life = Life([])
        self.assert_stopped(life, life.reconnection.stop())

    def test_while_it_waits(self) -> None:
        life = Life([OSError("a")])
        life.run(0.0)
        self.assert_stopped(life, life.reconnection.stop())
        self.assertIsNone(life.state.next_try)

    def test_while_it_connects(self) -> None:
        life = Life([])
        life.run(0.0)
        self.assertEqual(life.left_behind, 1)
        self.assert_stopped(life, life.reconnection.stop())
        self.assertEqual(life.heard, [])

    def test_while_it_is_connected(self) -> None:
        life = Life([Wire()])
        life.run(0.0)
        self.assert_stopped(life, life.reconnection.stop())
        self.assertEqual(life.heard, ["up", "closed"])

    def test_by_who_lives_on_it(self) -> None:
        for word, outcomes in (("up", [Wire()]), ("a", [OSError("a")])):
            life = Life(outcomes)
            stopped = self.stopped_at(life, word)
            life.run(0.0)
            self.assert_stopped(life, stopped[0])

    def stopped_at(self, life: Life, word: str) -> list[Deferred[None]]:
        stopped: list[Deferred[None]] = []

        def stop(heard: str) -> None:
            if heard == word:
                stopped.append(life.reconnection.stop())

        life.then = stop
        return stopped

    def test_stopped_once_more_by_who_waited_for_it(self) -> None:
        life = Life([Wire()])
        life.run(0.0)
        again: list[Deferred[None]] = []

        def stop_again(_: None) -> None:
            again.append(life.reconnection.stop())

        stopped = life.reconnection.stop().addCallback(stop_again)
        self.assert_stopped(life, stopped)
        self.successResultOf(again[0])

    def test_started_again_by_who_waited_for_it(self) -> None:
        life = Life([Wire(), Wire()])
        life.run(0.0)
        life.reconnection.stop().addCallback(lambda _: life.reconnection.start())
        self.assertEqual(life.heard, ["up", "closed", "up"])
        self.assert_stopped(life, life.reconnection.stop())

    def test_started_again(self) -> None:
        life = Life([Wire(), Wire()])
        life.run(0.0)
        self.successResultOf(life.reconnection.stop())
        life.run(0.0)
        self.assertEqual(life.heard, ["up", "closed", "up"])

    def test_started_again_before_it_has_stopped(self) -> None:
        first = Wire()
        life = Life([first, Wire()])
        life.run(0.0)
        life.is_slow_to_close = True
        stopped = life.reconnection.stop()
        life.reconnection.start()
        self.assertNoResult(stopped)
        first.gone.callback("gone at last")
        life.clock.advance(1)
        self.successResultOf(stopped)
        self.assertEqual(life.heard, ["up", "gone at last", "up"])
