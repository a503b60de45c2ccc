"""Publishes the status of this daemon, every second, while it holds its host's lease."""

from __future__ import annotations

from collections import deque
from contextlib import suppress

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ctidialer.contract.status import TIME_TO_LIVE, NodeStatus, encode_status
from ctidialer.dialer.node_view import NodeView
from ctidialer.glue import Gate, Repeated
from ctidialer.store.errors import StoreError
from ctidialer.store.store import Store

REPORT_INTERVAL = 1.0
SHARED_FOR = 0.5
"""Seconds for which a computed status is returned to everybody who asks."""

REPORTS_PER_RATE = 5
"""Reports over which the rate of calls is averaged."""


class StatusReport:
    """Publishes ``view`` while ``writable`` is open."""

    log = Logger()

    def __init__(self, clock: IReactorTime, view: NodeView, store: Store, writable: Gate) -> None:
        self._clock = clock
        self._view = view
        self._store = store
        self._writable = writable
        self._started = clock.seconds()
        self._placed: deque[tuple[float, int]] = deque(maxlen=REPORTS_PER_RATE + 1)
        self._last: NodeStatus | None = None
        self._encoded: bytes | None = None
        self._ticks = Repeated(clock, self._tick, self.log, "Publishing the status")

    def start(self) -> None:
        """Publish from now on, every second."""
        self._started = self._clock.seconds()
        self._ticks.start(REPORT_INTERVAL)

    async def withdraw(self) -> None:
        """Publish no more, and remove what was published: this daemon stops."""
        self._ticks.stop()
        if self._writable.is_open:
            try:
                await self._store.publish_status(b"", 0.001)
            except StoreError as error:
                self.log.info("The status is left to lapse: {problem}", problem=str(error))

    def status(self) -> NodeStatus:
        """Return the state of this daemon, at most SHARED_FOR seconds old."""
        last = self._last
        return last if last is not None and self._holds(last) else self._worked_out()

    def encoded(self) -> bytes:
        """Return the same as JSON."""
        status = self.status()
        if self._encoded is None:
            self._encoded = encode_status(status)
        return self._encoded

    def now(self) -> float:
        """Return the time of the reports (unix seconds)."""
        return self._clock.seconds()

    def _holds(self, status: NodeStatus) -> bool:
        """Whether a status can be used again: it is new, and its missing conditions still hold."""
        missing = [one.reason.value for one in self._view.readiness.missing]
        is_new = 0 <= self.now() - status.at < SHARED_FOR
        return is_new and missing == [one.condition for one in status.missing]

    def _worked_out(self) -> NodeStatus:
        now = self.now()
        self._encoded = None
        self._last = self._view.status(now, self._started, self._rate(now))
        return self._last

    async def _tick(self) -> None:
        self._placed.append((self._clock.seconds(), self._view.calls.placed))
        if not self._writable.is_open:
            return
        self._worked_out()
        with suppress(StoreError):  # that Redis is away is said by others
            await self._store.publish_status(self.encoded(), TIME_TO_LIVE)

    def _rate(self, now: float) -> float:
        """Return the calls placed per second over the last few reports."""
        if not self._placed:
            return 0.0
        since, before = self._placed[0]
        return round((self._view.calls.placed - before) / (now - since), 2) if now > since else 0.0
