"""Asks FreeSWITCH, over its Event Socket, for the gateways and queues that the tables name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve
from twisted.internet.error import ConnectError

from ctidialer.check.findings import Finding
from ctidialer.check.gateways import Use, gateway_findings, unasked
from ctidialer.check.node import Checked
from ctidialer.check.queues import QUESTION, QueueUse, queue_findings, queues_unasked
from ctidialer.check.sentences import Sentence
from ctidialer.cli.event_socket import asked
from ctidialer.esl.client import EventSocketProtocol
from ctidialer.esl.errors import CommandRefused, EslError
from ctidialer.rules.gateway_state import GatewayState, question, read_answer
from ctidialer.settings import FreeSwitch


async def with_gateways(reactor: Any, freeswitch: FreeSwitch, checked: Checked) -> Checked:
    """Return ``checked`` with what FreeSWITCH says of gateways and queues, each beside its key."""
    found = (
        *checked.findings,
        *await ask_for_gateways(reactor, freeswitch, checked.gateways),
        *await ask_for_queues(reactor, freeswitch, checked.queues),
    )
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

    async def states(protocol: EventSocketProtocol) -> dict[str, GatewayState]:
        return {name: await _state(protocol, name) for name in names}

    try:
        found = await asked(reactor, freeswitch, states)
    except (EslError, ConnectError, OSError) as error:
        return (unasked(freeswitch.address, Sentence.UNREACHED.of(reason=error), len(names)),)
    return gateway_findings(uses, found, freeswitch.address)


async def ask_for_queues(
    reactor: Any, freeswitch: FreeSwitch, uses: Sequence[QueueUse]
) -> tuple[Finding, ...]:
    """Return the findings on the queues of mod_callcenter, likewise."""
    if not uses:
        return ()

    async def listed(protocol: EventSocketProtocol) -> str:
        return await protocol.api(QUESTION)

    try:
        answer = await asked(reactor, freeswitch, listed)
    except (EslError, ConnectError, OSError) as error:
        return (queues_unasked(freeswitch.address, Sentence.UNREACHED.of(reason=error)),)
    return tuple(queue_findings(uses, answer, freeswitch.address))


async def _state(protocol: EventSocketProtocol, name: str) -> GatewayState:
    try:
        return read_answer(await protocol.api(question(name)))
    except CommandRefused:
        return GatewayState.UNTOLD
