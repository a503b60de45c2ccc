"""What an entry that waits for its next call keeps of its calls so far: docs/redis-contract.rst."""

from __future__ import annotations

import enum

import msgspec
from msgspec.structs import replace


class WaitReason(enum.Enum):
    """Why a number waits."""

    RETRY = "retry"
    HOURS = "hours"
    CAP = "cap"


VERSION = 1
"""It changes when a member changes its meaning; new ones may come at any time."""


class Carried(msgspec.Struct, frozen=True):
    """What goes with an entry from try to try; times are unix seconds.

    ``entry_id``: the id of its first claim, which all its tries share.  ``tried``: how many tries
    have ended.  ``used``: how many retries of each retry rule, by its name.  ``taken_at``: when it
    was first taken, ``since``: since when it waits now.  ``queue`` and ``side``: the list it came
    from first; None = scheduled.  ``more``: what a later version has written beside, kept as it is.
    """

    entry_id: str
    taken_at: float
    since: float
    reason: WaitReason
    tried: int = 0
    used: dict[str, int] = {}
    queue: str | None = None
    side: str | None = None
    v: int = VERSION
    more: dict[str, msgspec.Raw] = {}


_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_DECODER = msgspec.json.Decoder(Carried)
_ENCODER = msgspec.json.Encoder()
_NO_MORE = b',"more":{}}'


def encode_carried(carried: Carried) -> bytes:
    """Return it as JSON without a line break."""
    text = _ENCODER.encode(replace(carried, more={})).removesuffix(_NO_MORE)
    return text + (b"," + _ENCODER.encode(carried.more)[1:] if carried.more else b"}")


def decode_carried(text: bytes) -> Carried:
    """Read what `encode_carried` wrote; raises ValueError if it is malformed."""
    members = _MEMBERS.decode(text)
    more = {name: members[name] for name in members.keys() - _KNOWN}
    members = {name: value for name, value in members.items() if name not in more}
    carried = _DECODER.decode(_ENCODER.encode(members) if more else text)
    return replace(carried, more={name: msgspec.Raw(bytes(raw)) for name, raw in more.items()})


_KNOWN = frozenset(Carried.__struct_fields__) - {"more"}
