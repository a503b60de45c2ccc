"""``ctidialer pause`` and ``ctidialer resume``: no new call of one task, on one node."""

from __future__ import annotations

import json

import click

from ctidialer.cli.completion import complete_task
from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.operator import order_now, why_option
from ctidialer.cli.printable import printable
from ctidialer.cli.tasks import no_such_task, task_names
from ctidialer.contract import keys
from ctidialer.contract.control import pause_field
from ctidialer.contract.document import shown
from ctidialer.nodes.orders import NodeOrders
from ctidialer.settings import Settings
from ctidialer.store.link import Link
from ctidialer.store.reading import Reading

_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print what was done as a JSON object."
)


@click.command(short_help="Start no new call of a task, until it is resumed.")
@connection_options
@click.argument("task", shell_complete=complete_task)
@why_option
@_json_option
def pause(settings: Settings, task: str, why: str, as_json: bool) -> None:
    """Start no new call of TASK on this node, until `ctidialer resume`.

    Calls that are up go on.  Numbers stay in their queue; one that is to be called again waits.
    """
    changed = with_redis(settings, lambda link: _pause(link, settings.node.host, task, why))
    was = "is paused" if changed else "was paused already"
    _say(task, settings.node.host, was, paused=True, changed=changed, as_json=as_json)


@click.command(short_help="Take back the pause of a task.")
@connection_options
@click.argument("task", shell_complete=complete_task)
@why_option
@_json_option
def resume(settings: Settings, task: str, why: str, as_json: bool) -> None:
    """Take back the pause of TASK on this node, and let its brake go if it is braked."""
    changed = with_redis(settings, lambda link: _resume(link, settings.node.host, task, why))
    was = "is resumed" if changed else "was not paused (a brake is let go)"
    _say(task, settings.node.host, was, paused=False, changed=changed, as_json=as_json)


async def _pause(link: Link, host: str, task: str, why: str) -> bool:
    await _check_exists(link, host, task)
    return await NodeOrders(link, host).pause(task, order_now(why))


async def _resume(link: Link, host: str, task: str, why: str) -> bool:
    # A task that was removed while it was paused would be paused again when it comes back.
    order = await Reading(link, host).read_field(keys.control(host), pause_field(task))
    if order is None:
        await _check_exists(link, host, task)
    return await NodeOrders(link, host).resume(task, order_now(why))


async def _check_exists(link: Link, host: str, task: str) -> None:
    names = await task_names(Reading(link, host), host)
    if task not in names:
        raise click.ClickException(printable(no_such_task(task, host, names)))


def _say(task: str, host: str, was: str, *, paused: bool, changed: bool, as_json: bool) -> None:
    if as_json:
        answer = {"task": task, "host": host, "paused": paused, "changed": changed}
        click.echo(json.dumps(answer, ensure_ascii=False))
    else:
        click.echo(printable(f"the task {shown(task)} {was} on {host}"))
