"""The account of one line: calls, rest, faults."""

from __future__ import annotations

import math

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.line import FaultPolicy, Line
from ctidialer.rules.line_state import (
    UNUSED,
    CallEnd,
    LineState,
    TakenOut,
    Why,
    answered,
    calls_to_end,
    changes_at,
    ended,
    free_at,
    is_fault,
    never_left,
    room,
    started,
    taken_out,
    tried_now,
    why_busy,
    withdrawn,
)
from ctidialer.rules.pacing import Pace

PORT = Line("port", "user/1000", count=1, rest=5.0)
TRUNK = Line("trunk", "sofia/gateway/a/${destination_number}", count=30, rest=0.5)
FAULTY = Line("faulty", "user/1", count=10, faults=FaultPolicy(threshold=3, try_interval=60.0))

ANSWERED = CallEnd(True, "NORMAL_CLEARING", 200, duration=20.0, bill=15.0)
FAILED = CallEnd(False, "NORMAL_TEMPORARY_FAILURE", 503, duration=0.1)


def after(line: Line, *steps: tuple[float, CallEnd | None]) -> LineState:
    """Return the state after the steps: at a time, a start (None) or an end."""
    state = UNUSED
    for now, end in steps:
        state = started(state, line, now) if end is None else ended(state, line, now, end)
    return state


OUT = after(FAULTY, (0, None), (1, FAILED), (1, None), (2, FAILED), (2, None), (3, FAILED))


class RestTests(SynchronousTestCase):
    def test_a_line_for_one_call_rests_after_the_hang_up(self) -> None:
        state = after(PORT, (100, None))
        self.assertIs(why_busy(PORT, state, 104), Why.FULL)
        self.assertIsNone(free_at(PORT, state, 104))
        state = ended(state, PORT, 110, ANSWERED)
        self.assertIs(why_busy(PORT, state, 110), Why.RESTING)
        self.assertIs(why_busy(PORT, state, 114.9), Why.RESTING)
        self.assertEqual(free_at(PORT, state, 111), 115)
        self.assertIsNone(why_busy(PORT, state, 115))
        self.assertEqual(free_at(PORT, state, 120), 120)

    def test_a_line_for_more_rests_between_two_starts(self) -> None:
        state = after(TRUNK, (100, None))
        self.assertEqual(room(TRUNK, UNUSED, 100), 1)
        self.assertIs(why_busy(TRUNK, state, 100.4), Why.RESTING)
        self.assertEqual(free_at(TRUNK, state, 100.1), 100.5)
        self.assertEqual(room(TRUNK, state, 100.5), 1)
        self.assertIsNone(why_busy(TRUNK, ended(state, TRUNK, 101, ANSWERED), 101))

    def test_without_rest_the_room_is_what_is_left_of_the_count(self) -> None:
        line = evolve(TRUNK, rest=0.0)
        self.assertEqual(room(line, after(line, (1, None), (1, None)), 1), 28)
        self.assertEqual(room(evolve(line, count=None), UNUSED, 1), math.inf)
        self.assertEqual(room(evolve(line, count=0), UNUSED, 1), 0)

    def test_a_count_that_was_lowered_waits_for_the_calls_that_are_up(self) -> None:
        state = after(TRUNK, *[(float(second), None) for second in range(3)])
        lowered = evolve(TRUNK, count=2, rest=0.0)
        self.assertEqual(room(lowered, state, 10), 0)
        state = ended(state, lowered, 11, ANSWERED)
        self.assertIs(why_busy(lowered, state, 11), Why.FULL)
        self.assertIsNone(why_busy(lowered, ended(state, lowered, 12, ANSWERED), 12))

    def test_a_clock_put_back_does_not_make_a_line_rest_for_hours(self) -> None:
        state = after(PORT, (100_000, None), (100_010, ANSWERED))
        self.assertIsNone(why_busy(PORT, state, 96_410))


