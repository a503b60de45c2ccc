"""Rows of CSV."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.cli.record_csv import csv_row, plain_cell, ring_seconds, safe_cell
from ctidialer.contract.record import AttemptRecord

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NASTY = st.sampled_from(
    ["\r", "\n", "\r\n", '"', ",", "=", "'", "+", "\t", "＝", " ", "\x1b", "\0"]
)
CELL = st.one_of(TEXT, st.lists(NASTY, max_size=6).map("".join))


class CellTests(SynchronousTestCase):
    @given(st.lists(st.lists(CELL, min_size=2, max_size=4), max_size=5))
    def test_what_was_written_is_read(self, rows: list[list[str]]) -> None:
        text = "".join(csv_row([safe_cell(one) for one in row]) + "\r\n" for row in rows)
        found = csv.reader(io.StringIO(text, newline=""), strict=True)
        self.assertEqual([[plain_cell(one) for one in row] for row in found], rows)

    @given(CELL)
    def test_no_cell_begins_a_formula(self, text: str) -> None:
        cell = safe_cell(text)
        self.assertNotIn(cell.lstrip()[:1] or "x", "=+-@＝＋－＠")
        self.assertNotIn(cell[:1] or "x", "\t\r\n")

    def test_what_is_no_formula_stays_as_it_is(self) -> None:
        for text in ("13800138000", "a=b", "催收", "", "1-2", "a@b"):
            self.assertEqual(safe_cell(text), text)


class RingTests(SynchronousTestCase):
    def test_from_the_ringing_to_the_answer_or_the_end(self) -> None:
        attempt = AttemptRecord("u", None, "g", 10.0)
        for progress, answered, ended, seconds in (
            (None, None, None, None),
            (None, None, 12.0, 2.0),
            (11.5, None, 12.0, 0.5),
            (11.5, 15.0, 20.0, 3.5),
            (None, 15.0, None, 5.0),
            (21.0, None, 20.0, 0.0),
        ):
            one = AttemptRecord("u", None, "g", 10.0, progress, answered, ended)
            self.assertEqual(ring_seconds(one), seconds)
        self.assertIsNone(ring_seconds(attempt))
