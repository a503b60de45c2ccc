"""``ctidialer dnc``: lists of numbers that are not called."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from time import time

import click

from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.dnc_lists import (
    KIND_OPTIONS,
    NotThisKind,
    kind_for,
    kind_wanted,
    number_in,
    until_of,
)
from ctidialer.cli.dnc_load import load
from ctidialer.cli.file_reading import file_sentences, number_reader_of, treatment_of, with_options
from ctidialer.cli.list_key import written_list_argument
from ctidialer.cli.printable import printable
from ctidialer.contract.document import shown
from ctidialer.files.rows import Row, RowProblem
from ctidialer.rules.callee_zone import is_region, spellings
from ctidialer.rules.explaining import local_time
from ctidialer.settings import Settings
from ctidialer.store.dnc import DoNotCall, Entry, Listed
from ctidialer.store.link import Link

numbers_argument = click.argument("numbers", metavar="NUMBER…", nargs=-1, required=True)
region_option = click.option(
    "--region", metavar="XX", help="How national numbers are read: CN, US; as callee_region."
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the answer as a JSON object."
)


class CannotTell(click.ClickException):
    """Nobody knows whether a number is listed.

    The status 1 would say that it is not, and a script would call it.
    """

    exit_code = 2


@click.group(short_help="Keep lists of numbers that are not called.")
def dnc() -> None:
    """Keep a list of numbers that are not called: a set, or a hash with reasons, in Redis.

    Tasks name such lists in `dnc`.  What is written counts for the next call.
    """


dnc.add_command(load)


@dnc.command(short_help="Put numbers on a list.")
@connection_options
@written_list_argument
@numbers_argument
@region_option
@click.option("--reason", default="", metavar="TEXT", help="Why; in a hash.")
@click.option(
    "--until", metavar="TIME", help="When they may be called again, as 2027-01-01; in a hash."
)
@with_options(*KIND_OPTIONS)
@json_option
def add(
    settings: Settings,
    name: str,
    numbers: Sequence[str],
    region: str | None,
    reason: str,
    until: str | None,
    as_hash: bool,
    as_set: bool,
    as_json: bool,
) -> None:
    """Put each NUMBER on LIST; a list that is not there yet becomes a set, or with a reason a hash.

    With --region they are written as +8613800138000.
    """
    wanted = kind_wanted(as_hash, as_set)
    ends = None if until is None else _until(until, settings)
    entries = [Entry(one, reason, ends) for one in _read(settings, numbers, region)]

    async def work(link: Link) -> tuple[int, bool]:
        found = DoNotCall(link, name)
        kind = kind_for(name, await found.is_hash(), wanted, says_more=entries[0].says_more)
        return await found.add(entries, as_hash=kind), kind

    try:
        added, kind = with_redis(settings, work)
    except NotThisKind as error:
        raise click.ClickException(printable(str(error))) from error
    if as_json:
        answer = {"list": name, "kind": "hash" if kind else "set", "added": added}
        _print_json({**answer, "known": len(entries) - added})
        return
    known = f"; on it already: {len(entries) - added}" * (added < len(entries))
    click.echo(printable(f"{added} of {len(entries)} numbers were put on the list {name!r}{known}"))


@dnc.command(short_help="Take numbers off a list.")
@connection_options
@written_list_argument
@numbers_argument
@region_option
@json_option
def remove(
    settings: Settings, name: str, numbers: Sequence[str], region: str | None, as_json: bool
) -> None:
    """Take each NUMBER off LIST, in whichever way it is written there: it may be called again."""
    ways = [_ways(one, region) for one in _read(settings, numbers, None)]

    async def work(link: Link) -> list[int]:
        found = DoNotCall(link, name)
        return [await found.remove(one) for one in ways]

    removed = with_redis(settings, work)
    missing = [one[0] for one, count in zip(ways, removed, strict=True) if not count]
    if as_json:
        _print_json({"list": name, "removed": sum(removed), "missing": missing})
        return
    text = f"{sum(removed)} entries were taken off the list {name!r}"
    text += f"; not on it: {', '.join(missing)}" * bool(missing)
    click.echo(printable(text))


@dnc.command(short_help="Say whether a number is on a list.")
@connection_options
@click.argument("name", metavar="LIST")
@click.argument("number")
@region_option
@json_option
def check(settings: Settings, name: str, number: str, region: str | None, as_json: bool) -> None:
    """Say whether LIST keeps NUMBER from being called now.

    The exit status is 0 if it does, 1 if it does not, and 2 if that cannot be told.  With --region
    the number is found in whichever way it is written there.
    """
    (written,) = _read(settings, [number], None)
    ways = _ways(written, region)

    async def work(link: Link) -> tuple[bool, list[Listed]]:
        found = DoNotCall(link, name)
        return await found.is_hash() is not None, await found.find(ways)

    try:
        exists, found = with_redis(settings, work)
    except click.ClickException as error:
        raise CannotTell(error.message) from error
    now = time()
    counting = [one for one in found if one.until is None or one.until > now]
    if as_json:
        said = [{"written": o.spelling, "reason": o.reason, "until": o.until} for o in found]
        _print_json({"list": name, "number": written, "listed": bool(counting), "found": said})
    elif exists:
        for line in _said(name, written, region, found, counting, settings.node.timezone):
            click.echo(printable(line))
    if not exists:
        click.echo(printable(f"there is no list {name!r}"), err=True)
    raise SystemExit(0 if counting else 1)


def _said(
    name: str,
    number: str,
    region: str | None,
    found: Sequence[Listed],
    counting: Sequence[Listed],
    zone: str,
) -> Iterable[str]:
    if not found:
        hint = "" if region else "; with --region it is looked for in every way of writing it"
        yield f"{number} is not on the list {name!r}{hint}"
    for one in found:
        is_over = one not in counting
        text = f"{number} {'was' if is_over else 'is'} on the list {name!r}"
        text += f" as {one.spelling}" * (one.spelling != number)
        text += f", until {local_time(one.until, zone)}" if one.until is not None else ""
        yield text + (f": {one.reason}" if one.reason else "")


def _read(settings: Settings, numbers: Sequence[str], region: str | None) -> list[str]:
    """Return the numbers as they would be dialed; with a region international."""
    found = []
    number_of = number_reader_of(settings)
    with file_sentences("NUMBER"):
        treatment = treatment_of(settings, normalize=True, region=region)
    for number in numbers:
        entry = treatment.entry_of(Row(1, (number,), number))
        if isinstance(entry, RowProblem):
            raise click.UsageError(printable(f"{shown(number)}: {entry.text}"))
        found.append(number_in(entry, number_of))
    return found


def _ways(number: str, region: str | None) -> tuple[str, ...]:
    """Return how a number may be written on a list, as it was given first."""
    if region is not None and not is_region(region.upper()):
        raise click.UsageError(f"--region: {shown(region)} is no region; two letters are, as CN")
    return spellings(number, region.upper() if region else None)


def _until(text: str, settings: Settings) -> float:
    now = time()
    try:
        until = until_of(text, now, settings.node.timezone)
    except ValueError as error:
        raise click.UsageError(f"--until {error}") from error
    if until <= now:
        raise click.UsageError("--until is over already: nobody would be kept from being called")
    return until


def _print_json(answer: dict[str, object]) -> None:
    click.echo(json.dumps(answer, ensure_ascii=False))
