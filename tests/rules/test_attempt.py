"""The life of one call: whatever FreeSWITCH reports, in whatever order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules.attempt import (
    MAX_LATE,
    NO_CHANNEL,
    Attempt,
    HangUp,
    Phase,
    answered,
    attempt_record,
    call_end,
    gone,
    hung_up,
    is_refusal,
    job_failed,
    job_succeeded,
    lingered,
)

UUID = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
SENT = Attempt(UUID, "gw1", "main", dialed_at=100.0)
BUSY = HangUp(103.0, "USER_BUSY", 486, progress_at=101.0)
CLEARED = HangUp(120.0, "NORMAL_CLEARING", 200, answered_at=105.0)

Step = Callable[[Attempt], Attempt]


def after(*steps: Step) -> Attempt:
    """Return what has become of an attempt that was sent."""
    attempt = SENT
    for step in steps:
        attempt = step(attempt)
    return attempt


def answer(at: float = 105.0) -> Step:
    return lambda attempt: answered(attempt, at)


def hang_up(how: HangUp) -> Step:
    return lambda attempt: hung_up(attempt, how)


def ok(uuid: str = UUID) -> Step:
    return lambda attempt: job_succeeded(attempt, uuid)


def err(text: str, at: float = 103.0) -> Step:
    return lambda attempt: job_failed(attempt, text, at)


def lost(at: float = 200.0) -> Step:
    return lambda attempt: gone(attempt, at)


class OrderTests(SynchronousTestCase):
    """The orders of events that recordings of a real FreeSWITCH show."""

    def test_answered_and_hung_up_the_job_first_or_last_or_between(self) -> None:
        orders = (
            (ok(), answer(), hang_up(CLEARED)),
            (answer(), ok(), hang_up(CLEARED)),
            (answer(), hang_up(CLEARED), ok()),
        )
        for steps in orders:
            attempt = after(*steps)
            self.assertTrue(attempt.ended)
            self.assertEqual((attempt.answered_at, attempt.ended_at), (105.0, 120.0))
            self.assertEqual(call_end(attempt).bill, 15.0)

    def test_the_ok_of_a_job_is_no_answer(self) -> None:
        attempt = after(ok(), hang_up(BUSY))
        self.assertTrue(attempt.ended)
        self.assertFalse(attempt.was_answered)
        self.assertEqual((attempt.cause, attempt.sip_code), ("USER_BUSY", 486))

    def test_answered_and_gone_at_once_the_job_fails_and_the_answer_counts(self) -> None:
        brief = HangUp(105.1, "NORMAL_CLEARING", 200, answered_at=105.0)
        orders = (
            (answer(), err("NORMAL_CLEARING"), hang_up(brief)),
            (err("NORMAL_CLEARING"), answer(), hang_up(brief)),
            (answer(), hang_up(brief), err("NORMAL_CLEARING")),
        )
        for steps in orders:
            attempt = after(*steps)
            self.assertTrue(attempt.ended)
            self.assertEqual((attempt.answered_at, attempt.ended_at), (105.0, 105.1))

    def test_after_an_answer_a_failed_job_neither_ends_nor_lingers(self) -> None:
        self.assertIs(after(answer(), err("NORMAL_CLEARING")).phase, Phase.ANSWERED)
        late = after(err("NORMAL_CLEARING"), answer(), lingered)
        self.assertIs(late.phase, Phase.ANSWERED)
        self.assertIsNone(late.ended_at)

    def test_a_failed_job_before_the_hang_up_leaves_the_last_word_to_it(self) -> None:
        waiting = after(err("USER_BUSY"))
        self.assertIs(waiting.phase, Phase.LINGERING)
        attempt = after(err("USER_BUSY"), hang_up(BUSY))
        self.assertEqual((attempt.cause, attempt.sip_code), ("USER_BUSY", 486))
        self.assertEqual(attempt.ended_at, 103.0)

    def test_a_failed_job_after_the_hang_up_changes_nothing(self) -> None:
        self.assertEqual(after(hang_up(BUSY), err("USER_BUSY", 104)), after(hang_up(BUSY)))

    def test_a_failed_job_without_any_hang_up_ends_when_its_time_is_over(self) -> None:
        attempt = after(err("USER_BUSY"), lingered)
        self.assertTrue(attempt.ended)
        self.assertEqual((attempt.cause, attempt.ended_at), ("USER_BUSY", 103.0))
        self.assertFalse(attempt.lost)

    def test_a_failure_that_never_makes_a_channel_ends_at_once(self) -> None:
        for cause in NO_CHANNEL:
            attempt = after(err(cause))
            self.assertTrue(attempt.ended, cause)
            self.assertEqual(attempt.cause, cause)

    def test_a_usage_message_is_no_cause_and_ends_at_once(self) -> None:
        for text in ("-USAGE: <call url> <exten>|&<application_name>", "", "permission denied"):
            attempt = after(err(text))
            self.assertTrue(attempt.ended, text)
            self.assertIsNone(attempt.cause, text)

    def test_the_text_behind_a_cause_is_not_part_of_it(self) -> None:
        self.assertEqual(after(err("CALL_REJECTED something more")).cause, "CALL_REJECTED")

    def test_a_lost_answer_is_found_in_the_hang_up(self) -> None:
        attempt = after(hang_up(CLEARED))
        self.assertEqual(attempt.answered_at, 105.0)
        self.assertTrue(call_end(attempt).answered)

    def test_the_answer_is_when_freeswitch_stamped_it_though_its_event_was_late(self) -> None:
        self.assertEqual(after(answer(105.0 + MAX_LATE), hang_up(CLEARED)).answered_at, 105.0)
        self.assertEqual(after(answer(104.5), hang_up(CLEARED)).answered_at, 105.0)

    def test_a_stamp_of_a_clock_that_was_set_does_not_count(self) -> None:
        self.assertEqual(after(answer(106.5), hang_up(CLEARED)).answered_at, 106.5)

    def test_a_stamp_a_tick_before_the_call_was_placed(self) -> None:
        stamped = HangUp(109.0, "NORMAL_CLEARING", answered_at=99.99, bridged_at=100.5)
        ended = hung_up(replace(SENT, dialed_at=100.0), stamped)
        self.assertEqual((ended.answered_at, ended.bridged_at), (100.0, 100.5))

    def test_a_stamp_long_before_it_is_left_as_it_is(self) -> None:
        stamped = HangUp(60.0, "NORMAL_CLEARING", answered_at=50.0)
        ended = hung_up(replace(SENT, dialed_at=100.0), stamped)
        self.assertEqual(ended.answered_at, 50.0)

    def test_without_a_stamp_it_is_when_it_was_heard(self) -> None:
        at_zero = hung_up(answered(replace(SENT, dialed_at=0.0), 0.0), HangUp(9.0, None))
        self.assertEqual(at_zero.answered_at, 0.0)

    def test_a_second_answer_does_not_move_the_first(self) -> None:
        self.assertEqual(after(answer(105), answer(107)).answered_at, 105)

    def test_a_hang_up_without_a_cause_keeps_that_of_the_job(self) -> None:
        self.assertEqual(after(err("USER_BUSY"), hang_up(HangUp(104, None))).cause, "USER_BUSY")


class UuidTests(SynchronousTestCase):
    def test_another_uuid_is_taken_over(self) -> None:
        self.assertEqual(after(ok(OTHER)).uuid, OTHER)
        self.assertEqual(after(answer(), ok(OTHER)).uuid, OTHER)

    def test_an_ended_attempt_keeps_its_uuid(self) -> None:
        self.assertEqual(after(hang_up(BUSY), ok(OTHER)).uuid, UUID)

    def test_what_is_no_word_is_no_uuid(self) -> None:
        for text in ("", " ", "two words", f"{OTHER} x"):
            self.assertEqual(after(ok(text)).uuid, UUID, text)


class GoneTests(SynchronousTestCase):
    def test_a_call_that_freeswitch_forgot_is_lost(self) -> None:
        attempt = after(ok(), lost(300.0))
        self.assertTrue(attempt.ended)
        self.assertTrue(attempt.lost)
        self.assertEqual(attempt.ended_at, 300.0)

    def test_a_call_that_ended_is_not_lost_afterwards(self) -> None:
        self.assertEqual(after(hang_up(BUSY), lost()), after(hang_up(BUSY)))

    def test_a_lost_call_that_was_answered_stays_answered(self) -> None:
        attempt = after(answer(), lost())
        self.assertTrue(attempt.was_answered)
        self.assertTrue(call_end(attempt).answered)


class RefusalTests(SynchronousTestCase):
    """FreeSWITCH itself turned the call away: no event of a channel, only the job."""

    def test_only_the_jobs_word_is_a_refusal(self) -> None:
        self.assertTrue(is_refusal(after(err("DESTINATION_OUT_OF_ORDER"), lingered)))

    def test_not_before_the_hang_up_had_its_time(self) -> None:
        self.assertFalse(is_refusal(after(err("DESTINATION_OUT_OF_ORDER"))))

    def test_a_channel_that_was_seen_is_the_far_ends_verdict(self) -> None:
        far = HangUp(104, "DESTINATION_OUT_OF_ORDER", None)
        self.assertFalse(is_refusal(after(hang_up(far))))
        self.assertFalse(is_refusal(after(err("DESTINATION_OUT_OF_ORDER"), hang_up(far))))

    def test_another_cause_or_a_lost_call_is_none(self) -> None:
        self.assertFalse(is_refusal(after(err("USER_BUSY"), lingered)))
        self.assertFalse(is_refusal(after(err("GATEWAY_DOWN"))))
        self.assertFalse(is_refusal(after(err("DESTINATION_OUT_OF_ORDER"), lost())))


class CallEndTests(SynchronousTestCase):
    def test_times_never_run_backwards(self) -> None:
        early = HangUp(90.0, "NORMAL_CLEARING", answered_at=95.0)
        end = call_end(after(hang_up(early)))
        self.assertEqual((end.duration, end.bill), (0.0, 0.0))

    def test_the_record_says_what_the_attempt_was(self) -> None:
        record = attempt_record(after(hang_up(BUSY)))
        self.assertEqual(record.uuid, UUID)
        self.assertEqual((record.line, record.line_group), ("gw1", "main"))
        self.assertEqual((record.dialed_at, record.progress_at), (100.0, 101.0))
        self.assertEqual((record.answered_at, record.ended_at), (None, 103.0))
        self.assertEqual((record.hangup_cause, record.sip_code), ("USER_BUSY", 486))


moments = st.floats(0, 1000)
causes = st.sampled_from(
    ["USER_BUSY", "DESTINATION_OUT_OF_ORDER", "GATEWAY_DOWN", "-USAGE: x", "", "NORMAL_CLEARING"]
)
hang_ups = st.builds(
    HangUp,
    at=moments,
    cause=st.sampled_from([None, "USER_BUSY", "NORMAL_CLEARING"]),
    sip_code=st.sampled_from([None, 200, 486]),
    progress_at=st.none() | moments,
    answered_at=st.none() | moments,
)
anything: st.SearchStrategy[tuple[str, Step]] = st.one_of(
    st.tuples(st.just("answer"), moments.map(answer)),
    st.tuples(st.just("hang_up"), hang_ups.map(hang_up)),
    st.tuples(st.just("ok"), st.sampled_from([UUID, OTHER, ""]).map(ok)),
    st.tuples(st.just("err"), st.builds(err, causes, moments)),
    st.tuples(st.just("lingered"), st.just(lingered)),
    st.tuples(st.just("gone"), moments.map(lost)),
)


class InterleavingTests(SynchronousTestCase):
    """Whatever comes, in whatever order and as often as it likes."""

    @settings(deadline=None, max_examples=400)
    @given(st.lists(anything, max_size=12))
    def test_ends_once_and_for_good_and_loses_no_answer(
        self, steps: Sequence[tuple[str, Step]]
    ) -> None:
        attempt, ends, was_answered = SENT, 0, False
        for name, step in steps:
            before, attempt = attempt, step(attempt)
            if before.ended:
                self.assertEqual(attempt, before)
                continue
            ends += attempt.ended
            was_answered = was_answered or name == "answer"
            self.assertEqual(attempt.ended, attempt.phase is Phase.ENDED)
            self.assertEqual(attempt.lost, name == "gone")
            if was_answered:
                self.assertTrue(attempt.was_answered)
            if attempt.was_answered:
                self.assertIsNot(attempt.phase, Phase.LINGERING)
            self.assertEqual(attempt.phase is Phase.ANSWERED, was_answered and not attempt.ended)
        self.assertLessEqual(ends, 1)

    @settings(deadline=None, max_examples=200)
    @given(st.lists(anything, max_size=8))
    def test_whatever_came_before_it_can_be_ended(self, steps: Sequence[tuple[str, Step]]) -> None:
        attempt = after(*(step for _, step in steps), lost())
        self.assertTrue(attempt.ended)
        self.assertIsNotNone(attempt.ended_at)
        end = call_end(attempt)
        self.assertEqual(end.answered, end.bill is not None)
        self.assertGreaterEqual(end.duration, 0)
        self.assertEqual(attempt_record(attempt).uuid, attempt.uuid)

    @settings(deadline=None, max_examples=200)
    @given(st.permutations([ok(), answer(), hang_up(CLEARED)]))
    def test_an_answered_call_is_answered_in_every_order(self, steps: list[Step]) -> None:
        attempt = after(*steps)
        self.assertTrue(attempt.ended)
        self.assertEqual(attempt.answered_at, 105.0)
