"""``ctidialer pause`` and ``ctidialer resume``: no new call of one task, or of one schedule
configuration, on one node."""

from __future__ import annotations

import json

import click
from attrs import frozen

from ctidialer.cli.completion import complete_config, complete_task
from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.operator import order_now, why_option
from ctidialer.cli.printable import printable
from ctidialer.cli.tasks import no_such_config, no_such_task, task_names
from ctidialer.contract import keys
from ctidialer.contract.control import pause_field
from ctidialer.contract.document import shown
from ctidialer.nodes.orders import NodeOrders
from ctidialer.settings import Node, Settings
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading

_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print what was done as a JSON object."
)


_schedule_option = click.option(
    "--schedule",
    metavar="CONFIG",
    shell_complete=complete_config,
    help="The scheduled numbers of this configuration, not a task.",
)


@frozen
class _Paused:
    """What is paused or resumed: a task or, where ``is_schedule``, a schedule configuration."""

    name: str
    is_schedule: bool

    @classmethod
    def of(cls, task: str | None, schedule: str | None) -> _Paused:
        """Return what was named; raises UsageError where that is neither, or both."""
        if (task is None) == (schedule is None):
            raise click.UsageError("name a TASK, or a configuration with --schedule, and not both")
        return cls(task or schedule or "", schedule is not None)

    @property
    def what(self) -> str:
        """What it is, for people."""
        return "schedule configuration" if self.is_schedule else "task"


@click.command(short_help="Start no new call of a task, until it is resumed.")
@connection_options
@click.argument("task", required=False, shell_complete=complete_task)
@_schedule_option
@why_option
@_json_option
def pause(
    settings: Settings, task: str | None, schedule: str | None, why: str, as_json: bool
) -> None:
    """Start no new call of TASK on this node, until `ctidialer resume`.

    Calls that are up go on.  Numbers stay in their queue; one that is to be called again waits.

    With --schedule: of the scheduled numbers of a configuration; they stay in the sorted set.
    """
    paused, node = _Paused.of(task, schedule), settings.node
    changed = with_redis(settings, lambda link: _pause(link, node, paused, why))
    was = "is paused" if changed else "was paused already"
    _say(paused, node.host, was, is_paused=True, changed=changed, as_json=as_json)


@click.command(short_help="Take back the pause of a task.")
@connection_options
@click.argument("task", required=False, shell_complete=complete_task)
@_schedule_option
@why_option
@_json_option
def resume(
    settings: Settings, task: str | None, schedule: str | None, why: str, as_json: bool
) -> None:
    """Take back the pause of TASK on this node, and let its brake go if it is braked.

    With --schedule: the pause of a schedule configuration.
    """
    paused, node = _Paused.of(task, schedule), settings.node
    changed = with_redis(settings, lambda link: _resume(link, node, paused, why))
    brake = "" if paused.is_schedule else " (a brake is let go)"
    was = "is resumed" if changed else f"was not paused{brake}"
    _say(paused, node.host, was, is_paused=False, changed=changed, as_json=as_json)


async def _pause(link: Link, node: Node, paused: _Paused, why: str) -> bool:
    await _check_exists(link, node, paused)
    orders = NodeOrders(link, node.host)
    return await orders.pause(paused.name, order_now(why), is_schedule=paused.is_schedule)


async def _resume(link: Link, node: Node, paused: _Paused, why: str) -> bool:
    # A task that was removed while it was paused would be paused again when it comes back.
    field = pause_field(paused.name, is_schedule=paused.is_schedule)
    if await NodeReading(link, node.host).read_field(keys.control(node.host), field) is None:
        await _check_exists(link, node, paused)
    orders = NodeOrders(link, node.host)
    return await orders.resume(paused.name, order_now(why), is_schedule=paused.is_schedule)


async def _check_exists(link: Link, node: Node, paused: _Paused) -> None:
    reading = NodeReading(link, node.host)
    if paused.is_schedule:
        key = keys.at(keys.SCHEDULE_CONFIG, node.domain)
        names = sorted(await reading.read_table(key))
        if paused.name not in names:
            raise click.ClickException(printable(no_such_config(paused.name, key, names)))
        return
    names = await task_names(reading, node.host)
    if paused.name not in names:
        raise click.ClickException(printable(no_such_task(paused.name, node.host, names)))


def _say(
    paused: _Paused, host: str, was: str, *, is_paused: bool, changed: bool, as_json: bool
) -> None:
    if as_json:
        name = "config" if paused.is_schedule else "task"
        answer = {name: paused.name, "host": host, "paused": is_paused, "changed": changed}
        click.echo(json.dumps(answer, ensure_ascii=False))
    else:
        click.echo(printable(f"the {paused.what} {shown(paused.name)} {was} on {host}"))
