"""Excel workbooks, written by another library than the one that reads them."""

from __future__ import annotations

import datetime
import io
import tempfile
from collections.abc import Sequence
from unittest import mock

import openpyxl
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.files import workbook
from ctidialer.files.columns import WantedColumns
from ctidialer.files.number_file import HowToRead, open_number_file
from ctidialer.files.rows import FileUnusable, Row


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


class WorkbookTestCase(SynchronousTestCase):
    def read(
        self, content: bytes, name: str = "n.xlsx", sheet: str = "", file_format: str | None = None
    ) -> tuple[list[Row], list[str]]:
        how = HowToRead(file_format, sheet=sheet, wanted=WantedColumns(skip=True))
        with tempfile.TemporaryFile() as file:
            file.write(content)
            with open_number_file(file, name, how) as numbers:
                return list(numbers.rows), list(numbers.notes)

    def refused(self, content: bytes, name: str = "n.xlsx", sheet: str = "") -> str:
        return str(self.assertRaises(FileUnusable, self.read, content, name, sheet))


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


class FaultyTests(WorkbookTestCase):
    def test_no_header_and_no_row(self) -> None:
        self.assertEqual(
            self.refused(workbook_of(("s", []))),
            "is empty: its sheet has neither a header nor a row",
        )
        problem = self.refused(workbook_of(("s", [["a", "b"], [1, 2]])))
        self.assertIn('line 1 reads: "a", "b"', problem)

    def test_without_its_extra(self) -> None:
        with mock.patch.object(workbook, "READER", "no_such_library"):
            problem = self.refused(workbook_of(("s", [["number"]])))
        self.assertIn("pip install python-calamine", problem)

    def test_what_is_damaged(self) -> None:
        content = workbook_of(("s", [["number"], *([index] for index in range(500))]))
        for damaged in (content[:-30], content[:300], content[:4], b"PK\x03\x04" + b"\xff" * 500):
            self.assertRegex(self.refused_or_read(damaged), "can(not)? be read")
        for at in range(0, len(content), 211):
            self.refused_or_read(content[:at] + b"\x00\xff\x7f" + content[at + 3 :])

    def refused_or_read(self, content: bytes) -> str:
        """Return the sentence, "" = it could be read; anything but a sentence is an error."""
        try:
            self.read(content, "n.xlsx", file_format="excel")
        except FileUnusable as error:
            return str(error)
        return ""

    def test_a_sheet_that_asks_for_more_memory_than_there_is(self) -> None:
        book = openpyxl.Workbook()
        book.active["A1"] = "number"
        book.active["XFD1048576"] = 1
        file = io.BytesIO()
        book.save(file)
        problem = self.refused(file.getvalue())
        self.assertIn("is a workbook that cannot be read: it is damaged, or too large", problem)

    def test_a_web_page_under_the_name_of_a_workbook(self) -> None:
        problem = self.refused(
            b"<html><table><tr><td>number</td></tr></table></html>", name="n.xls"
        )
        self.assertIn("is a web page or XML", problem)
