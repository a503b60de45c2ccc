"""Files of numbers, read row by row: text, CSV and JSON lines, made into entries."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from attrs import frozen

from ctidialer.contract.document import shown
from ctidialer.contract.variables import NAME

NUMBER = "number"
LONGEST_LINE = 1024 * 1024
"""Bytes; nothing longer is read at once, whatever the file holds."""

DELIMITERS = (",", ";", "\t")
COMMENT = "# "
"""Begins a line that is no number; a # with digits behind it is one (``#31#13800138000``)."""


@frozen
class Row:
    """One row: the entry to push, or why there is none; ``line`` counts from 1."""

    line: int
    entry: bytes = b""
    problem: str = ""


class FileUnusable(ValueError):
    """No row of the file can be read; the message says why."""


class Source(Protocol):
    """A file of bytes, read line by line."""

    def readline(self, limit: int, /) -> bytes:
        """Return the next line, at most ``limit`` bytes of it; empty = the end."""


Reader = Callable[[Iterator[tuple[int, str]]], Iterator[Row]]


def read_rows(file: Source, file_format: str, encoding: str) -> Iterator[Row]:
    """Yield every row of ``file`` that is not blank; ``file_format`` is a key of ``READERS``.

    Raises FileUnusable.
    """
    bad: list[Row] = []
    for row in READERS[file_format](_lines(file, encoding, bad)):
        yield from _taken(bad)
        yield row
    yield from _taken(bad)


def _taken(bad: list[Row]) -> list[Row]:
    taken, bad[:] = list(bad), []
    return taken


def _lines(file: Source, encoding: str, bad: list[Row]) -> Iterator[tuple[int, str]]:
    """Yield each line with its number, its end included; what is no text goes to ``bad``."""
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if number == 1 and line.startswith(codecs.BOM_UTF8):
            line = line.removeprefix(codecs.BOM_UTF8)
        if len(line) >= LONGEST_LINE and not line.endswith(b"\n"):
            bad.append(Row(number, problem=f"is longer than {LONGEST_LINE} bytes"))
            _skip_line(file)
            continue
        try:
            yield number, line.decode(encoding)
        except UnicodeDecodeError as error:
            problem = f"is not {encoding.upper()} (byte {error.start}); see --encoding"
            bad.append(Row(number, problem=problem))


def _skip_line(file: Source) -> None:
    while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
        pass


def _read_text(lines: Iterator[tuple[int, str]]) -> Iterator[Row]:
    for number, line in lines:
        entry = line.strip()
        if entry and entry != "#" and not entry.startswith(COMMENT):
            yield Row(number, entry.encode())


def _read_json_lines(lines: Iterator[tuple[int, str]]) -> Iterator[Row]:
    for number, line in lines:
        entry = line.strip()
        if entry.startswith("{"):
            yield Row(number, entry.encode())
        elif entry:
            yield Row(number, problem=f"must be a JSON object, not {shown(entry)}")


def _read_csv(lines: Iterator[tuple[int, str]]) -> Iterator[Row]:
    source = _Source(lines)
    header = next(source, "")
    delimiter = next((one for one in DELIMITERS if one in header), ",")
    columns = _columns(next(csv.reader([header], delimiter=delimiter), []))
    table = csv.reader(source, delimiter=delimiter, strict=True)
    while True:
        source.first = 0
        try:
            cells = next(table, None)
        except csv.Error as error:
            yield Row(source.first, problem=f"is no CSV: {error}")
            continue
        if cells is None:
            return
        if any(cells):
            yield _csv_row(source.first, columns, cells)


class _Source:
    """The lines as the CSV reader takes them; ``first`` is the first of the present row."""

    def __init__(self, lines: Iterator[tuple[int, str]]) -> None:
        self._lines = lines
        self.first = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        number, line = next(self._lines)
        self.first = self.first or number
        return line


def _columns(cells: Sequence[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    if names.count(NUMBER) != 1:
        raise FileUnusable(
            f"its first line must name the columns, one of them {NUMBER!r};"
            f" it reads: {', '.join(map(shown, names)) or 'nothing'}"
        )
    for name in names:
        if not NAME.fullmatch(name):
            raise FileUnusable(
                f"its column {shown(name)} cannot be a variable: letters, digits and _.- can,"
                " the first no digit"
            )
    if len({name.lower() for name in names}) < len(names):
        raise FileUnusable(f"two of its columns have one name: {', '.join(names)}")
    return names


def _csv_row(line: int, columns: Sequence[str], cells: Sequence[str]) -> Row:
    if len(cells) != len(columns):
        return Row(line, problem=f"has {len(cells)} cells, the header {len(columns)}")
    values = dict(zip(columns, cells, strict=True))
    number = values.pop(NUMBER).strip()
    variables = {name: value for name, value in values.items() if value}
    if not variables and re.fullmatch(r"[^{\s][^\n]*", number):
        return Row(line, number.encode())
    document = {"params": {NUMBER: number}, "variables": variables}
    return Row(line, json.dumps(document, ensure_ascii=False).encode())


READERS: dict[str, Reader] = {"text": _read_text, "csv": _read_csv, "jsonl": _read_json_lines}
