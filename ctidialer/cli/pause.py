"""``ctidialer pause`` and ``ctidialer resume``: no new call of one task, or of one schedule
configuration, on one node."""

from __future__ import annotations

import json

import click
from attrs import frozen

from ctidialer.cli.all_hosts import (
    OnHost,
    all_hosts_option,
    every_host,
    failed,
    node_named,
    on_each,
    print_each,
)
from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.named import Named, check_exists, schedule_option, task_argument
from ctidialer.cli.operator import done_json_option, order_now, why_option
from ctidialer.cli.printable import printable
from ctidialer.contract import keys
from ctidialer.contract.control import Order, pause_field
from ctidialer.nodes.orders import NodeOrders
from ctidialer.settings import Node, Settings
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading


@frozen
class _Given:
    """The order as it was carried out on one host; ``changed``: it was not in force before."""

    paused: Named
    host: str
    is_paused: bool
    changed: bool

    def __str__(self) -> str:
        return f"{self.paused} {self._was} on {self.host}"

    @property
    def _was(self) -> str:
        if self.is_paused:
            return "is paused" if self.changed else "was paused already"
        brake = "" if self.paused.is_schedule else " (a brake is let go)"
        return "is resumed" if self.changed else f"was not paused{brake}"

    def as_json(self) -> dict[str, object]:
        """Return it as JSON data."""
        return {
            self.paused.key: self.paused.name,
            "host": self.host,
            "paused": self.is_paused,
            "changed": self.changed,
        }


@click.command(short_help="Start no new call of a task, until it is resumed.")
@connection_options
@task_argument
@schedule_option
@all_hosts_option
@why_option
@done_json_option
def pause(
    settings: Settings,
    task: str | None,
    schedule: str | None,
    all_hosts: bool,
    why: str,
    as_json: bool,
) -> None:
    """Start no new call of TASK on this node, until `ctidialer resume`.

    Calls that are up go on.  Numbers stay in their queue; one that is to be called again waits.

    With --schedule: of the scheduled numbers of a configuration; they stay in the sorted set.
    """
    _give(settings, Named.of(task, schedule), True, all_hosts, why, as_json)


@click.command(short_help="Take back the pause of a task.")
@connection_options
@task_argument
@schedule_option
@all_hosts_option
@why_option
@done_json_option
def resume(
    settings: Settings,
    task: str | None,
    schedule: str | None,
    all_hosts: bool,
    why: str,
    as_json: bool,
) -> None:
    """Take back the pause of TASK on this node, and let its brake go if it is braked.

    With --schedule: the pause of a schedule configuration.
    """
    _give(settings, Named.of(task, schedule), False, all_hosts, why, as_json)


def _give(
    settings: Settings,
    paused: Named,
    is_paused: bool,
    all_hosts: bool,
    why: str,
    as_json: bool,
) -> None:
    """Give the order on the host of the settings, or on all; say what came of it."""
    order, own = order_now(why), settings.node

    async def on_one(link: Link, node: Node) -> _Given:
        give = _pause if is_paused else _resume
        return _Given(paused, node.host, is_paused, await give(link, node, paused, order))

    async def on_all(link: Link) -> list[OnHost[_Given]]:
        hosts = await every_host(link, own)
        nodes = {host: await node_named(link, own, host) for host in hosts}
        return await on_each(hosts, lambda host: on_one(link, nodes[host]))

    if not all_hosts:
        given = with_redis(settings, lambda link: on_one(link, own))
        said = json.dumps(given.as_json(), ensure_ascii=False) if as_json else printable(str(given))
        click.echo(said)
        return
    done = with_redis(settings, on_all)
    print_each(done, as_json, _Given.as_json, str)
    raise SystemExit(1 if failed(done) else 0)


async def _pause(link: Link, node: Node, paused: Named, order: Order) -> bool:
    await check_exists(link, node, paused)
    orders = NodeOrders(link, node.host)
    return await orders.pause(paused.name, order, is_schedule=paused.is_schedule)


async def _resume(link: Link, node: Node, paused: Named, order: Order) -> bool:
    # A task that was removed while it was paused would be paused again when it comes back.
    field = pause_field(paused.name, is_schedule=paused.is_schedule)
    if await NodeReading(link, node.host).read_field(keys.control(node.host), field) is None:
        await check_exists(link, node, paused)
    orders = NodeOrders(link, node.host)
    return await orders.resume(paused.name, order, is_schedule=paused.is_schedule)
