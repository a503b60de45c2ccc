"""One question to FreeSWITCH, on a connection of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol

from ctidialer.cli.printable import printable
from ctidialer.esl.client import EventSocketProtocol
from ctidialer.settings import FreeSwitch, SettingsError, host_and_port

Answer = TypeVar("Answer")

CONNECT_TIMEOUT = 5.0
"""Seconds in which FreeSWITCH takes the connection, or it is not there."""


def an_address(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Return the value of an option if it is host:port; raises UsageError for anything else."""
    if value is not None:
        try:
            host_and_port(value, option.opts[0])
        except SettingsError as error:
            raise click.UsageError(printable(str(error))) from error
    return value


async def asked(
    reactor: Any,
    freeswitch: FreeSwitch,
    ask: Callable[[EventSocketProtocol], Awaitable[Answer]],
) -> Answer:
    """Return what ``ask`` finds out; raises EslError, ConnectError or OSError."""
    host, port = host_and_port(freeswitch.address, "freeswitch.address")
    endpoint = HostnameEndpoint(reactor, host, port, timeout=CONNECT_TIMEOUT)
    protocol: EventSocketProtocol = await connectProtocol(endpoint, EventSocketProtocol(reactor))
    try:
        if freeswitch.user:
            await protocol.userauth(freeswitch.user, freeswitch.password)
        else:
            await protocol.auth(freeswitch.password)
        return await ask(protocol)
    finally:
        gone = protocol.when_gone()
        protocol.close()
        await gone
