"""When an event happened, by a clock of ours, although it may have been heard late."""

from __future__ import annotations

from collections.abc import Callable

from ctidialer.dialer.life.channel_events import sent_at
from ctidialer.esl.events import Event

MAX_LATE = 30.0
"""Seconds by which an event may be late; of one that is later nothing is known."""

WINDOW = 60.0
"""Seconds after which what was heard is left out, a window later: clocks drift apart."""

MAX_DISORDER = 1.0
"""Seconds by which an event may bear an earlier stamp than the one before; more than that is a
clock that was set back."""

NEVER = float("-inf")


class ClockDifference:
    """By how many seconds FreeSWITCH's clock is ahead of ours, as the stamps of events tell.

    No event is heard before it has happened.  So of all differences between a stamp and our clock
    the largest is that of the clocks, and what another event has less, it is late.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Another FreeSWITCH may come, with another clock."""
        self._largest = self._largest_before = NEVER
        self._window_ends = NEVER
        self._stamp_before = NEVER

    @property
    def ahead(self) -> float:
        """The difference; negative infinity = nothing was heard yet."""
        return max(self._largest, self._largest_before)

    def hear(self, stamp: float, now: float) -> None:
        """An event with this stamp is heard ``now``, by our clock."""
        if stamp < self._stamp_before - MAX_DISORDER:
            self.forget()
        self._stamp_before = stamp
        if now >= self._window_ends:
            self._largest_before, self._largest = self._largest, NEVER
            self._window_ends = now + WINDOW
        self._largest = max(self._largest, stamp - now)


class EventClock:
    """Moves the stamps of events onto our clock: a machine that did not let us run for two seconds
    makes no call two seconds longer."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        """``seconds`` reads our clock, which nobody sets."""
        self._seconds = seconds
        self._difference = ClockDifference()

    def forget(self) -> None:
        """Another FreeSWITCH may come, with another clock."""
        self._difference.forget()

    def moment(self, event: Event) -> float:
        """Return when an event that is heard now has happened; now, if it does not say."""
        now, stamp = self._seconds(), sent_at(event)
        if stamp is None:
            return now
        self._difference.hear(stamp, now)
        late = self._difference.ahead - (stamp - now)
        return now - late if late <= MAX_LATE else now
