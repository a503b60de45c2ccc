"""Excel workbooks: the rows of one sheet."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import IO

import msgspec

from ctidialer.contract.document import shown
from ctidialer.files.columns import Columns, WantedColumns, columns_of, no_header
from ctidialer.files.rows import FileUnusable, Row

READER = "python_calamine"
CHILD = Path(__file__).with_name("workbook_child.py")
MAX_HEADER_ROW = 20
"""Rows in which a header is looked for."""

ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0"
MAGIC = (ZIP, OLE)
"""Begin a workbook: .xlsx and its like, and the old .xls."""

_Cells = tuple[int, list[str]]


class _Opening(msgspec.Struct):
    """The first line that the child prints."""

    sheets: list[str]
    sheet: str = ""
    error: str = ""


class Workbook:
    """The rows of a sheet of ``file``; "" = the first that is not hidden.  Raises FileUnusable.

    The file is read by a child, which ends with this, however it ends (`close`).
    """

    def __init__(self, file: IO[bytes], sheet: str, wanted: WantedColumns) -> None:
        self._child = _start(file, sheet)
        try:
            opening = self._opening()
            self.sheet, self.sheets = opening.sheet, opening.sheets
            self._source = self._read()
            self._top = list(islice(self._source, MAX_HEADER_ROW))
            self.line, self.columns = _header(self._top, wanted)
        except FileUnusable:
            self.close()
            raise

    def rows(self) -> Iterator[Row]:
        """Yield the rows below the header that are not blank."""
        below = [one for one in self._top if one[0] > self.line]
        for source in (below, self._source):
            for number, cells in source:
                if any(cells):
                    yield self.columns.row(number, cells)

    def close(self) -> None:
        """End the child."""
        self._child.kill()
        self._child.communicate()

    def _opening(self) -> _Opening:
        line = self._output().readline()
        try:
            opening = msgspec.json.decode(line, type=_Opening)
        except msgspec.DecodeError as error:
            raise FileUnusable(self._how_it_died()) from error
        if opening.error == "no_sheet":
            names = ", ".join(map(shown, opening.sheets)) or "none"
            raise FileUnusable(f"has no such sheet; there are: {names}")
        if opening.error:
            raise FileUnusable(f"is no workbook that can be read: {opening.error}")
        return opening

    def _read(self) -> Iterator[_Cells]:
        decoder = msgspec.json.Decoder(_Cells)
        for line in self._output():
            try:
                yield decoder.decode(line)
            except msgspec.DecodeError as error:
                raise FileUnusable(self._how_it_died()) from error
        if self._child.wait() != 0:
            raise FileUnusable(self._how_it_died())

    def _output(self) -> IO[bytes]:
        assert self._child.stdout is not None
        return self._child.stdout

    def _how_it_died(self) -> str:
        return "is a workbook that cannot be read: it is damaged, or too large; save it as CSV"


def _start(file: IO[bytes], sheet: str) -> subprocess.Popen[bytes]:
    if find_spec(READER) is None:
        raise FileUnusable(
            "is an Excel workbook, for which the package python-calamine is needed:"
            " pip install python-calamine, or save it as CSV"
        )
    os.lseek(file.fileno(), 0, os.SEEK_SET)  # whatever of it is buffered here
    return subprocess.Popen(
        [sys.executable, "-P", str(CHILD), sheet],
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
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
