"""The switch: coming up, commands and jobs on one connection, events on the other."""

from __future__ import annotations

from twisted.internet.defer import CancelledError

from ctidialer.esl.errors import (
    CommandRefused,
    CommandTimeout,
    ConnectionGone,
    UnsafeCommand,
)
from ctidialer.esl.jobs import JobResult
from ctidialer.esl.switch import Credentials, More, Subscription
from tests.esl.scripted import job_frame, plain
from tests.esl.switch_case import SUBSCRIBED, SwitchTest


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

    def refuse_the_form(self) -> None:
        self.script.refuse = lambda command: command.startswith("api bgapi")

    def test_a_user_who_may_not_starts_the_same_job_with_bgapi(self) -> None:
        self.refuse_the_form()
        done = [self.switch.background(f"j{at}", "originate x y") for at in (1, 2)]
        self.network.flush()
        native = [f"bgapi originate x y\nJob-UUID: j{at}" for at in (1, 2)]
        self.assertEqual(self.script.commanded().commands[-2:], native)
        self.switch.background("j3", "originate z")
        self.network.flush()
        self.assertEqual(self.script.commanded().commands[-1], "bgapi originate z\nJob-UUID: j3")
        self.script.subscribed().send(job_frame("j1", "+OK u1\n"))
        self.network.flush()
        self.assertEqual(self.successResultOf(done[0]), JobResult(True, "u1"))
        self.assertEqual(self.switch.jobs_waiting, 2)

    def test_the_next_connection_is_asked_anew(self) -> None:
        self.refuse_the_form()
        self.switch.background("j0", "x").addErrback(lambda failure: None)
        self.network.flush()
        self.script.refuse = lambda command: False
        self.script.commanded().hang_up()
        self.network.flush()
        self.network.advance(1)
        self.switch.background("j1", "x")
        self.network.flush()
        self.assertEqual(self.script.commanded().commands[-1], self.expected_job("x"))

    def test_a_refused_job_that_nobody_waits_for_is_not_started(self) -> None:
        self.refuse_the_form()
        self.script.commanded().hold()
        done = self.switch.background("j1", "originate x y")
        self.network.flush()
        self.switch.forget("j1")
        self.failureResultOf(done, CancelledError)
        self.script.commanded().release()
        self.network.flush()
        self.assertEqual(self.script.commanded().commands[-1], self.expected_job("originate x y"))

    def test_refused_while_the_events_connection_is_away(self) -> None:
        self.refuse_the_form()
        commands = self.script.commanded()
        commands.hold()
        done = self.switch.background("j1", "originate x y")
        self.network.flush()
        self.script.subscribed().hang_up()
        self.network.flush()
        self.error(done, ConnectionGone)
        commands.release()
        self.network.flush()
        self.assertEqual(commands.commands[-1], self.expected_job("originate x y"))

    def test_a_job_id_that_would_end_freeswitch_is_not_sent(self) -> None:
        for long in ("j" * 256, "é" * 128):
            self.error(self.switch.background(long, "x"), UnsafeCommand)
        self.switch.background("j" * 255, "x")
        self.network.flush()
        self.assertEqual(len(self.script.commanded().commands), 2)
        self.assertEqual(self.switch.jobs_waiting, 1)


BY_NAME = ("Event-Name", "CHANNEL_BRIDGE")
ANSWER_TOO, BRIDGES = More("CHANNEL_ANSWER"), More("CHANNEL_BRIDGE", filter=BY_NAME)


class HearingMore(SwitchTest):
    """Events that are wanted for a while are asked for on the very connection, and on the next."""

    def asked(self) -> list[str]:
        return self.script.subscribed().commands[1 + len(SUBSCRIBED) :]

    def test_from_the_start(self) -> None:
        self.switch.hear(ANSWER_TOO, BRIDGES)
        self.start()
        self.assertTrue(self.switch.up)
        wanted = [
            "event plain CHANNEL_ANSWER",
            "filter Event-Name CHANNEL_BRIDGE",
            "event plain CHANNEL_BRIDGE",
        ]
        self.assertEqual(self.asked(), wanted)
        self.script.subscribed().hang_up()
        self.network.advance(2)
        self.assertTrue(self.switch.up)
        self.assertEqual(self.asked(), wanted)

    def test_while_it_is_up_and_no_longer(self) -> None:
        self.start()
        self.assertEqual(self.asked(), [])
        self.switch.hear(BRIDGES)
        self.network.flush()
        self.switch.hear(BRIDGES)
        self.network.flush()
        wanted = ["filter Event-Name CHANNEL_BRIDGE", "event plain CHANNEL_BRIDGE"]
        self.assertEqual(self.asked(), wanted)
        self.switch.hear_no_more(BRIDGES)
        self.network.flush()
        taken_back = ["nixevent CHANNEL_BRIDGE", "filter delete Event-Name CHANNEL_BRIDGE"]
        self.assertEqual(self.asked(), [*wanted, *taken_back])
        self.script.subscribed().hang_up()
        self.network.advance(2)
        self.assertEqual(self.asked(), [])

    def test_changes_while_it_is_being_asked(self) -> None:
        self.start()
        self.switch.hear(ANSWER_TOO)
        self.switch.hear_no_more(ANSWER_TOO)
        self.switch.hear(BRIDGES)
        self.network.flush()
        self.assertEqual(
            sorted(self.asked()),
            sorted(
                [
                    "event plain CHANNEL_ANSWER",
                    "nixevent CHANNEL_ANSWER",
                    "filter Event-Name CHANNEL_BRIDGE",
                    "event plain CHANNEL_BRIDGE",
                ]
            ),
        )

    def test_what_others_want_too_is_not_taken_back(self) -> None:
        self.start()
        all_of_them = More("CUSTOM", "callcenter::info", ("Event-Subclass", "callcenter::info"))
        some = More("CUSTOM", "callcenter::info", ("CC-Action", "bridge-agent-start"))
        self.switch.hear(some, all_of_them)
        self.network.flush()
        before = len(self.asked())
        self.switch.hear_no_more(all_of_them)
        self.network.flush()
        taken_back = ["filter delete Event-Subclass callcenter::info"]
        self.assertEqual(self.asked()[before:], taken_back)

    def test_a_user_who_may_not_is_told_and_goes_on_without(self) -> None:
        self.script.refuse = lambda command: "CHANNEL_BRIDGE" in command
        self.switch.hear(BRIDGES)
        self.start()
        self.assertTrue(self.switch.up)
        self.assertEqual(len([line for line in self.lines if "CHANNEL_BRIDGE" in line]), 1)

    def test_a_connection_that_goes_meanwhile(self) -> None:
        self.start()
        self.script.subscribed().hold()
        self.switch.hear(BRIDGES)
        self.network.flush()
        self.script.subscribed().hang_up()
        self.network.advance(2)
        self.assertTrue(self.switch.up)
        self.assertIn("event plain CHANNEL_BRIDGE", self.asked())


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
