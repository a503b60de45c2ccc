"""The XML parts of a workbook, read piece by piece: never a whole one at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import IO
from xml.parsers import expat

CHUNK_BYTES = 64 * 1024
MAX_TEXT_LENGTH = 1024 * 1024
"""Characters of one text; Excel itself writes 32,767 at most."""

MAX_NAMES = 1000
"""Names of elements that are remembered without their prefix."""

Attributes = Sequence[str]
"""Names and values in turn, as they stand."""

_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


class BrokenWorkbook(ValueError):
    """The workbook is damaged, or too large; the message goes on after "it"."""


class Elements:
    """Reads the elements of a part: ``begin(name, attributes)`` and ``end(name)`` are told of each,
    by its name without prefix."""

    def __init__(
        self, begin: Callable[[str, Attributes], object], end: Callable[[str], object]
    ) -> None:
        self._begin = begin
        self._end = end
        self._names: dict[str, str] = {}
        self._pieces: list[str] = []
        self._length = 0
        self._parser = expat.ParserCreate()
        self._parser.ordered_attributes = True
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._on_begin
        self._parser.EndElementHandler = self._on_end
        self._parser.CharacterDataHandler = self._on_text
        self._parser.StartDoctypeDeclHandler = _refuse_doctype

    def take_text(self) -> str:
        """Return the characters that were read since this was last called."""
        text = "".join(self._pieces)
        self._pieces.clear()
        self._length = 0
        return text

    def read(self, part: IO[bytes]) -> Iterator[None]:
        """Read a part to its end, yielding after each piece; raises BrokenWorkbook."""
        try:
            while chunk := part.read(CHUNK_BYTES):
                self._parser.Parse(chunk)
                yield
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise BrokenWorkbook(f"is damaged: {error}") from error
        yield

    def _on_begin(self, name: str, attributes: Attributes) -> None:
        self._begin(self._names.get(name) or self._learn(name), attributes)

    def _on_end(self, name: str) -> None:
        self._end(self._names.get(name) or self._learn(name))

    def _on_text(self, text: str) -> None:
        self._length += len(text)
        if self._length > MAX_TEXT_LENGTH:
            raise BrokenWorkbook(f"has a text of more than {MAX_TEXT_LENGTH} characters")
        self._pieces.append(text)

    def _learn(self, name: str) -> str:
        local = name.rpartition(":")[2]
        if len(self._names) < MAX_NAMES:
            self._names[name] = local
        return local


def read_all(part: IO[bytes], begin: Callable[[str, Attributes], object]) -> None:
    """Tell ``begin`` of each element of a small part; raises BrokenWorkbook."""
    elements = Elements(begin, lambda name: elements.take_text())
    for _ in elements.read(part):
        pass


def attribute(attributes: Attributes, name: str) -> str:
    """Return an attribute by its name without prefix; "" = there is none."""
    for index in range(0, len(attributes), 2):
        if attributes[index].rpartition(":")[2] == name:
            return attributes[index + 1]
    return ""


def unescaped(text: str) -> str:
    """Return a text with the characters that no XML may hold, which stand in it as _x000D_."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def _refuse_doctype(*declared: object) -> None:
    raise BrokenWorkbook("declares a document type, which no workbook does")
