"""The option ``--all-hosts`` of commands that give an order: which hosts, and how each fared."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import click
from attrs import frozen
from msgspec.structs import replace

from ctidialer.cli.printable import printable
from ctidialer.contract import keys
from ctidialer.nodes.reader import NodeReader
from ctidialer.settings import Node
from ctidialer.store.errors import StoreError
from ctidialer.store.link import Link

Result = TypeVar("Result")

all_hosts_option = click.option(
    "--all-hosts", is_flag=True, help="On all hosts of which there is anything in this Redis."
)


@frozen
class OnHost(Generic[Result]):
    """What came of an order on one host; ``error`` says why it could not be given."""

    host: str
    result: Result | None = None
    error: str = ""


async def every_host(link: Link, node: Node) -> list[str]:
    """Return the hosts of this Redis, the ``node`` of the settings only if it is one of them.

    One that has tasks of its own, and has never been started, is one, too.
    """
    reader = NodeReader(link, node)
    with_tasks = {*await reader.suffixes(keys.at(keys.TASK, ""))} - {keys.TEMPLATE}
    hosts = {*await reader.known_hosts(), *with_tasks}
    if not hosts:
        raise click.ClickException("no host has left anything in this Redis")
    return sorted(hosts)


async def node_named(link: Link, own: Node, host: str) -> Node:
    """Return the node ``host``: ``own`` with that name and its domain, as its daemon says it."""
    if host == own.host:
        return own
    status = await NodeReader(link, own).status(host)
    return replace(own, host=host, domain=status.domain if status else host)


async def on_each(
    hosts: Sequence[str], order: Callable[[str], Awaitable[Result]]
) -> list[OnHost[Result]]:
    """Give an order to one host after the other, also if it cannot be given to one of them."""
    done: list[OnHost[Result]] = []
    for host in hosts:
        try:
            done.append(OnHost(host, await order(host)))
        except (click.ClickException, StoreError) as error:
            said = error.message if isinstance(error, click.ClickException) else str(error)
            done.append(OnHost(host, error=said))
    return done


def print_each(
    done: Sequence[OnHost[Result]],
    as_json: bool,
    in_json: Callable[[Result], Mapping[str, Any]],
    in_words: Callable[[Result], str],
) -> None:
    """Print what came of the order on each host, in the order of their names."""
    if as_json:
        hosts = [
            {"host": one.host, "error": one.error} if one.result is None else in_json(one.result)
            for one in done
        ]
        click.echo(json.dumps({"hosts": hosts}, ensure_ascii=False))
        return
    for one in done:
        if one.result is None:
            click.echo(printable(f"{one.host}: {one.error}"), err=True)
        else:
            click.echo(printable(in_words(one.result)))


def failed(done: Sequence[OnHost[Result]]) -> bool:
    """Say whether the order could not be given to one of the hosts."""
    return any(one.result is None for one in done)
