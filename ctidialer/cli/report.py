"""``ctidialer report``: what became of the numbers, by task and day or hour."""

from __future__ import annotations

import sys
from time import time

import click
import msgspec

from ctidialer.cli.completion import complete_task
from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.records import between, since_option, until_option
from ctidialer.cli.report_print import csv_lines, notes, print_report
from ctidialer.contract import keys
from ctidialer.nodes.reader import NodeReader
from ctidialer.nodes.results import WantedResults, read_results
from ctidialer.rules.periods import By, Periods
from ctidialer.rules.results_document import DetailedResults, detailed_results
from ctidialer.settings import Settings
from ctidialer.store.link import Link

UTC = "UTC"


@click.command(short_help="Sum up what became of the numbers.")
@connection_options
@click.argument("task", required=False, shell_complete=complete_task)
@since_option
@until_option
@click.option(
    "--by",
    type=click.Choice([one.value for one in By]),
    default=By.DAY.value,
    show_default=True,
    help="How long each period is.",
)
@click.option("--all-hosts", is_flag=True, help="Those of all nodes on this Redis.")
@click.option("--utc", is_flag=True, help="Days and hours of UTC, not of the node's zone.")
@click.option("--csv", "is_csv", is_flag=True, help="CSV with a header, safe in a spreadsheet.")
@click.option("--json", "is_json", is_flag=True, help="One JSON object.")
def report(
    settings: Settings,
    task: str | None,
    since: str | None,
    until: str | None,
    by: str,
    all_hosts: bool,
    utc: bool,
    is_csv: bool,
    is_json: bool,
) -> None:
    """Sum up the records: what became of the numbers of TASK (of all), by day or hour."""
    if is_csv and is_json:
        raise click.UsageError("--csv and --json do not go together")
    now, zone = time(), UTC if utc else settings.node.timezone
    wanted = WantedResults(task, *between(since, until, now, zone))

    async def work(link: Link) -> DetailedResults:
        own = settings.node
        hosts = await NodeReader(link, own).hosts_with_records() if all_hosts else [own.host]
        names, periods = [keys.records(host) for host in hosts], Periods(By(by), zone)
        found = await read_results(link, names, settings.records.max_records, wanted, periods)
        return detailed_results(*found, periods, now)

    found = with_redis(settings, work)
    if is_json:
        click.echo(msgspec.json.encode(found).decode())
    elif is_csv:
        _print_csv(found)
    else:
        print_report(found)
    raise SystemExit(1 if found.unreadable else 0)


def _print_csv(found: DetailedResults) -> None:
    for note in notes(found):
        click.echo(note, err=True)
    if found.rows is None:
        raise SystemExit(1)
    terminal = sys.stdout.isatty()
    for line in csv_lines(found, found.rows, terminal):
        click.echo(line + ("\n" if terminal else "\r\n"), nl=False)
