"""``ctidialer adopt``: takes over the numbers in flight of a host that is gone for good."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import click
from attrs import asdict
from msgspec.structs import replace
from twisted.internet.error import ConnectError

from ctidialer.cli.completion import complete_host
from ctidialer.cli.connection import connection_options, with_redis
from ctidialer.cli.event_socket import an_address, asked
from ctidialer.cli.operator import done_json_option, order_now
from ctidialer.cli.printable import printable
from ctidialer.esl.client import EventSocketProtocol
from ctidialer.esl.errors import EslError
from ctidialer.nodes.adoption import Adopted, Adoption
from ctidialer.nodes.reader import NodeReader
from ctidialer.settings import FreeSwitch, Settings
from ctidialer.store.errors import LeaseHeld
from ctidialer.store.link import Link


@click.command(short_help="Take over the numbers of a host that is gone for good.")
@connection_options
@click.argument("gone", metavar="HOST", shell_complete=complete_host)
@click.option(
    "--freeswitch",
    metavar="HOST:PORT",
    callback=an_address,
    help="The Event Socket of that host's FreeSWITCH: numbers with a call there stay in flight.",
)
@click.option("--password", help="Its password.  [default: that of the settings]")
@done_json_option
def adopt(
    settings: Settings, gone: str, freeswitch: str | None, password: str | None, as_json: bool
) -> None:
    """Take over the numbers that HOST has in flight, whose daemon will not come back.

    Never while its daemon is alive.  Numbers that were certainly not called go back to their queue;
    those that may have been called end as `unknown`, or as what was noted of their calls says.
    """
    if password is not None and freeswitch is None:
        raise click.UsageError("--password goes with --freeswitch")
    switch = settings.freeswitch
    if freeswitch is not None:
        switch = replace(switch, address=freeswitch, password=password or switch.password)
    ask = None if freeswitch is None else switch
    adopted = with_redis(settings, lambda link: _adopt(link, settings, gone, ask))
    if as_json:
        click.echo(json.dumps(_as_json(adopted), ensure_ascii=False))
    else:
        for line in _lines(adopted):
            click.echo(printable(line))
    raise SystemExit(1 if adopted.up or adopted.refused or adopted.unreadable else 0)


async def _adopt(link: Link, settings: Settings, gone: str, switch: FreeSwitch | None) -> Adopted:
    known = await NodeReader(link, settings.node).known_hosts()
    if gone not in known:
        there = ", ".join(known) or "none at all"
        raise click.ClickException(printable(f"no host {gone} in this Redis; there are: {there}"))

    async def still_up(calls: Sequence[str]) -> list[str]:
        assert switch is not None
        return await _still_up(link.clock, switch, calls)

    by = order_now("").by
    adoption = Adoption(link, settings, gone, by, None if switch is None else still_up)
    try:
        return await adoption.run()
    except LeaseHeld as error:
        text = (
            f"{gone} is not gone: {error.holder} works under that name, and its lease ends in"
            f" {error.expires_in:.0f} s unless it is renewed"
        )
        raise click.ClickException(printable(text)) from error


async def _still_up(reactor: Any, switch: FreeSwitch, calls: Sequence[str]) -> list[str]:
    async def ask(protocol: EventSocketProtocol) -> list[str]:
        answers = [(uuid, await protocol.api(f"uuid_exists {uuid}")) for uuid in calls]
        return [uuid for uuid, answer in answers if answer.strip() == "true"]

    try:
        return await asked(reactor, switch, ask)
    except (EslError, ConnectError, OSError) as error:
        text = f"FreeSWITCH at {switch.address} cannot be asked: {error}; what is left stays"
        raise click.ClickException(printable(text)) from error


def _lines(adopted: Adopted) -> Iterator[str]:
    """Yield what was done, for people."""
    host = adopted.host
    if adopted == Adopted(host, waiting=adopted.waiting):
        yield f"{host} has no number in flight"
    if adopted.given_back:
        yield f"back where they were, not called: {adopted.given_back}"
    for outcome, count in sorted(adopted.ended.items(), key=lambda one: one[0].value):
        yield f"ended as {outcome.value}: {count}"
    if adopted.up:
        yield f"FreeSWITCH still has calls of {adopted.up} numbers, which stay in flight: try again"
    if adopted.refused:
        yield f"some numbers stay in flight, as they cannot go back: {adopted.refused}"
    if adopted.unreadable:
        yield f"{adopted.unreadable} entries cannot be read by this version, and stay in flight"
    if adopted.waiting:
        yield (
            f"{adopted.waiting} numbers of tasks that only {host} has wait to be called again: give"
            f" another host the name {host}, or move these tasks to the template"
        )


def _as_json(adopted: Adopted) -> dict[str, object]:
    ended = {outcome.value: count for outcome, count in adopted.ended.items()}
    return {**asdict(adopted), "ended": ended}
