"""What an operator has ordered for one node: ``cti_dialer_control@<host>`` (a hash).

The field ``drain`` takes the node out of service, ``pause:<task>`` stops new calls of one task.
The value is ``{"since":1700000000.5,"by":"ann@pbx1"}``, for people: a field that is there is in
force whatever its value says, so that ``HSET … drain 1`` will do in an emergency.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from attrs import asdict, field, frozen

from ctidialer.contract.document import FaultList, read_json

DRAIN = "drain"
PAUSE = "pause:"


@frozen
class Order:
    """One order: ``since`` unix seconds, ``by`` whom; None and empty where it does not say."""

    since: float | None = None
    by: str = ""

    def encode(self) -> bytes:
        """Return the order as it stands in Redis."""
        return msgspec.json.encode(asdict(self))


@frozen
class Control:
    """All orders for one node: whether it is drained, and which tasks are paused, by name."""

    drain: Order | None = None
    paused: Mapping[str, Order] = field(factory=dict)


def pause_field(task: str) -> str:
    """Return the field that pauses a task."""
    return f"{PAUSE}{task}"


def decode_control(documents: Mapping[str, bytes]) -> Control:
    """Return the orders in the fields of the hash; fields that mean nothing are passed over."""
    drain = documents.get(DRAIN)
    return Control(
        drain=None if drain is None else decode_order(drain),
        paused={
            name.removeprefix(PAUSE): decode_order(raw)
            for name, raw in documents.items()
            if name.startswith(PAUSE)
        },
    )


def decode_order(raw: bytes) -> Order:
    """Return what an order says of itself; never fails."""
    document = read_json(raw, FaultList()).value
    members = document if isinstance(document, dict) else {}
    since, by = members.get("since"), members.get("by")
    return Order(_seconds(since), by if isinstance(by, str) else "")


def _seconds(value: object) -> float | None:
    # A number with a fraction is read as its text, so that nothing is lost of it.
    text = getattr(value, "text", value)
    if isinstance(text, bool) or not isinstance(text, str | int):
        return None
    try:
        return float(text)
    except (ValueError, OverflowError):
        return None
