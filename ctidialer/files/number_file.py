"""A file of numbers, opened: what it is, and its rows."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import PurePath
from tempfile import TemporaryFile
from typing import IO

from attrs import field, frozen

from ctidialer.contract.document import shown
from ctidialer.files.columns import Columns, WantedColumns
from ctidialer.files.csv_table import CsvTable, is_header
from ctidialer.files.encodings import encoding_of, shown_name
from ctidialer.files.lines import Lines
from ctidialer.files.plain import read_json_lines, read_text
from ctidialer.files.rows import FileUnusable, Row
from ctidialer.files.workbook import MAGIC, Workbook

TEXT, CSV, JSON_LINES, EXCEL = "text", "csv", "jsonl", "excel"
FORMATS = (CSV, EXCEL, JSON_LINES, TEXT)
FORMAT_OF = {
    **{".csv": CSV, ".tsv": CSV, ".xls": CSV, ".xlsx": CSV, ".xlsm": CSV},
    **{".jsonl": JSON_LINES, ".ndjson": JSON_LINES, ".json": JSON_LINES},
}
"""By the name; a workbook is known by its first bytes, and a CSV may bear a workbook's name."""

_PLAIN_HEADER = ("row",)


@frozen
class HowToRead:
    """What the caller knows of a file; None = find it out."""

    file_format: str | None = None
    encoding: str | None = None
    sheet: str = ""
    wanted: WantedColumns = field(factory=WantedColumns)


@frozen
class NumberFile(AbstractContextManager["NumberFile"]):
    """An open file: its rows, the names of their cells, and what was found out.

    ``encoding`` is the codec, "" for a workbook.  ``notes`` are short texts for people, of what is
    not as usual.
    """

    rows: Iterator[Row]
    file_format: str
    encoding: str = ""
    header: Sequence[str] = _PLAIN_HEADER
    left_out: Sequence[str] = ()
    notes: Sequence[str] = ()
    _close: Callable[[], None] = lambda: None

    def __exit__(self, *raised: object) -> None:
        self._close()


@contextmanager
def seekable(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Give ``file``, or a copy on the disk where it can be read only once."""
    if file.seekable():
        yield file
        return
    with TemporaryFile() as copy:
        shutil.copyfileobj(file, copy)
        copy.seek(0)
        yield copy


def open_number_file(file: IO[bytes], name: str, how: HowToRead) -> NumberFile:
    """Open ``file``, which can be sought in; ``name`` says what it may be.

    Raises FileUnusable with one sentence that goes on after the file's name.
    """
    file.seek(0)
    beginning = file.read(16)
    file_format = how.file_format or _format(beginning, name)
    if file_format == EXCEL:
        return _open_workbook(file, how)
    if beginning.startswith(MAGIC):
        raise FileUnusable("is an Excel workbook, or another packed file: give --format excel")
    if beginning.lstrip().lower().startswith((b"<html", b"<!doc", b"<table", b"<?xml")):
        raise FileUnusable("is a web page or XML: open it in Excel and save it as .xlsx or CSV")
    encoding = encoding_of(file, how.encoding)
    if file_format == TEXT and how.file_format is None and _is_table(file, encoding, how):
        file_format = CSV
    lines = Lines(file, encoding)
    notes = _encoding_notes(encoding, how)
    if file_format == CSV:
        return _open_csv(lines, how, notes)
    read = read_text if file_format == TEXT else read_json_lines
    return NumberFile(read(lines), file_format, encoding, notes=notes)


def _is_table(file: IO[bytes], encoding: str, how: HowToRead) -> bool:
    """Say whether a file that could be anything has a header of several columns at its top, as
    Excel's "Unicode text" has."""
    if how.wanted.speaks_of_columns:
        return True
    first = next(iter(Lines(file, encoding)), None)
    file.seek(0)
    return first is not None and is_header(first.text)


def _format(beginning: bytes, name: str) -> str:
    if beginning.startswith(MAGIC):
        return EXCEL
    return FORMAT_OF.get(PurePath(name).suffix.lower(), TEXT)


def _open_csv(lines: Lines, how: HowToRead, notes: list[str]) -> NumberFile:
    table = CsvTable(lines, how.wanted)
    columns, line = table.header.columns, table.header.line
    return NumberFile(
        rows=table.rows(),
        file_format=CSV,
        encoding=lines.encoding,
        header=columns.header,
        left_out=columns.left_out,
        notes=[*notes, *_table_notes(columns, line, how)],
    )


def _open_workbook(file: IO[bytes], how: HowToRead) -> NumberFile:
    book = Workbook(file, how.sheet, how.wanted)
    several = [f"sheet {shown(book.sheet)} of {len(book.sheets)}"] if len(book.sheets) > 1 else []
    return NumberFile(
        rows=book.rows(),
        file_format=EXCEL,
        header=book.columns.header,
        left_out=book.columns.left_out,
        notes=[*several, *_table_notes(book.columns, book.line, how)],
        close=book.close,
    )


def _encoding_notes(encoding: str, how: HowToRead) -> list[str]:
    name = shown_name(encoding)
    return [] if how.encoding or name == "UTF-8" else [f"read as {name}"]


def _table_notes(columns: Columns, line: int, how: HowToRead) -> Iterator[str]:
    number = columns.header[columns.number]
    if line > 1:
        yield f"the header is on line {line}"
    if number.lower() != "number" and how.wanted.number_column is None:
        yield f"the numbers are in {shown(number)}"
    if columns.left_out:
        yield f"left out: {', '.join(map(shown, columns.left_out))}"
