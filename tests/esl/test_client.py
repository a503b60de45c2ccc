"""One connection through Twisted: replies in order, time limits, and what is lost with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.esl.client import EventSocketFactory, EventSocketProtocol
from ctidialer.esl.connection import Accepted, LogData
from ctidialer.esl.errors import (
    AccessDenied,
    AuthTimeout,
    CommandRefused,
    CommandTimeout,
    ConnectionGone,
    EslError,
    UnsafeCommand,
    WrongPassword,
)
from ctidialer.esl.events import Event
from ctidialer.esl.jobs import JobResult
from tests.esl.scripted import DENIED, NOTICE, job_frame, plain, reply, response

GREETING = b"Content-Type: auth/request\n\n"


class ClientTest(SynchronousTestCase):
    """A client on a transport that keeps what is written, its time in the test's hands."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.events: list[Event] = []
        self.client = EventSocketProtocol(self.clock, self.receive, command_timeout=10)
        self.transport = StringTransport()
        self.client.makeConnection(self.transport)

    def receive(self, event: Event) -> None:
        self.events.append(event)

    def feed(self, *frames: bytes) -> None:
        self.client.dataReceived(b"".join(frames))

    def written(self) -> bytes:
        data: bytes = self.transport.value()
        self.transport.clear()
        return data

    def log_in(self) -> None:
        done = self.client.auth("ClueCon")
        self.feed(GREETING, reply("+OK accepted"))
        self.successResultOf(done)
        self.written()

    def lose(self, error: Exception | None = None) -> None:
        self.client.connectionLost(Failure(error or ConnectionLost()))

    def gone(self, deferred: Deferred[Any]) -> ConnectionGone:
        error = self.failureResultOf(deferred, ConnectionGone).value
        assert isinstance(error, ConnectionGone)
        return error


class LoggingIn(ClientTest):
    def test_the_password_waits_for_the_greeting(self) -> None:
        done = self.client.auth("ClueCon")
        self.assertEqual(self.written(), b"")
        self.feed(GREETING)
        self.assertEqual(self.written(), b"auth ClueCon\n\n")
        self.feed(reply("+OK accepted"))
        self.assertEqual(self.successResultOf(done), Accepted())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_the_greeting_was_there_first(self) -> None:
        self.feed(GREETING)
        self.client.userauth("a@b", "pw")
        self.assertEqual(self.written(), b"userauth a@b:pw\n\n")

    def test_a_wrong_password(self) -> None:
        done = self.client.auth("s3cret")
        self.feed(GREETING, reply("-ERR invalid"), NOTICE)
        failure = self.failureResultOf(done, WrongPassword)
        self.assertNotIn("s3cret", failure.getErrorMessage() + repr(failure.value))
        self.assertTrue(self.transport.disconnecting)

    def test_a_refused_address(self) -> None:
        done = self.client.auth("ClueCon")
        self.feed(DENIED)
        self.failureResultOf(done, AccessDenied)

    def test_a_refusal_before_we_asked(self) -> None:
        self.feed(DENIED)
        self.failureResultOf(self.client.auth("ClueCon"), AccessDenied)

    def test_no_greeting_in_time(self) -> None:
        done = self.client.auth("ClueCon", timeout=3)
        self.clock.advance(2.9)
        self.assertNoResult(done)
        self.clock.advance(0.2)
        self.failureResultOf(done, AuthTimeout)
        self.assertTrue(self.transport.disconnecting)

    def test_no_verdict_in_time(self) -> None:
        done = self.client.auth("ClueCon", timeout=3)
        self.feed(GREETING)
        self.clock.advance(3)
        self.failureResultOf(done, AuthTimeout)

    def test_the_connection_goes_first(self) -> None:
        done = self.client.auth("ClueCon")
        self.lose()
        self.failureResultOf(done, ConnectionGone)
        self.failureResultOf(self.client.auth("ClueCon"), ConnectionGone)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_cancelled(self) -> None:
        done = self.client.auth("ClueCon")
        done.cancel()
        self.failureResultOf(done, CancelledError)
        self.feed(GREETING)
        self.assertEqual(self.written(), b"")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_an_unsafe_password_never_leaves(self) -> None:
        self.feed(GREETING)
        self.failureResultOf(self.client.auth("a\n\napi status"), UnsafeCommand)
        self.assertEqual(self.written(), b"")


