"""Looks now and then at what stays undone in Redis although it is time: for alerts."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ctidialer.contract.backlog import Backlog
from ctidialer.glue import Repeated
from ctidialer.nodes.backlog import BacklogReader, Scheduled
from ctidialer.store.errors import StoreError

LOOK_INTERVAL = 5.0
"""Seconds between two looks."""

LOOKS_PER_HOSTS = 12
"""Looks between two at the other hosts."""


class BacklogWatch:
    """Keeps ``found``: what the last look has found, None = there was none yet."""

    log = Logger()

    def __init__(self, clock: IReactorTime, reader: BacklogReader) -> None:
        self._clock = clock
        self._reader = reader
        self._count = 0
        self._clear_at: float | None = None
        self.found: Backlog | None = None
        self._looks = Repeated(clock, self.look, self.log, "Looking for what stays undone")

    def start(self) -> None:
        """Look from now on."""
        self._looks.start(LOOK_INTERVAL, now=True)

    def stop(self) -> None:
        """Look no more."""
        self._looks.stop()

    async def look(self) -> None:
        """Look once; while Redis is away nothing is known."""
        try:
            self.found = await self._looked(self._clock.seconds(), self.found)
        except StoreError:
            self.found = None

    async def _looked(self, now: float, before: Backlog | None) -> Backlog:
        scheduled = await self._reader.scheduled(now)
        unread = await self._reader.unread()
        if before is None or self._count % LOOKS_PER_HOSTS == 0:
            gone = await self._reader.gone(now)
        else:
            gone = before.gone
        self._count += 1
        return Backlog(now, scheduled.due, self._since(scheduled, now), unread, gone)

    def _since(self, scheduled: Scheduled, now: float) -> float | None:
        """Return since when there has been a number that is due.

        A back end may write any time of the past for "now", so the score alone does not say it.
        """
        if scheduled.first is None:
            self._clear_at = now
            return None
        if self._clear_at is None:  # nothing is known of the time before
            self._clear_at = now
        return max(scheduled.first, self._clear_at)
