"""One connection through Twisted: jobs, events, and what is lost with it."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.esl.client import EventSocketFactory, EventSocketProtocol
from ctidialer.esl.connection import LogData
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
from tests.esl.client_case import ClientTest
from tests.esl.scripted import NOTICE, job_frame, plain, reply


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
