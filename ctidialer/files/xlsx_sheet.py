"""The rows of one sheet of a workbook, as they come out of its XML."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import IO

from attrs import frozen

from ctidialer.files.cell_text import text_of
from ctidialer.files.xlsx_dates import Shown, moment_of
from ctidialer.files.xlsx_xml import Attributes, BrokenWorkbook, Elements, attribute, unescaped

MAX_COLUMNS = 16_384
MAX_ROWS = 1_048_576
MAX_PLAIN_DIGITS = 15
"""Digits of a whole number that stands as it was typed: no spreadsheet keeps more."""

SheetRow = tuple[int, list[str]]
"""The number of a row, counting from 1, and its cells from the first column on."""


@frozen
class CellFormats:
    """What the cells of a workbook mean: its shared texts, and what each style shows."""

    text: Callable[[int], str]
    styles: Sequence[Shown]
    from_1904: bool

    def value(self, kind: str, style: str, content: str) -> str:
        """Return the text of a cell of this kind (the attribute ``t``); raises ValueError."""
        if kind == "s":
            return self.text(int(content))
        if kind in ("str", "inlineStr", "d"):
            return unescaped(content)
        if kind == "b":
            return "true" if content.strip() == "1" else "false"
        return "" if kind == "e" else self._number(style, content)

    def _number(self, style: str, content: str) -> str:
        shown = self._shown(style) if style else Shown.NUMBER
        if shown is Shown.NUMBER:
            plain = len(content) <= MAX_PLAIN_DIGITS and content.isascii() and content.isdigit()
            return content if plain and content[0] != "0" else text_of(float(content))
        try:
            return text_of(moment_of(float(content), shown, self.from_1904))
        except OverflowError:
            return text_of(float(content))

    def _shown(self, style: str) -> Shown:
        index = int(style)
        return self.styles[index] if 0 <= index < len(self.styles) else Shown.NUMBER


class SheetReader:
    """Reads rows; those that are empty may be missing."""

    def __init__(self, formats: CellFormats) -> None:
        self._formats = formats
        self._rows: list[SheetRow] = []
        self._number = 0
        self._cells: list[str] = []
        self._kind = self._style = self._content = ""
        self._pronounced = False
        self._elements = Elements(self._begin, self._end)

    def rows(self, part: IO[bytes]) -> Iterator[SheetRow]:
        """Yield the rows of the part of a sheet; raises BrokenWorkbook."""
        for _ in self._elements.read(part):
            yield from self._rows
            self._rows.clear()

    def _begin(self, name: str, attributes: Attributes) -> None:
        if name == "c":
            self._begin_cell(attributes)
        elif name in ("v", "t"):
            self._elements.take_text()
        elif name == "row":
            place = attribute(attributes, "r")
            self._number = _whole(place) if place else self._number + 1
            if self._number > MAX_ROWS:
                raise BrokenWorkbook(f"has a row {self._number}: there are {MAX_ROWS} in a sheet")
            self._cells = []
        elif name == "rPh":
            self._pronounced = True

    def _begin_cell(self, attributes: Attributes) -> None:
        self._kind = self._style = self._content = ""
        for index in range(0, len(attributes), 2):
            name = attributes[index]
            if name == "r":
                self._fill(_column(attributes[index + 1]))
            elif name == "t":
                self._kind = attributes[index + 1]
            elif name == "s":
                self._style = attributes[index + 1]

    def _fill(self, column: int) -> None:
        """Put empty cells before the one in this column, counting from 0."""
        missing = column - len(self._cells)
        if missing > 0:
            self._cells += [""] * missing

    def _end(self, name: str) -> None:
        if name == "v":
            self._content = self._elements.take_text()
        elif name == "c":
            self._end_cell()
        elif name == "t":
            text = self._elements.take_text()
            self._content += "" if self._pronounced else text
        elif name == "row":
            self._rows.append((self._number, self._cells))
        elif name == "rPh":
            self._pronounced = False

    def _end_cell(self) -> None:
        self._elements.take_text()
        if len(self._cells) >= MAX_COLUMNS:
            raise BrokenWorkbook(f"has a row of more than {MAX_COLUMNS} cells")
        try:
            content = self._content
            value = self._formats.value(self._kind, self._style, content) if content else ""
        except ValueError as error:
            raise BrokenWorkbook(f"is damaged in row {self._number}: {error}") from error
        self._cells.append(value)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BrokenWorkbook("is damaged: it has a row whose number is none")
    return int(text)


def _column(place: str) -> int:
    """Return the column of a cell like AB12, counting from 0."""
    column = 0
    for one in place:
        if not "A" <= one <= "Z":
            break
        column = column * 26 + ord(one) - 64
    if not 0 < column <= MAX_COLUMNS:
        raise BrokenWorkbook("is damaged: it has a cell whose place is none")
    return column - 1
