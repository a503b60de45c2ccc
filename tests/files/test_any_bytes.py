"""Whatever stands in a file, it ends in rows or in a sentence."""

from __future__ import annotations

import tempfile

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.files.columns import WantedColumns
from ctidialer.files.number_file import HowToRead, open_number_file
from ctidialer.files.rows import FileUnusable
from tests.files.reading import checked

NAMES = st.sampled_from(["n.csv", "n.txt", "n.jsonl", "n.xls"])
ENCODINGS = st.sampled_from([None, "utf-8", "gb18030", "utf-16", "latin-1", "utf-7", "hz"])
PIECES = st.sampled_from(
    [
        *(
            b"number",
            b"number,a\n",
            "手机号".encode("gbk"),
            "手机号".encode("utf-16"),
            b"\xef\xbb\xbf",
        ),
        *(
            b"\xff\xfe",
            b"\xfe\xff",
            b'"',
            b"\n",
            b"\r",
            b"\r\n",
            b",",
            b";",
            b"\t",
            b"sep=;",
            b"\0",
        ),
        *(b"{", b'{"params":{"number":"1"}}', b"138", b"1.38E+10", b"\xff", b"\xed\xa0\x80", b"="),
        *(b"PK\x03", b"<html>", b"# ", b"tel:", b"\x1b[2J", "\u202e".encode(), b"+8613800138000"),
    ]
)


class AnyBytesTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=600)
    @given(
        st.one_of(st.binary(max_size=60), st.lists(PIECES, max_size=20).map(b"".join)),
        NAMES,
        ENCODINGS,
        st.booleans(),
    )
    def test_they_end_in_rows_or_in_a_sentence(
        self, content: bytes, name: str, encoding: str | None, skip: bool
    ) -> None:
        how = HowToRead(encoding=encoding, wanted=WantedColumns(skip=skip))
        try:
            with tempfile.TemporaryFile() as file:
                file.write(content)
                with open_number_file(file, name, how) as numbers:
                    found, entries = checked(numbers, dedupe=True)
        except FileUnusable as error:
            self.assertEqual(len(str(error).splitlines()), 1)
            return
        self.assertEqual(found.entries, len(entries))
        self.assertTrue(all(b"\n" not in entry for entry in entries))
        for row in found.bad:
            self.assertTrue(row.problem)
