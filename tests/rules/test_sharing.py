"""How the schedule and the queue tasks share what there is, on plain values."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules.sharing import (
    ASKED_LOOK_INTERVAL,
    BACKLOG_LOOK_INTERVAL,
    MAX_SHARE,
    MAX_WITHOUT_LINE,
    MIN_KEPT,
    Claim,
    Facts,
    Kept,
    Nothing,
    Turn,
    Wait,
    claimed,
    for_queues,
    look,
    looked,
)

NOW = 1_700_000_000.0
IN_TURN = Turn(others_started=7)
"""The queue tasks have started nothing since the schedule's last turn."""


def facts(node_room: int = 1000, line_room: int = 0, others_started: int = 7, **more: Any) -> Facts:
    return Facts(NOW, node_room, line_room, others_started=others_started, **more)


class ClaimTests(SynchronousTestCase):
    def test_as_many_as_the_lines_and_the_node_have_room_for(self) -> None:
        self.assertEqual(look(Turn(), facts(line_room=5)), Claim(5, has_line=True))
        self.assertEqual(look(Turn(), facts(3, line_room=5)), Claim(3, has_line=True))
        self.assertEqual(look(Turn(), facts(line_room=5000)), Claim(MAX_SHARE, has_line=True))

    def test_what_the_queue_tasks_have_asked_for_is_theirs(self) -> None:
        self.assertEqual(look(Turn(), facts(line_room=5, asked=3)), Claim(2, has_line=True))
        found = look(IN_TURN, facts(line_room=5, asked=5))
        self.assertEqual(found, Wait(NOW + ASKED_LOOK_INTERVAL))

    def test_while_they_are_on_their_way_their_lines_are_kept(self) -> None:
        self.assertEqual(Claim(5, has_line=True).kept, Kept(lines=5))


class FullNodeTests(SynchronousTestCase):
    def test_the_next_place_is_kept_once_the_others_had_theirs(self) -> None:
        turn, now = Turn(others_started=6), facts(0, line_room=9)
        self.assertEqual(look(turn, now), Wait(NOW + BACKLOG_LOOK_INTERVAL, Kept(node=1)))
        self.assertEqual(look(IN_TURN, now), Wait(NOW + BACKLOG_LOOK_INTERVAL))

    def test_more_is_kept_for_a_backlog(self) -> None:
        turn = Turn(more_due=True, others_started=6)
        self.assertEqual(
            look(turn, facts(0)), Wait(NOW + BACKLOG_LOOK_INTERVAL, Kept(node=MIN_KEPT))
        )

    def test_claims_under_way_are_soon_over(self) -> None:
        self.assertEqual(look(IN_TURN, facts(0, asked=4)), Wait(NOW + ASKED_LOOK_INTERVAL))


class BusyLinesTests(SynchronousTestCase):
    def test_they_are_kept_in_turn(self) -> None:
        found = look(Turn(others_started=6), facts())
        self.assertEqual(found, Wait(NOW + BACKLOG_LOOK_INTERVAL, Kept(lines=1), for_line=True))
        self.assertEqual(look(IN_TURN, facts()), Nothing())

    def test_a_backlog_is_looked_at_often(self) -> None:
        turn = Turn(more_due=True, others_started=7)
        self.assertEqual(look(turn, facts()), Wait(NOW + BACKLOG_LOOK_INTERVAL, for_line=True))

    def test_some_are_told_so_when_no_line_came_for_a_whole_interval(self) -> None:
        poll = facts(is_poll=True)
        waited = looked(IN_TURN, poll, look(IN_TURN, poll))
        self.assertTrue(waited.has_waited)
        self.assertEqual(look(waited, facts()), Nothing())  # not before the next poll
        self.assertEqual(look(waited, poll), Claim(MAX_WITHOUT_LINE, has_line=False))
        self.assertEqual(look(waited, facts(3, is_poll=True)), Claim(3, has_line=False))

    def test_none_is_told_so_where_a_line_came(self) -> None:
        got_one = looked(IN_TURN, facts(line_room=1), look(IN_TURN, facts(line_room=1)))
        waited = looked(got_one, facts(), look(got_one, facts()))
        self.assertTrue(waited.has_waited)
        self.assertIsInstance(look(waited, facts(is_poll=True)), Nothing)

    def test_at_once_where_none_can_come(self) -> None:
        found = look(IN_TURN, facts(is_poll=True, line_may_come=False))
        self.assertEqual(found, Claim(MAX_WITHOUT_LINE, has_line=False))


class TurnTests(SynchronousTestCase):
    def test_a_claim_ends_the_turn(self) -> None:
        now = facts(line_room=1, others_started=9)
        self.assertEqual(looked(IN_TURN, now, look(IN_TURN, now)).others_started, 9)

    def test_more_is_due_after_a_claim_that_was_filled(self) -> None:
        self.assertTrue(claimed(Turn(), True, 0).more_due)
        self.assertFalse(claimed(Turn(), False, 0).more_due)
        self.assertFalse(claimed(Turn(), True, 1).more_due)

    def test_the_queue_tasks_have_what_is_not_kept(self) -> None:
        self.assertEqual([for_queues(5, 2), for_queues(1, 2)], [3, 0])


NUMBERS = st.integers(0, 300)
TURNS = st.builds(Turn, st.booleans(), st.booleans(), st.booleans(), st.integers(0, 3))
FACTS = st.builds(
    Facts, st.just(NOW), NUMBERS, NUMBERS, NUMBERS, st.integers(0, 3), st.booleans(), st.booleans()
)


class AnyTests(SynchronousTestCase):
    @given(TURNS, FACTS)
    def test_never_more_than_there_is(self, turn: Turn, now: Facts) -> None:
        found = look(turn, now)
        if isinstance(found, Claim):
            self.assertTrue(0 < found.count <= min(now.node_room, MAX_SHARE))
            if found.has_line:
                self.assertLessEqual(found.count, now.line_room - now.asked)
            else:
                self.assertFalse(now.line_room)

    @given(TURNS, FACTS)
    def test_a_wait_is_to_come(self, turn: Turn, now: Facts) -> None:
        found = look(turn, now)
        if isinstance(found, Wait):
            self.assertGreater(found.until, now.now)

    @given(TURNS, FACTS)
    def test_nothing_is_kept_before_the_others_have_started_a_call(
        self, turn: Turn, now: Facts
    ) -> None:
        found = look(turn, now)
        if turn.others_started == now.others_started and not isinstance(found, Claim):
            self.assertEqual(found.kept, Kept())