class FaultTests(SynchronousTestCase):
    def test_what_counts_as_a_fault(self) -> None:
        quick, slow = replace(FAILED, duration=0.4), replace(FAILED, duration=0.5)
        self.assertTrue(is_fault(FaultPolicy(), slow))
        self.assertTrue(is_fault(FaultPolicy(connect_time=0.5), quick))
        self.assertFalse(is_fault(FaultPolicy(connect_time=0.5), slow))
        self.assertFalse(is_fault(FaultPolicy(), ANSWERED))

    def test_the_threshold_puts_the_line_out_of_use(self) -> None:
        two = after(FAULTY, (0, None), (1, FAILED), (1, None), (2, FAILED))
        self.assertFalse(two.out_of_use)
        self.assertTrue(OUT.out_of_use)
        self.assertEqual(OUT.faults, 3)
        self.assertIs(why_busy(FAULTY, OUT, 62.9), Why.OUT_OF_USE)
        self.assertEqual(free_at(FAULTY, OUT, 10), 63)

    def test_only_faults_in_a_row_count(self) -> None:
        steps: list[tuple[float, CallEnd | None]] = []
        for _ in range(4):
            steps += [(0, None), (1, FAILED), (1, None), (2, FAILED), (2, None), (3, ANSWERED)]
        self.assertFalse(after(FAULTY, *steps).out_of_use)

    def test_threshold_0_is_never(self) -> None:
        line = evolve(FAULTY, faults=FaultPolicy())
        self.assertFalse(after(line, *[(0.0, None), (1.0, FAILED)] * 50).out_of_use)

    def test_one_trial_call_is_let_through_after_the_interval(self) -> None:
        self.assertEqual(room(FAULTY, OUT, 63), 1)
        trial = started(OUT, FAULTY, 63)
        self.assertIs(why_busy(FAULTY, trial, 64), Why.TRIAL_UNDER_WAY)
        self.assertIs(why_busy(FAULTY, trial, 1000), Why.TRIAL_UNDER_WAY)
        self.assertIsNone(free_at(FAULTY, trial, 64))

    def test_a_trial_that_succeeds_puts_the_line_back(self) -> None:
        back = ended(started(OUT, FAULTY, 63), FAULTY, 83, ANSWERED)
        self.assertEqual((back.out_of_use, back.faults, back.trial_since), (False, 0, None))
        self.assertEqual(room(FAULTY, back, 83), 10)

    def test_a_trial_that_is_answered_puts_the_line_back_before_its_hang_up(self) -> None:
        back = answered(started(OUT, FAULTY, 63), FAULTY)
        self.assertEqual(room(FAULTY, back, 64), 9)

    def test_a_trial_that_fails_waits_the_interval_again(self) -> None:
        again = ended(started(OUT, FAULTY, 63), FAULTY, 64, FAILED)
        self.assertIs(why_busy(FAULTY, again, 64), Why.OUT_OF_USE)
        self.assertEqual(free_at(FAULTY, again, 64), 124)

    def test_an_unanswered_trial_that_is_no_fault_is_a_success(self) -> None:
        line = evolve(FAULTY, faults=evolve(FAULTY.faults, connect_time=5.0))
        rang = CallEnd(False, "NO_ANSWER", None, duration=30.0)
        self.assertFalse(ended(started(OUT, line, 63), line, 93, rang).out_of_use)

    def test_calls_from_before_the_outage_are_not_the_trial(self) -> None:
        out = replace(OUT, calls=2)
        trial = started(out, FAULTY, 63)
        old = ended(trial, FAULTY, 64, replace(ANSWERED, duration=62.0))
        self.assertIs(why_busy(FAULTY, old, 64), Why.TRIAL_UNDER_WAY)
        self.assertFalse(ended(old, FAULTY, 70, replace(ANSWERED, duration=7.0)).out_of_use)
        # An old call that fails late does not put the trial off either.
        late = ended(out, FAULTY, 50, replace(FAILED, duration=49.0))
        self.assertEqual(free_at(FAULTY, late, 50), 63)
        self.assertTrue(answered(out, FAULTY).out_of_use)

    def test_a_withdrawn_trial_lets_the_next_one_through(self) -> None:
        back = withdrawn(started(OUT, FAULTY, 63))
        self.assertEqual(back.calls, 0)
        self.assertTrue(back.out_of_use)
        self.assertIsNone(why_busy(FAULTY, back, 63))

    def test_a_policy_taken_away_puts_the_line_back(self) -> None:
        line = evolve(FAULTY, faults=FaultPolicy())
        self.assertIsNone(why_busy(line, OUT, 10))
        self.assertFalse(ended(started(OUT, line, 10), line, 11, FAILED).out_of_use)

    def test_without_an_interval_one_call_at_a_time_tries(self) -> None:
        line = evolve(FAULTY, faults=FaultPolicy(threshold=1))
        out = after(line, (0, None), (1, FAILED))
        self.assertEqual(room(line, out, 1), 1)
        self.assertEqual(room(line, started(out, line, 1), 1), 0)

    def test_a_full_line_out_of_use_waits_for_a_hang_up(self) -> None:
        self.assertIsNone(free_at(FAULTY, replace(OUT, calls=10), 10))


