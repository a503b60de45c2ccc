"""One connection through Twisted: the login, and replies in order within their time limits."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred

from ctidialer.esl.connection import Accepted
from ctidialer.esl.errors import (
    AccessDenied,
    AuthTimeout,
    CommandRefused,
    CommandTimeout,
    ConnectionGone,
    UnsafeCommand,
    WrongPassword,
)
from tests.esl.client_case import GREETING, ClientTest
from tests.esl.scripted import DENIED, NOTICE, reply, response


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
        self.clock.advance(10)  # the one timer goes off for nothing, and no more
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
        self.clock.advance(10)
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
