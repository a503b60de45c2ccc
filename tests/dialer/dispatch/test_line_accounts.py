"""The accounts of the lines."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.line import FaultPolicy, Line
from ctidialer.dialer.dispatch.lines import FORGOTTEN_AFTER, MANY, LineAccounts
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
        self.lines.started(LINE, "gw1", 100)
        self.lines.started(LINE, "gw1", 100)
        self.assertEqual(self.room(), 1)
        self.lines.ended(LINE, "gw1", 101, ANSWERED)
        self.lines.withdrawn(LINE, "gw1")
        self.assertEqual(self.room(), 3)

    def test_lines_that_are_gone_for_long_are_forgotten_when_they_are_many(self) -> None:
        self.lines.started(LINE, "gw1", 100)
        self.lines.ended(LINE, "gw1", 101, ANSWERED)
        self.assertEqual(self.room(), 3)
        faulty = evolve(LINE, name="faulty", gateway="trunk")
        for _ in range(2):
            self.lines.started(faulty, "g", 100)
            self.lines.ended(faulty, "g", 101, FAILED)
        up = evolve(LINE, name="up")
        self.lines.started(up, "g", 100)
        for index in range(5 * MANY):
            now = 200 + index * FORGOTTEN_AFTER / 100
            line = evolve(LINE, name=f"line {index}", gateway=f"gateway {index}")
            self.lines.started(line, "g", now)
            self.lines.ended(line, "g", now + 1, ANSWERED)
        self.assertLess(len(self.lines.states), 3 * MANY)
        kept = [name for name in ("gw1", "faulty", "up", "line 0") if name in self.lines.states]
        self.assertEqual(kept, ["gw1", "faulty", "up"])
        self.lines.ended(up, "g", 9e9, ANSWERED)
        self.assertEqual(self.lines.states["up"].calls, 0)

    def test_a_fallback_takes_any_number_of_calls_and_leaves_nothing_behind(self) -> None:
        for _ in range(3):
            self.lines.started(None, "gw1", 100)
        self.assertEqual(self.room(line=None), 50)
        self.assertTrue(self.lines.is_fallback("gw1"))
        self.lines.answered(None, "gw1")
        self.lines.withdrawn(None, "gw1")
        for _ in range(2):
            self.lines.ended(None, "gw1", 101, FAILED)
        self.assertEqual(self.lines.states, {})
        self.assertFalse(self.lines.is_fallback("gw1"))

    def test_a_line_that_is_edited_keeps_its_account(self) -> None:
        self.lines.started(LINE, "gw1", 100)
        smaller = evolve(LINE, count=1)
        self.assertEqual(self.room(line=smaller), 0)
        self.lines.ended(LINE, "gw1", 101, ANSWERED)
        self.assertEqual(self.room(102, smaller), 1)

    def test_a_line_that_is_removed_and_put_again_keeps_its_account(self) -> None:
        self.lines.started(LINE, "gw1", 100)
        self.assertEqual(self.room(line=None), 50)
        self.assertEqual(self.room(), 2)

    def test_faults_put_it_out_of_use_and_an_answer_back_in(self) -> None:
        for moment in (100, 101):
            self.lines.started(LINE, "gw1", moment)
            self.lines.ended(LINE, "gw1", moment, FAILED)
        self.assertTrue(self.lines.states["gw1"].out_of_use)
        self.assertEqual(self.room(102), 0)
        self.assertEqual(self.room(162), 1)
        self.lines.started(LINE, "gw1", 162)
        self.lines.answered(LINE, "gw1")
        self.assertFalse(self.lines.states["gw1"].out_of_use)

    def test_a_withdrawn_trial_may_be_made_again(self) -> None:
        for moment in (100, 101):
            self.lines.started(LINE, "gw1", moment)
            self.lines.ended(LINE, "gw1", moment, FAILED)
        self.lines.started(LINE, "gw1", 162)
        self.assertEqual(self.room(163), 0)
        self.lines.withdrawn(LINE, "gw1")
        self.assertEqual(self.room(163), 1)


class NeverLeftTests(SynchronousTestCase):
    """A call for which FreeSWITCH made no channel."""

    def setUp(self) -> None:
        self.lines = LineAccounts()
        self.logged = self.enterContext(capturedLogs())

    @property
    def said(self) -> list[tuple[LogLevel, str]]:
        """The levels and texts of what was logged."""
        return [(event["log_level"], formatEvent(event)) for event in self.logged]

    def never_left(self, line: Line | None, now: float, word: str = "INVALID_GATEWAY") -> None:
        self.lines.started(line, "trunks", now)
        self.lines.never_left(line, "trunks", word, now)

    def room(self, now: float) -> int:
        return self.lines.room(routes(None), ["trunks"], now, 50)

    def test_it_is_said_once_with_what_to_do_and_again_when_it_is_over(self) -> None:
        self.never_left(LINE, 100)
        self.never_left(LINE, 160)
        self.lines.started(LINE, "trunks", 220)
        self.lines.ended(LINE, "trunks", 221, ANSWERED)
        (first, warning), (second, back) = self.said
        self.assertEqual((first, second), (LogLevel.warn, LogLevel.info))
        for said in ("Line gw1", "trunks", "INVALID_GATEWAY", "60 s", "sofia profile NAME rescan"):
            self.assertIn(said, warning)
        self.assertEqual(back, "Line gw1 is back in use")

    def test_another_word_is_said(self) -> None:
        self.never_left(LINE, 100)
        self.never_left(LINE, 160, "GATEWAY_DOWN")
        self.never_left(LINE, 220, "SOMETHING_NEW")
        self.assertIn("sofia status gateway", self.said[1][1])
        self.assertIn("SOMETHING_NEW", self.said[2][1])

    def test_a_fallback_rests_for_thirty_seconds(self) -> None:
        self.never_left(None, 100)
        self.assertIn("Fallback trunks is out of use", self.said[0][1])
        self.assertIn("every 30 s", self.said[0][1])
        self.assertEqual([self.room(now) for now in (100, 129.9, 130)], [0, 0, 1])
        self.lines.started(None, "trunks", 130)
        self.assertEqual(self.room(131), 0)
        self.lines.ended(None, "trunks", 132, FAILED)
        self.assertEqual(self.room(132), 50)
        self.assertEqual(self.said[1][1], "Fallback trunks is back in use")
        self.assertEqual(self.lines.states, {})


class HistoryTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=150)
    @given(st.lists(st.sampled_from(["answered", "failed", "withdrawn", "start"]), max_size=40))
    def test_the_account_is_even_when_all_calls_are_over(self, history: list[str]) -> None:
        lines, up, now = LineAccounts(), 0, 100.0
        for what in history:
            now += 7.0
            if what == "start":
                lines.started(LINE, "gw1", now)
                up += 1
            elif up:
                up -= 1
                if what == "withdrawn":
                    lines.withdrawn(LINE, "gw1")
                else:
                    lines.ended(LINE, "gw1", now, ANSWERED if what == "answered" else FAILED)
            self.assertEqual(lines.states["gw1"].calls if "gw1" in lines.states else 0, up)
        for _ in range(up):
            lines.ended(LINE, "gw1", now, ANSWERED)
        self.assertTrue(all(state.calls == 0 for state in lines.states.values()))
