"""What the channel events say, in recordings of a real FreeSWITCH and made up by somebody."""

from __future__ import annotations

import re

from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import Outcome
from ctidialer.dialer.life.calls import Calls
from ctidialer.dialer.life.channel_events import (
    AGENT_STARTS,
    agent_to_come,
    hang_up,
    legs,
    sip_code,
)
from ctidialer.dialer.life.journal import Journal
from ctidialer.esl.events import Event, make_event, plain_event
from ctidialer.rules.attempt import LINGER_SECONDS, Attempt, is_refusal
from ctidialer.rules.disposition import outcome
from tests.dialer.fakes import FakeSwitch, clock, hang_up_event
from tests.esl import recordings

ASKED = re.compile(rb"origination_uuid=([0-9a-f-]{36})")
FRAME = re.compile(rb"Content-Length: ([0-9]+)\nContent-Type: text/event-plain\n\n")


@frozen
class Told:
    """What a recording says about the first originate in it."""

    name: str
    outcome: Outcome
    cause: str
    sip_code: int | None = None


TOLD = (
    Told("10_event_plain_null_answer_hangup", Outcome.ANSWERED, "NORMAL_CLEARING"),
    Told("12_sofia_ok_answer50ms_bye200ms", Outcome.ANSWERED, "NORMAL_CLEARING", 200),
    Told("13_sofia_180_ringing", Outcome.ANSWERED, "NORMAL_CLEARING", 200),
    Told("17_sofia_183_then_486", Outcome.BUSY, "USER_BUSY", 486),
    Told("18_sofia_183_then_486_ignored", Outcome.BUSY, "USER_BUSY", 486),
    Told("19b_answer_then_immediate_bye", Outcome.ANSWERED, "NORMAL_CLEARING", 200),
    Told("20_fail_error_user_busy", Outcome.BUSY, "USER_BUSY"),
    Told("21_fail_no_answer_originate_timeout_sip", Outcome.NO_ANSWER, "NO_ANSWER", 487),
    Told("23_fail_unallocated_404_sip", Outcome.UNALLOCATED, "UNALLOCATED_NUMBER", 404),
    Told("24_fail_503_sip", Outcome.FAILED, "NORMAL_TEMPORARY_FAILURE", 503),
    Told("25_fail_gateway_down", Outcome.FAILED, "GATEWAY_DOWN"),
    Told("26_fail_invalid_gateway", Outcome.FAILED, "INVALID_GATEWAY"),
    Told("28_fail_bad_endpoint", Outcome.FAILED, "CHAN_NOT_IMPLEMENTED"),
    Told("30_fail_486_sip", Outcome.BUSY, "USER_BUSY", 486),
    Told("31_fail_480_sip", Outcome.NO_ANSWER, "NO_USER_RESPONSE", 480),
    Told("31b_fail_480_reason17", Outcome.BUSY, "USER_BUSY", 480),
    Told("32_fail_603_sip", Outcome.REJECTED, "CALL_REJECTED", 603),
    Told("34_fail_403_sip", Outcome.REJECTED, "CALL_REJECTED", 403),
    Told("34_fail_408_sip", Outcome.NO_ANSWER, "RECOVERY_ON_TIMER_EXPIRE", 408),
)


def events_of(name: str) -> list[Event]:
    """Return all events of a recording, in the order of the wire."""
    data = recordings.load(name).received
    return [
        plain_event(b"\n" + data[frame.end() : frame.end() + int(frame[1])])
        for frame in FRAME.finditer(data)
    ]


def followed(name: str) -> Attempt:
    """Bring what FreeSWITCH said of the first originate of a recording to an attempt."""
    asked = ASKED.search(recordings.load(name).sent)
    assert asked is not None
    time, switch = clock(), FakeSwitch()
    calls = Calls(time, switch, Journal())
    ended: list[Attempt] = []
    attempt = Attempt(asked[1].decode(), None, "g", time.seconds())
    calls.place(attempt, "x").addCallback(ended.append)
    first_job = next(event for event in events_of(name) if event.name == "BACKGROUND_JOB")
    for event in events_of(name):
        if event == first_job:
            switch.job(event.body.rstrip("\n"))
        else:
            calls.event(event)
    time.advance(LINGER_SECONDS)
    assert time.getDelayedCalls() == []
    (only,) = ended
    return only


