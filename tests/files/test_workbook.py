"""Excel workbooks, written by another library than the one that reads them."""

from __future__ import annotations

import contextlib
import datetime
import io
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any
from unittest import mock

import openpyxl
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.files import workbook, xlsx_texts
from ctidialer.files.cell_text import text_of
from ctidialer.files.columns import WantedColumns
from ctidialer.files.number_file import HowToRead, open_number_file
from ctidialer.files.rows import FileUnusable, Row
from ctidialer.files.xlsx_book import OtherWorkbook, XlsxBook
from ctidialer.files.xlsx_xml import BrokenWorkbook

Cell = tuple[object, str | None]
"""A value, and the format in which it is shown; None = the usual one of such a value."""

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="=")
)
MOMENTS = st.datetimes(datetime.datetime(1901, 1, 1), datetime.datetime(2200, 1, 1))
NUMBERS = st.one_of(st.integers(-(10**18), 10**18), st.floats(-1e18, 1e18), st.integers(0, 80_000))
FORMATS = st.sampled_from(
    (
        *("General", "0", "0.00", "@", "yyyy-mm-dd", "m/d/yy h:mm", "h:mm:ss", "[h]:mm:ss"),
        *(
            '0.00"m"',
            "[Red]0;[Blue]-0",
            "[$-409]d-mmm-yy",
            'yyyy"年"m"月"',
            "0\\ \\d",
            "#,##0_);(0)",
        ),
    )
)
CELLS: st.SearchStrategy[Cell] = st.one_of(
    st.tuples(st.none() | st.booleans() | TEXTS | NUMBERS, st.none()),
    st.tuples(MOMENTS | MOMENTS.map(datetime.datetime.date), st.none()),
    st.tuples(st.integers(61, 80_000) | st.floats(61, 80_000), FORMATS),
)


def workbook_of(*sheets: tuple[str, Sequence[Sequence[object]]]) -> bytes:
    """Return a workbook with these sheets."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def packed(parts: Mapping[str, bytes]) -> bytes:
    """Return a packed file with these parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def made_by_hand(rows: bytes, before: bytes = b"", shared: bytes = b"<si><t>x</t></si>") -> bytes:
    """Return a workbook whose only sheet is these rows; its elements have prefixes."""
    root = (
        b'<Relationships><Relationship Id="a" Type="x/officeDocument" Target="/xl/w.xml"/>'
        b"</Relationships>"
    )
    related = (
        b'<Relationships><Relationship Id="s" Type="x/worksheet" Target="s.xml"/>'
        b'<Relationship Id="t" Type="x/sharedStrings" Target="t.xml"/></Relationships>'
    )
    book = b'<m:workbook xmlns:m="m" xmlns:r="r"><m:sheet name="one" r:id="s"/></m:workbook>'
    sheet = before + b"<worksheet><sheetData>" + rows + b"</sheetData></worksheet>"
    return packed(
        {
            "_rels/.rels": root,
            "xl/w.xml": book,
            "xl/_rels/w.xml.rels": related,
            "xl/s.xml": sheet,
            "xl/t.xml": b"<sst>" + shared + b"</sst>",
        }
    )


class WorkbookTestCase(SynchronousTestCase):
    def read(
        self, content: bytes, name: str = "n.xlsx", sheet: str = "", file_format: str | None = None
    ) -> tuple[list[Row], list[str]]:
        how = HowToRead(file_format, sheet=sheet, wanted=WantedColumns(skip=True))
        with tempfile.TemporaryFile() as file:
            file.write(content)
            with open_number_file(file, name, how) as numbers:
                return list(numbers.rows), list(numbers.notes)

    def refused(self, content: bytes, name: str = "n.xlsx", **how: Any) -> str:
        return str(self.assertRaises(FileUnusable, self.read, content, name, **how))


