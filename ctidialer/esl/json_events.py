"""Events in the ``text/event-json`` format, read into the same `Event`.  Pure.

A header that appears twice (``Hangup-Cause`` does) is a repeated member of the JSON object, of
which the last one counts here.  A list is a JSON array; `Event.values` gives its elements.
"""

from __future__ import annotations

import json

import msgspec

from ctidialer.esl.errors import ProtocolFault
from ctidialer.esl.events import Event, make_event

_BODY = "_body"
_OBJECT = msgspec.json.Decoder(dict[str, object])


def json_event(document: bytes) -> Event:
    """Read the body of a ``text/event-json`` frame; `ProtocolFault` if it is no JSON object."""
    try:
        return _event(_members(document))
    except RecursionError:
        raise ProtocolFault("A JSON event is nested too deeply") from None


def _event(members: dict[str, object]) -> Event:
    body = _value(members.pop(_BODY, ""))
    if body:
        members.pop("Content-Length", None)  # it is written again, from the body
    return make_event({name: _value(value) for name, value in members.items()}, body)


def _members(document: bytes) -> dict[str, object]:
    try:
        return _OBJECT.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _members_of_odd_bytes(document)


def _members_of_odd_bytes(document: bytes) -> dict[str, object]:
    """Read JSON that holds bytes which are no UTF-8; they come through `Event.raw` unchanged."""
    try:
        members = json.loads(document.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict):
        raise ProtocolFault("A JSON event is no JSON object")
    return members


def _value(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "ARRAY::" + "|:".join(map(_value, value))
    return json.dumps(value)
