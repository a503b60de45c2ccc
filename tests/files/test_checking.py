"""Rows that are checked, treated and kept."""

from __future__ import annotations

import csv
import io
import json
import re
from functools import partial
from typing import Any

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.check.numbers import is_accepted, refusal
from ctidialer.files.checking import MAX_LISTED, CheckedFile
from ctidialer.files.region import to_e164
from ctidialer.files.rows import FileKind, FileUnusable
from tests.files.reading import PATTERN, TREATMENT, checked, number_of, opened


class TreatmentTests(SynchronousTestCase):
    def check(
        self, content: str, name: str = "n.csv", **treatment: Any
    ) -> tuple[CheckedFile, list[bytes]]:
        return checked(opened(content, name), evolve(TREATMENT, **treatment))

    def why(self, number: str, **treatment: Any) -> str:
        found, _ = self.check(f'number\n"{number.replace(chr(34), chr(34) * 2)}"\n', **treatment)
        self.assertEqual(found.bad_rows, 1)
        return found.bad[0].problem

    def test_numbers_are_normalized_when_asked(self) -> None:
        content = "number,a\n+1 (310) 820-7129,x\n138-0013-8000,\n"
        _, entries = self.check(content, normalize=True)
        self.assertEqual([number_of(one) for one in entries], ["+13108207129", "13800138000"])

    def test_else_it_is_said_what_would_help(self) -> None:
        self.assertEqual(
            self.why('="13800138000"'),
            'the number does not match the node\'s number_pattern: "=\\"13800138000\\"";'
            ' --normalize makes "13800138000" of it',
        )
        self.assertNotIn("--normalize", self.why("abc"))

    def test_a_number_that_lost_digits(self) -> None:
        for normalize in (False, True):
            self.assertIn(
                "has lost digits in a spreadsheet", self.why("1.38E+10", normalize=normalize)
            )

    def test_an_extension_is_told(self) -> None:
        for normalize in (False, True):
            problem = self.why("02088886666-801", normalize=normalize)
            self.assertIn('has an extension, "-801"', problem)

    def test_what_the_pattern_allows_is_no_extension(self) -> None:
        refuse = partial(refusal, pattern=re.compile("[0-9-]+"))
        found, _ = self.check("number\n02088886666-801\n", refuse=refuse)
        self.assertEqual(found.bad, ())

    def test_entries_of_json_are_normalized_too(self) -> None:
        lines = '{"params":{"number":"138-0013-8000","x":1},"variables":{"a":1.10}}\n{"params":1}\n'
        found, entries = self.check(lines, "n.jsonl", normalize=True)
        self.assertEqual(number_of(entries[0]), "13800138000")
        self.assertIn(b'"variables":{"a":1.10}', entries[0])
        self.assertEqual(found.bad_rows, 1)

    def test_a_region_makes_them_international(self) -> None:
        content = "number\n13800138000\n020-8888 6666\n+1 (310) 820-7129\n00862088886666\n"
        _, entries = self.check(content, to_e164=to_e164("CN"))
        self.assertEqual(
            entries, [b"+8613800138000", b"+862088886666", b"+13108207129", b"+862088886666"]
        )

    def test_what_is_no_number_of_the_region(self) -> None:
        for number in ("10086", "88886666", "abc", "138001380001234"):
            problem = self.why(number, to_e164=to_e164("CN"))
            self.assertIn("the number is no number of CN", problem)

    def test_a_region_that_is_none(self) -> None:
        error = self.assertRaises(FileUnusable, to_e164, "XX")
        self.assertIn("is no region", str(error))

    def test_an_entry_that_is_longer_than_the_daemon_takes(self) -> None:
        for content, name in (
            (f"number,a\n1,{'x' * 100}\n2,y\n", "n.csv"),
            ('{"params":{"number":"1"},"variables":{"a":"%s"}}\n2\n' % ("x" * 100), "n.txt"),
        ):
            found, entries = self.check(content, name, max_entry=100)
            self.assertEqual((found.kinds, len(entries)), ({FileKind.ENTRY: 1}, 1))
            self.assertIn("bytes, more than node.max_entry allows", found.bad[0].problem)

    def test_a_variable_is_named(self) -> None:
        found, _ = self.check("number,a\n1,${b}\n")
        self.assertEqual(found.kinds, {FileKind.VARIABLE: 1})
        self.assertTrue(found.bad[0].problem.startswith("a: "), found.bad)

    @settings(deadline=None, max_examples=300)
    @given(
        st.one_of(st.from_regex(r"\+?[0-9*#]{0,40}", fullmatch=True), st.text(max_size=9)),
        st.dictionaries(
            st.sampled_from(["a", "origination_uuid", "Origination_UUID", "cti_host"]),
            st.text(max_size=9),
        ),
    )
    def test_what_is_accepted_quickly_would_not_be_refused(
        self, number: str, variables: dict[str, str]
    ) -> None:
        entry = json.dumps({"params": {"number": number}, "variables": variables})
        if is_accepted(number, variables, PATTERN):
            self.assertEqual(refusal(entry.encode(), PATTERN), ())


