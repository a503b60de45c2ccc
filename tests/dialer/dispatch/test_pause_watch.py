"""A FreeSWITCH that was paused is told from one that is only too busy."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.dialer.dispatch.node_limits import NodeLimits
from ctidialer.dialer.dispatch.pause_watch import LOOK_INTERVAL, QUESTION, PauseWatch
from ctidialer.esl.errors import CommandRefused, ConnectionGone
from ctidialer.rules.backpressure import Backpressure
from tests.dialer.fakes import FakeSwitch


class AskedSwitch(FakeSwitch):
    """Remembers what it was asked, and answers when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.questions: list[tuple[str, Deferred[str]]] = []

    def api(self, command: str, timeout: float = 10.0) -> Deferred[str]:
        answer: Deferred[str] = Deferred()
        self.questions.append((command, answer))
        return answer


class PauseWatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.switch, self.limits = Clock(), AskedSwitch(), NodeLimits(0, 0)
        self.watch = PauseWatch(self.clock, self.switch, self.limits)
        self.watch.start()
        self.addCleanup(self.watch.stop)
        self.clock.advance(LOOK_INTERVAL)

    def is_asked(self) -> Deferred[str]:
        self.limits.backpressure = Backpressure(1.0, 10.0)
        self.clock.advance(LOOK_INTERVAL)
        ((question, answer),) = self.switch.questions
        self.assertEqual(question, QUESTION)
        self.switch.questions.clear()
        return answer

    def test_nothing_is_asked_while_calls_are_taken(self) -> None:
        self.clock.advance(10 * LOOK_INTERVAL)
        self.assertEqual(self.switch.questions, [])

    def test_paused_and_resumed(self) -> None:
        self.is_asked().callback("true")
        self.assertTrue(self.limits.is_paused)
        self.is_asked().callback("false\n")
        self.assertFalse(self.limits.is_paused)

    def test_one_question_at_a_time(self) -> None:
        answer = self.is_asked()
        self.clock.advance(LOOK_INTERVAL)
        self.assertEqual(self.switch.questions, [])
        answer.callback("false")
        self.is_asked()

    def test_calls_that_are_taken_again_are_no_pause(self) -> None:
        self.is_asked().callback("true")
        self.limits.backpressure = Backpressure()
        self.clock.advance(LOOK_INTERVAL)
        self.assertFalse(self.limits.is_paused)

    def test_what_is_not_known_is_no_pause(self) -> None:
        away = ConnectionGone("away", may_have_been_executed=True)
        for error in (away, CommandRefused("api", "-ERR permission denied")):
            self.is_asked().callback("true")
            self.is_asked().errback(error)
            self.assertFalse(self.limits.is_paused)

    def test_a_fault_is_logged_and_asked_again(self) -> None:
        self.is_asked().errback(ZeroDivisionError())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.is_asked()
