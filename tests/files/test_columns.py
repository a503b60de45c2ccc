"""Which column is the number, and which are variables."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.files.columns import WantedColumns, columns_of
from ctidialer.files.rows import FileUnusable


def columns(header: str, **wanted: Any) -> Any:
    return columns_of(header.split(","), WantedColumns(**wanted))


class NumberColumnTests(SynchronousTestCase):
    def test_usual_names(self) -> None:
        for name in (
            *("number", "Number", "PHONE", "phone_number", "Phone Number", "phone-no.", "mobile"),
            *(
                "tel",
                "Tel.",
                "telephone",
                "msisdn",
                "手机号",
                "手机",
                "手机号码",
                "电话",
                "电话号码",
            ),
            *(
                "号码",
                " 手机号 ",
                "手机号(必填)",
                "*手机号",
                "手机号：",
                "\ufeff手机号",
                "電話號碼",
            ),
        ):
            found = columns(f"a,{name}")
            self.assertEqual((found.number, found.names), (1, ["a", None]), name)

    def test_number_comes_first(self) -> None:
        found = columns("phone,number")
        self.assertEqual((found.number, found.names), (1, ["phone", None]))

    def test_of_two_the_caller_chooses(self) -> None:
        error = self.assertRaises(FileUnusable, columns, "手机,电话")
        self.assertIn('has 2 columns that may hold the number: "手机", "电话"', str(error))
        found = columns("手机,电话", number_column="电话", skip=True)
        self.assertEqual((found.number, found.left_out), (1, ["手机"]))

    def test_a_name_of_the_callers(self) -> None:
        self.assertEqual(columns("a,kunde", number_column="kunde").number, 1)
        self.assertEqual(columns("a,Kunde Nr", number_column="kunde_nr").number, 1)
        self.assertEqual(columns("a,kunde", renames={"kunde": "number"}).number, 1)
        self.assertIsNone(columns("a,number", number_column="b"))

    def test_no_header(self) -> None:
        self.assertIsNone(columns("13800138000,张三"))


class VariableTests(SynchronousTestCase):
    def refused(self, header: str, **wanted: Any) -> str:
        return str(self.assertRaises(FileUnusable, columns, header, **wanted))

    def test_columns_that_cannot_be_variables_are_all_named(self) -> None:
        problem = self.refused("number,First Name,姓名,ok,2nd,OK")
        self.assertIn('"First Name", "姓名", "2nd", "OK"', problem)
        self.assertIn("--columns 'First Name=name'", problem)
        self.assertIn("--skip-columns", problem)

    def test_a_new_name_that_cannot_be_a_variable_is_named_itself(self) -> None:
        problem = self.refused("number,name,First Name", renames={"name": "a b"})
        said = 'cannot be variables: "a b" (--columns, of "name"), "First Name" (letters'
        self.assertIn(said, problem)
        problem = self.refused("number,a,b", renames={"b": "A"})
        self.assertIn('cannot be variables: "A" (--columns, of "b") (letters', problem)

    def test_they_are_left_out_or_renamed(self) -> None:
        found = columns("number,First Name,姓名,ok", skip=True, renames={"姓名": "name"})
        self.assertEqual(found.names, [None, None, "name", "ok"])
        self.assertEqual(found.left_out, ["First Name"])
        self.assertEqual(columns("number,a,b", renames={"a": ""}).names, [None, None, "b"])

    def test_columns_that_are_not_there(self) -> None:
        problem = self.refused("number,a", renames={"b": "c"})
        self.assertEqual(problem, 'has no column "b" (--columns); there are: "number", "a"')

    def test_a_column_without_a_name_must_be_empty(self) -> None:
        found = columns("number,,a,")
        self.assertIsNone(found.row(2, ["1", "", "x", ""]).problem)
        problem = found.row(2, ["1", "y", "x", ""]).problem
        self.assertIn("a value in a column without a name", problem.text)
        skipped = columns("number,,a,", skip=True)
        self.assertEqual(skipped.row(2, ["1", "y", "x", ""]).variables, {"a": "x"})
