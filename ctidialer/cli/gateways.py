"""Asks FreeSWITCH, over its Event Socket, for the gateways that the tables name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.error import ConnectError

from ctidialer.check.findings import Finding
from ctidialer.check.gateways import (
    GatewayState,
    Use,
    gateway_findings,
    question,
    read_answer,
    unasked,
)
from ctidialer.check.node import Checked
from ctidialer.check.sentences import Sentence
from ctidialer.esl.client import EventSocketProtocol
from ctidialer.esl.errors import CommandRefused, EslError
from ctidialer.settings import FreeSwitch, host_and_port

CONNECT_TIMEOUT = 5.0
"""Seconds in which FreeSWITCH takes the connection, or it is not there."""


async def with_gateways(reactor: Any, freeswitch: FreeSwitch, checked: Checked) -> Checked:
    """Return ``checked`` with what FreeSWITCH says of the gateways, each beside its key."""
    found = (*checked.findings, *await ask_for_gateways(reactor, freeswitch, checked.gateways))
    order: dict[str, int] = {}
    by_key = sorted(found, key=lambda one: order.setdefault(one.key, len(order)))
    return evolve(checked, findings=tuple(by_key))


async def ask_for_gateways(
    reactor: Any, freeswitch: FreeSwitch, uses: Sequence[Use]
) -> tuple[Finding, ...]:
    """Return the findings on the gateways; that FreeSWITCH cannot be asked is but a notice."""
    names = sorted({use.gateway for use in uses})
    if not names:
        return ()
    try:
        states = await _states(reactor, freeswitch, names)
    except (EslError, ConnectError, OSError) as error:
        return (unasked(freeswitch.address, Sentence.UNREACHED.of(reason=error), len(names)),)
    return gateway_findings(uses, states, freeswitch.address)


async def _states(
    reactor: Any, freeswitch: FreeSwitch, names: Sequence[str]
) -> dict[str, GatewayState]:
    host, port = host_and_port(freeswitch.address, "freeswitch.address")
    endpoint = HostnameEndpoint(reactor, host, port, timeout=CONNECT_TIMEOUT)
    protocol: EventSocketProtocol = await connectProtocol(endpoint, EventSocketProtocol(reactor))
    try:
        if freeswitch.user:
            await protocol.userauth(freeswitch.user, freeswitch.password)
        else:
            await protocol.auth(freeswitch.password)
        return {name: await _state(protocol, name) for name in names}
    finally:
        gone = protocol.when_gone()
        protocol.close()
        await gone


async def _state(protocol: EventSocketProtocol, name: str) -> GatewayState:
    try:
        return read_answer(await protocol.api(question(name)))
    except CommandRefused:
        return GatewayState.UNTOLD
