"""``ctidialer requeue``: puts numbers of a task into a queue, to be called as new ones."""

from __future__ import annotations

import json
from time import time
from typing import Any

import click
from attrs import define, field

from ctidialer.cli.asking import ask, carry_out, numbers, told, yes_option
from ctidialer.cli.connection import connection_options
from ctidialer.cli.list_key import a_list
from ctidialer.cli.named import Named, known_owner, schedule_option, task_argument
from ctidialer.cli.operator import done_json_option, order_now, why_option
from ctidialer.cli.printable import printable
from ctidialer.cli.progress import progress_of
from ctidialer.cli.records import (
    between,
    most_records,
    outcome_option,
    since_option,
    until_option,
)
from ctidialer.cli.waiting import waiting_numbers
from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from ctidialer.nodes.number_orders import Done, NumberOrders
from ctidialer.nodes.number_owner import Owner
from ctidialer.nodes.reader import NodeReader
from ctidialer.nodes.record_requeue import NEVER_AGAIN, RecordRequeue, WantedAgain
from ctidialer.settings import Settings
from ctidialer.store.link import Link

WHAT = "queued anew"


@click.command(short_help="Queue numbers of a task anew.")
@connection_options
@task_argument
@schedule_option
@click.option("--waiting", is_flag=True, help="The numbers that wait: call them now.")
@outcome_option
@since_option
@until_option
@click.option(
    "--to",
    "queue",
    metavar="QUEUE",
    callback=a_list,
    help="This list, not the task's first queue.",
)
@yes_option
@why_option
@done_json_option
def requeue(
    settings: Settings,
    task: str | None,
    schedule: str | None,
    queue: str | None,
    yes: bool,
    why: str,
    as_json: bool,
    **which: Any,
) -> None:
    """Put numbers of TASK into its queue, behind all others, as new ones.

    With --waiting those that wait; their retries begin anew.  With --outcome those whose last
    record says so; a number that stands in the queue, is in flight or waits is left out.
    """
    wanted = _wanted(which, settings.node.timezone)
    if why and wanted is not None:
        raise click.UsageError("--why goes with --waiting: with --outcome no record tells of it")
    order = _Requeue(settings, Named.of(task, schedule), queue, yes, as_json)

    async def work(link: Link) -> None:
        if wanted is None:
            await order.waiting(link, why)
        else:
            await order.of_records(link, wanted)

    carry_out(settings, work, order.done, WHAT)
    order.say(settings.node.host)


def _wanted(which: dict[str, Any], zone: str) -> WantedAgain | None:
    """Return what is wanted of the records; None = the numbers that wait."""
    of_records = which["outcomes"] or which["since"] or which["until"]
    if bool(of_records) == which["waiting"]:
        raise click.UsageError("say which: --waiting, or --outcome, and not both")
    if which["waiting"]:
        return None
    outcomes = frozenset(Outcome(one) for one in which["outcomes"])
    if not outcomes:
        raise click.UsageError("--since and --until go with --outcome: say which numbers")
    if outcomes & NEVER_AGAIN:
        raise click.UsageError("--outcome dnc: who does not want to be called is not called again")
    since, until = between(which["since"], which["until"], time(), zone)
    return WantedAgain(outcomes, since=since, until=until)


@define
class _Requeue:
    """One such order: how many numbers were found for it, and what was done."""

    settings: Settings
    named: Named
    queue: str | None
    yes: bool
    as_json: bool
    to: str = ""
    found: int = 0
    left_out: int = 0
    done: Done = field(factory=Done)

    async def waiting(self, link: Link, why: str) -> None:
        """Queue the numbers that wait."""
        owner = await self._owner(link)
        orders = NumberOrders(link, self.settings, owner, self.done)
        standing = await orders.standing()
        self.found = standing.waiting
        if not self.found:
            return
        self._ask(waiting_numbers(standing), owner)
        with progress_of("queueing", self.found, self.as_json) as advance:
            await orders.requeue_waiting(self.found, self.to, order_now(why), advance)

    async def of_records(self, link: Link, wanted: WantedAgain) -> None:
        """Queue the numbers of these records."""
        owner = await self._owner(link)
        nodes = NodeReader(link, self.settings.node)
        hosts = await nodes.hosts_with_records() if owner.is_shared else [self.settings.node.host]
        look = RecordRequeue(link, self.settings, owner, hosts, self.to, self.done)
        total = await most_records(link, [keys.records(host) for host in hosts], None)
        with progress_of("records", total, self.as_json) as advance:
            await look.look(wanted, advance)
        self.found, self.left_out = look.count, look.left_out
        if not self.found:
            return
        outcomes = ", ".join(sorted(one.value for one in wanted.outcomes))
        self._ask(f"{numbers(self.found)} that ended last as {outcomes}", owner)
        with progress_of("queueing", self.found, self.as_json) as advance:
            await look.push(advance)
        self.left_out = look.left_out

    async def _owner(self, link: Link) -> Owner:
        owner = await known_owner(link, self.settings.node, self.named)
        self.to = self.queue or (owner.queues[0] if owner.queues else "")
        if not self.to:
            why = f": {owner.problem}" if owner.problem else ""
            raise click.ClickException(printable(f"{self.named} has no queue{why}; --to names one"))
        return owner

    def _ask(self, what: str, owner: Owner) -> None:
        foreign = "" if self.to in owner.queues else f", which is no queue of {self.named}"
        text = f"{self.named}: {what}. Put them into the list {self.to!r}{foreign}, to be called?"
        ask(text, self.yes)

    def say(self, host: str) -> None:
        """Say what was done."""
        if self.as_json:
            answer = {
                self.named.key: self.named.name,
                "host": host,
                "queue": self.to,
                "found": self.found,
                "left_out": self.left_out,
                "queued": self.done.numbers,
                "unsure": self.done.unsure,
            }
            click.echo(json.dumps(answer, ensure_ascii=False))
            return
        left_out = f"; left out, as they are called anyway: {self.left_out}" * bool(self.left_out)
        said = f"{self.named}: {told(self.done, WHAT)} in the list {self.to!r}{left_out}"
        click.echo(printable(said))
