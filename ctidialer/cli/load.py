"""``ctidialer load``: puts a file of numbers into the list of a task."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from ctidialer.check.numbers import is_accepted, refusal
from ctidialer.cli.completion import complete_task
from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.load_print import LoadOutcome, LoadReport
from ctidialer.cli.number_push import NoQueue, NumberPush, PushBroken
from ctidialer.cli.printable import printable
from ctidialer.contract.number_document import decode_number
from ctidialer.files.checking import Check, CheckedFile, NumberOf, Spool
from ctidialer.files.columns import WantedColumns
from ctidialer.files.encodings import usable
from ctidialer.files.number_file import (
    FORMATS,
    HowToRead,
    NumberFile,
    open_number_file,
    seekable,
)
from ctidialer.files.region import to_e164
from ctidialer.files.rejects import Rejects
from ctidialer.files.rows import FileUnusable
from ctidialer.files.treatment import Treatment
from ctidialer.settings import Settings

Advance = Callable[[int], None]
"""Is told how much more has been done."""


def _encoding(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    problem = usable(value) if value else ""
    if problem:
        raise click.BadParameter(problem)
    return value


def _renames(
    context: click.Context, parameter: click.Parameter, value: Iterable[str]
) -> dict[str, str]:
    """Read ``a=b`` and ``a=b,c=d``; the name behind the last = may be empty."""
    pairs = [one.rpartition("=") for text in value for one in text.split(",") if one]
    if not all(old.strip() and equals for old, equals, _ in pairs):
        raise click.BadParameter("must be OLD=NEW, or OLD= to leave the column out")
    return {old.strip(): new.strip() for old, _, new in pairs}


_OPTIONS = (
    click.option(
        "--format",
        "file_format",
        type=click.Choice(FORMATS),
        help="What the file is.  [default: by its first bytes and its name, else text]",
    ),
    click.option(
        "--encoding",
        callback=_encoding,
        help="Its encoding, as gb18030.  [default: found out: UTF-8, UTF-16 or GB18030]",
    ),
    click.option("--sheet", metavar="NAME", default="", help="The sheet.  [default: the first]"),
    click.option(
        "--number-column",
        metavar="NAME",
        help="The column of the numbers.  [default: number, phone, mobile, 手机号 and the like]",
    ),
    click.option(
        "--columns",
        "renames",
        metavar="OLD=NEW,…",
        multiple=True,
        callback=_renames,
        help="Names for variables in place of the columns' own; OLD= leaves one out.",
    ),
    click.option(
        "--skip-columns", is_flag=True, help="Leave out columns that cannot be variables."
    ),
    click.option(
        "--normalize",
        is_flag=True,
        help='Take blanks, dashes, brackets, dots, ="…" and the like out of the numbers.',
    ),
    click.option(
        "--region", metavar="XX", help="The same, and make them international: +86… for CN."
    ),
    click.option(
        "--dedupe",
        is_flag=True,
        help="Leave out numbers that stand in the file before, or in the list already.",
    ),
    click.option("--skip-bad", is_flag=True, help="Push the good rows, whatever the others are."),
    click.option(
        "--rejects",
        metavar="FILE",
        type=click.Path(dir_okay=False, writable=True, path_type=Path),
        help="Write the bad rows to this CSV, with line and reason.",
    ),
)


def _load_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(short_help="Push a file of numbers to the queue of a task.")
@connection_options
@click.argument("task", shell_complete=complete_task)
@click.argument("file", type=click.File("rb"))
@_load_options
@click.option("--queue", metavar="KEY", help="Push to this list, not the task's number_queue.")
@click.option("--dry-run", is_flag=True, help="Say what would be pushed and why not the rest.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as a JSON object.")
def load(
    settings: Settings,
    task: str,
    file: IO[bytes],
    queue: str | None,
    dry_run: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """Push the numbers in FILE (- = standard input) to the queue of TASK.

    FILE is text with one number a line; a CSV or an Excel workbook with a header, whose other
    columns are variables; or JSON lines, entries as they stand in Redis.  Every row is checked
    first: with any bad row nothing is pushed, unless --skip-bad says so.
    """
    report = LoadReport(task, file.name, as_json)
    number_of = _number_of(settings) if asked["dedupe"] else None
    with TemporaryFile() as spool_file, _sentences(file.name), seekable(file) as source:
        spool = Spool(spool_file)
        with open_number_file(source, file.name, _how(asked)) as numbers:
            report.opened(numbers)
            checked = _check(source, numbers, spool, settings, number_of, asked, as_json)
        report.checked(checked, asked["rejects"], asked["skip_bad"] or dry_run)
        push = NumberPush(spool, number_of, dry_run)
        with _progress("pushing", spool.count, as_json) as advance:
            _push(push, settings, task, queue, advance)
    report.pushed(LoadOutcome(checked, push, asked["skip_bad"]))


def _how(asked: dict[str, Any]) -> HowToRead:
    wanted = WantedColumns(asked["number_column"], asked["renames"], asked["skip_columns"])
    return HowToRead(asked["file_format"], asked["encoding"], asked["sheet"], wanted)


def _check(
    source: IO[bytes],
    numbers: NumberFile,
    spool: Spool,
    settings: Settings,
    number_of: NumberOf | None,
    asked: dict[str, Any],
    quiet: bool,
) -> CheckedFile:
    treatment = _treatment(settings, asked)
    with (
        _rejects(asked["rejects"], source, numbers) as rejects,
        _progress("checking", _size(source), quiet) as advance,
    ):
        check = Check(treatment, number_of, rejects)
        return check.run(numbers.rows, spool, _Teller(source, advance))


def _treatment(settings: Settings, asked: dict[str, Any]) -> Treatment:
    pattern = re.compile(settings.node.number_pattern)
    region = asked["region"]
    return Treatment(
        accept=partial(is_accepted, pattern=pattern),
        refuse=partial(refusal, pattern=pattern),
        normalize=asked["normalize"],
        to_e164=to_e164(region.upper()) if region else None,
        max_entry=settings.node.max_entry,
    )


def _number_of(settings: Settings) -> NumberOf:
    pattern = re.compile(settings.node.number_pattern)
    return lambda entry: decode_number(entry, pattern).number


@contextmanager
def _rejects(path: Path | None, source: IO[bytes], numbers: NumberFile) -> Iterator[Rejects | None]:
    if path is None:
        yield None
        return
    if path.exists() and os.path.samestat(path.stat(), os.fstat(source.fileno())):
        raise click.UsageError("--rejects: that is the file that is read")
    # With the mark, a spreadsheet knows that it is UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        yield Rejects(file, numbers.header)


@contextmanager
def _sentences(name: str) -> Iterator[None]:
    """End the command with one sentence where the file cannot be read, or none be written."""
    try:
        yield
    except FileUnusable as error:
        raise click.ClickException(printable(f"{name}: {error}")) from error
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else name
        raise click.ClickException(printable(f"{where}: {error.strerror or error}")) from error


def _push(
    push: NumberPush, settings: Settings, task: str, queue: str | None, advance: Advance
) -> None:
    try:
        with_redis(settings, lambda link: push.run(link, settings.node.host, task, queue, advance))
    except (NoQueue, PushBroken) as error:
        raise click.ClickException(printable(str(error))) from error
    except click.Abort:
        if push.pushed:
            click.echo(f"{push.progress()} when it was interrupted", err=True)
        raise


class _Teller:
    """Tells how much of a file has been read since it was last asked."""

    def __init__(self, file: IO[bytes], advance: Advance) -> None:
        self._file = file
        self._advance = advance
        self._told = 0

    def __call__(self) -> None:
        at = self._file.tell()
        self._advance(at - self._told)
        self._told = at


def _size(source: IO[bytes]) -> int | None:
    return os.fstat(source.fileno()).st_size or None


@contextmanager
def _progress(what: str, total: int | None, quiet: bool) -> Iterator[Advance]:
    console = Console(stderr=True)
    progress = Progress(
        TextColumn(what),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )
    with progress:
        bar = progress.add_task("", total=total)
        yield lambda done: progress.advance(bar, done)
