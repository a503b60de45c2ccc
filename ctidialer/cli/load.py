"""``ctidialer load``: puts a file of numbers into the list of a task."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from tempfile import TemporaryFile
from typing import IO, Any

import click

from ctidialer.cli.completion import complete_task
from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.file_reading import (
    BAD_ROW_OPTIONS,
    FILE_OPTIONS,
    SPELLING_OPTIONS,
    Option,
    check_rows,
    file_sentences,
    number_reader_of,
    treatment_of,
    with_options,
)
from ctidialer.cli.list_key import a_list
from ctidialer.cli.load_print import LoadOutcome, LoadReport
from ctidialer.cli.number_push import NoQueue, NumberPush, PushBroken
from ctidialer.cli.operator import done_json_option
from ctidialer.cli.printable import printable
from ctidialer.cli.progress import Advance, progress_of
from ctidialer.files.checking import Spool
from ctidialer.files.columns import WantedColumns
from ctidialer.files.number_file import HowToRead, open_number_file, seekable
from ctidialer.settings import Settings


def _renames(
    context: click.Context, parameter: click.Parameter, value: Iterable[str]
) -> dict[str, str]:
    """Read ``a=b`` and ``a=b,c=d``; the name behind the last = may be empty."""
    if not all(value):
        raise click.BadParameter("names no column: its value is empty")
    pairs = [one.rpartition("=") for text in value for one in text.split(",") if one]
    if not all(old.strip() and equals for old, equals, _ in pairs):
        raise click.BadParameter("must be OLD=NEW, or OLD= to leave the column out")
    return {old.strip(): new.strip() for old, _, new in pairs}


_OPTIONS: Sequence[Option] = (
    *FILE_OPTIONS,
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
    *SPELLING_OPTIONS,
    click.option(
        "--dedupe",
        is_flag=True,
        help="Leave out numbers that stand in the file before, in the list already, or wait.",
    ),
    *BAD_ROW_OPTIONS,
)


@click.command(short_help="Push a file of numbers to the queue of a task.")
@connection_options
@click.argument("task", shell_complete=complete_task)
@click.argument("file", type=click.File("rb"))
@with_options(*_OPTIONS)
@click.option(
    "--queue",
    metavar="KEY",
    callback=a_list,
    help="Push to this list, not the task's number_queue.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say what would be pushed, why not the rest, and who may be called now.",
)
@done_json_option
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
    number_of = number_reader_of(settings) if asked["dedupe"] else None
    with TemporaryFile() as spool_file, file_sentences(file.name), seekable(file) as source:
        spool = Spool(spool_file)
        with open_number_file(source, file.name, _how(asked)) as numbers:
            report.opened(numbers)
            treatment = treatment_of(settings, asked["normalize"], asked["region"])
            rejects = asked["rejects"]
            checked = check_rows(source, numbers, spool, treatment, rejects, as_json, number_of)
        report.checked(checked, rejects, asked["skip_bad"] or dry_run)
        push = NumberPush(spool, settings, number_of, dry_run)
        with progress_of("pushing", spool.count, as_json, in_percent=True) as advance:
            _push(push, settings, task, queue, advance)
    report.pushed(LoadOutcome(checked, push, asked["skip_bad"]))


def _how(asked: dict[str, Any]) -> HowToRead:
    wanted = WantedColumns(asked["number_column"], asked["renames"], asked["skip_columns"])
    return HowToRead(asked["file_format"], asked["encoding"], asked["sheet"], wanted)


def _push(
    push: NumberPush, settings: Settings, task: str, queue: str | None, advance: Advance
) -> None:
    try:
        with_redis(settings, lambda link: push.run(link, task, queue, advance))
    except (NoQueue, PushBroken) as error:
        raise click.ClickException(printable(str(error))) from error
    except click.Abort:
        if push.pushed:
            click.echo(f"{push.progress()} when it was interrupted", err=True)
        raise
