"""Lists of numbers that are not called: sets, or hashes number -> ``{"reason", "until"}``.

The daemon looks at them in the step that notes a call (``lua/permit.lua``); people and back ends
write them, with these functions or by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

import msgspec
from attrs import frozen

from ctidialer.store.connection import Reply
from ctidialer.store.errors import WrongType
from ctidialer.store.link import Link

MAX_WRITTEN = 5_000
"""Numbers that are written with one command."""

Written = Callable[[int], object]
"""Is told how many further numbers have been written."""

_ENCODER = msgspec.json.Encoder()


@frozen
class Listed:
    """What a list says of a number: ``text`` is the value of a hash, None in a set."""

    spelling: str
    text: bytes | None = None

    @property
    def reason(self) -> str:
        """Why it is listed; a value that is no JSON object is all reason."""
        reason = self._document.get("reason")
        return reason if isinstance(reason, str) else (self.text or b"").decode("utf-8", "replace")

    @property
    def until(self) -> float | None:
        """When it may be called again (unix seconds), as the daemon reads it; None = never."""
        until = self._document.get("until")
        if isinstance(until, bool) or not isinstance(until, int | float | str):
            return None
        try:
            return float(until)
        except ValueError:
            return None

    @property
    def _document(self) -> dict[str, object]:
        try:
            found = msgspec.json.decode(self.text or b"")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


@frozen
class Entry:
    """A number for a list; ``until`` (unix seconds) None = for ever.  A set keeps neither."""

    number: str
    reason: str = ""
    until: float | None = None

    @property
    def says_more(self) -> bool:
        """Whether a set could not hold all of it."""
        return bool(self.reason) or self.until is not None

    def text(self) -> bytes:
        """Return the value for a hash."""
        until = {} if self.until is None else {"until": self.until}
        return _ENCODER.encode({"reason": self.reason, **until})


class DoNotCall:
    """One list in Redis; every method raises StoreError, also where the key is of a wrong type."""

    def __init__(self, link: Link, key: str) -> None:
        self._link = link
        self._key = key

    async def is_hash(self) -> bool | None:
        """Say whether the list is a hash; None = there is none yet.  Raises WrongType."""
        kind = await self._link.call("TYPE", self._key)
        name = kind.decode() if isinstance(kind, bytes) else str(kind)
        if name == "none":
            return None
        if name not in ("set", "hash"):
            raise WrongType(self._key, name, "set or hash")
        return name == "hash"

    async def size(self) -> int:
        """Return how many numbers the list has."""
        is_hash = await self.is_hash()
        if is_hash is None:
            return 0
        return _count(await self._link.call("HLEN" if is_hash else "SCARD", self._key))

    async def add(
        self, entries: Iterable[Entry], *, as_hash: bool, written: Written = lambda count: None
    ) -> int:
        """Write numbers; return how many are new.  ``as_hash``: what `is_hash` says, or, for a list
        that is not there yet, what it shall be.  ``written`` is told of each lot that Redis took.
        """
        added, left = 0, iter(entries)
        while some := list(islice(left, MAX_WRITTEN)):
            added += _count(await self._link.call(*self._command(some, as_hash)))
            written(len(some))
        return added

    async def remove(self, spellings: Sequence[str]) -> int:
        """Take a number off, however it is written there; return how many entries that were."""
        is_hash = await self.is_hash()
        if is_hash is None or not spellings:
            return 0
        return _count(await self._link.call("HDEL" if is_hash else "SREM", self._key, *spellings))

    async def find(self, spellings: Sequence[str]) -> list[Listed]:
        """Return what the list says of a number, however it is written there."""
        is_hash = await self.is_hash()
        if is_hash is None or not spellings:
            return []
        command = "HMGET" if is_hash else "SMISMEMBER"
        reply = await self._link.call(command, self._key, *spellings)
        assert isinstance(reply, list)
        return [
            Listed(spelling, said if isinstance(said, bytes) else None)
            for spelling, said in zip(spellings, reply, strict=True)
            if said
        ]

    def _command(self, entries: Sequence[Entry], as_hash: bool) -> list[str | bytes]:
        if not as_hash:
            return ["SADD", self._key, *(one.number for one in entries)]
        pairs = (part for one in entries for part in (one.number, one.text()))
        return ["HSET", self._key, *pairs]


def _count(reply: Reply) -> int:
    assert isinstance(reply, int)
    return reply
