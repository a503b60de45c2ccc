"""``ctidialer cancel``: ends the numbers of a task that wait, or stand in its queues."""

from __future__ import annotations

import json

import click
from attrs import frozen

from ctidialer.cli.asking import ask, carry_out, numbers, told, yes_option
from ctidialer.cli.connection import connection_options
from ctidialer.cli.named import Named, known_owner, schedule_option, task_argument
from ctidialer.cli.operator import done_json_option, order_now, why_option
from ctidialer.cli.printable import printable
from ctidialer.cli.progress import Advance, progress_of
from ctidialer.cli.waiting import waiting_numbers
from ctidialer.contract.control import Order
from ctidialer.nodes.number_orders import Done, NumberOrders, Standing
from ctidialer.nodes.number_owner import Owner
from ctidialer.settings import Settings
from ctidialer.store.link import Link


@frozen
class _Which:
    """Which numbers are ended: those that wait, those in the queues, or both."""

    named: Named
    waiting: bool
    queue: bool

    @classmethod
    def of(cls, named: Named, waiting: bool, queue: bool) -> _Which:
        """Return what was asked for; neither = both."""
        if named.is_schedule and queue:
            raise click.UsageError(
                "--queue goes with a TASK: scheduled numbers that wait for their time are taken"
                " out with ZREM"
            )
        both = not (waiting or queue)
        return cls(named, waiting or both, (queue or both) and not named.is_schedule)

    def counted(self, standing: Standing) -> int:
        """How many that are."""
        return self.waiting * standing.waiting + self.queue * standing.in_queues


@click.command(short_help="End the numbers of a task that wait or are queued.")
@connection_options
@task_argument
@schedule_option
@click.option("--waiting", is_flag=True, help="Only those that wait.")
@click.option("--queue", is_flag=True, help="Only those in the task's queues.")
@yes_option
@why_option
@done_json_option
def cancel(
    settings: Settings,
    task: str | None,
    schedule: str | None,
    waiting: bool,
    queue: bool,
    yes: bool,
    why: str,
    as_json: bool,
) -> None:
    """End the numbers of TASK that wait or stand in its queues: nobody calls them any more.

    Each gets a record with the outcome `canceled` that says who ordered it, and why.  Numbers in
    flight are not touched: their calls go on.  How many there are is said first.
    """
    which, done = _Which.of(Named.of(task, schedule), waiting, queue), Done()

    async def work(link: Link) -> Standing:
        owner = await known_owner(link, settings.node, which.named)
        orders = NumberOrders(link, settings, owner, done)
        standing = await orders.standing()
        _check_queues(which, owner, asked=queue)
        count = which.counted(standing)
        if count:
            ask(_question(which, standing, count), yes)
            with progress_of("canceling", count, as_json) as advance:
                await _cancel(orders, which, standing, order_now(why), advance)
        return standing

    standing = carry_out(settings, work, done, "canceled")
    _say(which, settings.node.host, standing, done, as_json)


async def _cancel(
    orders: NumberOrders, which: _Which, standing: Standing, order: Order, advance: Advance
) -> None:
    if which.waiting:
        await orders.cancel_waiting(standing.waiting, order, advance)
    if which.queue:
        await orders.cancel_queued(standing.queued, order, advance)


def _check_queues(which: _Which, owner: Owner, *, asked: bool) -> None:
    """Say where the queues of a task are not known; that is a fault only where they alone were
    asked for."""
    if not which.queue or not owner.problem:
        return
    text = f"the queues of {which.named} are not known: {owner.problem}"
    if asked and not which.waiting:
        raise click.ClickException(printable(text))
    click.echo(printable(text), err=True)


def _question(which: _Which, standing: Standing, count: int) -> str:
    parts = []
    if which.waiting:
        parts.append(waiting_numbers(standing))
    if which.queue:
        parts += [f"{numbers(found)} in {queue!r}" for queue, found in standing.queued.items()]
    return f"{which.named}: {', '.join(parts)}. End {numbers(count)}, so that nobody is called?"


def _say(which: _Which, host: str, standing: Standing, done: Done, as_json: bool) -> None:
    if as_json:
        answer = {
            which.named.key: which.named.name,
            "host": host,
            "waiting": standing.waiting if which.waiting else 0,
            "queued": dict(standing.queued) if which.queue else {},
            "canceled": done.numbers,
            "unsure": done.unsure,
        }
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    click.echo(printable(f"{which.named}: {told(done, 'canceled')}"))
