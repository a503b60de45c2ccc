"""What every command that talks to Redis has in common: its options, its settings, its link."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, TypeVar

import click
from twisted.internet.defer import Deferred

from ctidialer.cli.completion import complete_host
from ctidialer.cli.given import refuse_unusable_values
from ctidialer.cli.node_settings import read_node_settings
from ctidialer.cli.printable import printable
from ctidialer.cli.running import run
from ctidialer.settings import Settings
from ctidialer.store.address import RedisAddress, parse_address
from ctidialer.store.errors import StoreError, StoreUnavailable
from ctidialer.store.link import Link

CONNECT_TIMEOUT = 10.0
"""Seconds after which a Redis that neither takes nor refuses the connection is given up."""

Result = TypeVar("Result")
Work = Callable[[Link], Coroutine[Any, Any, Result]]

_OPTIONS = (
    click.option("--config", metavar="FILE", type=click.Path(), help="The settings (TOML)."),
    click.option("--redis", metavar="URL", help="Redis, in place of the settings' [redis] url."),
    click.option(
        "--host",
        metavar="NAME",
        shell_complete=complete_host,
        help="The node (@host), in place of the settings'.",
    ),
    click.option("--domain", metavar="NAME", help="Its @domain, in place of the settings'."),
)


def connection_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which node it is about; it is passed ``settings``.

    Settings that cannot be used end it as wrong usage does: with status 2; so do values that
    are empty or no UTF-8 (`refuse_unusable_values`).
    """

    @wraps(command)
    def with_settings(
        *args: object,
        config: str | None,
        redis: str | None,
        host: str | None,
        domain: str | None,
        **options: object,
    ) -> None:
        refuse_unusable_values(click.get_current_context())
        settings = read_node_settings(config, redis, host, domain)
        command(*args, settings=settings, **options)

    decorated: Callable[..., None] = with_settings
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def with_redis(settings: Settings, work: Work[Result]) -> Result:
    """Run ``work(link)`` in the reactor; a Redis that is away ends the command with status 1."""
    try:
        return run(lambda reactor: _work(reactor, parse_address(settings.redis.url), work))
    except StoreError as error:
        raise click.ClickException(printable(str(error))) from error


async def _work(reactor: Any, address: RedisAddress, work: Work[Result]) -> Result:
    link = Link(reactor, address)
    try:
        await _connected(link)
        return await work(link)
    finally:
        await link.stop()


async def _connected(link: Link) -> None:
    """Wait for the connection; unlike a daemon, a command does not try twice."""
    first = _FirstTry(link.address.safe)
    link.add_listener(first)
    link.start()
    await first.over.addTimeout(CONNECT_TIMEOUT, link.clock, first.timed_out)


class _FirstTry:
    """Learns how the first try to connect ends; fires ``over``."""

    def __init__(self, where: str) -> None:
        self.over: Deferred[None] = Deferred()
        self._where = where

    def store_up(self) -> None:
        """Part of LinkListener."""
        if not self.over.called:
            self.over.callback(None)

    def store_down(self, reason: str) -> None:
        """Part of LinkListener."""
        if not self.over.called:
            self.over.errback(StoreUnavailable(f"no Redis at {self._where}: {reason}"))

    def timed_out(self, result: object, timeout: float) -> None:
        """Say that there was no answer at all."""
        raise StoreUnavailable(f"no Redis at {self._where}: no answer within {timeout:g} s")