class TakenOutTests(SynchronousTestCase):
    """An operator has taken the line out of use."""

    trunk = Line("trunk", "user/1", count=2)

    def test_no_call_is_placed_and_those_that_are_up_count(self) -> None:
        state = taken_out(after(self.trunk, (100, None)), TakenOut(by="ann", why="noise"))
        self.assertIs(why_busy(self.trunk, state, 101), Why.TAKEN_OUT)
        self.assertEqual(room(self.trunk, state, 101), 0)
        self.assertIsNone(free_at(self.trunk, state, 101))
        self.assertIsNone(changes_at(self.trunk, state, 101))
        self.assertEqual(calls_to_end(state), 0)
        self.assertEqual(ended(state, self.trunk, 110, ANSWERED).calls, 0)
        self.assertEqual(room(self.trunk, taken_out(state, None), 111), 1)

    def test_it_ends_by_itself(self) -> None:
        state = taken_out(after(self.trunk, (100, None)), TakenOut(until=160.0))
        self.assertEqual(free_at(self.trunk, state, 101), 160)
        self.assertEqual(changes_at(self.trunk, state, 101), 160)
        self.assertEqual(calls_to_end(state), 1)
        self.assertIsNone(why_busy(self.trunk, state, 160))
        full = replace(state, calls=2)
        self.assertIsNone(free_at(self.trunk, full, 101))

    def test_faults_count_meanwhile_and_are_waited_for_afterwards(self) -> None:
        out = taken_out(replace(OUT, calls=1), TakenOut(until=20.0))
        self.assertEqual(free_at(FAULTY, out, 10), 63)
        self.assertIs(why_busy(FAULTY, out, 20), Why.OUT_OF_USE)
        back = ended(taken_out(replace(UNUSED, calls=1), TakenOut()), FAULTY, 5, FAILED)
        self.assertEqual(back.faults, 1)

    def test_a_trial_by_hand_ends_the_rest_once(self) -> None:
        tried = tried_now(OUT)
        self.assertEqual(room(FAULTY, tried, 10), 1)
        self.assertEqual(free_at(FAULTY, tried, 10), 10)
        again = ended(started(tried, FAULTY, 10), FAULTY, 11, FAILED)
        self.assertEqual(free_at(FAULTY, again, 11), 71)
        self.assertIs(tried_now(UNUSED), UNUSED)