class Replies(ClientTest):
    def setUp(self) -> None:
        super().setUp()
        self.log_in()

    def test_in_order(self) -> None:
        first, second = self.client.api("one"), self.client.eventplain("A")
        third = self.client.api("three")
        self.assertEqual(self.written(), b"api one\n\nevent plain A\n\napi three\n\n")
        self.feed(response("1\n"), reply("+OK event listener enabled plain"), response("3"))
        self.assertEqual(self.successResultOf(first), "1\n")
        self.assertEqual(self.successResultOf(second), "event listener enabled plain")
        self.assertEqual(self.successResultOf(third), "3")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_what_an_api_command_prints_is_no_refusal(self) -> None:
        done = self.client.api("uuid_kill x")
        self.feed(response("-ERR No such channel!\n"))
        self.assertEqual(self.successResultOf(done), "-ERR No such channel!\n")

    def test_refusals(self) -> None:
        api, other = self.client.api("version"), self.client.filter("X", "y")
        self.feed(reply("-ERR permission denied"), reply("-ERR invalid syntax"))
        error = self.failureResultOf(api, CommandRefused).value
        assert isinstance(error, CommandRefused)
        self.assertEqual(error.reply, "permission denied")
        self.failureResultOf(other, CommandRefused)

    def test_every_verb_writes_its_command(self) -> None:
        client = self.client
        verbs: list[tuple[Callable[[], object], bytes]] = [
            (lambda: client.event("A B", "json"), b"event json A B\n\n"),
            (lambda: client.eventjson(["A"]), b"event json A\n\n"),
            (lambda: client.nixevent("A"), b"nixevent A\n\n"),
            (client.noevents, b"noevents\n\n"),
            (lambda: client.filter("A b"), b"filter A b\n\n"),
            (lambda: client.filter_delete("all"), b"filter delete all\n\n"),
            (lambda: client.myevents("u1"), b"myevents u1 plain\n\n"),
            (client.divert_events, b"divert_events on\n\n"),
            (lambda: client.linger(3), b"linger 3\n\n"),
            (client.nolinger, b"nolinger\n\n"),
            (lambda: client.log(7), b"log 7\n\n"),
            (client.nolog, b"nolog\n\n"),
            (client.exit, b"exit\n\n"),
            (lambda: client.sendevent("X", {"a": "b"}), b"sendevent X\na: b\n\n"),
            (lambda: client.sendmsg("u1", {"a": "b"}), b"sendmsg u1\na: b\n\n"),
            (
                lambda: client.execute("u1", "park"),
                b"sendmsg u1\ncall-command: execute\nexecute-app-name: park\n\n",
            ),
        ]
        for call, expected in verbs:
            done = call()
            assert isinstance(done, Deferred)
            self.assertEqual(self.written(), expected)
            self.feed(reply("+OK fine"))
            self.assertEqual(self.successResultOf(done), "fine")

    def test_an_unsafe_command_is_not_written_and_takes_no_turn(self) -> None:
        self.failureResultOf(self.client.api("x\n\napi y"), UnsafeCommand)
        self.failureResultOf(self.client.filter("a", "b\r"), UnsafeCommand)
        done = self.client.api("z")
        self.assertEqual(self.written(), b"api z\n\n")
        self.feed(response("Z"))
        self.assertEqual(self.successResultOf(done), "Z")

    def test_a_command_that_timed_out_keeps_its_turn(self) -> None:
        slow, quick = self.client.api("slow", timeout=1), self.client.api("quick", timeout=5)
        self.clock.advance(1)
        error = self.failureResultOf(slow, CommandTimeout).value
        self.assertIn("'api' within 1 s", str(error))
        self.assertNotIn("slow", str(error))
        self.feed(response("slow's"))
        self.assertNoResult(quick)
        self.feed(response("quick's"))
        self.assertEqual(self.successResultOf(quick), "quick's")

    def test_so_does_one_that_was_cancelled(self) -> None:
        first, second = self.client.noevents(), self.client.nolog()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.feed(reply("+OK first"), reply("+OK second"))
        self.assertEqual(self.successResultOf(second), "second")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_the_default_time_limit(self) -> None:
        done = self.client.nolog()
        self.clock.advance(9.9)
        self.assertNoResult(done)
        self.clock.advance(0.1)
        self.failureResultOf(done, CommandTimeout)

    def test_a_reply_nobody_asked_for(self) -> None:
        self.feed(reply("+OK what?"))
        self.assertIn("belongs to no command", self.client.ending or "")
        self.assertTrue(self.transport.disconnecting)

    def test_a_reply_of_the_wrong_kind(self) -> None:
        wrong: list[tuple[Callable[[], Deferred[str]], bytes]] = [
            (lambda: self.client.nolog(), response("x")),
            (lambda: self.client.api("x"), reply("+OK x")),
        ]
        for ask, answer in wrong:
            self.setUp()
            done = ask()
            self.feed(answer)
            self.assertIn("out of step", self.client.ending or "")
            self.lose()
            self.assertTrue(self.gone(done).may_have_been_executed)


