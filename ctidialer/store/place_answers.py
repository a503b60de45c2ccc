"""What the scripts answer that take, leave and await places (``places.lua``, ``leaving.lua``)."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from ctidialer.store.connection import Reply
from ctidialer.store.errors import NotAllowed, WrongType


@frozen
class Seen:
    """How it stands with something that is counted.

    ``taken`` places, with the ``kept`` ones for hosts which have waited longer; in ``start_in``
    seconds this host may try for a start.  ``hosts`` share the starts, this one among them; where
    there is no rate, so many want a place.
    """

    taken: int
    start_in: float
    hosts: int = 1
    kept: int = 0


SEEN_SIZE = 4
"""Numbers of an answer that are one `Seen`."""


@frozen
class Taken:
    """Whether the places of a call were taken.

    ``refused_by``: the position of the one that refuses, None = all are taken.  ``start_in``:
    seconds until the call may start; ``start``: that moment by Redis' clock, unix microseconds.
    ``noted``: whether the note was written; None = it was not to be, for the call does not start at
    once.  ``seen``: how it stands now with each.
    """

    refused_by: int | None
    start_in: float
    noted: bool | None
    seen: tuple[Seen, ...]
    start: int = 0


def read_parts(reply: Reply, sizes: Sequence[int]) -> list[Reply]:
    """Divide an answer: each part has its size, or is one refusal."""
    assert isinstance(reply, list)
    parts: list[Reply] = []
    at = 0
    for size in sizes:
        if isinstance(reply[at], list):
            parts.append(reply[at])
            at += 1
        else:
            parts.append(reply[at : at + size])
            at += size
    return parts


def read_taken(reply: Reply) -> Taken:
    """Read the answer to a step; raises WrongType or NotAllowed."""
    refused_by, start_in, noted, start, *seen = _numbers(reply)
    return Taken(
        refused_by - 1 if refused_by else None,
        start_in / 1e6,
        None if noted < 0 else noted == 1,
        tuple(_seen(seen[at : at + SEEN_SIZE]) for at in range(0, len(seen), SEEN_SIZE)),
        start,
    )


def read_seen(reply: Reply) -> Seen:
    """Read how it stands with one zset; raises WrongType or NotAllowed."""
    return _seen(_numbers(reply))


def _seen(numbers: Sequence[int]) -> Seen:
    taken, start_in, hosts, kept = numbers
    return Seen(taken, start_in / 1e6, hosts, kept)


def _numbers(reply: Reply) -> list[int]:
    assert isinstance(reply, list)
    if isinstance(reply[0], bytes):
        raise read_refusal(reply)
    return [one for one in reply if isinstance(one, int)]


def read_refusal(reply: Sequence[Reply]) -> WrongType | NotAllowed:
    """Return why a step was refused."""
    what, *said = (
        part.decode("utf-8", "backslashreplace") for part in reply if type(part) is bytes
    )
    return WrongType(*said) if what == "type" else NotAllowed(*said)
