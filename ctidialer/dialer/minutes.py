"""Writes what this host did in each minute: what charts of the last hour and of today are made of.

These are for watching only: a minute that Redis does not take is dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ctidialer.contract import keys
from ctidialer.contract.minute import FIELD, MAX_MINUTES, MINUTE, Minute, encode_minute
from ctidialer.contract.record import Record
from ctidialer.glue import Gate, Repeated
from ctidialer.nodes.daemon import Totals
from ctidialer.rules.attempt import Attempt
from ctidialer.store.errors import StoreError
from ctidialer.store.store import Store

LOOK_INTERVAL = 1.0


class Talk:
    """Counts conversations, and adds up their seconds: a reader of the journal."""

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0

    def call_ended(self, attempt: Attempt) -> None:
        """Part of JournalReader."""
        if attempt.bridged_at is not None and attempt.ended_at is not None:
            self.count += 1
            self.seconds += max(0.0, attempt.ended_at - attempt.bridged_at)

    def number_ended(self, record: Record) -> None:
        """Part of JournalReader; calls are looked at, not numbers."""


class Minutes:
    """Looks at running ``totals`` each second, and writes each minute, at its end, of ``host``.

    The clock's minutes are meant, so the first one may be a part of one.  Nothing is written while
    ``writable`` is closed.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        host: str,
        store: Store,
        writable: Gate,
        totals: Callable[[], Totals],
    ) -> None:
        self._clock = clock
        self._key = keys.minutes(host)
        self._store = store
        self._writable = writable
        self._totals = totals
        self._ticks = Repeated(clock, self._tick, self.log, "Writing what happened in a minute")
        self._begin()

    def start(self) -> None:
        """Count from now on."""
        self._begin()
        self._ticks.start(LOOK_INTERVAL)

    def stop(self) -> None:
        """Count no more; the minute that has begun is not written."""
        self._ticks.stop()

    def _begin(self) -> None:
        self._minute = self._now()
        self._before = self._totals()
        self._most = self._before.calls

    def _now(self) -> float:
        """Return the beginning of the present minute (unix seconds)."""
        return self._clock.seconds() // MINUTE * MINUTE

    async def _tick(self) -> None:
        totals = self._totals()
        self._most = max(self._most, totals.calls)
        if self._now() == self._minute:
            return
        told = totals.since(self._before)
        minute = Minute(
            at=self._minute + MINUTE,
            started=told.placed,
            calls=self._most,
            outcomes=told.outcomes,
            talks=told.talks,
            talk_seconds=told.talk_seconds,
        )
        self._begin()
        if self._writable.is_open:
            with suppress(StoreError):  # others say that Redis is away, or a right is missing
                await self._store.tell(self._key, MAX_MINUTES, [encode_minute(minute)], FIELD)