class Loss(ClientTest):
    def setUp(self) -> None:
        super().setUp()
        self.log_in()

    def test_all_that_waits_fails_and_says_that_it_was_written(self) -> None:
        job = self.client.bgapi("originate x y")
        waiting: list[Deferred[Any]] = [job.accepted, job.result]
        waiting += [self.client.api("a"), self.client.nolog()]
        self.lose()
        for each in waiting:
            self.assertTrue(self.gone(each).may_have_been_executed)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_job_that_was_accepted_fails_too(self) -> None:
        job = self.client.bgapi("originate x y")
        self.feed(reply("+OK"))
        self.successResultOf(job.accepted)
        self.lose()
        self.assertTrue(self.gone(job.result).may_have_been_executed)

    def test_afterwards_commands_fail_at_once_and_were_not_sent(self) -> None:
        self.lose(ConnectionDone())
        self.written()
        error = self.gone(self.client.api("a"))
        self.assertFalse(error.may_have_been_executed)
        self.assertIn("was not sent", str(error))
        self.assertEqual(self.written(), b"")

    def test_before_the_connection_is_made_too(self) -> None:
        client = EventSocketFactory(self.clock).buildProtocol(None)
        self.assertFalse(self.gone(client.api("a")).may_have_been_executed)

    def test_after_a_goodbye_nothing_is_written(self) -> None:
        self.feed(NOTICE)
        self.assertTrue(self.transport.disconnecting)
        self.assertFalse(self.gone(self.client.api("a")).may_have_been_executed)

    def test_who_mourns_hears_the_reason_before_commands_fail(self) -> None:
        order: list[str] = []
        waiting = self.client.api("a")
        waiting.addErrback(lambda failure: order.append("command"))
        self.client.when_gone().addCallback(order.append)
        self.feed(NOTICE)
        self.lose()
        self.assertEqual(len(order), 2)
        self.assertIn("FreeSWITCH said: Disconnected, goodbye.", order[0])
        self.assertIn("goodbye", self.successResultOf(self.client.when_gone()))

    def test_closing_is_aborted_when_it_takes_too_long(self) -> None:
        self.client.close("enough", farewell=3)
        self.assertTrue(self.transport.disconnecting)
        self.clock.advance(2.9)
        self.assertFalse(self.transport.disconnected)
        self.clock.advance(0.1)
        self.assertTrue(self.transport.disconnected)
        self.lose()
        self.assertEqual(self.successResultOf(self.client.when_gone()), "enough")

    def test_closing_leaves_no_timer(self) -> None:
        self.client.close()
        self.lose(ConnectionDone())
        self.client.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_command_from_within_the_loss(self) -> None:
        again: list[Deferred[str]] = []
        self.client.api("a").addErrback(lambda failure: again.append(self.client.api("b")))
        self.lose()
        self.assertFalse(self.gone(again[0]).may_have_been_executed)

    def test_a_killed_listener_is_told_as_the_reason(self) -> None:
        self.feed(b"Content-Length: 9000\nContent-Type: text/event-plain\n\nEvent-Name: A\nB: c")
        self.feed(b"Content-Type: text/disconnect-notice\nContent-Length: 7\n\nkilled\n")
        self.lose(ConnectionDone())
        self.assertEqual(self.client.ending, "FreeSWITCH said: killed")
        self.assertEqual(self.events, [])

    def test_a_fault_aborts(self) -> None:
        done = self.client.api("a")
        self.feed(plain("A"), b"garbage\n\n")
        self.assertEqual([event.name for event in self.events], ["A"])
        self.assertTrue(self.transport.disconnecting)
        self.lose()
        self.assertIn("without Content-Type", self.gone(done).why)


