"""``ctidialer load``: puts a file of numbers into the list of a task."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from ctidialer.cli.completion import complete_task
from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.number_file import READERS, FileUnusable
from ctidialer.cli.number_push import NoQueue, NumberPush, PushBroken
from ctidialer.cli.number_spool import Advance, Checked, check_rows
from ctidialer.cli.printable import printable
from ctidialer.settings import Settings

FORMAT_OF = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}


@click.command(short_help="Push a file of numbers to the queue of a task.")
@connection_options
@click.argument("task", shell_complete=complete_task)
@click.argument("file", type=click.File("rb"))
@click.option(
    "--format",
    "file_format",
    type=click.Choice(sorted(READERS)),
    help="What the file is.  [default: by its name, else text]",
)
@click.option("--encoding", default="utf-8", show_default=True, help="Its encoding, as gb18030.")
@click.option("--queue", metavar="KEY", help="Push to this list, not the task's number_queue.")
@click.option("--dry-run", is_flag=True, help="Check the file and the task, and push nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as a JSON object.")
def load(
    settings: Settings,
    task: str,
    file: IO[bytes],
    file_format: str | None,
    encoding: str,
    queue: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Push the numbers in FILE (- = standard input) to the queue of TASK.

    A text file has one number a line; a CSV has a header with `number`, its other columns are
    variables; JSON lines are entries as they stand in Redis.  Every row is checked first: with any
    bad row nothing is pushed.
    """
    pattern = re.compile(settings.node.number_pattern)
    file_format = file_format or FORMAT_OF.get(Path(file.name).suffix.lower(), "text")
    _check_encoding(encoding)
    with TemporaryFile() as spool:
        with _progress("checking", _size(file), as_json) as advance:
            checked = _checked(file, file_format, encoding, pattern, spool, advance)
        if checked.bad:
            _refuse(task, checked, as_json)
        push = NumberPush(spool, checked.numbers, dry_run)
        with _progress("pushing", checked.numbers, as_json) as advance:
            _push(push, settings, task, queue, advance)
    _print(task, checked, push, as_json)


def _checked(
    source: IO[bytes],
    file_format: str,
    encoding: str,
    pattern: re.Pattern[str],
    spool: IO[bytes],
    advance: Advance,
) -> Checked:
    try:
        return check_rows(source, file_format, encoding, pattern, spool, advance)
    except FileUnusable as error:
        raise click.ClickException(f"{printable(source.name)}: {printable(str(error))}") from error
    except OSError as error:
        raise click.ClickException(f"{printable(source.name)}: {error.strerror}") from error


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


def _check_encoding(encoding: str) -> None:
    try:
        fits = b"1\n".decode(encoding) == "1\n"
    except (LookupError, UnicodeError) as error:
        raise click.UsageError(f"--encoding: {error}") from error
    if not fits:
        raise click.UsageError(f"--encoding: {encoding} is not one in which lines can be found")


def _size(source: IO[bytes]) -> int | None:
    try:
        return os.fstat(source.fileno()).st_size or None
    except OSError:
        return None


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


def _refuse(task: str, checked: Checked, as_json: bool) -> None:
    """End the command: there are bad rows."""
    if as_json:
        click.echo(json.dumps(_as_json(task, checked, None), ensure_ascii=False))
    else:
        for row in checked.bad:
            click.echo(printable(f"line {row.line}: {row.problem}"), err=True)
        if checked.bad_rows > len(checked.bad):
            click.echo(f"and {checked.bad_rows - len(checked.bad)} more", err=True)
        rows = checked.numbers + checked.bad_rows
        click.echo(f"{checked.bad_rows} of {rows} rows are bad: nothing was pushed", err=True)
    raise SystemExit(1)


def _print(task: str, checked: Checked, push: NumberPush, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_as_json(task, checked, push), ensure_ascii=False))
        return
    where = f"the list {push.queue!r} of the task {task!r}"
    if push.dry_run:
        text = f"good rows for {where}: {checked.numbers}; nothing was pushed"
    else:
        text = f"{push.progress()} to {where}"
    click.echo(printable(f"{text}; its length is {push.length}"))


def _as_json(task: str, checked: Checked, push: NumberPush | None) -> dict[str, object]:
    return {
        "task": task,
        "queue": push.queue if push else None,
        "rows": checked.numbers + checked.bad_rows,
        "pushed": push.pushed if push else 0,
        "length": push.length if push else None,
        "dry_run": push is not None and push.dry_run,
        "bad_rows": checked.bad_rows,
        "bad": [{"line": row.line, "problem": row.problem} for row in checked.bad],
    }
