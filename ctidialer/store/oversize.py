"""Entries too long to be called: each has a key of its own in Redis and is read in slices."""

from __future__ import annotations

from hashlib import sha256

from twisted.internet.defer import Deferred, DeferredLock

from ctidialer.store.in_flight import Claimed
from ctidialer.store.link import Link

MAX_ENTRY = 65536
"""Bytes above which an entry is not called, if the settings do not say it."""

MAX_KEPT_BYTES = 1024
"""Bytes of such an entry that are read and kept: its beginning."""

MAX_CLAIM_BYTES = 1 << 20
"""Bytes after which a claim takes no more entries; it always takes one."""

SLICE_BYTES = 1 << 18
"""Bytes that are read at a time."""


class OversizeEntries:
    """Reads the entries that are in flight in keys of their own: ``<in-flight key>:<id>``.

    One entry is read at a time, so there is never more than one slice in memory.
    """

    def __init__(self, link: Link, in_flight_key: str) -> None:
        self._link = link
        self._in_flight_key = in_flight_key
        self._reading = DeferredLock()

    def digest(self, claim: Claimed) -> Deferred[str | None]:
        """Return the SHA-256 (hex) of the whole entry; None = it is no longer there.

        Fails with StoreUnavailable or NotAllowed.
        """
        digest: Deferred[str | None] = self._reading.run(
            lambda: Deferred.fromCoroutine(self._digest(claim))
        )
        return digest

    async def _digest(self, claim: Claimed) -> str | None:
        found, length = sha256(), claim.length or 0
        for start in range(0, length, SLICE_BYTES):
            part = await self._link.call(
                "GETRANGE", f"{self._in_flight_key}:{claim.id}", start, start + SLICE_BYTES - 1
            )
            if not isinstance(part, bytes) or len(part) != min(SLICE_BYTES, length - start):
                return None
            found.update(part)
        return found.hexdigest()