class Jobs(ClientTest):
    def setUp(self) -> None:
        super().setUp()
        self.log_in()

    def test_a_job(self) -> None:
        job = self.client.bgapi("originate x y", "j1")
        self.assertEqual(self.written(), b"bgapi originate x y\nJob-UUID: j1\n\n")
        self.feed(reply("+OK Job-UUID: j1", "Job-UUID: j1"), job_frame("j1", "+OK u1\n"))
        self.assertIsNone(self.successResultOf(job.accepted))
        self.assertEqual(self.successResultOf(job.result), JobResult(True, "u1"))
        self.assertEqual(self.events, [])

    def test_its_event_may_overtake_the_reply(self) -> None:
        job = self.client.bgapi("x", "j1")
        self.feed(job_frame("j1", "-ERR USER_BUSY\n"))
        self.assertEqual(self.successResultOf(job.result), JobResult(False, "USER_BUSY"))
        self.feed(reply("+OK Job-UUID: j1"))
        self.successResultOf(job.accepted)

    def test_an_id_is_chosen(self) -> None:
        one, other = self.client.bgapi("x"), self.client.bgapi("x")
        self.assertNotEqual(one.job_id, other.job_id)
        self.assertIn(f"Job-UUID: {one.job_id}\n".encode(), self.written())

    def test_two_jobs_of_one_id(self) -> None:
        self.client.bgapi("x", "j1")
        self.assertRaises(ValueError, self.client.bgapi, "x", "j1")

    def test_not_accepted(self) -> None:
        job = self.client.bgapi("x", "j1")
        self.feed(reply("-ERR permission denied"))
        self.failureResultOf(job.accepted, CommandRefused)
        self.failureResultOf(job.result, CommandRefused)
        self.assertEqual(len(self.client.jobs), 0)

    def test_unsafe(self) -> None:
        job = self.client.bgapi("x\n\n", "j1")
        self.failureResultOf(job.accepted, UnsafeCommand)
        self.failureResultOf(job.result, UnsafeCommand)
        self.assertEqual(len(self.client.jobs), 0)

    def test_cancelling_forgets(self) -> None:
        job = self.client.bgapi("x", "j1")
        job.result.cancel()
        self.failureResultOf(job.result, CancelledError)
        self.feed(job_frame("j1", "+OK"))
        self.assertEqual([event.name for event in self.events], ["BACKGROUND_JOB"])

    def test_what_jobs_print(self) -> None:
        for body, expected in (
            ("+OK u1\n", JobResult(True, "u1")),
            ("+OK\n", JobResult(True, "")),
            ("-ERR GATEWAY_DOWN\n", JobResult(False, "GATEWAY_DOWN")),
            ("-USAGE: <call url>\n", JobResult(False, "-USAGE: <call url>")),
            ("1.11.3-dev\n", JobResult(True, "1.11.3-dev")),
            ("true", JobResult(True, "true")),
            ("x: Command not found!\n", JobResult(False, "x: Command not found!")),
            ("-ERR x Command not found!\n", JobResult(False, "x Command not found!")),
        ):
            job = self.client.bgapi("x", "j1")
            self.feed(reply("+OK"), job_frame("j1", body))
            self.successResultOf(job.accepted)
            self.assertEqual(self.successResultOf(job.result), expected)


class Events(ClientTest):
    def setUp(self) -> None:
        super().setUp()
        self.log_in()

    def test_at_once_and_in_order(self) -> None:
        self.feed(plain("A"), plain("B"), plain("C")[:-3])
        self.assertEqual([event.name for event in self.events], ["A", "B"])
        self.feed(plain("C")[-3:])
        self.assertEqual([event.name for event in self.events], ["A", "B", "C"])

    def test_a_job_nobody_waits_for_is_an_event(self) -> None:
        self.feed(job_frame("another's", "+OK"))
        self.assertEqual(self.events[0]["Job-UUID"], "another's")

    def test_a_receiver_that_raises_loses_nothing(self) -> None:
        def fail(event: Event) -> None:
            self.receive(event)
            raise RuntimeError("a mistake in the receiver")

        self.client = EventSocketProtocol(self.clock, fail)
        self.client.makeConnection(self.transport)
        self.log_in()
        self.feed(plain("A"), plain("B"))
        self.assertEqual([event.name for event in self.events], ["A", "B"])
        self.assertFalse(self.transport.disconnecting)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 2)

    def test_reading_is_never_paused(self) -> None:
        self.feed(*[plain("A")] * 5000)
        self.assertEqual(self.transport.producerState, "producing")
        self.assertEqual(len(self.events), 5000)

    def test_log_lines_go_to_a_method(self) -> None:
        lines: list[LogData] = []

        class Reader(EventSocketProtocol):
            def log_received(self, line: LogData) -> None:
                lines.append(line)

        self.client = Reader(self.clock)
        self.client.makeConnection(self.transport)
        self.log_in()
        self.feed(b"Content-Type: log/data\nContent-Length: 2\nLog-Level: 1\n\nhi")
        self.assertEqual(lines, [LogData("hi", 1)])


class Errors(SynchronousTestCase):
    def test_one_family(self) -> None:
        for error in (
            WrongPassword("-ERR invalid"),
            AccessDenied("go away"),
            AuthTimeout(1),
            CommandTimeout("api", 1),
            CommandRefused("api", "x"),
            ConnectionGone("x", may_have_been_executed=True),
            UnsafeCommand("x"),
        ):
            self.assertIsInstance(error, EslError)
            self.assertTrue(str(error))
