"""``ctidialer waiting``: the numbers of a task that wait to be called (again)."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator, Iterator
from zoneinfo import ZoneInfo

import click
from attrs import field, frozen

from ctidialer.cli.asking import numbers
from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.named import Named, known_owner, schedule_option, task_argument
from ctidialer.cli.printable import printable
from ctidialer.cli.record_print import clock_time, padded
from ctidialer.contract.status import Later
from ctidialer.contract.waiting import WaitReason
from ctidialer.nodes.number_orders import ListedNumber, NumberOrders, Standing
from ctidialer.rules.explaining import local_time
from ctidialer.settings import Settings
from ctidialer.store.link import Link

MAX_LISTED = 100

_WIDTHS = (20, 19, 6, 3, 0)


@frozen
class _Shown:
    """What is printed: the sums, and some of the numbers; times are those of ``zone`` (IANA)."""

    standing: Standing
    zone: str
    numbers: list[ListedNumber] = field(factory=list)


@click.command(short_help="List the numbers of a task that wait.")
@connection_options
@task_argument
@schedule_option
@click.option(
    "--reason",
    type=click.Choice([one.value for one in WaitReason]),
    help="Only those that wait for this reason.",
)
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=MAX_LISTED,
    show_default=True,
    metavar="N",
    help="The first N of them by due time; 0 = all.",
)
@click.option("--last", type=click.IntRange(1), metavar="N", help="The last N of them instead.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as a JSON object.")
def waiting(
    settings: Settings,
    task: str | None,
    schedule: str | None,
    reason: str | None,
    limit: int,
    last: int | None,
    as_json: bool,
) -> None:
    """List the numbers of TASK that wait: when each is due, why it waits, and for which try."""
    named, wanted = Named.of(task, schedule), WaitReason(reason) if reason else None

    async def work(link: Link) -> _Shown:
        owner = await known_owner(link, settings.node, named)
        orders = NumberOrders(link, settings, owner)
        found = _Shown(await orders.standing(), owner.zone)
        some = _with_reason(orders.listed(), wanted)
        listed = _last(some, last) if last else _first(some, limit)
        async for one in listed:
            found.numbers.append(one)
        return found

    shown = with_redis(settings, work)
    if as_json:
        click.echo(json.dumps(_as_json(named, settings.node.host, shown), ensure_ascii=False))
    else:
        for line in _lines(named, shown):
            click.echo(line)


async def _with_reason(
    numbers: AsyncIterator[ListedNumber], reason: WaitReason | None
) -> AsyncIterator[ListedNumber]:
    async for one in numbers:
        if reason in (None, one.reason):
            yield one


async def _first(numbers: AsyncIterator[ListedNumber], limit: int) -> AsyncIterator[ListedNumber]:
    count = 0
    async for one in numbers:
        yield one
        count += 1
        if count == limit:
            return


async def _last(numbers: AsyncIterator[ListedNumber], last: int) -> AsyncIterator[ListedNumber]:
    kept: deque[ListedNumber] = deque(maxlen=last)
    async for one in numbers:
        kept.append(one)
    for one in kept:
        yield one


def waiting_numbers(standing: Standing) -> str:
    """Return "12 numbers that wait (retry 10, hours 2)"."""
    reasons = _sums(standing.later)
    verb = "waits" if standing.waiting == 1 else "wait"
    return f"{numbers(standing.waiting)} that {verb}" + (f" ({reasons})" if reasons else "")


def _sums(later: Later) -> str:
    """Say how many numbers wait for each reason, those that any waits for."""
    counts = {reason.value: getattr(later, reason.value) for reason in WaitReason}
    return ", ".join(f"{reason} {count}" for reason, count in counts.items() if count)


def _lines(named: Named, shown: _Shown) -> Iterator[str]:
    later = shown.standing.later
    said = f"{named}: {waiting_numbers(shown.standing)}"
    if later.next_due is not None:
        said += f"; the next is due {local_time(later.next_due, shown.zone)}"
    yield printable(said)
    if not shown.numbers:
        return
    zone = ZoneInfo(shown.zone)
    widths = (_WIDTHS[0], max(_WIDTHS[1], len(shown.zone) + 6), *_WIDTHS[2:])
    yield padded(("NUMBER", f"DUE ({shown.zone})", "REASON", "TRY", "ENTRY_ID"), widths)
    for one in shown.numbers:
        reason = one.reason.value if one.reason else "-"
        number = one.number or one.waiting.entry.decode("utf-8", "backslashreplace")[:40]
        due = clock_time(one.waiting.due, zone)
        yield padded((number, due, reason, str(one.try_number), one.entry_id or "-"), widths)


def _as_json(named: Named, host: str, shown: _Shown) -> dict[str, object]:
    later = shown.standing.later
    return {
        named.key: named.name,
        "host": host,
        "waiting": shown.standing.waiting,
        "reasons": {reason.value: getattr(later, reason.value) for reason in WaitReason},
        "next_due": later.next_due,
        "zone": shown.zone,
        "numbers": [_document(one) for one in shown.numbers],
    }


def _document(one: ListedNumber) -> dict[str, object]:
    """Return a number that waits as it stands in the JSON."""
    return {
        "number": one.number,
        "due": one.waiting.due,
        "reason": one.reason.value if one.reason else None,
        "try": one.try_number,
        "entry_id": one.entry_id,
        "entry": one.waiting.entry.decode("utf-8", "backslashreplace"),
    }
