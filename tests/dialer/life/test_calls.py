"""The calls that are up: FreeSWITCH's words brought to their attempts."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.dialer.life.calls import MAX_REMEMBERED, Calls, NotSent, NotTaken
from ctidialer.dialer.life.journal import Journal
from ctidialer.esl.errors import CommandRefused, CommandTimeout, ConnectionGone, UnsafeCommand
from ctidialer.rules.attempt import (
    LINGER_SECONDS,
    SEEMS_REFUSED_AFTER,
    Attempt,
    Phase,
    is_refusal,
)
from tests.dialer.fakes import NOW, FakeSwitch, answer_event, clock, hang_up_event, stamp

A = "aaaaaaaa-0000-4000-8000-000000000001"
B = "bbbbbbbb-0000-4000-8000-000000000002"


class CallsCase(SynchronousTestCase):
    """Each test must leave no call, no timer and no job behind."""

    def setUp(self) -> None:
        self.clock = clock()
        self.switch = FakeSwitch()
        self.calls = Calls(self.clock, self.switch, Journal())
        self.answers: list[str] = []

    def place(self, uuid: str = A) -> Deferred[Attempt]:
        attempt = Attempt(uuid, "gw1", "main", dialed_at=self.clock.seconds())
        command = f"{{origination_uuid={uuid}}}null/1 8888 XML default"
        return self.calls.place(attempt, command, lambda at: self.answers.append(uuid))

    def adopt(self, uuid: str = A) -> Deferred[Attempt]:
        return self.calls.adopt(Attempt(uuid, "gw1", "main", dialed_at=NOW))

    def only(self) -> Attempt:
        (attempt,) = self.calls
        return attempt

    def assert_clean(self) -> None:
        self.assertEqual(len(self.calls), 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.switch.jobs), 0)


class EndTests(CallsCase):
    def test_what_is_heard_late_has_happened_earlier(self) -> None:
        ended = self.place()
        self.place(B)
        self.calls.event(answer_event(B, sent_at=NOW + 5000))
        self.clock.advance(3)
        self.calls.event(answer_event(A, sent_at=NOW + 5001))
        self.assertEqual([one.answered_at for one in self.calls], [NOW + 1, NOW])
        self.clock.advance(30)
        self.calls.event(hang_up_event(A, talked=30, more=stamp(NOW + 5031)))
        attempt = self.successResultOf(ended)
        self.assertEqual((attempt.answered_at, attempt.ended_at), (NOW + 1, NOW + 31))

    def test_an_answered_call(self) -> None:
        ended = self.place()
        self.assertIn(A, self.calls)
        self.calls.event(answer_event(A))
        self.assertEqual(self.answers, [A])
        self.switch.job(f"+OK {A}")
        self.assertNoResult(ended)
        self.clock.advance(30)
        self.calls.event(hang_up_event(A, talked=30))
        attempt = self.successResultOf(ended)
        self.assertEqual((attempt.answered_at, attempt.ended_at), (NOW, NOW + 30))
        self.assertEqual(self.answers, [A])
        self.assert_clean()

    def test_a_failed_job_before_the_hang_up(self) -> None:
        ended = self.place()
        self.switch.job("-ERR USER_BUSY")
        self.assertNoResult(ended)
        self.clock.advance(0.02)
        self.calls.event(hang_up_event(A, "USER_BUSY", 486))
        self.assertEqual(self.successResultOf(ended).sip_code, 486)
        self.assert_clean()

    def test_a_failed_job_after_the_hang_up_is_not_waited_for(self) -> None:
        ended = self.place()
        self.calls.event(hang_up_event(A, "USER_BUSY", 486))
        self.assertEqual(self.successResultOf(ended).sip_code, 486)
        self.assertEqual(self.switch.forgotten, [self.switch.last.job_id])
        self.assertFalse(self.switch.job("-ERR USER_BUSY"))
        self.assert_clean()

    def test_a_failed_job_alone(self) -> None:
        ended = self.place()
        self.switch.job("-ERR USER_BUSY")
        self.clock.advance(LINGER_SECONDS - 0.01)
        self.assertNoResult(ended)
        self.clock.advance(0.01)
        attempt = self.successResultOf(ended)
        self.assertEqual((attempt.cause, attempt.ended_at), ("USER_BUSY", NOW))
        self.assert_clean()

    def test_a_failure_without_a_channel_ends_at_once(self) -> None:
        for text in ("-ERR GATEWAY_DOWN", "-USAGE: <call url> <exten>"):
            ended = self.place()
            self.switch.job(text)
            self.assertTrue(self.successResultOf(ended).ended)
            self.assert_clean()

    def test_answered_and_gone_at_once_lingers_without_ending_early(self) -> None:
        ended = self.place()
        self.switch.job("-ERR NORMAL_CLEARING")
        self.calls.event(answer_event(A))
        self.clock.advance(LINGER_SECONDS * 2)
        self.assertNoResult(ended)
        self.calls.event(hang_up_event(A, talked=0.01))
        self.assertTrue(self.successResultOf(ended).was_answered)
        self.assert_clean()

    def test_early_media_is_no_answer(self) -> None:
        ended = self.place()
        self.switch.job(f"+OK {A}")
        self.calls.event(hang_up_event(A, "USER_BUSY", 486))
        self.assertFalse(self.successResultOf(ended).was_answered)
        self.assertEqual(self.answers, [])
        self.assert_clean()

    def test_a_refusal_under_load(self) -> None:
        ended = self.place()
        self.switch.job("-ERR DESTINATION_OUT_OF_ORDER")
        self.clock.advance(LINGER_SECONDS)
        self.assertTrue(is_refusal(self.successResultOf(ended)))
        self.assert_clean()

    def test_a_refusal_is_none_where_the_hang_up_may_have_been_missed(self) -> None:
        ended = self.place()
        self.switch.job("-ERR DESTINATION_OUT_OF_ORDER")
        self.calls.unheard()
        self.clock.advance(LINGER_SECONDS)
        self.assertFalse(is_refusal(self.successResultOf(ended)))
        self.assert_clean()

    def test_events_of_other_peoples_calls_and_other_events_change_nothing(self) -> None:
        ended = self.place()
        self.calls.event(answer_event(B))
        self.calls.event(hang_up_event(B))
        self.assertIs(self.only().phase, Phase.SENT)
        self.calls.event(hang_up_event(A))
        self.calls.event(hang_up_event(A, "USER_BUSY"))
        self.assertEqual(self.successResultOf(ended).cause, "NORMAL_CLEARING")
        self.assert_clean()


class UnsentTests(CallsCase):
    def test_what_was_certainly_not_sent_may_be_sent_again(self) -> None:
        self.switch.error = ConnectionGone("away", may_have_been_executed=False)
        failure = self.failureResultOf(self.place(), NotSent)
        self.assertNotIsInstance(failure.value, NotTaken)
        self.assert_clean()

    def test_a_command_that_is_not_permitted_was_not_executed(self) -> None:
        self.switch.error = CommandRefused("bgapi", "permission denied")
        failure = self.failureResultOf(self.place(), NotTaken)
        self.assertIn("permission denied", str(failure.value))
        self.assert_clean()

    def test_a_command_that_cannot_be_one_was_not_sent(self) -> None:
        self.switch.error = UnsafeCommand("two lines")
        self.failureResultOf(self.place(), NotTaken)
        self.assert_clean()

    def test_two_calls_never_have_one_uuid(self) -> None:
        first = self.place()
        self.failureResultOf(self.place(), NotSent)
        self.assertEqual(len(self.switch.placed), 1)
        self.calls.event(hang_up_event(A))
        self.successResultOf(first)
        self.assert_clean()

    def test_of_two_entries_that_name_one_call_the_second_is_lost(self) -> None:
        first, second = self.adopt(), self.adopt()
        self.assertTrue(self.successResultOf(second).lost)
        self.assertNoResult(first)
        self.calls.event(hang_up_event(A, talked=5))
        self.assertTrue(self.successResultOf(first).was_answered)
        self.assert_clean()


class AskTests(CallsCase):
    """A connection was lost, or nothing is heard of a call: FreeSWITCH is asked."""

    def test_a_call_that_may_have_been_sent_is_kept_and_followed(self) -> None:
        ended = self.place()
        self.switch.goes_away()
        self.assertNoResult(ended)
        self.switch.comes_back()
        self.switch.existing = {A}
        self.successResultOf(self.calls.ask())
        self.clock.advance(10)
        self.calls.event(hang_up_event(A, talked=3))
        self.assertTrue(self.successResultOf(ended).was_answered)
        self.assert_clean()

    def test_a_command_without_a_reply_may_have_been_executed(self) -> None:
        self.switch.error = CommandTimeout("bgapi", 10)
        ended = self.place()
        self.assertNoResult(ended)
        self.calls.event(hang_up_event(A))
        self.successResultOf(ended)
        self.assert_clean()

    def test_unknown_twice_is_gone_and_once_is_not(self) -> None:
        ended = self.adopt()
        self.calls.ask()
        self.clock.advance(LINGER_SECONDS - 0.01)
        self.assertNoResult(ended)
        self.clock.advance(0.01)
        attempt = self.successResultOf(ended)
        self.assertTrue(attempt.lost)
        self.assertEqual(self.switch.asked, [A, A])
        self.assert_clean()

    def test_two_questions_at_almost_the_same_time_count_once(self) -> None:
        ended = self.adopt()
        self.calls.ask()
        self.calls.ask()
        self.clock.advance(0.5)
        self.calls.ask()
        self.assertNoResult(ended)
        self.switch.existing = {A}
        self.clock.advance(LINGER_SECONDS)
        self.assertNoResult(ended)
        self.calls.event(hang_up_event(A))
        self.assert_clean()

    def test_a_channel_that_appears_between_the_two_questions_lives(self) -> None:
        ended = self.place()
        self.calls.ask()
        self.switch.existing = {A}
        self.clock.advance(LINGER_SECONDS)
        self.assertNoResult(ended)
        self.switch.existing = set()
        self.calls.ask()
        self.assertNoResult(ended)
        self.calls.event(answer_event(A))  # news: the second question is not asked
        self.clock.advance(LINGER_SECONDS)
        self.assertNoResult(ended)
        self.assertEqual(len(self.switch.asked), 3)
        self.calls.event(hang_up_event(A))
        self.successResultOf(ended)
        self.assert_clean()

    def test_what_is_neither_true_nor_false_is_no_answer(self) -> None:
        ended = self.adopt()
        self.switch.silent = True
        for _ in range(4):
            self.calls.ask()
            self.switch.answers("-ERR uuid_exists Command not found!\n")
            self.clock.advance(LINGER_SECONDS)
        self.assertNoResult(ended)
        self.calls.event(hang_up_event(A))
        self.assert_clean()

    def test_a_call_that_ends_while_it_is_asked_for(self) -> None:
        ended = self.adopt()
        self.switch.silent = True
        asked = self.calls.ask()
        self.calls.event(hang_up_event(A, "USER_BUSY"))
        self.switch.answers("false")
        self.successResultOf(asked)
        self.assertFalse(self.successResultOf(ended).lost)
        self.assert_clean()

    def test_the_connection_goes_while_it_is_asked_for(self) -> None:
        ended = self.adopt()
        self.switch.silent = True
        asked = self.calls.ask()
        self.switch.goes_away()
        self.successResultOf(asked)
        self.assertNoResult(ended)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_only_silent_calls_are_asked_for(self) -> None:
        self.adopt(A)
        self.clock.advance(20)
        self.adopt(B)
        self.clock.advance(10)
        self.switch.existing = {A, B}
        self.calls.ask(silent_for=30)
        self.assertEqual(self.switch.asked, [A])

    def test_a_failed_job_of_a_call_that_is_asked_for(self) -> None:
        ended = self.place()
        self.calls.ask()  # not known: a second question is to come
        self.switch.job("-ERR USER_BUSY")
        self.clock.advance(LINGER_SECONDS)
        attempt = self.successResultOf(ended)
        self.assertEqual((attempt.cause, attempt.lost), ("USER_BUSY", False))
        self.assert_clean()


class OtherUuidTests(CallsCase):
    """FreeSWITCH gave the call another UUID, for the one asked for was in use."""

    def test_events_after_the_jobs_result(self) -> None:
        ended = self.place(A)
        self.switch.job(f"+OK {B}")
        self.assertIn(B, self.calls)
        self.assertNotIn(A, self.calls)
        self.calls.event(hang_up_event(A, "USER_BUSY"))  # the call that has our UUID
        self.assertNoResult(ended)
        self.calls.event(answer_event(B))
        self.calls.event(hang_up_event(B, talked=1))
        attempt = self.successResultOf(ended)
        self.assertEqual(attempt.uuid, B)
        self.assertTrue(attempt.was_answered)
        self.assert_clean()

    def test_the_answer_before_the_jobs_result(self) -> None:
        ended = self.place(A)
        self.calls.event(answer_event(B))
        self.clock.advance(1)
        self.switch.job(f"+OK {B}")
        self.assertEqual(self.only().answered_at, NOW)
        self.assertEqual(self.answers, [A])
        self.calls.event(hang_up_event(B))
        self.assertTrue(self.successResultOf(ended).was_answered)
        self.assert_clean()

    def test_the_whole_call_before_the_jobs_result(self) -> None:
        ended = self.place(A)
        self.calls.event(answer_event(B))
        self.clock.advance(1)
        self.calls.event(hang_up_event(B, talked=1))
        self.clock.advance(1)
        self.switch.job(f"+OK {B}")
        attempt = self.successResultOf(ended)
        self.assertEqual((attempt.answered_at, attempt.ended_at), (NOW, NOW + 1))
        self.assert_clean()

    def test_strangers_are_not_remembered_for_ever(self) -> None:
        ended = self.place(A)
        self.calls.event(answer_event(B))
        for index in range(MAX_REMEMBERED):
            self.calls.event(answer_event(f"stranger-{index}"))
        self.switch.job(f"+OK {B}")
        self.assertFalse(self.only().was_answered)
        self.calls.event(hang_up_event(B))
        self.successResultOf(ended)

    def test_the_renamed_call_can_be_asked_for(self) -> None:
        ended = self.place(A)
        self.switch.job(f"+OK {B}")
        self.calls.ask()
        self.clock.advance(LINGER_SECONDS)
        self.assertEqual(self.switch.asked, [B, B])
        self.assertTrue(self.successResultOf(ended).lost)
        self.assert_clean()


class AnyOrderTests(SynchronousTestCase):
    happenings = st.sampled_from(
        ["ok", "err", "refused", "renamed", "answer", "hang_up", "cut", "back", "ask", "wait"]
    )

    @settings(deadline=None, max_examples=300)
    @given(st.lists(happenings, max_size=15), st.booleans())
    def test_every_call_ends_once_and_leaves_nothing_behind(
        self, happenings: list[str], exists: bool
    ) -> None:
        time, switch = clock(), FakeSwitch()
        calls = Calls(time, switch, Journal())
        ends: list[Attempt] = []
        answered = False
        calls.place(Attempt(A, None, "g", NOW), f"{{origination_uuid={A}}}x").addCallback(
            ends.append
        )
        uuid = A
        for what in happenings:
            was_up = len(calls) > 0
            if what == "ok":
                switch.job(f"+OK {uuid}")
            elif what == "renamed":
                uuid = B if switch.job(f"+OK {B}") and was_up else uuid
            elif what == "err":
                switch.job("-ERR USER_BUSY")
            elif what == "refused":
                switch.job("-ERR DESTINATION_OUT_OF_ORDER")
            elif what == "answer":
                calls.event(answer_event(uuid))
                answered = answered or was_up
            elif what == "hang_up":
                calls.event(hang_up_event(uuid, "USER_BUSY", 486))
            elif what == "cut":
                switch.goes_away()
            elif what == "back":
                switch.comes_back()
            elif what == "ask":
                switch.existing = {uuid} if exists else set()
                calls.ask()
            time.advance(0.3)
        switch.comes_back()
        switch.existing = set()
        calls.ask()
        time.advance(LINGER_SECONDS)
        time.advance(LINGER_SECONDS)
        calls.ask()
        time.advance(LINGER_SECONDS)
        self.assertEqual(len(ends), 1)
        self.assertEqual(ends[0].was_answered, answered)
        self.assertEqual((len(calls), time.getDelayedCalls()), (0, []))


class ClockStepTests(SynchronousTestCase):
    """The wall clock is set while a call is up: what is billed is what was talked."""

    def test_a_step_of_the_clock_is_not_billed(self) -> None:
        wall, steady = clock(), Clock()
        switch = FakeSwitch()
        calls = Calls(wall, switch, Journal(), steady.seconds)
        ended = calls.place(Attempt(A, "gw1", "main", dialed_at=NOW), "null/1 8888 XML default")
        steady.advance(2.0)
        calls.event(answer_event(A))
        wall.rightNow += 3600.0
        steady.advance(0.17)
        calls.event(hang_up_event(A, talked=0.17))
        attempt = self.successResultOf(ended)
        assert attempt.answered_at
        assert attempt.ended_at
        self.assertAlmostEqual(attempt.answered_at, NOW + 2.0, 5)
        self.assertAlmostEqual(attempt.ended_at - attempt.answered_at, 0.17, 5)

    def test_a_call_of_before_the_restart_goes_on_from_its_own_time(self) -> None:
        wall, steady = clock(), Clock()
        calls = Calls(wall, FakeSwitch(), Journal(), steady.seconds)
        ended = calls.adopt(Attempt(A, "gw1", "main", dialed_at=NOW - 30.0))
        steady.advance(5.0)
        calls.event(hang_up_event(A))
        self.assertEqual(self.successResultOf(ended).ended_at, NOW + 5.0)


class SeemsRefusedTests(CallsCase):
    """Of a refusal nothing comes but the failed job: it is acted on before it is certain."""

    def setUp(self) -> None:
        super().setUp()
        self.suspects: list[str] = []
        self.calls.seems_refused = lambda attempt: self.suspects.append(attempt.uuid)

    def test_a_job_alone(self) -> None:
        ended = self.place()
        self.switch.job("-ERR DESTINATION_OUT_OF_ORDER")
        self.clock.advance(SEEMS_REFUSED_AFTER - 0.01)
        self.assertEqual(self.suspects, [])
        self.clock.advance(0.01)
        self.clock.advance(0)
        self.assertEqual(self.suspects, [A])
        self.assertNoResult(ended)
        self.clock.advance(LINGER_SECONDS)
        self.assertTrue(is_refusal(self.successResultOf(ended)))
        self.assertEqual(self.suspects, [A])
        self.assert_clean()

    def test_not_one_whose_channel_was_hung_up(self) -> None:
        ended = self.place()
        self.switch.job("-ERR DESTINATION_OUT_OF_ORDER")
        self.calls.event(hang_up_event(A, cause="DESTINATION_OUT_OF_ORDER"))
        self.clock.advance(1)
        self.assertFalse(is_refusal(self.successResultOf(ended)))
        self.assertEqual(self.suspects, [])

    def test_not_one_whose_hang_up_was_read_in_the_same_turn(self) -> None:
        """A reactor that was busy runs its timers before it reads what has come meanwhile."""
        self.place()
        self.switch.job("-ERR DESTINATION_OUT_OF_ORDER")
        hang_up = hang_up_event(A, cause="DESTINATION_OUT_OF_ORDER")
        self.clock.callLater(SEEMS_REFUSED_AFTER, self.calls.event, hang_up)
        self.clock.advance(SEEMS_REFUSED_AFTER)
        self.assertEqual(self.suspects, [])

    def test_a_command_that_is_not_taken_at_all(self) -> None:
        self.switch.error = CommandRefused("bgapi", "permission denied")
        failure = self.failureResultOf(self.place(), NotTaken)
        self.assertEqual(failure.value.uuid, A)
        self.assertEqual(self.suspects, [A])

    def test_not_another_failure(self) -> None:
        self.place()
        self.switch.job("-ERR USER_BUSY")
        self.clock.advance(1)
        self.assertEqual(self.suspects, [])

    def test_not_one_whose_events_may_have_been_missed(self) -> None:
        self.place()
        self.switch.job("-ERR DESTINATION_OUT_OF_ORDER")
        self.calls.unheard()
        self.clock.advance(1)
        self.assertEqual(self.suspects, [])
