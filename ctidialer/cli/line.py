"""``ctidialer line``: takes a line out of use, puts it back, has it tried now."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import click
from attrs import frozen

from ctidialer.cli.all_hosts import all_hosts_option
from ctidialer.cli.completion import complete_line
from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.operator import done_json_option, order_now, why_option
from ctidialer.cli.printable import printable
from ctidialer.cli.tasks import MAX_NAMED
from ctidialer.contract import keys
from ctidialer.contract.control import LINE_OFF, LineOff
from ctidialer.contract.document import shown
from ctidialer.nodes.line_orders import Give, Ordered, give_to_each, hosts_with_line
from ctidialer.nodes.orders import NodeOrders
from ctidialer.nodes.reader import NodeReader
from ctidialer.rules.explaining import local_time
from ctidialer.rules.line_reasons import FAULTY_STATES, Why
from ctidialer.rules.moments import NoSpan, span_of
from ctidialer.settings import Node, Settings
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading

line_argument = click.argument("name", metavar="LINE", shell_complete=complete_line)


@frozen
class _Task:
    """An order for the line ``name``: how it is given to a host, and what is said of it."""

    name: str
    give: Give
    done: str
    undone: str
    said: dict[str, Any]

    def in_words(self, one: Ordered) -> str:
        """Say what came of it on a host."""
        what = self.done if one.changed else self.undone
        return f"the line {shown(self.name)} {what} on {one.host}"

    def as_json(self, one: Ordered) -> dict[str, Any]:
        """Return the same as JSON data."""
        if one.error:
            return {"host": one.host, "error": one.error}
        return {"line": self.name, "host": one.host, **self.said, "changed": one.changed}


@click.group(short_help="Take a line out of use, put it back, or try it now.")
def line() -> None:
    """Take a line out of use, put it back, or try it now.

    A LINE is one of cti_line@<domain>, or a name in line_group that the default dial string dials.
    """


@line.command(short_help="Place no new call on a line, until it is put back.")
@connection_options
@line_argument
@click.option(
    "--for", "span", metavar="TIME", help="For so long: 90s, 30m, 2h, 1d. Else until `line on`."
)
@all_hosts_option
@why_option
@done_json_option
def off(
    settings: Settings, name: str, span: str | None, all_hosts: bool, why: str, as_json: bool
) -> None:
    """Place no new call on LINE, until `ctidialer line on` or for the --for TIME.

    Calls that are up go on.  Numbers take another line or group as if this line were full; where
    there is no other they wait.  A further order replaces this one, with its time.
    """
    order = order_now(why)
    until = None if span is None else (order.since or 0.0) + _seconds(span)
    taken = LineOff(order, until)
    end = "" if until is None else f" until {local_time(until, settings.node.timezone)}"
    task = _Task(
        name,
        lambda orders: orders.take_out(name, taken),
        f"is taken out of use{end}",
        f"was out of use already, and now is{end or ' until it is put back'}",
        {"taken_out": True, "until": until},
    )
    _give(settings, task, all_hosts, as_json)


@line.command(short_help="Put a line back that was taken out of use.")
@connection_options
@line_argument
@all_hosts_option
@why_option
@done_json_option
def on(settings: Settings, name: str, all_hosts: bool, why: str, as_json: bool) -> None:
    """Put LINE back into use, if `ctidialer line off` has taken it out.

    One that faults have put out of use stays so until its next trial call: see `line try`.
    """
    order = order_now(why)
    task = _Task(
        name,
        lambda orders: orders.put_back(name, order),
        "is back in use",
        "was not taken out of use",
        {"taken_out": False, "until": None},
    )
    _give(settings, task, all_hosts, as_json)


@line.command("try", short_help="Try a line now that faults have put out of use.")
@connection_options
@line_argument
@why_option
@done_json_option
def try_now(settings: Settings, name: str, why: str, as_json: bool) -> None:
    """Let the next number use LINE, which faults have put out of use and which rests.

    One call is let through at once: if it goes well the line is back in use, else it rests again.

    The exit status is 1 where the line does not rest, or no daemon is alive that could try it.
    """
    order = order_now(why)

    async def work(link: Link) -> str:
        own = settings.node
        await _check_known(link, own, name)
        problem = await _why_not_tried(link, own, name)
        if not problem:
            await NodeOrders(link, own.host).try_line(name, order)
        return problem

    problem = with_redis(settings, work)
    if as_json:
        answer = {"line": name, "host": settings.node.host, "tried": not problem}
        click.echo(json.dumps({**answer, "problem": problem}, ensure_ascii=False))
    else:
        said = problem or f"the next number that can use the line {shown(name)} tries it"
        click.echo(printable(said), err=bool(problem))
    raise SystemExit(1 if problem else 0)


def _give(settings: Settings, task: _Task, all_hosts: bool, as_json: bool) -> None:
    """Give the order on the host of the settings, or on all that have the line."""
    own = settings.node

    async def work(link: Link) -> Sequence[Ordered]:
        await _check_known(link, own, task.name)
        if all_hosts:
            return await give_to_each(link, await hosts_with_line(link, own, task.name), task.give)
        return [Ordered(own.host, await task.give(NodeOrders(link, own.host)))]

    done = with_redis(settings, work)
    if as_json:
        rows = list(map(task.as_json, done))
        answer = {"hosts": rows} if all_hosts else rows[0]
        click.echo(json.dumps(answer, ensure_ascii=False))
    else:
        _print(done, task.in_words)
    raise SystemExit(1 if any(one.error for one in done) else 0)


def _print(done: Sequence[Ordered], in_words: Callable[[Ordered], str]) -> None:
    for one in done:
        said = f"{one.host}: {one.error}" if one.error else in_words(one)
        click.echo(printable(said), err=bool(one.error))


def _seconds(text: str) -> int:
    try:
        return span_of(text)
    except NoSpan as error:
        raise click.UsageError(printable(f"--for {error}")) from error


async def _check_known(link: Link, node: Node, name: str) -> None:
    """End the command where there is no such line; one that is taken out and gone is known."""
    reading, key = NodeReading(link, node.host), keys.at(keys.LINE, node.domain)
    if await reading.read_field(key, name) is not None:
        return
    if await reading.read_field(keys.control(node.host), f"{LINE_OFF}{name}") is not None:
        return
    tables = (await NodeReader(link, node).look_at(node.host)).tables
    if not tables.is_line(name):
        names = sorted(tables.routes.lines)
        there = ", ".join(names[:MAX_NAMED]) or "none"
        more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
        what = "is a line group, not a line" if name in tables.routes.groups else "is no line"
        said = f"{shown(name)} {what} of {key}; there are: {there}{more}"
        raise click.ClickException(printable(said))


async def _why_not_tried(link: Link, node: Node, name: str) -> str:
    """Return why a trial call cannot be let through now; empty = it can."""
    nodes = NodeReader(link, node)
    status = await nodes.status(node.host)
    if status is None:
        return f"no daemon is alive under the host name {node.host!r}, so nothing rests there"
    told = next((one for one in status.lines if one.name == name), None)
    if told is None and status.lines_left_out:
        return ""
    state = told.state if told else "free"
    if state == Why.TAKEN_OUT.value:
        return f"the line {shown(name)} was taken out of use: `ctidialer line on` puts it back"
    if state == Why.TRIAL_UNDER_WAY.value:
        return f"a trial call of the line {shown(name)} is under way already"
    if state not in FAULTY_STATES:
        return f"the line {shown(name)} is not out of use: there is nothing to try"
    return ""
