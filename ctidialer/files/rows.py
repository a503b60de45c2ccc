"""A row of a file of numbers, whatever the file is."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from attrs import frozen

NONE: Mapping[str, str] = MappingProxyType({})


class FileUnusable(ValueError):
    """No row of the file can be read; the message says why, and what to do."""


class FileKind(enum.Enum):
    """What is wrong with a row, for counting; the value goes on after "3 rows"."""

    UNREADABLE = "that cannot be read"
    CELLS = "with more or fewer cells than the header"
    CUT = "with a number that lost digits in a spreadsheet"
    EXTENSION = "with an extension behind the number"
    NUMBER = "without a number that can be dialed"
    VARIABLE = "with a variable that no call can carry"
    ENTRY = "with an entry that would not be dialed"
    UNTIL = "with an until that is no time"


@frozen
class RowProblem:
    """Why a row is bad: its kind, and a text that goes on after "line 3: "."""

    kind: FileKind
    text: str


@frozen
class Row:
    """One row as it was read.

    ``line`` counts from 1 (in a workbook the row); ``raw`` is the row as it stood, cell by cell.
    With ``is_entry`` the ``number`` is a whole entry, JSON as it stands in Redis.
    """

    line: int
    raw: Sequence[str]
    number: str = ""
    variables: Mapping[str, str] = NONE
    is_entry: bool = False
    problem: RowProblem | None = None


def unreadable(line: int, raw: Sequence[str], text: str) -> Row:
    """Return a row that cannot be read."""
    return Row(line, raw, problem=RowProblem(FileKind.UNREADABLE, text))