class NeverLeftTests(SynchronousTestCase):
    """FreeSWITCH made no channel: the line is out of use, whatever its threshold."""

    trunk = Line("trunk", "sofia/gateway/a/1", count=10)

    def refused(self, line: Line, now: float = 100.0) -> LineState:
        return never_left(started(UNUSED, line, now), line, "INVALID_GATEWAY", now)

    def test_out_of_use_at_once_with_the_word(self) -> None:
        state = self.refused(self.trunk)
        self.assertEqual((state.calls, state.never_left), (0, "INVALID_GATEWAY"))
        self.assertTrue(state.out_of_use)
        self.assertIs(why_busy(self.trunk, state, 100), Why.NEVER_LEFT)
        self.assertEqual(room(self.trunk, state, 129.9), 0)

    def test_one_trial_every_thirty_seconds_or_as_the_line_says(self) -> None:
        self.assertEqual(free_at(self.trunk, self.refused(self.trunk), 101), 130)
        own = evolve(self.trunk, faults=FaultPolicy(try_interval=5.0))
        state = self.refused(own)
        self.assertEqual(free_at(own, state, 101), 105)
        self.assertEqual(room(own, state, 105), 1)
        self.assertIs(why_busy(own, started(state, own, 105), 106), Why.TRIAL_UNDER_WAY)

    def test_a_trial_that_never_left_waits_again(self) -> None:
        trial = started(self.refused(self.trunk), self.trunk, 130)
        again = never_left(trial, self.trunk, "GATEWAY_DOWN", 130.1)
        self.assertEqual(again.never_left, "GATEWAY_DOWN")
        self.assertEqual(free_at(self.trunk, again, 131), 160.1)

    def test_any_trial_that_left_puts_it_back(self) -> None:
        trial = started(self.refused(self.trunk), self.trunk, 130)
        self.assertEqual(room(self.trunk, answered(trial, self.trunk), 131), 9)
        for end in (FAILED, ANSWERED):
            back = ended(trial, self.trunk, 131, end)
            self.assertEqual((back.out_of_use, back.never_left), (False, ""))
            self.assertEqual(room(self.trunk, back, 131), 10)

    def test_another_dial_string_puts_it_back(self) -> None:
        state = self.refused(self.trunk)
        mended = evolve(self.trunk, dialstring="sofia/gateway/b/1")
        self.assertEqual(room(mended, state, 101), 10)
        up = ended(started(state, mended, 101), mended, 102, FAILED)
        self.assertEqual((up.out_of_use, up.never_left), (False, ""))
        again = never_left(started(state, mended, 101), mended, "INVALID_GATEWAY", 101)
        self.assertIs(why_busy(mended, again, 102), Why.NEVER_LEFT)

    def test_a_withdrawn_trial_says_nothing(self) -> None:
        state = withdrawn(started(self.refused(self.trunk), self.trunk, 130))
        self.assertEqual(state.never_left, "INVALID_GATEWAY")
        self.assertEqual(room(self.trunk, state, 131), 1)

    def test_calls_from_before_are_not_the_trial(self) -> None:
        up = started(UNUSED, self.trunk, 90)
        out = never_left(started(up, self.trunk, 100), self.trunk, "INVALID_GATEWAY", 100)
        old = CallEnd(True, "NORMAL_CLEARING", 200, duration=15.0, bill=10.0)
        self.assertTrue(ended(out, self.trunk, 105, old).out_of_use)
        trial = started(out, self.trunk, 130)
        late = ended(trial, self.trunk, 131, replace(old, duration=41.0))
        self.assertIs(why_busy(self.trunk, late, 131), Why.TRIAL_UNDER_WAY)

    def test_a_trial_that_left_but_failed_counts_as_the_faults_say(self) -> None:
        trial = started(self.refused(FAULTY), FAULTY, 160)
        first = ended(trial, FAULTY, 161, FAILED)
        self.assertEqual((first.out_of_use, first.faults), (False, 1))
        third = ended(replace(trial, faults=2), FAULTY, 161, FAILED)
        self.assertIs(why_busy(FAULTY, third, 162), Why.OUT_OF_USE)

    def test_a_faulty_line_whose_trial_never_left(self) -> None:
        state = never_left(started(OUT, FAULTY, 63), FAULTY, "INVALID_GATEWAY", 63)
        self.assertIs(why_busy(FAULTY, state, 64), Why.NEVER_LEFT)
        self.assertEqual(free_at(FAULTY, state, 64), 123)
        self.assertEqual(state.faults, 3)


