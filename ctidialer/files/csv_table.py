"""CSV as it comes: its delimiter found out, titles above the header passed over."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

from attrs import frozen

from ctidialer.files.columns import Columns, WantedColumns, columns_of, is_usual_name, no_header
from ctidialer.files.lines import Lines, TextLine
from ctidialer.files.rows import FileUnusable, Row, unreadable

DELIMITERS = (",", ";", "\t")
MAX_HEADER_ROW = 20
"""Lines in which a header is looked for."""


@frozen
class Header:
    """The header that was found, its line, what stands between its cells, and the lines below."""

    line: int
    columns: Columns
    delimiter: str
    below: Sequence[TextLine]


class CsvTable:
    """The rows of a CSV; its ``header`` is read at once.  Raises FileUnusable."""

    def __init__(self, lines: Lines, wanted: WantedColumns) -> None:
        self._lines = lines
        self._source = iter(lines)
        self.header = _header(list(islice(self._source, MAX_HEADER_ROW)), wanted)

    def rows(self) -> Iterator[Row]:
        """Yield the rows below the header that are not blank, each named by its first line."""
        feed = _Feed(self._source, self.header.below)
        for row in _rows(feed, self.header):
            yield from self._lines.taken()
            yield row
        yield from self._lines.taken()


def is_header(line: str) -> bool:
    """Say whether a line names several columns, one of them as people call that of the numbers."""
    cells = [line.strip().split(one) for one in DELIMITERS]
    return any(len(one) > 1 and any(map(is_usual_name, one)) for one in cells)


class _Feed:
    """Lines as the CSV reader takes them; ``taken`` are those of the present row."""

    def __init__(self, source: Iterator[TextLine], first: Sequence[TextLine]) -> None:
        self._source = source
        self._first = deque(first)
        self.taken: list[TextLine] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._first.popleft() if self._first else next(self._source)
        self.taken.append(line)
        return line.text

    def begin_again(self) -> TextLine:
        """Return the first line of the present row; the others are read once more, as rows."""
        self._first.extendleft(reversed(self.taken[1:]))
        return self.taken[0]


def _rows(feed: _Feed, header: Header) -> Iterator[Row]:
    """Yield the rows.

    A quote that is never closed would swallow the rows behind it: so where a row of several lines
    is bad, only its first line is, and the others are read by themselves.
    """
    table = csv.reader(feed, delimiter=header.delimiter, strict=True)
    while True:
        feed.taken = []
        try:
            cells = next(table, None)
        except csv.Error as error:
            first = feed.begin_again()
            yield unreadable(first.number, (first.text.rstrip("\r\n"),), f"is no CSV: {error}")
            continue
        if cells is None:
            return
        if len(feed.taken) > 1 and not header.columns.fits(cells):
            first = feed.begin_again()
            problem = "is no CSV: it has a quote that is not closed"
            yield unreadable(first.number, (first.text.rstrip("\r\n"),), problem)
        elif any(cells):
            yield header.columns.row(feed.taken[0].number, cells)


def _header(top: Sequence[TextLine], wanted: WantedColumns) -> Header:
    """Return the header that stands highest; of several delimiters the one with most cells."""
    told = _told_delimiter(top[0].text) if top else None
    lines = top[1:] if told else top
    found = [_below(lines, one, wanted) for one in ([told] if told else DELIMITERS)]
    headers = [one for one in found if one is not None]
    if headers:
        return min(headers, key=lambda one: (one.line, -len(one.columns.header)))
    first = next((line for line in lines if line.text.strip()), None)
    if first is None:
        raise FileUnusable("is empty: it has neither a header nor a row")
    cells = _widest(first.text, [told] if told else DELIMITERS)
    raise FileUnusable(no_header(cells, first.number, wanted, MAX_HEADER_ROW))


def _below(lines: Sequence[TextLine], delimiter: str, wanted: WantedColumns) -> Header | None:
    """Return the header among ``lines``, None = there is none with this delimiter."""
    feed = _Feed(iter(()), lines)
    table = csv.reader(feed, delimiter=delimiter)
    read = 0
    while True:
        feed.taken = []
        try:
            cells = next(table, None)
        except csv.Error:
            return None
        if cells is None:
            return None
        columns = columns_of(cells, wanted) if any(cells) else None
        read += len(feed.taken)
        if columns is not None:
            return Header(feed.taken[0].number, columns, delimiter, lines[read:])


def _told_delimiter(line: str) -> str | None:
    """Return the delimiter that a first line like ``sep=;`` tells, as Excel writes it."""
    text = line.strip("\ufeff\r\n ").strip('"')
    return text[4] if len(text) == 5 and text.lower().startswith("sep=") else None


def _widest(line: str, delimiters: Sequence[str]) -> list[str]:
    return max((line.strip("\r\n").split(one) for one in delimiters), key=len)
