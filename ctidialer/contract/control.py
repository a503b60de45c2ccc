"""What an operator has ordered for one node: ``cti_dialer_control@<host>`` (a hash).

The field ``drain`` takes the node out of service, ``pause:<task>`` stops new calls of one task,
``pause_schedule:<config>`` those of one schedule configuration: a task may have the same name.
The value is ``{"since":1700000000.5,"by":"ann@pbx1","why":"…"}``, for people: a field that is
there is in force whatever its value says, so that ``HSET … drain 1`` will do in an emergency.
``line_off:<line>`` takes a line out of use, until its ``until`` (unix seconds) where it has one.
``undrain``, ``resume:<task>``, ``resume_schedule:<config>`` and ``line_on:<line>`` say who took
such an order back, when and why.  ``line_try:<line>`` ends, once, the rest of a line that faults
have put out of use.  ``edit:<task>`` says who changed the documents of a task last, and ``what`` it
was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec
from attrs import asdict, field, frozen

from ctidialer.contract.document import FaultList, read_json

Decoded = TypeVar("Decoded")

DRAIN = "drain"
PAUSE = "pause:"
UNDRAIN = "undrain"
RESUME = "resume:"
PAUSE_SCHEDULE = "pause_schedule:"
RESUME_SCHEDULE = "resume_schedule:"
EDIT = "edit:"
LINE_OFF = "line_off:"
LINE_ON = "line_on:"
LINE_TRY = "line_try:"


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
class LineOff:
    """By which order a line is out of use; ``until``: unix seconds, None = until it is put back."""

    order: Order
    until: float | None = None

    def encode(self) -> bytes:
        """Return it as it stands in Redis."""
        return msgspec.json.encode({**asdict(self.order), "until": self.until})

    def holds(self, now: float) -> bool:
        """Whether it is in force at ``now`` (unix seconds)."""
        return self.until is None or now < self.until


@frozen
class Edited:
    """By which order a task was changed, and ``what`` changed: a text for people."""

    order: Order
    what: str = ""

    def encode(self) -> bytes:
        """Return it as it stands in Redis."""
        return msgspec.json.encode({**asdict(self.order), "what": self.what})


@frozen
class Control:
    """All orders for one node: whether it is drained, and which tasks and schedule configurations
    are paused, by name.

    ``undrained``, ``resumed`` and ``resumed_schedules`` are the last orders that took such a one
    back.  ``edited``: the last change of each task that was made by a command.  ``lines_off``: the
    lines that are taken out of use, also those whose time is over; ``lines_on``: the last orders
    that put a line back; ``lines_tried``: the last orders to try a line now.
    """

    drain: Order | None = None
    paused: Mapping[str, Order] = field(factory=dict)
    undrained: Order | None = None
    resumed: Mapping[str, Order] = field(factory=dict)
    paused_schedules: Mapping[str, Order] = field(factory=dict)
    resumed_schedules: Mapping[str, Order] = field(factory=dict)
    edited: Mapping[str, Edited] = field(factory=dict)
    lines_off: Mapping[str, LineOff] = field(factory=dict)
    lines_on: Mapping[str, Order] = field(factory=dict)
    lines_tried: Mapping[str, Order] = field(factory=dict)


def pause_field(name: str, *, is_schedule: bool = False) -> str:
    """Return the field that pauses a task, or a schedule configuration."""
    return f"{PAUSE_SCHEDULE if is_schedule else PAUSE}{name}"


def resume_field(name: str, *, is_schedule: bool = False) -> str:
    """Return the field that says who resumed a task, or a schedule configuration."""
    return f"{RESUME_SCHEDULE if is_schedule else RESUME}{name}"


def edit_field(name: str) -> str:
    """Return the field that says who changed a task last."""
    return f"{EDIT}{name}"


def decode_control(documents: Mapping[str, bytes]) -> Control:
    """Return the orders in the fields of the hash; fields that mean nothing are passed over."""
    return Control(
        drain=_order(documents, DRAIN),
        paused=_orders(documents, PAUSE),
        undrained=_order(documents, UNDRAIN),
        resumed=_orders(documents, RESUME),
        paused_schedules=_orders(documents, PAUSE_SCHEDULE),
        resumed_schedules=_orders(documents, RESUME_SCHEDULE),
        edited=_named(documents, EDIT, _edited),
        lines_off=_named(documents, LINE_OFF, decode_line_off),
        lines_on=_orders(documents, LINE_ON),
        lines_tried=_orders(documents, LINE_TRY),
    )


def _order(documents: Mapping[str, bytes], name: str) -> Order | None:
    raw = documents.get(name)
    return None if raw is None else decode_order(raw)


def _orders(documents: Mapping[str, bytes], prefix: str) -> dict[str, Order]:
    return _named(documents, prefix, decode_order)


def _named(
    documents: Mapping[str, bytes], prefix: str, decode: Callable[[bytes], Decoded]
) -> dict[str, Decoded]:
    return {
        name.removeprefix(prefix): decode(raw)
        for name, raw in documents.items()
        if name.startswith(prefix)
    }


def decode_order(raw: bytes) -> Order:
    """Return what an order says of itself; never fails."""
    return _order_in(_members(raw))


def decode_line_off(raw: bytes) -> LineOff:
    """Return what an order to take a line out of use says of itself; never fails."""
    members = _members(raw)
    return LineOff(_order_in(members), _seconds(members.get("until")))


def _edited(raw: bytes) -> Edited:
    members = _members(raw)
    return Edited(_order_in(members), _text(members, "what"))


def _members(raw: bytes) -> Mapping[str, object]:
    document = read_json(raw, FaultList()).value
    return document if isinstance(document, dict) else {}


def _order_in(members: Mapping[str, object]) -> Order:
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
