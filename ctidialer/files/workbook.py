"""Excel workbooks: the rows of one sheet."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import islice
from typing import IO

import msgspec

from ctidialer.contract.document import shown
from ctidialer.files.columns import Columns, WantedColumns, columns_of, no_header
from ctidialer.files.rows import FileUnusable, Row

READER = "python_calamine"
CHILD = "ctidialer.files.workbook_child"
XLSX_CHILD = "ctidialer.files.xlsx_child"
OTHER = "other"
"""What the child for .xlsx says of a workbook that it does not know."""

MAX_HEADER_ROW = 20
"""Rows in which a header is looked for."""

ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0"
MAGIC = (ZIP, OLE)
"""Begin a workbook: .xlsx and its like, and the old .xls."""

_Cells = tuple[int, list[str]]
_DIED = "is a workbook that cannot be read: it is damaged, or too large; save it as CSV"


class _Opening(msgspec.Struct):
    """The first line that the child prints."""

    sheets: list[str]
    sheet: str = ""
    error: str = ""


class _End(msgspec.Struct):
    """The last line that a child prints when it cannot go on."""

    error: str


class Workbook:
    """The rows of a sheet of ``file``; "" = the first that is not hidden.  Raises FileUnusable.

    The file is read by a child, which ends with this, however it ends (`close`).
    """

    def __init__(self, file: IO[bytes], sheet: str, wanted: WantedColumns) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        try:
            opening = self._opened(file, sheet)
            self.sheet, self.sheets = opening.sheet, opening.sheets
            self._source = self._read()
            self._top = list(islice(self._source, MAX_HEADER_ROW))
            self.line, self.columns = _header(self._top, wanted)
        except FileUnusable:
            self.close()
            raise

    def rows(self) -> Iterator[Row]:
        """Yield the rows below the header that are not blank."""
        width = len(self.columns.header)
        below = [one for one in self._top if one[0] > self.line]
        for source in (below, self._source):
            for number, cells in source:
                if any(cells):
                    cells += [""] * (width - len(cells))
                    yield self.columns.row(number, cells)

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.communicate()

    def _opened(self, file: IO[bytes], sheet: str) -> _Opening:
        """Start the child that knows this kind of workbook, and read what it opened."""
        file.seek(0)
        if file.read(len(ZIP)) == ZIP:
            self._child = _start(file, XLSX_CHILD, sheet)
            opening = self._opening()
            if opening.error != OTHER:
                return _good(opening)
            self.close()
        _look_for_reader()
        self._child = _start(file, CHILD, sheet)
        return _good(self._opening())

    def _opening(self) -> _Opening:
        line = self._output().readline()
        try:
            return msgspec.json.decode(line, type=_Opening)
        except msgspec.DecodeError as error:
            raise FileUnusable(_DIED) from error

    def _read(self) -> Iterator[_Cells]:
        decoder = msgspec.json.Decoder(_Cells)
        for line in self._output():
            try:
                yield decoder.decode(line)
            except msgspec.DecodeError as error:
                raise FileUnusable(_how_it_ended(line)) from error
        if self._child is not None and self._child.wait() != 0:
            raise FileUnusable(_DIED)

    def _output(self) -> IO[bytes]:
        assert self._child is not None
        assert self._child.stdout is not None
        return self._child.stdout


def _good(opening: _Opening) -> _Opening:
    if opening.error == "no_sheet":
        names = ", ".join(map(shown, opening.sheets)) or "none"
        raise FileUnusable(f"has no such sheet; there are: {names}")
    if opening.error:
        raise FileUnusable(f"is no workbook that can be read: {opening.error}")
    return opening


def _how_it_ended(line: bytes) -> str:
    try:
        error = msgspec.json.decode(line, type=_End).error
    except msgspec.DecodeError:
        return _DIED
    return f"is a workbook that cannot be read to its end: {error}; save it as CSV"


def _look_for_reader() -> None:
    if find_spec(READER) is None:
        raise FileUnusable(
            "is a workbook, but no .xlsx: the package python-calamine is needed for it:"
            " pip install python-calamine, or save it as .xlsx or CSV"
        )


def _start(file: IO[bytes], child: str, sheet: str) -> subprocess.Popen[bytes]:
    os.lseek(file.fileno(), 0, os.SEEK_SET)  # whatever of it is buffered here
    return subprocess.Popen(
        [sys.executable, "-P", "-m", child, sheet],
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def _header(top: list[_Cells], wanted: WantedColumns) -> tuple[int, Columns]:
    for number, cells in top:
        columns = columns_of(cells, wanted)
        if columns is not None:
            return number, columns
    first = next((one for one in top if any(one[1])), None)
    if first is None:
        raise FileUnusable("is empty: its sheet has neither a header nor a row")
    raise FileUnusable(no_header(first[1], first[0], wanted, MAX_HEADER_ROW))