class ReadingTests(WorkbookTestCase):
    def test_numbers_as_text_and_as_numbers(self) -> None:
        content = workbook_of(
            (
                "客户",
                [["手机号", "name"], [13800138000, "张三"], ["+8613800138001", None], [1380.5, 1]],
            )
        )
        found, notes = self.read(content)
        self.assertEqual(
            [(row.line, row.number, row.variables) for row in found],
            [
                (2, "13800138000", {"name": "张三"}),
                (3, "+8613800138001", {}),
                (4, "1380.5", {"name": "1"}),
            ],
        )
        self.assertEqual(notes, ['the numbers are in "手机号"'])

    def test_values_of_every_kind(self) -> None:
        moment = datetime.datetime(2026, 11, 28, 20, 0)
        content = workbook_of(
            (
                "s",
                [
                    ["number", "a", "b", "c", "d"],
                    [1, True, 1.5, moment, datetime.date(2026, 1, 2)],
                ],
            )
        )
        (row,), _ = self.read(content)
        self.assertEqual(
            row.variables,
            {"a": "true", "b": "1.5", "c": "2026-11-28 20:00:00", "d": "2026-01-02"},
        )

    def test_a_number_beyond_15_digits_is_seen_to_be_cut(self) -> None:
        (row,), _ = self.read(workbook_of(("s", [["number"], [8613800138000123456]])))
        self.assertEqual(row.number, "8.61380013800012e+18")

    def test_titles_and_empty_rows(self) -> None:
        content = workbook_of(
            (
                "s",
                [["名单"], [], [None, "姓名", "电话"], [None, "a", "138"], [], [None, "b", "139"]],
            )
        )
        found, notes = self.read(content)
        self.assertEqual([(row.line, row.number) for row in found], [(4, "138"), (6, "139")])
        self.assertIn("the header is on line 3", notes)

    def test_a_sheet(self) -> None:
        content = workbook_of(("a", [["number"], [1]]), ("b", [["number"], [2]]))
        found, notes = self.read(content)
        self.assertEqual(([row.number for row in found], notes), (["1"], ['sheet "a" of 2']))
        found, _ = self.read(content, sheet="b")
        self.assertEqual([row.number for row in found], ["2"])
        self.assertEqual(self.refused(content, sheet="c"), 'has no such sheet; there are: "a", "b"')

    def test_known_by_its_bytes_whatever_its_name(self) -> None:
        content = workbook_of(("s", [["number"], [1]]))
        for name in ("n.csv", "n", "n.txt"):
            self.assertEqual(len(self.read(content, name)[0]), 1)

    def test_a_csv_under_the_name_of_a_workbook(self) -> None:
        found, _ = self.read("手机号\t姓名\n138\t张\n".encode("gb18030"), "n.xls")
        self.assertEqual([row.number for row in found], ["138"])


class OfOtherProgramsTests(WorkbookTestCase):
    def test_runs_of_a_text_and_how_it_is_pronounced(self) -> None:
        shared = b"<si><r><t>num</t></r><r><t>ber</t></r><rPh><t>x</t></rPh></si>"
        rows = (
            b'<row><c t="s"><v>0</v></c><c t="inlineStr"><is><t>a</t></is></c></row>'
            b'<row r="5"><c r="B5" t="str"><v> x_x0041_&lt; </v></c></row>'
            b'<row><c><v>138</v></c><c t="e"><v>#N/A</v></c></row>'
        )
        found, _ = self.read(made_by_hand(rows, shared=shared))
        self.assertEqual(
            [(row.line, row.number, row.variables) for row in found],
            [(5, "", {"a": " xA< "}), (6, "138", {})],
        )

    def test_in_another_encoding(self) -> None:
        declared = b'<?xml version="1.0" encoding="UTF-16"?><sst><si><t>number</t></si></sst>'
        content = made_by_hand(b'<row><c t="s"><v>0</v></c></row><row><c><v>1</v></c></row>')
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        parts["xl/t.xml"] = declared.decode().encode("utf-16")
        found, _ = self.read(packed(parts))
        self.assertEqual([row.number for row in found], ["1"])


class TwoReadersTests(SynchronousTestCase):
    """The reader of .xlsx gives what the library gives that reads all other workbooks."""

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.lists(CELLS, max_size=4), min_size=1, max_size=6))
    def test_the_same_cells(self, rows: list[list[Cell]]) -> None:
        book = openpyxl.Workbook()
        for number, row in enumerate(rows, 1):
            for column, (value, number_format) in enumerate(row, 1):
                cell = book.active.cell(number, column, value)
                if number_format is not None:
                    cell.number_format = number_format
        file = io.BytesIO()
        book.save(file)
        self.assertEqual(by_rows(file), by_the_library(file))


def by_rows(file: io.BytesIO) -> dict[tuple[int, int], str]:
    """Return the cells that are not empty, by row and column."""
    with tempfile.TemporaryFile() as texts:
        book = XlsxBook(file, texts)
        return {
            (number - 1, column): cell
            for number, cells in book.rows(book.sheets[0])
            for column, cell in enumerate(cells)
            if cell
        }


