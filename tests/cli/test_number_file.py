"""Rows of files, made into entries."""

from __future__ import annotations

import csv
import io
import re

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.cli.number_file import LONGEST_LINE, FileUnusable, Row, read_rows
from ctidialer.cli.number_spool import LISTED, Checked, check_rows
from ctidialer.contract.number_document import decode_number

PATTERN = re.compile(r"\+?[0-9*#]{1,32}")


def rows(content: bytes | str, file_format: str = "text", encoding: str = "utf-8") -> list[Row]:
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    return list(read_rows(file, file_format, encoding))


class TextTests(SynchronousTestCase):
    def test_one_number_a_line(self) -> None:
        self.assertEqual(rows(" 1 \n\n2\r\n3"), [Row(1, b"1"), Row(3, b"2"), Row(4, b"3")])

    def test_comments_begin_with_a_hash_and_a_space(self) -> None:
        self.assertEqual(rows("# 1\n#\n #31#1\n# \n"), [Row(3, b"#31#1")])

    def test_bytes_that_are_no_text(self) -> None:
        problem = "is not UTF-8 (byte 1); see --encoding"
        self.assertEqual(rows(b"1\xff\n1\n"), [Row(1, problem=problem), Row(2, b"1")])

    def test_a_line_without_end_is_not_read_at_once(self) -> None:
        (bad, good) = rows(b"1" * (3 * LONGEST_LINE) + b"\n2\n")
        self.assertEqual(bad, Row(1, problem=f"is longer than {LONGEST_LINE} bytes"))
        self.assertEqual(good, Row(2, b"2"))


class JsonLinesTests(SynchronousTestCase):
    def test_objects_only(self) -> None:
        one, two, three = rows('{"params":{}}\n[\n13800\n', "jsonl")
        self.assertEqual(one, Row(1, b'{"params":{}}'))
        self.assertEqual(two.problem, 'must be a JSON object, not "["')
        self.assertEqual(three.line, 3)


class CsvTests(SynchronousTestCase):
    def refused(self, content: str) -> str:
        return str(self.assertRaises(FileUnusable, rows, content, "csv"))

    def test_the_delimiter_is_that_of_the_header(self) -> None:
        for delimiter in ",;\t":
            found = rows(f"number{delimiter}a\n1{delimiter}x\n", "csv")
            entry = decode_number(found[0].entry, PATTERN)
            self.assertEqual((entry.number, entry.variables), ("1", {"a": "x"}))

    def test_numbers_alone(self) -> None:
        self.assertEqual(rows("number\n1\n\n2\n", "csv"), [Row(2, b"1"), Row(4, b"2")])

    def test_a_number_is_never_read_as_an_entry(self) -> None:
        (found,) = rows('number\n"{""params"":{""number"":""1""}}"\n', "csv")
        self.assertRaises(ValueError, decode_number, found.entry, PATTERN)

    def test_headers_that_are_none(self) -> None:
        self.assertIn("it reads: nothing", self.refused(""))
        self.assertIn('it reads: "a", "b"', self.refused("a,b\n1,2\n"))
        self.assertIn("'number'", self.refused("number,number\n"))
        self.assertIn('"2nd"', self.refused("number,2nd\n"))
        self.assertIn('""', self.refused("number,a,\n"))
        self.assertIn("number, a, A", self.refused("number,a,A\n"))

    def test_rows_are_named_by_their_first_line(self) -> None:
        found = rows('number,a\n1,"x\ny"\n2\n3,z\n', "csv")
        self.assertEqual([row.line for row in found], [2, 4, 5])
        self.assertEqual(found[1].problem, "has 1 cells, the header 2")

    def test_a_quote_that_is_never_closed(self) -> None:
        found = rows('number,a\n1,"x\n2,y\n', "csv")
        self.assertEqual(found, [Row(2, problem="is no CSV: unexpected end of data")])

    def test_empty_cells_have_no_opinion(self) -> None:
        self.assertEqual(rows("number,a\n1,\n", "csv"), [Row(2, b"1")])

    @settings(deadline=None, max_examples=200)
    @given(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9),
            min_size=1,
            max_size=4,
        )
    )
    def test_values_arrive_as_they_were_written(self, values: list[str]) -> None:
        names = [f"v{index}" for index in range(len(values))]
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerows([["number", *names], ["1", *values]])
        (found,) = rows(text.getvalue(), "csv")
        expected = {name: value for name, value in zip(names, values, strict=True) if value}
        self.assertEqual(decode_number(found.entry, PATTERN).variables, expected)


class SpoolTests(SynchronousTestCase):
    def check(self, content: bytes) -> tuple[Checked, bytes]:
        spool = io.BytesIO()
        told: list[int] = []
        checked = check_rows(io.BytesIO(content), "text", "utf-8", PATTERN, spool, told.append)
        self.assertEqual(sum(told), len(content))
        return checked, spool.read()

    def test_good_rows_are_kept(self) -> None:
        checked, spool = self.check(b"1\n2\n")
        self.assertEqual(spool, b"1\n2\n")
        self.assertEqual((checked.numbers, checked.bad_rows), (2, 0))

    def test_bad_rows_are_listed_up_to_a_point(self) -> None:
        checked, _ = self.check(b"x\n" * (LISTED + 5) + b"1\n")
        self.assertEqual((checked.numbers, checked.bad_rows), (1, LISTED + 5))
        self.assertEqual(len(checked.bad), LISTED)
        self.assertEqual(checked.bad[-1].line, LISTED)

    @settings(deadline=None, max_examples=300)
    @given(st.binary(max_size=40), st.sampled_from(["text", "csv", "jsonl"]))
    def test_whatever_is_in_the_file(self, content: bytes, file_format: str) -> None:
        try:
            check_rows(
                io.BytesIO(b"number,a\n" + content if file_format == "csv" else content),
                *(file_format, "utf-8", PATTERN, io.BytesIO(), lambda done: None),
            )
        except FileUnusable:
            self.fail("the header was good")
