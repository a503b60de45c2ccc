"""CSV as people have it."""

from __future__ import annotations

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.files.rows import FileUnusable
from tests.files.reading import checked, numbers, opened, rows


class TableTests(SynchronousTestCase):
    def test_the_delimiter_is_found_out(self) -> None:
        for delimiter in ",;\t":
            (row,) = rows(f"number{delimiter}a\n1{delimiter}x\n")
            self.assertEqual((row.number, row.variables), ("1", {"a": "x"}))

    def test_the_delimiter_with_most_cells_counts(self) -> None:
        (row,) = rows("number;a,b;c\n1;x;y\n", wanted={"skip": True})
        self.assertEqual(row.variables, {"c": "y"})

    def test_a_line_that_tells_the_delimiter(self) -> None:
        for told in ("sep=;\r\n", '"sep=;"\r\n', "\ufeffsep=;\n"):
            self.assertEqual(rows(f"{told}number;a\n1;x,y\n")[0].variables, {"a": "x,y"})

    def test_whatever_ends_the_lines(self) -> None:
        for end in ("\n", "\r\n", "\r"):
            found = rows(end.join(["number,name", "138,张", '139,"a', 'b"', "140,c"]))
            self.assertEqual([row.number for row in found], ["138", "139", "140"], repr(end))
            self.assertEqual(found[1].variables, {"name": f"a{end}b"})
            self.assertEqual([row.line for row in found], [2, 3, 5])

    def test_titles_above_the_header(self) -> None:
        content = "客户名单 2026-11,,\n\n导出人: 王,,\n姓名,手机号,\n张,138,\n"
        numbers_of = opened(content, wanted={"renames": {"姓名": "name"}})
        self.assertIn("the header is on line 4", numbers_of.notes)
        (row,) = numbers_of.rows
        self.assertEqual((row.line, row.number, row.variables), (5, "138", {"name": "张"}))

    def test_a_header_of_several_lines(self) -> None:
        content = 'number,"手机号\n(必填)",a\n'
        found = rows(content + "1,138,x\n", wanted={"skip": True})
        self.assertEqual((found[0].line, found[0].number), (3, "1"))
        found = rows(content.replace("number,", "") + "138,x\n")
        self.assertEqual((found[0].line, found[0].number), (3, "138"))

    def test_a_table_under_the_name_of_a_text(self) -> None:
        table = "手机号\tname\n138\tx\n139\ty\n"
        for name in ("n.txt", "n"):
            self.assertEqual(numbers(table.encode("utf-16"), name), ["138", "139"])
        self.assertEqual(numbers("a;b\n1;2\n", "n.txt", wanted={"number_column": "b"}), ["2"])
        self.assertEqual(numbers("138,139\n", "n.txt"), ["138,139"])
        self.assertEqual(numbers(table, "n.txt", file_format="text")[1:], ["138\tx", "139\ty"])

    def test_numbers_alone(self) -> None:
        found, entries = checked(opened("number\n1\n\n2\n"))
        self.assertEqual((found.rows, entries), (2, [b"1", b"2"]))

    def test_rows_of_empty_cells_are_none(self) -> None:
        self.assertEqual(numbers("number,a\n,\n1,\n,\n"), ["1"])

    def test_a_number_is_never_read_as_an_entry(self) -> None:
        found, entries = checked(opened('number\n"{""params"":{""number"":""1""}}"\n'))
        self.assertEqual((found.bad_rows, entries), (1, []))

    def test_empty_cells_have_no_opinion(self) -> None:
        self.assertEqual(checked(opened("number,a\n1,\n"))[1], [b"1"])


class FaultyTests(SynchronousTestCase):
    def refused(self, content: str) -> str:
        return str(self.assertRaises(FileUnusable, opened, content))

    def test_files_without_a_header(self) -> None:
        self.assertEqual(self.refused(""), "is empty: it has neither a header nor a row")
        problem = self.refused("a,b\n1,2\n")
        self.assertIn('line 1 reads: "a", "b"', problem)
        self.assertIn("--number-column NAME", problem)
        problem = self.refused("13800138000,张\n13800138001,李\n")
        self.assertIn("has no header: put a line with the columns' names above", problem)

    def test_rows_are_named_by_their_first_line(self) -> None:
        found = rows('number,a\n1,"x\ny"\n2\n3,z\n')
        self.assertEqual([row.line for row in found], [2, 4, 5])
        assert found[1].problem is not None
        self.assertEqual(found[1].problem.text, "has 1 cells, the header 2")

    def test_empty_cells_at_the_end_do_not_count(self) -> None:
        self.assertEqual(numbers("number,a\n1,x,,\n2,y,z\n"), ["1", "!3 has 3 cells, the header 2"])

    def test_a_quote_that_is_never_closed_hides_no_row(self) -> None:
        found = numbers('number,a\n1,"x\n2,y\n3,z\n')
        self.assertEqual(found, ["!2 is no CSV: unexpected end of data", "2", "3"])
        found = numbers('number,a\n1,"x\n2,y\n3,"z"\n4,u\n')
        self.assertEqual(len(found), 4)
        self.assertEqual(found[1:], ["2", "3", "4"])
        found = numbers('number,a\n1,"x\n2,"\n3,z\n')
        self.assertEqual(found[-1], "3")

    def test_so_does_it_in_a_long_file(self) -> None:
        found = numbers('number,a\n0,"x\n' + "1,y\n" * 50_000)
        self.assertEqual(len(found), 50_001)
        self.assertEqual(found.count("1"), 50_000)

    @settings(deadline=None, max_examples=200)
    @given(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9),
            min_size=1,
            max_size=4,
        ),
        st.sampled_from([",", ";", "\t"]),
        st.sampled_from(["\n", "\r\n", "\r"]),
    )
    def test_values_arrive_as_they_were_written(
        self, values: list[str], delimiter: str, end: str
    ) -> None:
        names = [f"v{index}" for index in range(len(values))]
        text = io.StringIO()
        writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
        writer.writerows([["number", *names], ["1", *values]])
        (row,) = rows(text.getvalue())
        expected = {name: value for name, value in zip(names, values, strict=True) if value}
        self.assertEqual((row.problem, row.variables), (None, expected))
