"""What is kept of the pacing of a task in Redis: one hash for all hosts that run the task."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from ctidialer.contract import keys
from ctidialer.store.connection import Reply
from ctidialer.store.lease import Lease
from ctidialer.store.scripts import PACE

TIME_TO_LIVE = 90 * 86_400
"""Seconds for which a task that is dialed no more is remembered: three periods of 30 days."""

SEEN = "seen:"
"""A field of the hash, followed by a host: when it wrote last (unix seconds of Redis' clock)."""

ALIVE_WITHIN = 3.5
"""Seconds within which a host that dials the task writes."""

PACER, PACER_UNTIL = "pacer", "pacer_until"
"""The host that paces, and until when (unix seconds of Redis' clock)."""


@frozen
class Kept:
    """The hash as it stands; ``at``: Redis' time, unix seconds."""

    at: float
    fields: Mapping[str, bytes]

    def is_pacer(self, host: str) -> bool:
        """Whether this host paces now."""
        is_now = self._moment(PACER_UNTIL) > self.at
        return is_now and self.fields.get(PACER) == host.encode()

    def is_alive(self, host: str) -> bool:
        """Whether a host has written a moment ago."""
        return self.at - self._moment(f"{SEEN}{host}") <= ALIVE_WITHIN

    def _moment(self, name: str) -> float:
        try:
            return float(self.fields.get(name, b"0"))
        except ValueError:
            return 0.0


class PacingStore:
    """Writes and reads the pacing of the tasks of ``host``.  Fails with StoreError.

    Each write sets fields to values, so it can be done twice.
    """

    def __init__(self, lease: Lease, host: str) -> None:
        self._lease = lease
        self._host = host

    async def exchange(
        self, scope: str, task: str, fields: Mapping[str, bytes], paces_for: float = 0.0
    ) -> Kept:
        """Write fields (an empty value removes one) and return all; ``paces_for``: this host wants
        to pace for so many seconds, 0 = not."""
        flat = [part for pair in fields.items() for part in pair]
        arguments = (self._host, f"{paces_for:g}", TIME_TO_LIVE * 1000, *flat)
        return _kept(await self._lease.run(PACE, (keys.pacing(scope, task),), arguments))


def _kept(reply: Reply) -> Kept:
    assert isinstance(reply, list)
    at, *flat = (part if isinstance(part, bytes) else b"" for part in reply)
    names = (name.decode("utf-8", "replace") for name in flat[::2])
    return Kept(float(at), dict(zip(names, flat[1::2], strict=True)))
