"""The lines of a file of text, whatever ends them: LF, CR LF, or CR alone."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO, NamedTuple

from ctidialer.files.encodings import shown_name
from ctidialer.files.rows import FileUnusable, Row, unreadable

MAX_LINE_BYTES = 1024 * 1024
"""Characters; nothing longer is read at once, whatever the file holds."""

MAX_RAW_BYTES = 1024
"""Characters of such a line that are kept."""


class TextLine(NamedTuple):
    """A line, its end included; ``number`` counts from 1.

    Bytes that are not of the encoding stand in it as lone surrogates: no UTF-8 can be made of it.
    """

    number: int
    text: str


class Lines:
    """The lines of ``file``; those that are too long are put into ``bad``."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self.encoding = encoding
        self.bad: list[Row] = []
        self._text = io.TextIOWrapper(file, encoding, "surrogateescape", newline="")

    def __iter__(self) -> Iterator[TextLine]:
        try:
            yield from self._all()
        finally:
            self._text.detach()  # the file is not this reader's to close

    def _all(self) -> Iterator[TextLine]:
        number = 0
        while text := self._read():
            number += 1
            if len(text) >= MAX_LINE_BYTES and not text.endswith(("\n", "\r")):
                problem = f"is longer than {MAX_LINE_BYTES} characters"
                self.bad.append(unreadable(number, (text[:MAX_RAW_BYTES],), problem))
                self._skip()
            else:
                yield TextLine(number, text)

    def taken(self) -> list[Row]:
        """Return the bad rows that were not returned yet."""
        taken, self.bad = self.bad, []
        return taken

    def _skip(self) -> None:
        while (text := self._read()) and not text.endswith(("\n", "\r")):
            pass

    def _read(self) -> str:
        try:
            return self._text.readline(MAX_LINE_BYTES)
        except UnicodeError as error:
            raise FileUnusable(
                f"is damaged: it is not {shown_name(self.encoding)} to its end ({error.reason})"
                if isinstance(error, UnicodeDecodeError)
                else f"is not {shown_name(self.encoding)}: {error}"
            ) from error