def by_the_library(file: io.BytesIO) -> dict[tuple[int, int], str]:
    file.seek(0)
    sheet = CalamineWorkbook.from_filelike(file).get_sheet_by_index(0)
    _, first_column = sheet.start or (0, 0)
    return {
        (row, first_column + column): text_of(cell)
        for row, cells in enumerate(sheet.iter_rows())
        for column, cell in enumerate(cells)
        if text_of(cell)
    }


class FaultyTests(WorkbookTestCase):
    def test_no_header_and_no_row(self) -> None:
        self.assertEqual(
            self.refused(workbook_of(("s", []))),
            "is empty: its sheet has neither a header nor a row",
        )
        problem = self.refused(workbook_of(("s", [["a", "b"], [1, 2]])))
        self.assertIn('line 1 reads: "a", "b"', problem)

    def test_other_kinds_without_the_extra(self) -> None:
        old, other = b"\xd0\xcf\x11\xe0" + bytes(600), packed({"mimetype": b"spreadsheet"})
        for content in (old, other):
            with mock.patch.object(workbook, "READER", "no_such_library"):
                problem = self.refused(content, file_format="excel")
            self.assertIn("pip install python-calamine", problem)
            self.assertIn("can be read", self.refused(content, file_format="excel"))

    def test_what_is_damaged(self) -> None:
        content = workbook_of(("s", [["number"], *([index] for index in range(500))]))
        for damaged in (content[:-30], content[:300], content[:4], b"PK\x03\x04" + b"\xff" * 500):
            self.assertRegex(self.refused_or_read(damaged), "can(not)? be read")
        for at in range(0, len(content), 37):
            self.read_here(content[:at] + b"\x00\xff\x7f" + content[at + 3 :])

    def read_here(self, content: bytes) -> None:
        """Read a damaged workbook in this process: a sentence, or rows."""
        with tempfile.TemporaryFile() as texts, contextlib.suppress(OtherWorkbook, BrokenWorkbook):
            book = XlsxBook(io.BytesIO(content), texts)
            for sheet in book.sheets:
                list(book.rows(sheet))

    def refused_or_read(self, content: bytes) -> str:
        """Return the sentence, "" = it could be read; anything but a sentence is an error."""
        try:
            self.read(content, "n.xlsx", file_format="excel")
        except FileUnusable as error:
            return str(error)
        return ""

    def test_a_cell_far_from_all_others(self) -> None:
        book = openpyxl.Workbook()
        book.active["A1"] = "number"
        book.active["A2"] = 1
        book.active["XFD1048576"] = 1
        file = io.BytesIO()
        book.save(file)
        found, _ = self.read(file.getvalue())
        self.assertEqual((found[0].number, len(found)), ("1", 2))
        problem = found[1].problem
        assert problem is not None
        self.assertEqual(problem.text, "has 16384 cells, the header 1")

    def test_more_than_a_workbook_has(self) -> None:
        for sheet, words in (
            (b'<row r="1048577"/>', "has a row 1048577"),
            (b"<row>" + b"<c/>" * 16_385 + b"</row>", "more than 16384 cells"),
            (b'<row r="1"><c r="XFE1"/></row>', "a cell whose place is none"),
            (b'<row r="-1"/>', "a row whose number is none"),
            (b'<row><c t="s"><v>7</v></c></row>', "has a cell with text 7, but only 1 texts"),
            (b"<row><c><v>1O</v></c></row>", "is damaged in row 2"),
            (b"<row><c><v>" + b"1" * 1_100_000, "a text of more than"),
            (b"<row", "is damaged"),
        ):
            top = b'<row><c t="inlineStr"><is><t>number</t></is></c></row>'
            self.assertIn(words, self.refused(made_by_hand(top + sheet)))
        bomb = b'<!DOCTYPE a [<!ENTITY b "bb">]>'
        self.assertIn("declares a document type", self.refused(made_by_hand(b"", bomb)))

    def test_more_text_than_there_is_room_for(self) -> None:
        with tempfile.TemporaryFile() as file, mock.patch.object(xlsx_texts, "MAX_BYTES", 20):
            texts = xlsx_texts.SharedTexts(file)
            part = io.BytesIO(b"<sst>" + b"<si><t>1234567890</t></si>" * 3 + b"</sst>")
            error = self.assertRaises(BrokenWorkbook, texts.read, part)
        self.assertIn("more than 20 bytes of text", str(error))

    def test_a_web_page_under_the_name_of_a_workbook(self) -> None:
        problem = self.refused(
            b"<html><table><tr><td>number</td></tr></table></html>", name="n.xls"
        )
        self.assertIn("is a web page or XML", problem)
