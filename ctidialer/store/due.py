"""Looks at scheduled numbers that are due, without taking them."""

from __future__ import annotations

from attrs import frozen

from ctidialer.store.connection import Reply
from ctidialer.store.errors import StoreError, WrongType
from ctidialer.store.link import Link
from ctidialer.store.oversize import MAX_CLAIM_BYTES
from ctidialer.store.scripts import DUE

KnownMember = tuple[int, bytes]
"""A place in the sorted set, and the member that should stand there."""


@frozen
class DueLook:
    """What was found: ``is_as_known`` = the witness stands at its place; if not, nothing was read.

    ``members`` are pairs of a member and its length in bytes; a member that is too long to be
    called is empty here.  ``is_end``: nothing more is due behind them.
    """

    is_as_known: bool
    is_end: bool
    members: tuple[tuple[bytes, int], ...]


@frozen
class DueQuestion:
    """What to look at: ``many`` members from the place ``first`` on that are due at ``now`` (unix
    seconds)."""

    first: int
    many: int
    now: float
    witness: KnownMember | None = None


async def look_at_due(link: Link, key: str, look: DueQuestion, max_entry: int) -> DueLook:
    """Return what stands in the zset ``key``; raises StoreError."""
    place, member = look.witness or (-1, b"")
    limits = (max_entry, MAX_CLAIM_BYTES)
    arguments = (look.first, look.many, repr(float(look.now)), *limits, place, member)
    try:
        reply = await link.run(DUE, (key,), arguments)
    except StoreError as error:
        code, _, rest = str(error).partition(" ")
        if code == "KEYTYPE":
            raise WrongType(key, *rest.split()[1:3]) from None
        raise
    return _look_of(reply)


def _look_of(reply: Reply) -> DueLook:
    assert isinstance(reply, list)
    is_as_known, is_end, *found = reply
    pairs = zip(found[::2], found[1::2], strict=True)
    members = [
        (member, length)
        for member, length in pairs
        if isinstance(member, bytes) and isinstance(length, int)
    ]
    return DueLook(is_as_known == 1, is_end == 1, tuple(members))
