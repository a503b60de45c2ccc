"""``ctidialer drain``: takes a node out of service, and puts it back."""

from __future__ import annotations

import json

import click
from attrs import define, field
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from twisted.internet.task import deferLater

from ctidialer.cli.all_hosts import (
    OnHost,
    all_hosts_option,
    every_host,
    failed,
    on_each,
    print_each,
)
from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.operator import done_json_option, order_now, why_option
from ctidialer.cli.printable import printable
from ctidialer.nodes.orders import NodeOrders
from ctidialer.nodes.reader import NodeReader
from ctidialer.settings import Node, Settings
from ctidialer.store.in_flight import NO_CALL, InFlight
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading

LOOK_INTERVAL = 0.2
"""Seconds between two looks at the numbers in flight."""


@define
class _Drained:
    """How far a node is drained; ``daemon`` says which one is alive, None = none.

    ``heeded``: that daemon says that it knows of the drain.
    """

    host: str
    undo: bool
    why: str
    changed: bool = False
    daemon: str | None = None
    heeded: bool = False
    in_flight: list[InFlight] = field(factory=list)

    @property
    def resting(self) -> int:
        """How many numbers have had their calls and wait for a further one."""
        return sum(_rests(entry) for entry in self.in_flight)

    @property
    def up(self) -> int:
        """How many numbers may have a call that is up."""
        return len(self.in_flight) - self.resting

    @property
    def under_way(self) -> bool:
        """Whether a call may be up, or be placed yet."""
        return self.up > 0 or not self.heeded


@click.command(short_help="Take a node out of service, or put it back.")
@connection_options
@click.option("--wait", is_flag=True, help="Wait until no call of the node is up.")
@click.option("--undo", is_flag=True, help="Put the node back into service.")
@all_hosts_option
@why_option
@done_json_option
def drain(
    settings: Settings, wait: bool, undo: bool, all_hosts: bool, why: str, as_json: bool
) -> None:
    """Take this node out of service: no new call, the calls that are up go on.

    Numbers stay in their queues, for other hosts too.  It holds, also after a restart of the
    daemon, until `ctidialer drain --undo`.
    """
    if wait and undo:
        raise click.UsageError("--wait and --undo do not go together")
    if all_hosts:
        _drain_all(settings, wait, _Drained("", undo, why), as_json)
        return
    state = _Drained(settings.node.host, undo, why)
    try:
        with_redis(settings, lambda link: _Drain(link, settings.node, state, wait, as_json).run())
    except click.Abort:
        click.echo(f"{_in_flight(state)}; the node stays drained", err=True)
        raise
    _print(state, as_json)
    raise SystemExit(1 if wait and state.up else 0)


def _drain_all(settings: Settings, wait: bool, order: _Drained, as_json: bool) -> None:
    """Drain all hosts, and only then wait for the first of them."""

    async def work(link: Link) -> list[OnHost[_Drained]]:
        drains: dict[str, _Drain] = {}

        async def give(host: str) -> _Drained:
            state = _Drained(host, order.undo, order.why)
            drains[host] = _Drain(link, settings.node, state, False, True)
            await drains[host].run()
            return state

        done = await on_each(await every_host(link, settings.node), give)
        for one in done if wait else ():
            if one.result is not None:
                await drains[one.host].until_drained()
        return done

    done = with_redis(settings, work)
    print_each(done, as_json, _as_json, _in_words)
    still_up = wait and any(one.result is not None and one.result.up for one in done)
    raise SystemExit(1 if still_up or failed(done) else 0)


class _Drain:
    """Gives the order, and looks on while it is carried out."""

    def __init__(self, link: Link, node: Node, state: _Drained, wait: bool, quiet: bool) -> None:
        self._link = link
        self._nodes = NodeReader(link, node)
        self._reading = NodeReading(link, state.host)
        self._state = state
        self._wait = wait
        self._quiet = quiet

    async def run(self) -> None:
        control = NodeOrders(self._link, self._state.host)
        undo = self._state.undo
        order = order_now(self._state.why)
        await self._look()  # who interrupts it is told how many calls are up, also at once
        self._state.changed = await (control.undo_drain(order) if undo else control.drain(order))
        await self._look()
        if self._wait:
            await self.until_drained()

    async def _look(self) -> None:
        self._state.daemon = await self._reading.lease_holder()
        status = await self._nodes.status(self._state.host)
        # In this order: what was taken before the order was heeded is in flight by now.
        self._state.heeded = status is not None and status.drain is not None
        self._state.in_flight = await self._reading.in_flight()

    async def until_drained(self) -> None:
        """Wait until the last call is over, or no daemon is there that could follow it."""
        total = self._state.up
        with self._progress() as progress:
            bar = progress.add_task("calls ended", total=total)
            while self._state.under_way and self._state.daemon is not None:
                await deferLater(self._link.clock, LOOK_INTERVAL)
                await self._look()
                total = max(total, self._state.up)
                progress.update(bar, total=total, completed=total - self._state.up)

    def _progress(self) -> Progress:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        disable = self._quiet or not console.is_terminal
        return Progress(
            *columns, TimeElapsedColumn(), console=console, transient=True, disable=disable
        )


def _rests(entry: InFlight) -> bool:
    return entry.dialing is not None and entry.dialing.uuid == NO_CALL


def _in_words(state: _Drained) -> str:
    """Return how far one of several hosts is, on one line."""
    what = "back in service" if state.undo else "drained"
    said = f"{state.host} is {what if state.changed else f'{what} already'}"
    if state.daemon is None:
        return f"{said}; no daemon is alive under this name"
    return said if state.undo else f"{said}; {_in_flight(state)}"


def _print(state: _Drained, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_as_json(state), ensure_ascii=False))
        return
    what = "back in service" if state.undo else "drained"
    click.echo(printable(f"{state.host} is {what if state.changed else f'{what} already'}"))
    if state.daemon is None:
        when = "when it starts" if state.undo else "when it starts: it will dial nothing"
        click.echo(printable(f"no daemon is alive under this name; this holds {when}"))
    elif not state.undo:
        click.echo(_in_flight(state))


def _in_flight(state: _Drained) -> str:
    text = f"numbers with a call: {state.up}"
    if state.resting:
        text += f"; numbers that wait for a further call: {state.resting}"
    return text


def _as_json(state: _Drained) -> dict[str, object]:
    return {
        "host": state.host,
        "drained": not state.undo,
        "changed": state.changed,
        "daemon": state.daemon,
        "in_flight": len(state.in_flight),
        "resting": state.resting,
    }
