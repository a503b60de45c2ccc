"""Rows of CSV."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.cli.record_csv import MARK, CsvPrinter, columns_of, csv_row, safe_cell
from ctidialer.contract.record import Kind, Outcome, Record
from ctidialer.contract.record_document import encode_record

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NASTY = st.sampled_from(
    ["\r", "\n", "\r\n", '"', ",", "=", "'", "+", "\t", "＝", " ", "\x1b", "\0"]
)
CELL = st.one_of(TEXT, st.lists(NASTY, max_size=6).map("".join))


def plain_cell(cell: str) -> str:
    """Return the text of which `safe_cell` made ``cell``, as a reader of the CSV does."""
    return cell.removeprefix(MARK)


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


class TryTests(SynchronousTestCase):
    def test_which_try_it_was_and_when_the_next_one_follows(self) -> None:
        columns = columns_of("id,entry_id,try,final,next_at")
        record = Record("r2", Kind.QUEUE, "t", "1", b"1", Outcome.BUSY, 1.0, 2.0, "h")
        again = replace(record, entry_id="r1", try_number=2, is_final=False, next_at=86400.0)
        printer = CsvPrinter("UTC", terminal=False, columns=columns)
        self.assertEqual(printer.header(), "id,entry_id,try,final,next_at (UTC)")
        self.assertEqual(printer.row(encode_record(record), record), "r2,r2,1,true,")
        self.assertEqual(
            printer.row(encode_record(again), again), "r2,r1,2,false,1970-01-02 00:00:00"
        )


class VariableTests(SynchronousTestCase):
    @given(st.dictionaries(st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_.-]{0,8}\Z"), CELL, min_size=1))
    def test_what_was_written_is_read(self, variables: dict[str, str]) -> None:
        columns = columns_of(",".join(["number", *(f"variables.{one}" for one in variables)]))
        record = Record(
            "r", Kind.QUEUE, "t", "1", b"1", Outcome.BUSY, 1.0, 2.0, "h", variables=variables
        )
        printer = CsvPrinter("UTC", terminal=False, columns=columns)
        text = "\r\n".join([printer.header(), printer.row(encode_record(record), record), ""])
        header, row = csv.reader(io.StringIO(text, newline=""), strict=True)
        found = dict(zip(header, map(plain_cell, row), strict=True))
        wanted = {f"variables.{name}": value for name, value in variables.items()}
        self.assertEqual(found, {"number": "1", **wanted})
