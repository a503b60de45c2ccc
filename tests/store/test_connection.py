"""One connection, on a clock and without a network."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.store.batch import MAX_ENTRIES, Batch
from ctidialer.store.connection import WatchedConnection
from ctidialer.store.errors import StoreUnavailable

PING = b"*1\r\n$4\r\nPING\r\n"


class ConnectionTests(SynchronousTestCase):
    """A deadline of ten seconds, a tick each second."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.transport = StringTransport()
        self.connection = WatchedConnection(self.clock, 10.0)
        self.connection.makeConnection(self.transport)

    def pass_time(self, seconds: int) -> None:
        self.clock.pump([1.0] * seconds)

    def assert_aborted(self, expected: bool) -> None:
        self.assertIs(self.transport.disconnected, expected)
        self.assertIs(self.connection.usable, not expected)

    def test_an_answer_in_time(self) -> None:
        answer = self.connection.request("GET", "a")
        self.pass_time(10)
        self.connection.dataReceived(b"$1\r\nb\r\n")
        self.assertEqual(self.successResultOf(answer), b"b")
        self.assert_aborted(False)

    def test_no_answer_in_time(self) -> None:
        answer = self.connection.request("GET", "a")
        self.pass_time(11)
        self.assert_aborted(True)
        self.connection.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(
            self.successResultOf(self.connection.lost), "Redis has said nothing for 10 s"
        )
        error = self.failureResultOf(answer, StoreUnavailable).value
        self.assertIs(error.may_have_been_executed, True)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_silence_before_a_request_does_not_count(self) -> None:
        self.pass_time(3)
        self.connection.request("GET", "a").addErrback(lambda _: None)
        self.pass_time(10)
        self.assert_aborted(False)
        self.pass_time(1)
        self.assert_aborted(True)

    def test_anything_that_is_heard_counts(self) -> None:
        for _ in range(3):
            self.connection.request("GET", "a")
        for _ in range(3):
            self.pass_time(9)
            self.connection.dataReceived(b":1\r\n")
        self.assert_aborted(False)

    def test_an_idle_connection_is_asked_whether_it_lives(self) -> None:
        self.pass_time(3)
        self.assertEqual(self.transport.value(), b"")
        self.pass_time(1)
        self.assertEqual(self.transport.value(), PING)
        self.connection.dataReceived(b"+PONG\r\n")
        self.pass_time(4)
        self.assertEqual(self.transport.value(), PING * 2)
        self.pass_time(11)
        self.assert_aborted(True)

    def test_being_suspended_is_not_silence(self) -> None:
        answer = self.connection.request("GET", "a")
        self.clock.advance(3600)
        self.assert_aborted(False)
        self.connection.dataReceived(b"$-1\r\n")
        self.assertIsNone(self.successResultOf(answer))

    def test_a_request_after_the_end(self) -> None:
        self.connection.abort("enough")
        error = self.failureResultOf(self.connection.request("PING"), StoreUnavailable).value
        self.assertEqual((error.reason, error.may_have_been_executed), ("enough", False))
        self.assertEqual(self.transport.value(), b"")

    def test_an_answer_in_pieces(self) -> None:
        answer = self.connection.request("MGET", "a", "b")
        for byte in b"*2\r\n$3\r\n\xff\r\n\r\n$-1\r\n":
            self.connection.dataReceived(bytes([byte]))
        self.assertEqual(self.successResultOf(answer), [b"\xff\r\n", None])


class BatchTests(SynchronousTestCase):
    """What goes out together."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.sent: list[list[int]] = []
        self.answers: list[Deferred[list[int]]] = []
        self.batch: Batch[int, int] = Batch(self.clock, self.send)

    async def send(self, items: object) -> list[int]:
        assert isinstance(items, list)
        self.sent.append(items)
        answer: Deferred[list[int]] = Deferred()
        self.answers.append(answer)
        return await answer

    def test_one_turn_is_one_batch(self) -> None:
        answers = [self.batch.add(number) for number in (1, 2, 3)]
        self.assertEqual(self.sent, [])
        self.clock.advance(0)
        self.assertEqual(self.sent, [[1, 2, 3]])
        self.answers[0].callback([10, 20, 30])
        self.assertEqual([self.successResultOf(one) for one in answers], [10, 20, 30])

    def test_one_batch_is_under_way_at_a_time(self) -> None:
        self.batch.add(1)
        self.clock.advance(0)
        answers = [self.batch.add(number) for number in (2, 3)]
        self.clock.advance(0)
        self.assertEqual(self.sent, [[1]])
        self.answers[0].callback([10])
        self.assertEqual(self.sent, [[1], [2, 3]])
        self.answers[1].callback([20, 30])
        self.assertEqual([self.successResultOf(one) for one in answers], [20, 30])
        self.batch.add(4)
        self.clock.advance(0)
        self.assertEqual(self.sent[2:], [[4]])

    def test_a_failure_is_everybodys_and_the_next_batch_goes_out(self) -> None:
        failing = [self.batch.add(1), self.batch.add(2)]
        self.clock.advance(0)
        good = self.batch.add(3)
        self.answers[0].errback(StoreUnavailable("gone"))
        for one in failing:
            self.failureResultOf(one, StoreUnavailable)
        self.answers[1].callback([30])
        self.assertEqual(self.successResultOf(good), 30)

    def test_a_wrong_number_of_answers_is_a_failure(self) -> None:
        answers = [self.batch.add(1), self.batch.add(2)]
        self.clock.advance(0)
        self.answers[0].callback([10])
        for one in answers:
            self.failureResultOf(one, ValueError)

    def test_a_batch_has_a_greatest_size(self) -> None:
        for number in range(MAX_ENTRIES + 1):
            self.batch.add(number)
        self.clock.advance(0)
        self.assertEqual([len(items) for items in self.sent], [MAX_ENTRIES])
        self.answers[0].callback([0] * MAX_ENTRIES)
        self.assertEqual(self.sent[1:], [[MAX_ENTRIES]])

    def test_a_caller_that_lost_interest_harms_nobody(self) -> None:
        first, second = self.batch.add(1), self.batch.add(2)
        first.addErrback(lambda _: None)
        first.cancel()
        self.clock.advance(0)
        self.answers[0].callback([10, 20])
        self.assertEqual(self.successResultOf(second), 20)