class RecordingTests(SynchronousTestCase):
    def test_every_end_is_told_as_freeswitch_told_it(self) -> None:
        for told in TOLD:
            attempt = followed(told.name)
            found = Told(
                told.name,
                outcome(
                    answered=attempt.was_answered,
                    cause=attempt.cause,
                    sip_code=attempt.sip_code,
                ),
                attempt.cause or "",
                attempt.sip_code,
            )
            self.assertEqual(found, told)

    def test_a_paused_freeswitch_refuses(self) -> None:
        self.assertTrue(is_refusal(followed("43_fsctl_pause")))

    def test_a_dead_port_is_no_refusal(self) -> None:
        self.assertFalse(is_refusal(followed("27b_fail_dead_port_icmp")))
        self.assertFalse(is_refusal(followed("27_fail_dest_out_of_order_loopback")))


class LegsTests(SynchronousTestCase):
    def test_the_callee_goes_before_the_agent_whose_channel_tells(self) -> None:
        event = make_event(
            {
                "Event-Name": "CUSTOM",
                "Event-Subclass": "callcenter::info",
                "Unique-ID": "agent",
                "CC-Action": AGENT_STARTS,
                "CC-Agent": "1001@default",
                "CC-Member-Session-UUID": "callee",
            }
        )
        self.assertEqual(list(legs(event)), ["callee", "agent"])
        self.assertEqual(agent_to_come(event), "1001@default")


class TimeTests(SynchronousTestCase):
    def test_freeswitchs_clock_need_not_be_ours(self) -> None:
        event = hang_up_event("u", talked=12.5)
        found = hang_up(event, 1000.0)
        self.assertEqual((found.at, found.answered_at), (1000.0, 987.5))

    def test_zero_is_never(self) -> None:
        found = hang_up(hang_up_event("u"), 1000.0)
        self.assertEqual((found.answered_at, found.progress_at), (None, None))

    def test_early_media_is_progress_too(self) -> None:
        more = {"Caller-Channel-Progress-Media-Time": "1599999997000000"}
        found = hang_up(hang_up_event("u", more=more), 1000.0)
        self.assertEqual(found.progress_at, 997.0)

    def test_stamps_that_are_none(self) -> None:
        for stamp in ("", "-1", "x", "²", "1" * 5000):
            more = {"Caller-Channel-Answered-Time": stamp}
            self.assertIsNone(hang_up(hang_up_event("u", more=more), 1000.0).answered_at)

    def test_without_a_hang_up_time_no_other_is_known(self) -> None:
        event = make_event({"Caller-Channel-Answered-Time": "1600000000000000"})
        self.assertIsNone(hang_up(event, 1000.0).answered_at)


class StatusTests(SynchronousTestCase):
    def test_the_final_status_counts_before_that_of_the_invite(self) -> None:
        both = {"variable_sip_term_status": "603", "variable_sip_invite_failure_status": "487"}
        self.assertEqual(sip_code(make_event(both)), 603)
        del both["variable_sip_term_status"]
        self.assertEqual(sip_code(make_event(both)), 487)
        self.assertIsNone(sip_code(make_event({})))

    def test_what_is_no_status_is_none(self) -> None:
        for text in ("", "0", "48", "4866", "700", "4x6", "４８６", "9" * 5000):
            self.assertIsNone(sip_code(make_event({"variable_sip_term_status": text})), text)

    @settings(deadline=None)
    @given(st.text(), st.text(), st.text())
    def test_no_value_of_a_header_breaks_the_reading(self, one: str, two: str, three: str) -> None:
        event = make_event(
            {
                "variable_sip_term_status": one.encode("utf-8", "replace").decode(),
                "Caller-Channel-Hangup-Time": two.encode("utf-8", "replace").decode(),
                "Caller-Channel-Answered-Time": three.encode("utf-8", "replace").decode(),
            }
        )
        hang_up(event, 1.0)
