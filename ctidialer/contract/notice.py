"""What back ends publish when they have changed a table (docs/redis-contract.rst)."""

from __future__ import annotations

import msgspec
from attrs import frozen

from ctidialer.contract import keys
from ctidialer.contract.document import FaultList, read_json

CHANGE = "config_change"
AGENT_TABLES = frozenset({keys.AGENT, keys.AGENT_COUNT})
"""The tables of those agents who are there now; all others hold configuration."""

TABLES = AGENT_TABLES | {
    keys.TASK,
    keys.LINE,
    keys.LINE_GROUP,
    keys.GATEWAY,
    keys.CALLS,
    keys.SCHEDULE_CONFIG,
    keys.CONTROL,
}


class _Usual(msgspec.Struct):
    """The message as nearly everybody sends it."""

    type: str
    table: str
    key: str | None = None


_USUAL = msgspec.json.Decoder(_Usual)


@frozen
class ConfigChange:
    """``table`` changed, in the field ``key``; None = the whole table is to be read again."""

    table: str
    key: str | None = None


def decode_notice(raw: bytes) -> ConfigChange | None:
    """Return the change that a message tells of, None where it tells of none that concerns us.

    A ``table`` is taken with an ``@`` part, too; ``key`` as a number is taken as its digits, and
    an empty one as none.
    """
    try:  # they come by ten thousands a second
        usual = _USUAL.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _unusual(raw)
    return _change(usual.table, usual.key) if usual.type == CHANGE else None


def _unusual(raw: bytes) -> ConfigChange | None:
    message = read_json(raw, FaultList()).value
    if not isinstance(message, dict) or message.get("type") != CHANGE:
        return None
    return _change(message.get("table"), message.get("key"))


def _change(table: object, key: object) -> ConfigChange | None:
    name = table.partition("@")[0] if isinstance(table, str) else ""
    if name not in TABLES or not _is_name(key):
        return None
    return ConfigChange(name, None if key in (None, "") else str(key))


def encode_notice(change: ConfigChange) -> bytes:
    """Return the message that tells of a change."""
    message = {"type": CHANGE, "table": change.table}
    return msgspec.json.encode(message if change.key is None else {**message, "key": change.key})


def _is_name(key: object) -> bool:
    return key is None or (isinstance(key, str | int) and not isinstance(key, bool))
