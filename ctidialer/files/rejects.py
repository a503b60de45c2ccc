"""The bad rows of a file, written down so that they can be mended and loaded again."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import IO

from ctidialer.files.rows import Row

LINE, REASON = "line", "reason"


class Rejects:
    """A CSV of bad rows: the line, the reason, and the cells as they were.

    ``header`` has the names of those cells; more of them have none.
    """

    def __init__(self, file: IO[str], header: Sequence[str]) -> None:
        self._rows = csv.writer(file)
        self._rows.writerow(_writable((LINE, REASON, *header)))

    def add(self, row: Row, reason: str) -> None:
        """Write a bad row."""
        self._rows.writerow(_writable((str(row.line), reason, *row.raw)))


def _writable(cells: Sequence[str]) -> list[str]:
    """Return the cells with bytes that were no text written out."""
    return [cell.encode("utf-8", "backslashreplace").decode() for cell in cells]