class DuplicateTests(SynchronousTestCase):
    def test_the_first_one_is_kept(self) -> None:
        content = "number,a\n1,x\n2,y\n1,z\n+1,u\n"
        found, entries = checked(opened(content), dedupe=True)
        self.assertEqual([number_of(one) for one in entries], ["1", "2", "+1"])
        self.assertEqual((found.duplicates, found.rows), (1, 4))
        found, _ = checked(opened(content))
        self.assertEqual(found.duplicates, 0)

    def test_entries_of_json_by_their_number(self) -> None:
        lines = '{"params":{"number":"1"}}\n{"params":{"number":1},"variables":{}}\n'
        found, _ = checked(opened(lines, "n.jsonl"), dedupe=True)
        self.assertEqual(found.duplicates, 1)

    def test_spellings_of_one_number(self) -> None:
        content = "number\n138-0013-8000\n13800138000\n"
        found, _ = checked(opened(content), evolve(TREATMENT, normalize=True), dedupe=True)
        self.assertEqual(found.duplicates, 1)


class BadRowsTests(SynchronousTestCase):
    def test_they_are_listed_up_to_a_point(self) -> None:
        found, entries = checked(opened("x\n" * (MAX_LISTED + 5) + "1\n", "n.txt"))
        self.assertEqual((entries, found.bad_rows), ([b"1"], MAX_LISTED + 5))
        self.assertEqual(len(found.bad), MAX_LISTED)
        self.assertEqual(found.bad[-1].line, MAX_LISTED)
        self.assertEqual(found.kinds, {FileKind.NUMBER: MAX_LISTED + 5})

    def test_they_are_written_down_as_they_were(self) -> None:
        written = io.StringIO()
        content = 'Phone,a\n1,x\n2x,"a,""b"\n3\n="4",\n'
        checked(opened(content, wanted={"number_column": "Phone"}), rejects=written)
        header, *found = csv.reader(io.StringIO(written.getvalue()))
        self.assertEqual(header, ["line", "reason", "Phone", "a"])
        self.assertEqual([row[0] for row in found], ["3", "4", "5"])
        self.assertEqual([row[2:] for row in found], [["2x", 'a,"b'], ["3"], ['="4"', ""]])

    def test_what_was_mended_can_be_loaded(self) -> None:
        written = io.StringIO()
        checked(opened("number,a\n1x,y\n"), rejects=written)
        mended = written.getvalue().replace("1x,y", "1,y")
        _, entries = checked(opened(mended, wanted={"renames": {"line": "", "reason": ""}}))
        self.assertEqual(entries, [b'{"params":{"number":"1"},"variables":{"a":"y"}}'])
