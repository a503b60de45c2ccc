"""The ways that calls can take: lines and their groups, gateways that lines share, and the accounts
of them."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from ctidialer.contract.line import Line, LineGroup
from ctidialer.rules.line_state import UNUSED, LineState, room

States = Mapping[str, LineState]
"""The states of the lines and fallbacks by name; one that is not there was never used."""


@frozen
class Routes:
    """The lines and line groups of this node, and the dial string for names that are neither.

    ``gateways``: what lines share, each as a line without a dial string.
    """

    lines: Mapping[str, Line]
    groups: Mapping[str, LineGroup]
    default_dialstring: str
    gateways: Mapping[str, Line] = field(factory=dict)

    def gateway_of(self, line: Line) -> Line | None:
        """Return the gateway that a line shares; None = none, or none that is known."""
        return None if line.gateway is None else self.gateways.get(line.gateway)


def gateway_account(name: str) -> str:
    """Return the name of a gateway's state: no line that can be called has such a name."""
    return f"{GATEWAY_ACCOUNT}{name}"


GATEWAY_ACCOUNT = "\0"
"""What the names of the states of gateways begin with."""


@frozen
class Choice:
    """The way of the next call; ``line`` None = the group's name is a fallback."""

    group: str
    line: Line | None
    dialstring: str


def gateway_room(gateway: Line, states: States, now: float) -> float:
    """Return how many calls could be started on a gateway at ``now``, as `line_state.room`."""
    return room(gateway, states.get(gateway_account(gateway.name), UNUSED), now)
