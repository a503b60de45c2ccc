"""Tab completion: of commands and options by click itself, of tasks and hosts from Redis.

A shell asks while somebody waits with a finger on the key: what Redis does not say within half a
second is not offered, and nothing is said about it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import click
from click.shell_completion import get_completion_class
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TookTooLong

from ctidialer.cli.node_settings import read_node_settings
from ctidialer.cli.running import run
from ctidialer.cli.tasks import task_names
from ctidialer.contract import keys
from ctidialer.nodes.reader import NodeReader
from ctidialer.settings import Node, Settings
from ctidialer.store.address import parse_address
from ctidialer.store.errors import StoreError
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading

PROGRAM = "ctidialer"
VARIABLE = "_CTIDIALER_COMPLETE"
SHELLS = ("bash", "zsh", "fish")
ANSWER_TIMEOUT = 0.5
"""Seconds that Redis is given."""

MAX_NAMES = 200
"""Names that are offered at once."""

NameLookup = Callable[[Link, Node], Awaitable[list[str]]]
Complete = Callable[[click.Context, click.Parameter, str], list[str]]


@click.command(short_help="Print the script for tab completion.")
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script that makes SHELL complete commands, options, tasks and hosts.

    \b
    For bash put this into ~/.bashrc, for zsh (with its own name) into ~/.zshrc:
        eval "$(ctidialer completion bash)"
    For fish into ~/.config/fish/config.fish:
        ctidialer completion fish | source
    """
    kind = get_completion_class(shell)
    assert kind is not None  # click knows all three
    group = click.get_current_context().find_root().command
    click.echo(kind(group, {}, PROGRAM, VARIABLE).source())


def names_from_redis(names: NameLookup) -> Complete:
    """Return what completes an argument with ``names`` as they stand in Redis."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        found: list[str] = []
        # Settings that cannot be used, a Redis that is away: then there is nothing to offer.
        with suppress(click.ClickException, StoreError, TookTooLong, CancelledError, OSError):
            found = _ask(_settings(context), names)
        return [name for name in found if name.startswith(incomplete) and name.isprintable()][
            :MAX_NAMES
        ]

    return complete


def _settings(context: click.Context) -> Settings:
    given = (context.params.get(name) for name in ("config", "redis", "host", "domain"))
    return read_node_settings(*given)


def _ask(settings: Settings, names: NameLookup) -> list[str]:
    async def within(reactor: Any) -> list[str]:
        asking = Deferred.fromCoroutine(_answer(reactor, settings, names))
        return await asking.addTimeout(ANSWER_TIMEOUT, reactor)

    return run(within)


async def _answer(reactor: Any, settings: Settings, names: NameLookup) -> list[str]:
    link = Link(reactor, parse_address(settings.redis.url))
    link.start()
    try:
        await link.when_up(ANSWER_TIMEOUT)
        return sorted(await names(link, settings.node))
    finally:
        await link.stop()


async def _tasks(link: Link, node: Node) -> list[str]:
    return await task_names(NodeReading(link, node.host), node.host)


async def _hosts(link: Link, node: Node) -> list[str]:
    return await NodeReader(link, node).hosts()


async def _configs(link: Link, node: Node) -> list[str]:
    key = keys.at(keys.SCHEDULE_CONFIG, node.domain)
    return list(await NodeReading(link, node.host).read_table(key))


async def _lines(link: Link, node: Node) -> list[str]:
    key = keys.at(keys.LINE, node.domain)
    return list(await NodeReading(link, node.host).read_table(key))


complete_task = names_from_redis(_tasks)
complete_host = names_from_redis(_hosts)
complete_config = names_from_redis(_configs)
complete_line = names_from_redis(_lines)
