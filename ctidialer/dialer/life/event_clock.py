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


class EventClock:
    """Moves the stamps of events onto our clock.

    No event is heard before it has happened.  So of all differences between a stamp and our clock
    the largest is that of the clocks, and what another event has less, it is late: a machine that
    did not let us run for two seconds makes no call two seconds longer.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        """``seconds`` reads our clock, which nobody sets."""
        self._seconds = seconds
        self.forget()

    def forget(self) -> None:
        """Another FreeSWITCH may come, with another clock."""
        self._ahead = self._ahead_before = NEVER
        self._window_ends = NEVER
        self._stamp_before = NEVER

    def moment(self, event: Event) -> float:
        """Return when an event that is heard now has happened; now, if it does not say."""
        now, stamp = self._seconds(), sent_at(event)
        if stamp is None:
            return now
        if stamp < self._stamp_before - MAX_DISORDER:
            self.forget()
        self._stamp_before = stamp
        ahead = stamp - now
        if now >= self._window_ends:
            self._ahead_before, self._ahead = self._ahead, ahead
            self._window_ends = now + WINDOW
        self._ahead = max(self._ahead, ahead)
        late = max(self._ahead, self._ahead_before) - ahead
        return now - late if late <= MAX_LATE else now
