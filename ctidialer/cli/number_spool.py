"""Checks every row of a file of numbers and keeps the entries, on disk, until all are checked.

So a pipe can be loaded as well as a file, nothing is pushed of a file with a bad row, and a million
rows need no memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import IO

from attrs import frozen

from ctidialer.check.numbers import refusal
from ctidialer.cli.number_file import Row, Source, read_rows

LISTED = 1000
"""Bad rows that are kept word for word; the others are only counted."""

TELL = 64 * 1024
"""Bytes after which progress is told again."""

Advance = Callable[[int], None]
"""Is told how much more has been done."""


@frozen
class Checked:
    """How many numbers are in the spool, and the bad rows."""

    numbers: int
    bad_rows: int
    bad: tuple[Row, ...]


def check_rows(
    source: Source,
    file_format: str,
    encoding: str,
    pattern: re.Pattern[str],
    spool: IO[bytes],
    advance: Advance,
) -> Checked:
    """Write the entry of each good row to ``spool``, one a line; raises FileUnusable.

    ``advance`` is told the bytes that were read.
    """
    numbers, bad_rows = 0, 0
    bad: list[Row] = []
    for row in read_rows(_Counted(source, advance), file_format, encoding):
        problem = row.problem or _problem(row.entry, pattern)
        if not problem:
            spool.write(row.entry + b"\n")
            numbers += 1
            continue
        bad_rows += 1
        if len(bad) < LISTED:
            bad.append(Row(row.line, problem=problem))
    spool.seek(0)
    return Checked(numbers, bad_rows, tuple(bad))


class _Counted:
    """A source that tells how much of it has been read, every now and then."""

    def __init__(self, source: Source, advance: Advance) -> None:
        self._source = source
        self._advance = advance
        self._untold = 0

    def readline(self, limit: int, /) -> bytes:
        """Part of Source."""
        line = self._source.readline(limit)
        self._untold += len(line)
        if self._untold >= TELL or not line:
            self._advance(self._untold)
            self._untold = 0
        return line


def _problem(entry: bytes, pattern: re.Pattern[str]) -> str:
    return "; ".join(f"{fault.path} {fault.problem}" for fault in refusal(entry, pattern))
