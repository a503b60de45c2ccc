"""The accounts of the lines."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.line import FaultPolicy, Line
from ctidialer.dialer.dispatch.lines import LineAccounts
from ctidialer.rules.routing import CallEnd, Routes

LINE = Line("gw1", "user/1", count=3, faults=FaultPolicy(threshold=2, try_interval=60.0))
FAILED = CallEnd(False, "NORMAL_TEMPORARY_FAILURE", 503, 0.1)
ANSWERED = CallEnd(True, "NORMAL_CLEARING", 200, 9.0, 5.0)


def routes(line: Line | None = LINE) -> Routes:
    return Routes({line.name: line} if line else {}, {}, "user/${destination_number}")


class AccountTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.lines = LineAccounts()

    def room(self, now: float = 100.0, line: Line | None = LINE) -> int:
        return self.lines.room(routes(line), ["gw1"], now, 50)

    def test_calls_take_room_until_they_end(self) -> None:
        self.lines.started(LINE, 100)
        self.lines.started(LINE, 100)
        self.assertEqual(self.room(), 1)
        self.lines.ended(LINE, 101, ANSWERED)
        self.lines.withdrawn(LINE)
        self.assertEqual(self.room(), 3)

    def test_the_default_dial_string_has_no_account(self) -> None:
        self.lines.started(None, 100)
        self.lines.answered(None)
        self.lines.withdrawn(None)
        self.lines.ended(None, 101, FAILED)
        self.assertEqual(self.lines.states, {})
        self.assertEqual(self.room(line=None), 50)

    def test_a_line_that_is_edited_keeps_its_account(self) -> None:
        self.lines.started(LINE, 100)
        smaller = evolve(LINE, count=1)
        self.assertEqual(self.room(line=smaller), 0)
        self.lines.ended(LINE, 101, ANSWERED)
        self.assertEqual(self.room(102, smaller), 1)

    def test_a_line_that_is_removed_and_put_again_keeps_its_account(self) -> None:
        self.lines.started(LINE, 100)
        self.assertEqual(self.room(line=None), 50)
        self.assertEqual(self.room(), 2)

    def test_faults_put_it_out_of_use_and_an_answer_back_in(self) -> None:
        for moment in (100, 101):
            self.lines.started(LINE, moment)
            self.lines.ended(LINE, moment, FAILED)
        self.assertTrue(self.lines.states["gw1"].out_of_use)
        self.assertEqual(self.room(102), 0)
        self.assertEqual(self.room(162), 1)
        self.lines.started(LINE, 162)
        self.lines.answered(LINE)
        self.assertFalse(self.lines.states["gw1"].out_of_use)

    def test_a_withdrawn_trial_may_be_made_again(self) -> None:
        for moment in (100, 101):
            self.lines.started(LINE, moment)
            self.lines.ended(LINE, moment, FAILED)
        self.lines.started(LINE, 162)
        self.assertEqual(self.room(163), 0)
        self.lines.withdrawn(LINE)
        self.assertEqual(self.room(163), 1)

    @settings(deadline=None, max_examples=150)
    @given(st.lists(st.sampled_from(["answered", "failed", "withdrawn", "start"]), max_size=40))
    def test_the_account_is_even_when_all_calls_are_over(self, history: list[str]) -> None:
        lines, up, now = LineAccounts(), 0, 100.0
        for what in history:
            now += 7.0
            if what == "start":
                lines.started(LINE, now)
                up += 1
            elif up:
                up -= 1
                if what == "withdrawn":
                    lines.withdrawn(LINE)
                else:
                    lines.ended(LINE, now, ANSWERED if what == "answered" else FAILED)
            self.assertEqual(lines.states["gw1"].calls if "gw1" in lines.states else 0, up)
        for _ in range(up):
            lines.ended(LINE, now, ANSWERED)
        self.assertTrue(all(state.calls == 0 for state in lines.states.values()))