class RateTests(SynchronousTestCase):
    """``cps`` of a line."""

    slow = Line("slow", "user/1", count=10, cps=0.5)

    def test_starts_come_no_faster_than_the_rate(self) -> None:
        self.assertEqual(room(self.slow, UNUSED, 100), 1)
        state = started(UNUSED, self.slow, 100)
        self.assertIs(why_busy(self.slow, state, 101), Why.PACED)
        self.assertEqual(free_at(self.slow, state, 101), 102)
        self.assertEqual(room(self.slow, state, 102), 1)

    def test_in_ten_seconds_as_many_as_the_rate_says(self) -> None:
        line, state, starts = evolve(self.slow, cps=2.5, count=None), UNUSED, 0
        for tick in range(1000):
            now = 100 + tick * 0.01
            if room(line, state, now):
                state, starts = started(state, line, now), starts + 1
        self.assertEqual(starts, 25)

    def test_rest_and_rate_hold_together(self) -> None:
        line = evolve(self.slow, rest=5.0)
        self.assertEqual(free_at(line, started(UNUSED, line, 100), 101), 105)

    def test_a_full_line_is_not_free_at_its_rate(self) -> None:
        line = evolve(self.slow, count=1)
        self.assertIsNone(free_at(line, started(UNUSED, line, 100), 101))

    def test_a_rate_taken_away_is_forgotten(self) -> None:
        line = evolve(self.slow, cps=None)
        self.assertEqual(room(line, started(UNUSED, self.slow, 100), 100), 9)


lines = st.builds(
    Line,
    name=st.just("x"),
    dialstring=st.just("user/1"),
    count=st.sampled_from([1, 2, 5, None]),
    rest=st.sampled_from([0.0, 1.0]),
    cps=st.sampled_from([None, None, 0.4, 3.0]),
    faults=st.builds(
        FaultPolicy,
        threshold=st.sampled_from([0, 1, 3]),
        try_interval=st.sampled_from([0.0, 2.0]),
        connect_time=st.sampled_from([None, 0.5]),
    ),
)
steps = st.lists(st.tuples(st.floats(0, 2), st.sampled_from("sssefwn"), st.booleans()), max_size=60)


class InvariantTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=200)
    @given(lines, steps)
    def test_the_account_is_never_wrong(
        self, line: Line, played: list[tuple[float, str, bool]]
    ) -> None:
        state, now = UNUSED, 0.0
        up: list[float] = []
        for pause, what, was_answered in played:
            now += pause
            if what == "s" and room(line, state, now) >= 1:
                up.append(now)
                state = started(state, line, now)
            elif what == "w" and up:
                up.pop()
                state = withdrawn(state)
            elif what == "n" and up:
                up.pop()
                state = never_left(state, line, "INVALID_GATEWAY", now)
            elif what in "ef" and up:
                began = up.pop(0 if what == "e" else -1)
                end = CallEnd(was_answered, duration=now - began)
                state = ended(state, line, now, end)
            self.check(line, state, now, len(up))

    @settings(deadline=None, max_examples=500)
    @given(
        lines,
        st.builds(
            LineState,
            calls=st.sampled_from([0, 1]),
            idle_since=st.sampled_from([None, 8.0, 12.0]),
            last_start=st.sampled_from([None, 7.0, 13.0]),
            out_of_use_since=st.sampled_from([None, 9.0, 11.0]),
            never_left=st.sampled_from(["", "GATEWAY_DOWN"]),
            pace=st.sampled_from([Pace(), Pace(9.0, (9.0,)), Pace(12.5, (12.5,))]),
        ),
        st.floats(5, 50),
        st.floats(0, 1),
    )
    def test_nothing_changes_by_itself_before_it_is_foretold(
        self, line: Line, state: LineState, now: float, part: float
    ) -> None:
        change = changes_at(line, state, now)
        assert change is None or change > now
        later = now + part * (100 if change is None else (change - now) * 0.999)
        self.assertEqual(room(line, state, later), room(line, state, now))

    def check(self, line: Line, state: LineState, now: float, up: int) -> None:
        self.assertEqual(state.calls, up)
        self.assertTrue(line.count is None or state.calls <= line.count)
        free = room(line, state, now)
        self.assertEqual(free == 0, why_busy(line, state, now) is not None)
        at = free_at(line, state, now)
        self.assertEqual(at == now, free > 0)
        if at is not None:
            self.assertGreaterEqual(room(line, state, at), 1)
            before = at - 1e-5 if line.cps else math.nextafter(at, 0)
            self.assertTrue(before <= now or room(line, state, before) == 0)
        if up == 0:
            self.assertIsNotNone(at, "a line without calls would never come free")
