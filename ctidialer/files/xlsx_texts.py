"""The texts that the cells of a workbook share, on the disk: there may be a million of them."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable
from functools import lru_cache
from typing import IO

from ctidialer.files.xlsx_xml import Attributes, BrokenWorkbook, Elements, unescaped

MAX_BYTES = 1024 * 1024 * 1024
"""Bytes of all texts together; those of a full sheet are a tenth of that."""

MAX_REMEMBERED = 1024
"""Texts that are kept in memory once they were asked for."""


class SharedTexts:
    """Texts by their index, kept in ``file``; eight bytes of each are in memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._ends = array("Q", [0])
        self.text = lru_cache(MAX_REMEMBERED)(self._text)

    def read(self, part: IO[bytes]) -> None:
        """Take the texts of a part; raises BrokenWorkbook."""
        reader = _TextReader(self._add)
        for _ in reader.elements.read(part):
            pass
        self._file.flush()

    def _add(self, text: str) -> None:
        written = text.encode("utf-8", "surrogatepass")
        end = self._ends[-1] + len(written)
        if end > MAX_BYTES:
            raise BrokenWorkbook(f"has more than {MAX_BYTES} bytes of text")
        self._file.write(written)
        self._ends.append(end)

    def _text(self, index: int) -> str:
        """Return a text; raises BrokenWorkbook where there is none of this index."""
        if not 0 <= index < len(self._ends) - 1:
            raise BrokenWorkbook(
                f"has a cell with text {index}, but only {len(self._ends) - 1} texts"
            )
        begin = self._ends[index]
        written = os.pread(self._file.fileno(), self._ends[index + 1] - begin, begin)
        return written.decode("utf-8", "surrogatepass")


class _TextReader:
    """Puts the runs of each text together, without what says how they are pronounced."""

    def __init__(self, add: Callable[[str], None]) -> None:
        self._add = add
        self._runs: list[str] = []
        self._pronounced = False
        self.elements = Elements(self._begin, self._end)

    def _begin(self, name: str, attributes: Attributes) -> None:
        if name == "rPh":
            self._pronounced = True
        elif name == "t":
            self.elements.take_text()

    def _end(self, name: str) -> None:
        if name == "t" and not self._pronounced:
            self._runs.append(self.elements.take_text())
        elif name == "rPh":
            self._pronounced = False
        elif name == "si":
            self._add(unescaped("".join(self._runs)))
            self._runs.clear()
        self.elements.take_text()
