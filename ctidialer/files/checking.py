"""Checks every row of a file and keeps the entries, on disk, until all are checked.

So nothing is pushed of a file with a bad row, and a million rows need little memory.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Protocol

from attrs import frozen

from ctidialer.files.rejects import Rejects
from ctidialer.files.rows import FileKind, Row, RowProblem
from ctidialer.files.seen import Seen, key_of
from ctidialer.files.treatment import FileEntry

MAX_LISTED = 1000
"""Bad rows that are kept word for word; the others are only counted."""

TELL_EVERY = 1000
"""Rows after which progress is told again."""

BATCH_ROWS = 1000
BATCH_BYTES = 256 * 1024
"""Entries of one batch of a spool, and bytes after which a batch ends."""

NumberOf = Callable[[bytes], str]
"""Returns the number in an entry that would be dialed."""


class RowTreatment(Protocol):
    """Makes the entry of a row."""

    def entry_of(self, row: Row) -> FileEntry | RowProblem:
        """Return the entry of a row that could be read, or why there is none."""


@frozen
class BadRow:
    """A bad row, and why it is."""

    line: int
    problem: str


@frozen
class CheckedFile:
    """How many entries are in the spool, the rows left out as duplicates, and the bad rows."""

    entries: int
    duplicates: int
    bad_rows: int
    bad: tuple[BadRow, ...]
    kinds: Mapping[FileKind, int]

    @property
    def rows(self) -> int:
        """How many rows the file has."""
        return self.entries + self.duplicates + self.bad_rows


class Spool:
    """Entries that wait, one a line of ``file``, in the order of their rows."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._keys = array("Q")
        self.count = 0

    def add(self, raw: bytes, key: int | None) -> None:
        """Put an entry in; ``key`` stands for its number, for all entries or for none."""
        self._file.write(raw + b"\n")
        self.count += 1
        if key is not None:
            self._keys.append(key)

    def batches(self, without: Sequence[Seen] = ()) -> Iterator[tuple[list[bytes], list[int]]]:
        """Yield the entries, and how many were left out as their numbers are in each of
        ``without``: they count with the first that has them."""
        self._file.seek(0)
        at = 0
        while lines := self._file.readlines(BATCH_BYTES):
            for start in range(0, len(lines), BATCH_ROWS):
                batch = lines[start : start + BATCH_ROWS]
                left_out = [0] * len(without)
                kept = list(self._kept(batch, at, without, left_out)) if without else batch
                at += len(batch)
                yield [line.removesuffix(b"\n") for line in kept], left_out

    def _kept(
        self, batch: list[bytes], at: int, without: Sequence[Seen], left_out: list[int]
    ) -> Iterator[bytes]:
        for line, key in zip(batch, self._keys[at : at + len(batch)], strict=True):
            place = next((place for place, seen in enumerate(without) if key in seen), None)
            if place is None:
                yield line
            else:
                left_out[place] += 1


class Check:
    """A check of rows: how they are treated, and where the bad ones go.

    With ``number_of`` a number that stood in the file before is left out.
    """

    def __init__(
        self, treatment: RowTreatment, number_of: NumberOf | None, rejects: Rejects | None
    ) -> None:
        self._treatment = treatment
        self._number_of = number_of
        self._rejects = rejects
        self._seen = Seen()
        self._duplicates = 0
        self._bad: list[BadRow] = []
        self._kinds: Counter[FileKind] = Counter()

    def run(self, rows: Iterable[Row], spool: Spool, tell: Callable[[], object]) -> CheckedFile:
        """Put the entry of each good row into ``spool``; ``tell`` is called now and then."""
        for index, row in enumerate(rows):
            found = row.problem or self._treatment.entry_of(row)
            if isinstance(found, RowProblem):
                self._refuse(row, found)
            else:
                self._keep(found, spool)
            if index % TELL_EVERY == 0:
                tell()
        tell()
        bad_rows = self._kinds.total()
        return CheckedFile(spool.count, self._duplicates, bad_rows, tuple(self._bad), self._kinds)

    def _keep(self, entry: FileEntry, spool: Spool) -> None:
        if self._number_of is None:
            spool.add(entry.raw, None)
            return
        key = key_of(entry.number or self._number_of(entry.raw))
        if self._seen.add(key):
            spool.add(entry.raw, key)
        else:
            self._duplicates += 1

    def _refuse(self, row: Row, problem: RowProblem) -> None:
        self._kinds[problem.kind] += 1
        if len(self._bad) < MAX_LISTED:
            self._bad.append(BadRow(row.line, problem.text))
        if self._rejects is not None:
            self._rejects.add(row, problem.text)
