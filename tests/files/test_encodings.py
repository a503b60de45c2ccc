"""Which encoding a file has."""

from __future__ import annotations

import codecs
import io

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.files.encodings import encoding_of, usable
from ctidialer.files.rows import FileUnusable
from tests.files.reading import numbers, opened, rows

TABLE = "手机号,name\n13800138000,张三\n13800138001,李四丰\n"


class FoundTests(SynchronousTestCase):
    def found(self, content: bytes, given: str | None = None) -> str:
        return codecs.lookup(encoding_of(io.BytesIO(content), given)).name

    def refused(self, content: bytes, given: str | None = None) -> str:
        return str(self.assertRaises(FileUnusable, encoding_of, io.BytesIO(content), given))

    def test_each_is_found_and_read(self) -> None:
        for encoding in (
            "utf-8",
            "utf-8-sig",
            "utf-16",
            "utf-16-le",
            "utf-16-be",
            "gb18030",
            "gbk",
        ):
            content = TABLE.encode(encoding)
            self.assertEqual(numbers(content), ["13800138000", "13800138001"], encoding)
            self.assertEqual(rows(content)[1].variables, {"name": "李四丰"}, encoding)
        big = codecs.BOM_UTF16_BE + TABLE.encode("utf-16-be")
        self.assertEqual(numbers(big), ["13800138000", "13800138001"])

    def test_what_was_found_is_said(self) -> None:
        self.assertEqual(opened(TABLE.encode("gb18030")).notes[0], "read as GB18030")
        self.assertEqual(opened(TABLE.encode("utf-16")).notes[0], "read as UTF-16")
        self.assertEqual(opened(b"number\n1\n").notes, [])

    def test_chinese_far_behind_is_found(self) -> None:
        content = "number,name\n" + "1,a\n" * 400_000 + "2,张三\n"
        self.assertEqual(self.found(content.encode("gb18030")), "gb18030")

    def test_rare_characters_of_gb18030(self) -> None:
        self.assertEqual(
            self.found("手机号,客户名\n138,朱镕基\n139,张喆\n".encode("gb18030")), "gb18030"
        )

    def test_a_few_faulty_lines_do_not_make_another_encoding(self) -> None:
        content = TABLE.encode() + b"1,\xff\n"
        self.assertEqual(self.found(content), "utf-8-sig")
        self.assertEqual(self.found(b"1\n" * 200 + b"\xff\n"), "utf-8-sig")

    def test_what_is_neither_is_one_sentence(self) -> None:
        for content in (
            "number,name\n1,Müller\n2,Jürgen\n".encode("latin-1"),
            "number,name\n1,José\n".encode("cp1252"),
            "號碼,姓名\n1,陳大文\n2,林小姐\n3,黃國華\n".encode("big5"),
            b"1\xff\n1\n",
        ):
            problem = self.refused(content)
            self.assertIn("is neither UTF-8 nor GB18030 on line", problem)
            self.assertIn("--encoding", problem)
        self.assertEqual(
            numbers("number,name\n1,Müller\n".encode("latin-1"), encoding="latin-1"), ["1"]
        )

    def test_a_wrong_one_is_one_sentence_with_the_one_found(self) -> None:
        problem = self.refused(TABLE.encode("gb18030"), "utf-8")
        self.assertEqual(
            problem,
            "is not UTF-8 on line 1: it looks like GB18030;"
            " leave --encoding out, or give --encoding gb18030",
        )
        self.assertIn("it looks like UTF-8;", self.refused(TABLE.encode(), "ascii"))
        self.assertIn("it looks like GB18030;", self.refused(TABLE.encode("gb18030"), "utf-16"))

    def test_a_damaged_utf16(self) -> None:
        self.assertIn(
            "begins as UTF-16 does, but is damaged", self.refused(TABLE.encode("utf-16") + b"x")
        )

    def test_no_bytes_at_all(self) -> None:
        self.assertEqual(self.found(b""), "utf-8-sig")


class UsableTests(SynchronousTestCase):
    def test_encodings_of_text(self) -> None:
        for name in ("utf-8", "gb18030", "utf-16", "latin-1", "big5"):
            self.assertEqual(usable(name), "", name)

    def test_others(self) -> None:
        for name in ("klingon", "rot13", "base64", "undefined", "a\0b"):
            self.assertNotEqual(usable(name), "", name)
