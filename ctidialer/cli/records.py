"""``ctidialer records``: how the numbers of this node ended."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ctidialer.cli.completion import complete_task
from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.printable import printable
from ctidialer.cli.record_print import (
    COLUMNS,
    CSV_FIELDS,
    Printer,
    as_csv,
    as_json,
    csv_row,
    for_people,
    row,
)
from ctidialer.contract import keys
from ctidialer.nodes.records import Entry, RecordStream
from ctidialer.settings import Settings
from ctidialer.store.errors import StoreError
from ctidialer.store.link import Link

LAST_BEFORE_FOLLOWING = 10


@click.command(short_help="Print how the numbers of a node ended.")
@connection_options
@click.option("--follow", "-f", is_flag=True, help="Go on with the records as they are written.")
@click.option(
    "--task",
    metavar="NAME",
    shell_complete=complete_task,
    help="Only those of this task or schedule configuration.",
)
@click.option(
    "--last",
    type=click.IntRange(0),
    metavar="N",
    help="Only the last N.  [default: all; with --follow 10]",
)
@click.option("--csv", "is_csv", is_flag=True, help="CSV with a header.")
@click.option("--json", "is_json", is_flag=True, help="One JSON object a line.")
def records(
    settings: Settings,
    follow: bool,
    task: str | None,
    last: int | None,
    is_csv: bool,
    is_json: bool,
) -> None:
    """Print the records of this node, oldest first: how each number ended."""
    if is_csv and is_json:
        raise click.UsageError("--csv and --json do not go together")
    if follow and last is None:
        last = LAST_BEFORE_FOLLOWING
    page = _Page(*_format(settings, is_csv, is_json))
    key = keys.records(settings.node.host)

    async def work(link: Link) -> None:
        stream = RecordStream(link, key, task)
        with _progress(None if follow else await _most(link, key, last)) as advance:
            page.printed = advance
            await _print_all(stream, page, last, follow)

    try:
        with_redis(settings, work)
    except click.Abort:
        if not follow:
            raise
    raise SystemExit(1 if page.unreadable else 0)


async def _most(link: Link, key: str, last: int | None) -> int | None:
    """Return how many records there are to print, at most; None = it cannot be told."""
    try:
        length = await link.call("XLEN", key)
    except StoreError:
        return None  # the reading that follows says it better
    assert isinstance(length, int)
    return length if last is None else min(length, last)


@contextmanager
def _progress(total: int | None) -> Iterator[Callable[[], object]]:
    """Show how far it has got, on a terminal whose own lines the records do not fill."""
    console = Console(stderr=True)
    into_a_file = not sys.stdout.isatty()
    progress = Progress(
        TextColumn("records"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=total is None or not (console.is_terminal and into_a_file),
    )
    with progress:
        bar = progress.add_task("", total=total)
        yield lambda: progress.advance(bar)


def _format(settings: Settings, is_csv: bool, is_json: bool) -> tuple[Printer, str]:
    if is_csv:
        return as_csv, csv_row(list(CSV_FIELDS))
    if is_json:
        return as_json, ""
    return for_people(settings.node.timezone), row(*(name for name, _ in COLUMNS))


async def _print_all(stream: RecordStream, page: _Page, last: int | None, follow: bool) -> None:
    if last is not None:
        await stream.skip_to_last(last)
    page.begin()
    # What is there already comes first either way.
    async for entry in stream.as_written() if follow else stream.all():
        page.print(entry)


class _Page:
    """Prints records below their header; counts what is no record."""

    def __init__(self, printer: Printer, header: str) -> None:
        self._printer = printer
        self._header = header
        self.unreadable = 0
        self.printed: Callable[[], object] = lambda: None

    def begin(self) -> None:
        """Print the header."""
        if self._header:
            click.echo(self._header)

    def print(self, entry: Entry) -> None:
        """Print one record."""
        self.printed()
        if entry.record is not None:
            click.echo(self._printer(entry.raw, entry.record))
        else:
            self.unreadable += 1
            problem = f"{entry.id} is no record and is left out: {entry.problem}"
            click.echo(printable(problem), err=True)
