"""Rows of CSV."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.cli.record_csv import csv_row, plain_cell, safe_cell

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
