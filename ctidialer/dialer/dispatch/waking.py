"""Looks again soon, or at a moment, once for all that ask for it."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

MAX_WANTING = 1.0
"""Seconds after which is looked again, whatever became of the clock."""


class Waking:
    """Calls ``look`` in the next turn of the reactor, or at the earliest moment that was wanted."""

    def __init__(self, clock: IReactorTime, look: Callable[[], None]) -> None:
        self._clock = clock
        self._look = look
        self._soon: IDelayedCall | None = None
        self._later: IDelayedCall | None = None

    def soon(self) -> None:
        """Look in the next turn."""
        if self._soon is None:
            self._soon = self._clock.callLater(0, self._now)

    def at(self, moment: float) -> None:
        """Look at ``moment`` (unix seconds), or before: the next tick may come too late for it."""
        timer = self._later
        if timer is None or not timer.active() or moment < timer.getTime():
            if timer is not None and timer.active():
                timer.cancel()
            delay = min(max(0.0, moment - self._clock.seconds()), MAX_WANTING)
            self._later = self._clock.callLater(delay, self.soon)

    def _now(self) -> None:
        self._soon = None
        self._look()
