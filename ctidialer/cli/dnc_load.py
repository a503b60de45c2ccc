"""``ctidialer dnc load``: puts a file of numbers on a list of those that are not called."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from time import time
from typing import IO, Any

import click
import msgspec
from attrs import define, evolve, field, frozen

from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.dnc_lists import (
    KIND_OPTIONS,
    NotThisKind,
    kind_for,
    kind_wanted,
    number_in,
    until_of,
)
from ctidialer.cli.file_reading import (
    BAD_ROW_OPTIONS,
    FILE_OPTIONS,
    check_rows,
    file_sentences,
    number_reader_of,
    region_option,
    treatment_of,
    with_options,
)
from ctidialer.cli.list_key import written_list_argument
from ctidialer.cli.load_print import say_bad
from ctidialer.cli.operator import done_json_option
from ctidialer.cli.printable import printable
from ctidialer.cli.progress import Advance, progress_of
from ctidialer.files.checking import CheckedFile, NumberOf, Spool
from ctidialer.files.columns import WantedColumns
from ctidialer.files.number_file import HowToRead, open_number_file, seekable
from ctidialer.files.rows import NONE, FileKind, Row, RowProblem
from ctidialer.files.treatment import FileEntry, Treatment
from ctidialer.settings import Settings
from ctidialer.store.dnc import MAX_WRITTEN, DoNotCall, Entry
from ctidialer.store.errors import StoreError, StoreUnavailable
from ctidialer.store.link import Link

REASON, UNTIL = "reason", "until"
"""The columns that a hash keeps beside the number."""

_DECODER = msgspec.json.Decoder(tuple[str, str, float | None])
_ENCODER = msgspec.json.Encoder()


@define
class _ListTreatment:
    """Makes a line of the spool of a row: the number, or as JSON the number, its reason and its
    until (unix seconds); ``zone`` (IANA) is that of the times in the file.

    ``says_more``: there were rows with a reason or an until; ``over``: so many with an until that
    is over.
    """

    treatment: Treatment
    number_of: NumberOf
    zone: str
    says_more: bool = False
    over: int = 0
    _now: float = field(factory=time)

    def entry_of(self, row: Row) -> FileEntry | RowProblem:
        """Return the line of a row, or what is wrong with it."""
        more = row.variables
        found = self.treatment.entry_of(evolve(row, variables=NONE) if more else row)
        if isinstance(found, RowProblem):
            return found
        number = number_in(found, self.number_of)
        if not more:
            return FileEntry(number.encode(), number)
        try:
            until = until_of(more[UNTIL], self._now, self.zone) if UNTIL in more else None
        except ValueError as error:
            return RowProblem(FileKind.UNTIL, f"{UNTIL} {error}")
        self.says_more = True
        self.over += until is not None and until <= self._now
        return FileEntry(_ENCODER.encode((number, more.get(REASON, ""), until)), number)


def _entries(spool: Spool) -> Iterator[Entry]:
    for lines, _ in spool.batches():
        for line in lines:
            yield Entry(*_DECODER.decode(line)) if line[:1] == b"[" else Entry(line.decode())


@frozen
class _Written:
    """What became of a file: ``added`` numbers were new; ``over``: so many keep nobody from being
    called, as their until is over; ``size``: of the list afterwards."""

    kind: str
    added: int
    over: int
    size: int


@define
class _Writing:
    """Writes the spool to the list ``name``; ``written``: so many numbers Redis has taken."""

    name: str
    spool: Spool
    wanted: bool | None
    says_more: bool
    over: int
    dry_run: bool
    written: int = 0

    async def run(self, link: Link, advance: Advance) -> _Written:
        """Write everything; raises NotThisKind or StoreError."""
        found = DoNotCall(link, self.name)
        kind = kind_for(self.name, await found.is_hash(), self.wanted, says_more=self.says_more)

        def told(count: int) -> None:
            self.written += count
            advance(count)

        added = 0
        if not self.dry_run:
            added = await found.add(_entries(self.spool), as_hash=kind, written=told)
        over = self.over if kind else 0  # a set keeps no until: there they are listed for ever
        return _Written("hash" if kind else "set", added, over, await found.size())

    def progress(self, unsure: bool) -> str:
        """Say how far it has got; ``unsure``: the next ones may have been written, too."""
        maybe = f" (up to {MAX_WRITTEN} more may have been)" if unsure else ""
        return (
            f"{self.written} of {self.spool.count} numbers were written{maybe}; written again,"
            " they stand there once"
        )


@click.command(short_help="Put a file of numbers on a list.")
@connection_options
@written_list_argument
@click.argument("file", type=click.File("rb"))
@with_options(*FILE_OPTIONS, region_option, *BAD_ROW_OPTIONS, *KIND_OPTIONS)
@click.option("--dry-run", is_flag=True, help="Check the file and write nothing.")
@done_json_option
def load(
    settings: Settings,
    name: str,
    file: IO[bytes],
    as_hash: bool,
    as_set: bool,
    dry_run: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """Put the numbers in FILE (- = standard input) on LIST; any file that `ctidialer load` takes.

    Blanks, dashes and the like are taken out.  The columns reason and until, if there are any, go
    into a hash; all others are left out.  With any bad row nothing is written, unless --skip-bad
    says so.
    """
    wanted = kind_wanted(as_hash, as_set)
    with TemporaryFile() as spool_file, file_sentences(file.name), seekable(file) as source:
        spool, plain = Spool(spool_file), treatment_of(settings, True, asked["region"])
        treatment = _ListTreatment(plain, number_reader_of(settings), settings.node.timezone)
        with open_number_file(source, file.name, _how(asked)) as numbers:
            if numbers.notes and not as_json:
                click.echo(printable(f"{file.name}: {'; '.join(numbers.notes)}"), err=True)
            checked = check_rows(source, numbers, spool, treatment, asked["rejects"], as_json)
        _look_at(checked, file.name, asked["rejects"], asked["skip_bad"], as_json)
        writing = _Writing(name, spool, wanted, treatment.says_more, treatment.over, dry_run)
        with progress_of("writing", spool.count, as_json, in_percent=True) as advance:
            written = _write(writing, settings, advance)
    _say(writing, checked, written, as_json)


def _how(asked: dict[str, Any]) -> HowToRead:
    columns = WantedColumns(asked["number_column"], only=frozenset({REASON, UNTIL}))
    return HowToRead(asked["file_format"], asked["encoding"], asked["sheet"], columns)


def _look_at(
    checked: CheckedFile, name: str, rejects: Path | None, skip_bad: bool, as_json: bool
) -> None:
    """Say which rows are bad; end the command where it does not go on with the others."""
    if not checked.rows:
        raise click.ClickException(printable(f"{name}: has no row: nothing to write"))
    ends = bool(checked.bad_rows) and not (skip_bad and checked.entries)
    if checked.bad_rows and not as_json:
        say_bad(checked, rejects, "nothing was written (--skip-bad takes the others)" * ends)
    if ends:
        if as_json:
            click.echo(json.dumps({**_counts(checked), "added": 0}, ensure_ascii=False))
        raise SystemExit(1)


def _write(writing: _Writing, settings: Settings, advance: Advance) -> _Written:
    async def work(link: Link) -> _Written:
        try:
            return await writing.run(link, advance)
        except StoreError as error:
            unsure = isinstance(error, StoreUnavailable) and error.may_have_been_executed
            if not (writing.written or unsure):
                raise
            text = f"{writing.progress(unsure)}, then: {error}"
            raise click.ClickException(printable(text)) from error

    try:
        return with_redis(settings, work)
    except NotThisKind as error:
        raise click.ClickException(printable(str(error))) from error
    except click.Abort:
        if writing.written:
            click.echo(f"{writing.progress(unsure=True)}; it was interrupted", err=True)
        raise


def _say(writing: _Writing, checked: CheckedFile, written: _Written, as_json: bool) -> None:
    if as_json:
        more = {"list": writing.name, "kind": written.kind, "dry_run": writing.dry_run}
        sizes = {"added": written.added, "over": written.over, "size": written.size}
        answer = {**more, **_counts(checked), **sizes}
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    where = f"the list {writing.name!r} (a {written.kind})"
    size = f"it has {written.size} numbers"
    if writing.dry_run:
        said = f"{checked.entries} of {checked.rows} numbers would be put on {where}"
    else:
        known = checked.entries - written.added
        said = f"{written.added} of {checked.rows} numbers were put on {where}"
        said += f"; on it already: {known}" * bool(known)
    over = f"; their until is over, so nobody is kept from being called: {written.over}"
    click.echo(printable(f"{said}; {size}{over * bool(written.over)}"))


def _counts(checked: CheckedFile) -> dict[str, object]:
    return {
        "rows": checked.rows,
        "bad_rows": checked.bad_rows,
        "bad": [{"line": row.line, "problem": row.problem} for row in checked.bad],
        "bad_kinds": {kind.name.lower(): count for kind, count in checked.kinds.items()},
    }
