"""What an operator has ordered for one node: ``cti_dialer_control@<host>`` (a hash).

The field ``drain`` takes the node out of service, ``pause:<task>`` stops new calls of one task,
``pause_schedule:<config>`` those of one schedule configuration: a task may have the same name.
The value is ``{"since":1700000000.5,"by":"ann@pbx1","why":"…"}``, for people: a field that is
there is in force whatever its value says, so that ``HSET … drain 1`` will do in an emergency.
``undrain``, ``resume:<task>`` and ``resume_schedule:<config>`` say who took such an order back,
when and why.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from attrs import asdict, field, frozen

from ctidialer.contract.document import FaultList, read_json

DRAIN = "drain"
PAUSE = "pause:"
UNDRAIN = "undrain"
RESUME = "resume:"
PAUSE_SCHEDULE = "pause_schedule:"
RESUME_SCHEDULE = "resume_schedule:"


@frozen
class Order:
    """One order: ``since`` unix seconds, ``by`` whom, and ``why``.

    None and empty where it does not say.
    """

    since: float | None = None
    by: str = ""
    why: str = ""

    def encode(self) -> bytes:
        """Return the order as it stands in Redis."""
        return msgspec.json.encode(asdict(self))


@frozen
class Control:
    """All orders for one node: whether it is drained, and which tasks and schedule configurations
    are paused, by name.

    ``undrained``, ``resumed`` and ``resumed_schedules`` are the last orders that took such a one
    back.
    """

    drain: Order | None = None
    paused: Mapping[str, Order] = field(factory=dict)
    undrained: Order | None = None
    resumed: Mapping[str, Order] = field(factory=dict)
    paused_schedules: Mapping[str, Order] = field(factory=dict)
    resumed_schedules: Mapping[str, Order] = field(factory=dict)


def pause_field(name: str, *, is_schedule: bool = False) -> str:
    """Return the field that pauses a task, or a schedule configuration."""
    return f"{PAUSE_SCHEDULE if is_schedule else PAUSE}{name}"


def resume_field(name: str, *, is_schedule: bool = False) -> str:
    """Return the field that says who resumed a task, or a schedule configuration."""
    return f"{RESUME_SCHEDULE if is_schedule else RESUME}{name}"


def decode_control(documents: Mapping[str, bytes]) -> Control:
    """Return the orders in the fields of the hash; fields that mean nothing are passed over."""
    return Control(
        drain=_order(documents, DRAIN),
        paused=_orders(documents, PAUSE),
        undrained=_order(documents, UNDRAIN),
        resumed=_orders(documents, RESUME),
        paused_schedules=_orders(documents, PAUSE_SCHEDULE),
        resumed_schedules=_orders(documents, RESUME_SCHEDULE),
    )


def _order(documents: Mapping[str, bytes], name: str) -> Order | None:
    raw = documents.get(name)
    return None if raw is None else decode_order(raw)


def _orders(documents: Mapping[str, bytes], prefix: str) -> dict[str, Order]:
    return {
        name.removeprefix(prefix): decode_order(raw)
        for name, raw in documents.items()
        if name.startswith(prefix)
    }


def decode_order(raw: bytes) -> Order:
    """Return what an order says of itself; never fails."""
    document = read_json(raw, FaultList()).value
    members = document if isinstance(document, dict) else {}
    return Order(_seconds(members.get("since")), _text(members, "by"), _text(members, "why"))


def _text(members: Mapping[str, object], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""


def _seconds(value: object) -> float | None:
    # A number with a fraction is read as its text, so that nothing is lost of it.
    text = getattr(value, "text", value)
    if isinstance(text, bool) or not isinstance(text, str | int):
        return None
    try:
        return float(text)
    except (ValueError, OverflowError):
        return None
