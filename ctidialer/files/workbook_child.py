"""Reads a workbook in a process of its own, and prints its rows as JSON lines.

A workbook is a packed file: one of a few kilobytes can ask for more memory than there is, and a
library that reads it can die of a damaged one.  Here only this process dies of that.

The standard input is the workbook, the first argument the sheet ("" = the first one to be seen).
The first line printed is an object with ``sheet`` and ``sheets``, or with ``error``; each other
one is a row: its number and its cells, all text.
"""

from __future__ import annotations

import datetime
import json
import resource
import sys
from collections.abc import Iterable

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

MAX_MEMORY = 2 * 1024 * 1024 * 1024
"""Bytes of address space; a sheet of a million rows needs a fifth of that."""


def text_of(value: object) -> str:
    """Return a cell as text.

    A number of more than 15 digits has lost the others already; it is written so that this shows.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < 1e15
        return str(int(value)) if whole else f"{value:.15g}"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**15 else f"{value:.15g}"
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def main() -> int:
    """Print the rows; return the exit status."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    try:
        workbook = CalamineWorkbook.from_filelike(sys.stdin.buffer)
        sheets = [
            one.name
            for one in workbook.sheets_metadata
            if one.typ is SheetTypeEnum.WorkSheet and one.visible is SheetVisibleEnum.Visible
        ]
        name = sys.argv[1] or (sheets[0] if sheets else "")
        if name not in workbook.sheet_names:
            return tell_error("no_sheet", sheets)
        sheet = workbook.get_sheet_by_name(name)
    except (CalamineError, OSError, ValueError) as error:
        return tell_error(str(error), [])
    print(json.dumps({"sheet": name, "sheets": sheets}))
    first = sheet.start[0] + 1 if sheet.start else 1
    print_rows(enumerate(sheet.iter_rows(), first))
    return 0


def tell_error(error: str, sheets: list[str]) -> int:
    """Print why there are no rows; return the exit status."""
    print(json.dumps({"error": error, "sheets": sheets}))
    return 1


def print_rows(rows: Iterable[tuple[int, Iterable[object]]]) -> None:
    """Print the rows, with their numbers."""
    write = sys.stdout.write
    for number, row in rows:
        write(json.dumps([number, [text_of(cell) for cell in row]]))
        write("\n")


if __name__ == "__main__":
    sys.exit(main())
