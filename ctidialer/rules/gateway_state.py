"""What FreeSWITCH says of a gateway, and which gateways dial strings name."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator
from itertools import islice

from ctidialer.rules.ways import Routes

# The name ends where the number begins: at the next slash.  What FreeSWITCH has to expand first
# names no gateway that could be asked for.
_GATEWAY = re.compile(r"(?:\{[^{}]*\}|\[[^\]]*\])*sofia/gateway/([^/\s{}\[\]$]+)/", re.IGNORECASE)
GROUP = "${line_group}"


class GatewayState(enum.Enum):
    """What FreeSWITCH says of a gateway; ``UNTOLD``: it said nothing that can be understood."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"
    UNTOLD = "untold"


def question(gateway: str) -> str:
    """Return the API command that asks FreeSWITCH for a gateway."""
    return f"sofia status gateway {gateway}"


def read_answer(text: str) -> GatewayState:
    """Read what FreeSWITCH answers to `question` (docs/freeswitch.rst)."""
    if text.startswith("Invalid Gateway"):
        return GatewayState.UNKNOWN
    status = re.search(r"^Status\s+(\w+)", text, re.MULTILINE)
    if status is None:
        return GatewayState.UNTOLD
    return GatewayState.DOWN if status[1].upper() == "DOWN" else GatewayState.UP


def gateway_in(dialstring: str, group: str) -> str:
    """Return the gateway that a dial string names, empty = none that can be told."""
    match = _GATEWAY.match(dialstring.replace(GROUP, group))
    return match[1] if match else ""


def gateways_named(routes: Routes, dialed: Iterable[str], most: int) -> list[str]:
    """Return the gateways that lines name, and those of the fallbacks among ``dialed``: names that
    tasks dial.  Each once, no more than ``most``."""
    named = dict.fromkeys(filter(None, _named(routes, dialed)))
    return list(islice(named, most))


def _named(routes: Routes, dialed: Iterable[str]) -> Iterator[str]:
    by_group = set()
    for dialstring in dict.fromkeys(line.dialstring for line in routes.lines.values()):
        if GROUP in dialstring:
            by_group.add(dialstring)
        else:
            yield gateway_in(dialstring, "")
    for group, value in routes.groups.items() if by_group else ():
        lines = {name for tier in value.tiers for name in tier if name in routes.lines}
        for dialstring in {routes.lines[name].dialstring for name in lines} & by_group:
            yield gateway_in(dialstring, group)
    for name in dialed:
        if name not in routes.groups:
            line = routes.lines.get(name)
            yield gateway_in(line.dialstring if line else routes.default_dialstring, name)
