"""Reads an .xlsx workbook in a process of its own, row by row, and prints its rows as JSON lines.

A workbook is a packed file: one of a few kilobytes can unpack to more than there is memory.  Here
only this process has to bear it.  What it prints, and its argument, are those of workbook_child;
the error OTHER says that another reader is needed.
"""

from __future__ import annotations

import json
import resource
import sys
from tempfile import TemporaryFile

from ctidialer.files.xlsx_book import OtherWorkbook, Sheet, XlsxBook
from ctidialer.files.xlsx_xml import BrokenWorkbook

MAX_MEMORY = 512 * 1024 * 1024
"""Bytes of address space; a sheet of a million rows needs a tenth of that."""

OTHER = "other"
NO_SHEET = "no_sheet"


def main() -> int:
    """Print the rows; return the exit status."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    with TemporaryFile() as texts:
        try:
            book = XlsxBook(sys.stdin.buffer, texts)
        except OtherWorkbook:
            return tell_error(OTHER, [])
        except BrokenWorkbook as error:
            return tell_error(f"it {error}", [])
        seen = [one.name for one in book.sheets if one.visible]
        sheet = sheet_named(book, sys.argv[1] or (seen[0] if seen else ""))
        if sheet is None:
            return tell_error(NO_SHEET, seen)
        return print_rows(book, sheet, seen)


def sheet_named(book: XlsxBook, name: str) -> Sheet | None:
    """Return the sheet of this name; None = there is none."""
    return next((one for one in book.sheets if one.name == name), None)


def tell_error(error: str, sheets: list[str]) -> int:
    """Print why there are no rows; return the exit status."""
    print(json.dumps({"error": error, "sheets": sheets}))
    return 1


def print_rows(book: XlsxBook, sheet: Sheet, seen: list[str]) -> int:
    """Print the rows, with their numbers; a row that is damaged ends them."""
    print(json.dumps({"sheet": sheet.name, "sheets": seen}))
    write, encode = sys.stdout.write, json.JSONEncoder(separators=(",", ":")).encode
    try:
        for row in book.rows(sheet):
            write(encode(row))
            write("\n")
    except BrokenWorkbook as error:
        print(json.dumps({"error": f"it {error}"}))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
