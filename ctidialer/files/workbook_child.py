"""Reads a workbook of another kind than .xlsx in a process of its own, and prints its rows.

It is read whole: one of a few kilobytes can ask for more memory than there is, and the library that
reads it can die of a damaged one.  Here only this process dies of that.

The standard input is the workbook, the first argument the sheet ("" = the first one to be seen).
The first line printed is an object with ``sheet`` and ``sheets``, or with ``error``; each other
one is a row: its number and its cells, all text.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterable

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from ctidialer.files.cell_text import text_of

MAX_MEMORY = 2 * 1024 * 1024 * 1024
"""Bytes of address space; a sheet of a million rows needs a fifth of that."""


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
    print_rows(enumerate(sheet.iter_rows(), 1))
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
