"""``ctidialer records``: how the numbers of this node ended."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from time import time
from typing import Any

import click

from ctidialer.cli.completion import complete_task
from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.printable import printable
from ctidialer.cli.progress import progress_of
from ctidialer.cli.record_csv import FIELDS, CsvPrinter, NoColumn, columns_of
from ctidialer.cli.record_print import Printer, RecordTable, as_json
from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from ctidialer.nodes.reader import NodeReader
from ctidialer.nodes.records import RecordEntry, RecordStreams, WantedRecords
from ctidialer.rules.moments import NoMoment, since_and_until
from ctidialer.settings import Settings
from ctidialer.store.errors import StoreError
from ctidialer.store.link import Link

LAST_BEFORE_FOLLOWING = 10
UTC = "UTC"

outcome_option = click.option(
    "--outcome",
    "outcomes",
    multiple=True,
    type=click.Choice([one.value for one in Outcome]),
    help="Only those that ended so; more than once: or so.",
)
since_option = click.option(
    "--since",
    metavar="TIME",
    help="Only those that ended since then: today, week, 2026-11-28 20:00, 20:00, 2h (ago).",
)
until_option = click.option(
    "--until", metavar="TIME", help="Only those that ended before this time."
)

_WHICH = (
    click.option(
        "--task",
        metavar="NAME",
        shell_complete=complete_task,
        help="Only those of this task or schedule configuration.",
    ),
    outcome_option,
    click.option(
        "--number", metavar="DIGITS", default="", help="Only those with these digits in the number."
    ),
    since_option,
    until_option,
    click.option(
        "--last",
        type=click.IntRange(0),
        metavar="N",
        help="Only the last N of them.  [default: all; with --follow 10]",
    ),
    click.option("--all-hosts", is_flag=True, help="Those of all nodes on this Redis."),
)


def _which(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_WHICH):
        command = option(command)
    return command


def _columns(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> Sequence[str] | None:
    try:
        return None if value is None else columns_of(value)
    except NoColumn as error:
        raise click.BadParameter(str(error)) from error


@click.command(short_help="Print how the numbers of a node ended.")
@connection_options
@click.option("--follow", "-f", is_flag=True, help="Go on with the records as they are written.")
@_which
@click.option("--utc", is_flag=True, help="Times in UTC, not in the node's zone.")
@click.option("--csv", "is_csv", is_flag=True, help="CSV with a header, safe in a spreadsheet.")
@click.option(
    "--columns",
    metavar="NAME,…",
    callback=_columns,
    help="The columns of the CSV; all = the usual ones, variables.NAME = a variable.",
)
@click.option("--json", "is_json", is_flag=True, help="One JSON object a line.")
def records(
    settings: Settings,
    follow: bool,
    last: int | None,
    all_hosts: bool,
    utc: bool,
    is_csv: bool,
    columns: Sequence[str] | None,
    is_json: bool,
    **which: Any,
) -> None:
    """Print the records of this node, oldest first: how each number ended."""
    if is_csv and is_json:
        raise click.UsageError("--csv and --json do not go together")
    if columns and not is_csv:
        raise click.UsageError("--columns goes with --csv")
    if follow and which["until"]:
        raise click.UsageError("--follow and --until do not go together")
    zone = UTC if utc else settings.node.timezone
    wanted = _wanted(which, zone)
    if follow and last is None and which["since"] is None:
        last = LAST_BEFORE_FOLLOWING
    page = _Page(*_format(zone, (columns or FIELDS) if is_csv else (), is_json, all_hosts))

    async def work(link: Link) -> None:
        own = settings.node
        hosts = await NodeReader(link, own).hosts_with_records() if all_hosts else [own.host]
        names = [keys.records(host) for host in hosts]
        total = None if follow else await most_records(link, names, last)
        # Not where the records themselves fill the lines of the terminal.
        quiet = total is None or sys.stdout.isatty()
        with progress_of("records", total, quiet) as advance:
            page.printed = partial(advance, 1)
            await _print_all(RecordStreams(link, names, wanted), page, last, follow)

    try:
        with_redis(settings, work)
    except click.Abort:
        if not follow:
            raise
    raise SystemExit(1 if page.unreadable else 0)


def _wanted(which: dict[str, Any], zone: str) -> WantedRecords:
    since, until = between(which["since"], which["until"], time(), zone)
    return WantedRecords(
        task=which["task"],
        outcomes=frozenset(Outcome(one) for one in which["outcomes"]),
        number=which["number"],
        since=since,
        until=until,
    )


def between(
    since: str | None, until: str | None, now: float, zone: str
) -> tuple[float | None, float | None]:
    """Return the unix times of --since and --until; raises UsageError where nothing lies between
    them, or one is no moment."""
    try:
        return since_and_until(since, until, now, zone, "--")
    except NoMoment as error:
        raise click.UsageError(str(error)) from error


async def most_records(link: Link, names: Sequence[str], last: int | None) -> int | None:
    """Return how many records there are to read, at most; None = it cannot be told."""
    most = 0
    for name in names:
        try:
            length = await link.call("XLEN", name)
        except StoreError:
            return None  # the reading that follows says it better
        assert isinstance(length, int)
        most += length
    return most if last is None else min(most, last)


def _format(
    zone: str, columns: Sequence[str], is_json: bool, hosts: bool
) -> tuple[Printer, str, str]:
    """Return what makes the lines, the header, and what ends each; with ``columns`` it is CSV."""
    terminal = sys.stdout.isatty()
    if columns:
        table = CsvPrinter(zone, terminal, columns)
        return table.row, table.header(), "\n" if terminal else "\r\n"
    if is_json:
        return as_json(terminal), "", "\n"
    people = RecordTable(zone, hosts)
    return people.row, people.header(), "\n"


async def _print_all(streams: RecordStreams, page: _Page, last: int | None, follow: bool) -> None:
    if last is not None:
        await streams.skip_to_last(last)
    page.begin()
    kept = last if follow or streams.are_several else None  # one node was skipped to exactly these
    async for entry in _last_of(streams.all(), kept):
        page.print(entry)
    if follow:
        async for entry in streams.as_written():
            page.print(entry)


async def _last_of(
    entries: AsyncIterator[RecordEntry], last: int | None
) -> AsyncIterator[RecordEntry]:
    """Yield the last of the entries: of several nodes there are more."""
    if last is None:
        async for entry in entries:
            yield entry
        return
    kept: deque[RecordEntry] = deque(maxlen=last)
    async for entry in entries:
        kept.append(entry)
    for entry in kept:
        yield entry


class _Page:
    """Prints records below their header; counts what is no record."""

    def __init__(self, printer: Printer, header: str, end: str) -> None:
        self._printer = printer
        self._header = header
        self._end = end
        self.unreadable = 0
        self.printed: Callable[[], object] = lambda: None

    def begin(self) -> None:
        """Print the header."""
        if self._header:
            self._echo(self._header)

    def print(self, entry: RecordEntry) -> None:
        """Print one record."""
        self.printed()
        if entry.record is not None:
            self._echo(self._printer(entry.raw, entry.record))
        else:
            self.unreadable += 1
            problem = f"{entry.id} is no record and is left out: {entry.problem}"
            click.echo(printable(problem), err=True)

    def _echo(self, line: str) -> None:
        # What looks like a colour is part of a record: on a terminal it is escaped already.
        click.echo(line + self._end, nl=False, color=True)
