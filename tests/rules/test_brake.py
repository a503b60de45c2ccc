"""The brake of a task, on plain values."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import Outcome
from ctidialer.rules.abandonment import Judgement
from ctidialer.rules.brake import (
    LOOSE,
    MAX_SHOWN,
    TRY_INTERVAL,
    UNLIMITED,
    Brake,
    NumberEnd,
    ended,
    next_try,
    room,
    shown_entry,
    tried,
)

NOW = 1_700_000_000.0
DEAD = NumberEnd(Outcome.FAILED, False, ("line gw1", "NORMAL_TEMPORARY_FAILURE", "SIP 503"), b"1")
BAD = NumberEnd(Outcome.INVALID, False, ('$: must be a number, not "x1"',), b"x1")
ANSWERED = NumberEnd(Outcome.ANSWERED, True, (), b"2")
REACHED = evolve(ANSWERED, judgement=Judgement.REACHED)
ABANDONED = evolve(ANSWERED, judgement=Judgement.ABANDONED, said=("line gw1",))
BUSY = NumberEnd(Outcome.BUSY, True, (), b"3")


def after(*ends: NumberEnd, after: int = 3, brake: Brake = LOOSE) -> Brake:
    for end in ends:
        brake = ended(brake, end, after, NOW)
    return brake


class OnTests(SynchronousTestCase):
    def test_so_many_in_a_row_that_ended_alike(self) -> None:
        self.assertFalse(after(DEAD, DEAD).is_on)
        brake = after(DEAD, DEAD, evolve(DEAD, entry=b"last"))
        self.assertEqual((brake.since, brake.count, brake.entry), (NOW, 3, b"last"))
        self.assertIs(brake.outcome, Outcome.FAILED)
        self.assertEqual(brake.common, DEAD.said)

    def test_invalid_and_failed_are_not_alike(self) -> None:
        self.assertFalse(after(DEAD, DEAD, BAD, BAD).is_on)
        self.assertTrue(after(DEAD, DEAD, BAD, BAD, BAD).is_on)

    def test_one_that_rang_has_a_line_that_works(self) -> None:
        self.assertEqual(after(DEAD, DEAD, evolve(DEAD, rang=True)), LOOSE)

    def test_one_that_goes_well_begins_anew(self) -> None:
        for outcome in (Outcome.BUSY, Outcome.NO_ANSWER, Outcome.REJECTED, Outcome.UNALLOCATED):
            self.assertEqual(after(DEAD, DEAD, evolve(DEAD, outcome=outcome)), LOOSE, outcome)

    def test_one_of_which_nothing_is_known_says_nothing(self) -> None:
        unknown = evolve(DEAD, outcome=Outcome.UNKNOWN)
        self.assertTrue(after(DEAD, unknown, DEAD, DEAD).is_on)
        self.assertTrue(after(DEAD, DEAD, DEAD, unknown).is_on)

    def test_zero_is_never(self) -> None:
        self.assertEqual(after(*[DEAD] * 100, after=0), LOOSE)

    def test_what_they_had_in_common(self) -> None:
        other = evolve(DEAD, said=("line gw2", "NORMAL_TEMPORARY_FAILURE", "SIP 503"))
        self.assertEqual(after(DEAD, other, DEAD).common, ("NORMAL_TEMPORARY_FAILURE", "SIP 503"))
        reasons = (evolve(BAD, said=(f'$: must be a number, not "{n}"',)) for n in "abc")
        self.assertEqual(after(*reasons).common, ('$: must be a number, not "…',))
        self.assertEqual(after(*(evolve(BAD, said=(text,)) for text in ("a", "b", "c"))).common, ())


class NoAgentTests(SynchronousTestCase):
    """All who answer are abandoned: no agent can be reached."""

    def test_so_many_in_a_row_whatever_became_of_the_others(self) -> None:
        brake = after(ABANDONED, BUSY, DEAD, ABANDONED, DEAD, DEAD)
        self.assertFalse(brake.is_on)
        brake = after(ABANDONED, BUSY, DEAD, ABANDONED, BUSY, evolve(ABANDONED, entry=b"last"))
        self.assertEqual((brake.since, brake.count, brake.entry), (NOW, 3, b"last"))
        self.assertEqual((brake.outcome, brake.common), (Outcome.ANSWERED, ("abandoned",)))

    def test_one_who_reached_an_agent_begins_anew(self) -> None:
        self.assertEqual(after(ABANDONED, ABANDONED, REACHED), LOOSE)
        self.assertTrue(after(ABANDONED, ABANDONED, ANSWERED, ABANDONED).is_on)  # who left at once

    def test_the_lines_work_where_somebody_answers(self) -> None:
        self.assertFalse(after(DEAD, DEAD, ABANDONED, DEAD, DEAD).is_on)

    def test_dead_lines_are_found_out_all_the_same(self) -> None:
        brake = after(ABANDONED, ABANDONED, DEAD, DEAD, DEAD)
        self.assertEqual((brake.is_on, brake.outcome), (True, Outcome.FAILED))
        brake = after(ABANDONED, brake=brake)  # the trial: they work again, but no agent is there
        self.assertEqual((brake.is_on, brake.outcome, brake.count), (True, Outcome.ANSWERED, 3))

    def test_only_an_agent_lets_go(self) -> None:
        brake = after(ABANDONED, ABANDONED, ABANDONED)
        for end in (BUSY, DEAD, BAD, ANSWERED):
            self.assertEqual(after(end, brake=brake), brake)
        again = after(ABANDONED, brake=brake)
        self.assertEqual((again.since, again.count), (NOW, 4))
        self.assertEqual(after(REACHED, brake=brake), LOOSE)

    def test_zero_is_never(self) -> None:
        self.assertEqual(after(*[ABANDONED] * 100, after=0), LOOSE)


class HeldTests(SynchronousTestCase):
    def test_one_number_a_minute_is_tried(self) -> None:
        brake = after(DEAD, DEAD, DEAD)
        self.assertEqual(room(brake, NOW + TRY_INTERVAL - 1), 0)
        self.assertEqual(next_try(brake), NOW + TRY_INTERVAL)
        self.assertEqual(room(brake, NOW + TRY_INTERVAL), 1)
        again = tried(brake, NOW + TRY_INTERVAL)
        self.assertEqual(room(again, NOW + TRY_INTERVAL + 1), 0)
        self.assertEqual(room(again, NOW + 2 * TRY_INTERVAL), 1)

    def test_a_trial_that_fails_changes_nothing_and_one_that_goes_well_lets_go(self) -> None:
        brake = tried(after(DEAD, DEAD, DEAD), NOW + 60)
        self.assertEqual(after(DEAD, brake=brake).since, NOW)
        self.assertEqual(after(BAD, brake=brake).since, NOW)
        self.assertEqual(after(ANSWERED, brake=brake), LOOSE)

    def test_without_it_there_is_no_bound(self) -> None:
        self.assertEqual(room(LOOSE, NOW), UNLIMITED)
        self.assertIs(tried(LOOSE, NOW), LOOSE)

    def test_a_clock_that_was_set_back_holds_nothing_for_long(self) -> None:
        self.assertEqual(room(after(DEAD, DEAD, DEAD), NOW - 3600), 1)


class AnyTests(SynchronousTestCase):
    @given(st.lists(st.sampled_from([DEAD, BAD, ANSWERED]), max_size=40), st.integers(1, 6))
    def test_on_as_soon_as_the_last_so_many_are_alike(
        self, ends: list[NumberEnd], limit: int
    ) -> None:
        brake = LOOSE
        for index, end in enumerate(ends):
            brake = ended(brake, end, limit, NOW)
            row = ends[: index + 1][-limit:]
            if len(row) == limit and end.is_bad and all(one is end for one in row):
                self.assertTrue(brake.is_on)
            if end.went_well:
                self.assertFalse(brake.is_on)

    @given(st.binary(max_size=500))
    def test_any_entry_can_be_shown(self, entry: bytes) -> None:
        shown = shown_entry(entry)
        self.assertLessEqual(len(shown), MAX_SHOWN + 1)
        self.assertTrue(shown.isprintable())
