"""The switch: two connections, made again for ever, and what the dialer is told of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from attrs import Factory, define
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogLevel, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.esl.errors import (
    CommandRefused,
    CommandTimeout,
    ConnectionGone,
    EslError,
    UnsafeCommand,
)
from ctidialer.esl.events import Event
from ctidialer.esl.jobs import JobResult
from ctidialer.esl.switch import Credentials, Subscription, Switch, Timings
from tests.esl.network import Network
from tests.esl.scripted import Script, job_frame, plain

BYE = b"Content-Type: text/disconnect-notice\nContent-Length: 4\n\nbye\n"
CREDENTIALS = Credentials("ClueCon")
SUBSCRIPTION = Subscription(
    ("CHANNEL_ANSWER", "CUSTOM", "callcenter::info"), (("variable_cti_host", "fs1"),)
)
SUBSCRIBED = [
    "filter Event-Name BACKGROUND_JOB",
    "filter Event-Name HEARTBEAT",
    "filter variable_cti_host fs1",
    "event plain BACKGROUND_JOB HEARTBEAT CHANNEL_ANSWER CUSTOM callcenter::info",
]


@define
class Heard:
    """A listener that notes what it is told, and fails when ``clumsy``."""

    told: list[str] = Factory(list)
    events: list[Event] = Factory(list)
    clumsy: bool = False
    then: Callable[[str], object] = lambda told: None

    def switch_up(self) -> None:
        self._note("up")

    def switch_down(self, reason: str) -> None:
        self._note(f"down: {reason}")

    def switch_event(self, event: Event) -> None:
        self.events.append(event)
        self.then(event.name)
        self._stumble()

    def _note(self, text: str) -> None:
        self.told.append(text)
        self.then(text)
        self._stumble()

    def _stumble(self) -> None:
        if self.clumsy:
            raise RuntimeError("a mistake in the listener")


class SwitchTest(SynchronousTestCase):
    jobs_by_api = False

    def setUp(self) -> None:
        self.clock = Clock()
        self.script = Script()
        self.network = Network(self.script, self.clock)
        self.heard = Heard()
        self.switch = self.build()
        self.lines: list[str] = []
        observe = cast(ILogObserver, self.observe)
        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)

    def observe(self, event: dict[str, Any]) -> None:
        if event["log_level"] >= LogLevel.warn and "log_failure" not in event:
            self.lines.append(str(event["log_format"]).format(**event))

    def build(
        self,
        credentials: Credentials = CREDENTIALS,
        subscription: Subscription = SUBSCRIPTION,
    ) -> Switch:
        return Switch(
            self.clock,
            self.network,
            credentials,
            subscription,
            self.heard,
            timings=Timings(),
            jobs_by_api=self.jobs_by_api,
            jitter=lambda: 1.0,
        )

    def start(self) -> None:
        self.switch.startService()
        self.network.flush()

    def error(self, deferred: Deferred[Any], kind: type[EslError]) -> EslError:
        error = self.failureResultOf(deferred, kind).value
        assert isinstance(error, EslError)
        return error


class ComingUp(SwitchTest):
    def test_up_when_both_are_ready(self) -> None:
        self.assertEqual((self.switch.up, self.switch.trouble), (False, "not connected yet"))
        self.start()
        self.assertEqual(self.heard.told, ["up"])
        self.assertEqual((self.switch.up, self.switch.trouble), (True, None))
        self.assertEqual(len(self.script.live), 2)

    def test_the_subscription_stands_filters_first(self) -> None:
        self.start()
        self.assertEqual(self.script.subscribed().commands[1:], SUBSCRIBED)
        self.assertEqual(self.script.commanded().commands[1:], [])

    def test_not_up_before_the_subscription_is_answered(self) -> None:
        self.switch.startService()
        for connection in self.script.connections:
            connection.hold()
        self.network.flush()
        self.assertEqual(self.heard.told, [])
        while any(connection.holding for connection in self.script.connections):
            for connection in self.script.connections:
                connection.release()
            self.network.flush()
        self.assertEqual(self.heard.told, ["up"])

    def test_without_filters_none_are_set(self) -> None:
        self.switch = self.build(subscription=Subscription(("ALL",)))
        self.start()
        self.assertEqual(
            self.script.subscribed().commands[1:], ["event plain BACKGROUND_JOB HEARTBEAT ALL"]
        )

    def test_a_user_who_may_not_have_heartbeats(self) -> None:
        self.script.allowed_events = "BACKGROUND_JOB CHANNEL_ANSWER"
        self.switch = self.build(
            Credentials("ClueCon", "esl@fs1"), Subscription(("CHANNEL_ANSWER",))
        )
        self.start()
        self.assertEqual(
            self.script.subscribed().commands,
            ["userauth esl@fs1:ClueCon", "event plain BACKGROUND_JOB CHANNEL_ANSWER"],
        )

    def test_nothing_is_sent_while_down(self) -> None:
        for failing in (self.switch.api("status"), self.switch.background("j1", "version")):
            error = self.error(failing, ConnectionGone)
            assert isinstance(error, ConnectionGone)
            self.assertFalse(error.may_have_been_executed)
            self.assertIn("not connected yet", error.why)
        self.assertEqual(self.switch.jobs_waiting, 0)

    def test_a_refused_subscription_is_said_and_tried_again(self) -> None:
        self.script.refuse = lambda command: command.startswith("event ")
        self.start()
        self.assertFalse(self.switch.up)
        self.assertIn("FreeSWITCH refused 'event': permission denied", self.switch.trouble or "")
        self.assertEqual(len(self.script.live), 1)
        self.script.refuse = lambda command: False
        self.network.advance(1)
        self.assertTrue(self.switch.up)

    def test_credentials_do_not_show_the_password(self) -> None:
        self.assertNotIn("ClueCon", repr(Credentials("ClueCon")) + repr(self.switch.__dict__))


class Commands(SwitchTest):
    def setUp(self) -> None:
        super().setUp()
        self.start()

    def test_api_goes_through_the_commands_connection(self) -> None:
        done = self.switch.api("status")
        self.network.flush()
        self.assertEqual(self.successResultOf(done), "you said status\n")
        self.assertEqual(self.script.commanded().commands[-1], "api status")

    def test_api_has_a_time_limit_and_the_next_reply_is_not_mistaken(self) -> None:
        self.script.commanded().hold()
        slow = self.switch.api("slow", timeout=2)
        self.network.advance(2.1)
        self.error(slow, CommandTimeout)
        quick = self.switch.api("quick")
        self.script.commanded().release()
        self.network.flush()
        self.assertEqual(self.successResultOf(quick), "you said quick\n")

    def test_an_unsafe_command(self) -> None:
        self.error(self.switch.api("a\n\nb"), UnsafeCommand)
        self.error(self.switch.background("j1", "a\n\nb"), UnsafeCommand)
        self.error(self.switch.background("j 1\n", "a"), UnsafeCommand)
        self.network.flush()
        self.assertEqual(self.script.commanded().commands[1:], [])
        self.assertEqual(self.switch.jobs_waiting, 0)

    def test_a_job_is_started_on_one_and_reported_on_the_other(self) -> None:
        done = self.switch.background("j1", "originate x y")
        self.network.flush()
        self.assertEqual(self.script.commanded().commands[-1], self.expected_job("originate x y"))
        self.assertNoResult(done)
        self.script.subscribed().send(job_frame("j1", "+OK u1\n"))
        self.network.flush()
        self.assertEqual(self.successResultOf(done), JobResult(True, "u1"))
        self.assertEqual(self.heard.events, [])
        self.assertEqual(self.switch.jobs_waiting, 0)

    def expected_job(self, command: str) -> str:
        return f"bgapi {command}\nJob-UUID: j1"

    def test_the_report_may_overtake_the_reply(self) -> None:
        self.script.commanded().hold()
        done = self.switch.background("j1", "originate x y")
        self.script.subscribed().send(job_frame("j1", "-ERR USER_BUSY\n"))
        self.network.flush()
        self.assertEqual(self.successResultOf(done), JobResult(False, "USER_BUSY"))
        self.script.commanded().release()
        self.network.flush()

    def test_a_job_takes_as_long_as_it_takes(self) -> None:
        done = self.switch.background("j1", "originate x y")
        self.network.advance(120)
        self.assertNoResult(done)
        self.assertTrue(self.switch.up)

    def test_a_job_that_is_refused(self) -> None:
        self.script.refuse = lambda command: "originate" in command
        done = self.switch.background("j1", "originate x y")
        self.network.flush()
        self.error(done, CommandRefused)
        self.assertEqual(self.switch.jobs_waiting, 0)

    def test_a_job_whose_acceptance_does_not_come(self) -> None:
        self.script.commanded().hold()
        done = self.switch.background("j1", "originate x y")
        self.network.advance(10.1)
        self.error(done, CommandTimeout)
        self.assertEqual(self.switch.jobs_waiting, 0)

    def test_two_jobs_of_one_id(self) -> None:
        self.switch.background("j1", "a")
        self.failureResultOf(self.switch.background("j1", "b"), ValueError)
        self.assertEqual(self.switch.jobs_waiting, 1)

    def test_a_forgotten_job_leaks_nothing(self) -> None:
        done = self.switch.background("j1", "a")
        self.switch.forget("j1")
        self.switch.forget("never heard of")
        self.failureResultOf(done, CancelledError)
        self.assertEqual(self.switch.jobs_waiting, 0)
        self.network.flush()
        self.script.subscribed().send(job_frame("j1", "+OK"))
        self.network.flush()
        self.assertEqual([event.name for event in self.heard.events], ["BACKGROUND_JOB"])


class CommandsByApi(Commands):
    """All of it again, with ``api bgapi``."""

    jobs_by_api = True

    def expected_job(self, command: str) -> str:
        return f"api bgapi uuid:j1 {command}"

    def test_a_job_that_the_api_answers_with_an_error(self) -> None:
        self.script.api_answers["bgapi"] = "-ERR no reply\n"
        done = self.switch.background("j1", "originate")
        self.network.flush()
        self.assertIn("no reply", str(self.error(done, CommandRefused)))
        self.assertEqual(self.switch.jobs_waiting, 0)


class Events(SwitchTest):
    def setUp(self) -> None:
        super().setUp()
        self.start()

    def test_heartbeats_only_if_asked_for(self) -> None:
        self.script.subscribed().send(plain("HEARTBEAT") + plain("CHANNEL_ANSWER"))
        self.network.flush()
        self.assertEqual([event.name for event in self.heard.events], ["CHANNEL_ANSWER"])
        self.switch = self.build(subscription=Subscription(("HEARTBEAT",)))
        self.script.connections.clear()
        self.start()
        self.script.subscribed().send(plain("HEARTBEAT"))
        self.network.flush()
        self.assertEqual(self.heard.events[-1].name, "HEARTBEAT")

    def test_a_listener_that_fails_costs_nothing(self) -> None:
        self.heard.clumsy = True
        self.script.subscribed().send(plain("CHANNEL_ANSWER") + plain("CHANNEL_ANSWER"))
        self.network.flush()
        self.assertEqual(len(self.heard.events), 2)
        self.assertTrue(self.switch.up)
        done = self.switch.background("j1", "x")
        self.script.subscribed().hang_up()
        self.network.flush()
        self.error(done, ConnectionGone)
        self.network.advance(2)
        self.assertEqual([text[:4] for text in self.heard.told], ["up", "down", "up"])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 4)


class GoingDown(SwitchTest):
    def setUp(self) -> None:
        super().setUp()
        self.start()

    def test_either_connection_takes_it_down_once(self) -> None:
        for which in (self.script.commanded, self.script.subscribed):
            self.heard.told.clear()
            which().hang_up()
            self.network.flush()
            self.assertEqual(len(self.heard.told), 1)
            self.assertTrue(self.heard.told[0].startswith("down: "))
            self.assertFalse(self.switch.up)
            self.network.advance(1)
            self.assertEqual(self.heard.told[1:], ["up"])
            self.assertEqual(len(self.script.live), 2)

    def test_both_at_once_is_one_down_and_one_up(self) -> None:
        for connection in self.script.live:
            connection.hang_up()
        self.network.flush()
        self.network.advance(2)
        self.assertEqual([text[:4] for text in self.heard.told], ["up", "down", "up"])

    def test_the_subscription_is_renewed(self) -> None:
        self.script.subscribed().hang_up()
        self.network.flush()
        self.network.advance(1)
        self.assertEqual(self.script.subscribed().commands[1:], SUBSCRIBED)

    def test_jobs_and_commands_fail_after_the_listener_knows(self) -> None:
        known: list[tuple[bool, list[str]]] = []

        def note(failure: Failure) -> None:
            assert isinstance(failure.value, ConnectionGone)
            known.append((failure.value.may_have_been_executed, list(self.heard.told)))

        self.script.commanded().hold()
        self.switch.background("j1", "a").addErrback(note)
        self.switch.api("b").addErrback(note)
        self.script.commanded().hang_up()
        self.network.flush()
        self.assertEqual(len(known), 2)
        for executed, told in known:
            self.assertTrue(executed)
            self.assertEqual([text[:4] for text in told], ["up", "down"])

    def test_a_job_fails_with_the_events_connection_too(self) -> None:
        done = self.switch.background("j1", "a")
        self.network.flush()
        self.script.subscribed().hang_up()
        self.network.flush()
        error = self.error(done, ConnectionGone)
        assert isinstance(error, ConnectionGone)
        self.assertTrue(error.may_have_been_executed)
        self.assertEqual(self.switch.jobs_waiting, 0)

    def test_events_come_while_only_the_commands_connection_is_gone(self) -> None:
        self.script.commanded().hang_up()
        self.network.flush()
        self.script.subscribed().send(plain("CHANNEL_ANSWER"))
        self.network.flush()
        self.assertFalse(self.switch.up)
        self.assertEqual(len(self.heard.events), 1)

    def test_a_protocol_fault_reconnects(self) -> None:
        self.script.subscribed().send(b"rubbish\n\n")
        self.network.flush()
        self.assertIn("without Content-Type", self.heard.told[-1])
        self.network.advance(1)
        self.assertTrue(self.switch.up)

    def test_the_reason_freeswitch_gave(self) -> None:
        self.script.subscribed().send(BYE)
        self.network.flush()
        self.assertEqual(self.heard.told[-1], "down: FreeSWITCH said: bye")


class Liveness(SwitchTest):
    def setUp(self) -> None:
        super().setUp()
        self.start()

    def test_an_idle_connection_is_asked_and_stays(self) -> None:
        self.network.advance(60)
        self.assertEqual(self.heard.told, ["up"])
        for connection in (self.script.commanded(), self.script.subscribed()):
            self.assertGreater(connection.commands.count("api hostname"), 5)

    def test_a_busy_connection_is_not_asked(self) -> None:
        events = self.script.subscribed()
        for _ in range(30):
            events.send(plain("CHANNEL_ANSWER"))
            self.network.advance(1)
        self.assertNotIn("api hostname", events.commands)

    def test_being_refused_is_a_sign_of_life(self) -> None:
        self.script.refuse = lambda command: command == "api hostname"
        self.network.advance(60)
        self.assertEqual(self.heard.told, ["up"])

    def test_a_dead_connection_is_found_and_made_again(self) -> None:
        for which in (self.script.commanded, self.script.subscribed):
            self.heard.told.clear()
            dead = which()
            dead.hold()
            self.network.advance(21)
            self.assertEqual(self.heard.told[0], "down: nothing was received for 15 s")
            self.network.advance(2)
            self.assertTrue(self.switch.up)
            self.assertTrue(dead.gone)


class Retrying(SwitchTest):
    def test_back_off_grows_to_its_bound(self) -> None:
        self.network.reachable = False
        self.start()
        self.assertEqual(self.network.attempts, 2)
        self.network.advance(60)
        # 0.25, 0.5, 1, 2, 4, 8, then 10 s each: eleven more tries of each connection in 60 s
        self.assertEqual(self.network.attempts, 2 * (1 + 6 + 4))
        self.assertIn("Connection was refused", self.switch.trouble or "")
        self.network.reachable = True
        self.network.advance(10)
        self.assertTrue(self.switch.up)

    def test_a_connection_that_does_not_last_is_not_tried_all_the_time(self) -> None:
        self.start()
        for _ in range(1200):
            for connection in self.script.live:
                connection.hang_up()
            self.network.flush()
            self.network.advance(0.05)
        self.assertLess(self.network.attempts, 30)

    def test_a_wrong_password_slowly_and_for_ever(self) -> None:
        self.script.password = "another"
        self.start()
        self.assertEqual(self.script.logins, 2)
        self.network.advance(29)
        self.assertEqual(self.script.logins, 2)
        self.network.advance(5)
        self.assertEqual(self.script.logins, 4)
        self.assertIn("refused the password", self.switch.trouble or "")
        self.assertEqual(len([line for line in self.lines if "refused the password" in line]), 4)
        self.assertNotIn("ClueCon", "".join(self.lines))
        self.script.password = "ClueCon"
        self.network.advance(34)
        self.assertTrue(self.switch.up)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_after_a_wrong_password_the_usual_back_off_returns(self) -> None:
        self.script.password = "another"
        self.start()
        self.script.password = "ClueCon"
        self.network.advance(34)
        self.script.subscribed().hang_up()
        self.network.advance(2)
        self.assertTrue(self.switch.up)

    def test_a_refused_address_slowly(self) -> None:
        self.script.denied = True
        self.start()
        self.assertIn("denies access", self.switch.trouble or "")
        attempts = self.network.attempts
        self.network.advance(29)
        self.assertEqual(self.network.attempts, attempts)
        self.script.denied = False
        self.network.advance(5)
        self.assertTrue(self.switch.up)

    def test_a_server_that_does_not_greet(self) -> None:
        self.script.greets = False
        self.start()
        self.network.advance(10.1)
        self.assertIn("within 10 s", self.switch.trouble or "")
        self.assertEqual(len([each for each in self.script.connections if each.gone]), 2)
        self.script.greets = True
        self.network.advance(11)
        self.assertTrue(self.switch.up)

    def test_a_server_that_is_something_else(self) -> None:
        self.script.greets = False
        self.start()
        for connection in self.script.live:
            connection.send(b"220 mail.example.com ESMTP\r\n\n\n")
        self.network.flush()
        self.assertIn("without Content-Type", self.switch.trouble or "")


class Stopping(SwitchTest):
    def test_while_up(self) -> None:
        self.start()
        done = self.switch.background("j1", "x")
        stopped = self.switch.stopService()
        self.network.flush()
        self.successResultOf(stopped)
        self.error(done, ConnectionGone)
        self.assertEqual(self.heard.told, ["up", "down: stopped"])
        self.assertEqual(self.script.live, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_while_logging_in(self) -> None:
        self.script.greets = False
        self.start()
        stopped = self.switch.stopService()
        self.assertNoResult(stopped)  # for there are connections to end yet
        self.network.flush()
        self.successResultOf(stopped)
        self.assertEqual(self.script.live, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.heard.told, [])

    def test_while_waiting_for_the_next_try(self) -> None:
        self.network.reachable = False
        self.start()
        self.successResultOf(self.switch.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_started_again(self) -> None:
        self.start()
        stopped = self.switch.stopService()
        self.network.flush()
        self.successResultOf(stopped)
        self.start()
        self.assertEqual(self.heard.told, ["up", "down: stopped", "up"])

    def test_by_the_listener_itself(self) -> None:
        """At every word it hears; nothing is left, and it can be started again."""
        for word in ("up", "CHANNEL_ANSWER", "down: FreeSWITCH said: bye"):
            self.setUp()
            stopped: list[Deferred[None]] = []
            self.heard.then = partial(self._stop_at, word, stopped)
            self.start()
            if word != "up":
                self.script.subscribed().send(plain("CHANNEL_ANSWER") + BYE)
                self.network.flush()
            self.network.advance(1)
            self.successResultOf(stopped[0])
            self.assertEqual(self.script.live, [], word)
            self.assertEqual(self.clock.getDelayedCalls(), [], word)
            self.heard.then = lambda told: None
            self.start()
            self.assertTrue(self.switch.up, word)

    def _stop_at(self, word: str, stopped: list[Deferred[None]], told: str) -> None:
        if told == word:
            stopped.append(cast(Deferred[None], self.switch.stopService()))

    def test_twice(self) -> None:
        self.start()
        both = [self.switch.stopService(), self.switch.stopService()]
        self.network.flush()
        for stopped in both:
            self.successResultOf(stopped)

    def test_started_again_before_it_has_stopped(self) -> None:
        self.start()
        self.switch.stopService()
        self.switch.startService()
        self.network.advance(1)
        self.assertTrue(self.switch.up)
        self.assertEqual(len(self.script.live), 2)
