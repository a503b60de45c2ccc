"""How fast this node may start calls, over all its tasks."""

from __future__ import annotations

from collections import deque

from ctidialer.rules import backpressure, pacing
from ctidialer.rules.backpressure import Backpressure
from ctidialer.rules.pacing import Pace

UNLIMITED = 1_000_000

MAX_RATE = 2000
"""Calls per second, at most, that FreeSWITCH is known to have taken."""


class NodeLimits:
    """``max_calls`` numbers in hand at once and ``max_cps`` starts per second (0 = no limit), and
    the pauses after refusals by FreeSWITCH.

    ``is_paused``: FreeSWITCH says that somebody has paused it.  The numbers in hand are counted by
    `ctidialer.dialer.dispatch.slots`.
    """

    def __init__(self, max_calls: int, max_cps: float) -> None:
        self.max_calls = max_calls
        self.max_cps = max_cps
        self._max_cps = max_cps or None
        self._pace = Pace()
        self._careful = Pace()
        self._taken: deque[float] = deque(maxlen=MAX_RATE)
        self.backpressure = Backpressure()
        self.is_paused = False

    def room(self, calls: int, asked: int, now: float, further: int = 0) -> int:
        """Return how many numbers may be taken at ``now``.

        ``calls`` counts the numbers in hand, ``asked`` those that claims under way ask for,
        ``further`` the further calls that wait for the rates: they go first.
        """
        room = self.max_calls - calls - asked if self.max_calls else UNLIMITED
        return max(0, min(room, self.rate(now) - asked - further))

    def rate(self, now: float) -> int:
        """Return how many calls the rates alone let start at ``now``."""
        if self.backpressure.holds(now):
            return 0
        rate = pacing.room(self._pace, self._max_cps, now)
        return min(rate, pacing.room(self._careful, self.backpressure.cps(now), now))

    def next_further(self, now: float) -> float:
        """Return when the node's pace, and the pause after a refusal, let a call start."""
        moment = self.next_start(now)
        if self.backpressure.holds(now):
            return max(moment, self.backpressure.until)
        careful = pacing.next_start(self._careful, self.backpressure.cps(now), now)
        return max(moment, careful or now)

    def slowed_to(self, now: float) -> float | None:
        """Return the calls per second to which refusals lower the rate; None = nothing is slower.

        A ceiling that is not reached slows nothing down.
        """
        cps = self.backpressure.cps(now)
        return cps if self.backpressure.pause or not pacing.room(self._careful, cps, now) else None

    def next_start(self, now: float) -> float:
        """Return the first moment from ``now`` on at which the node's pace lets a call start."""
        moment = pacing.next_start(self._pace, self._max_cps, now)
        return now if moment is None else moment

    def started(self, count: int, now: float) -> None:
        """Count ``count`` calls that begin now."""
        if self._max_cps is not None:
            self._pace = pacing.spent(self._pace, self._max_cps, count, now)
        cps = self.backpressure.cps(now)
        if cps is not None:
            self._careful = pacing.spent(self._careful, cps, count, now)

    def unspent(self, now: float) -> None:
        """A call that was counted is not placed after all."""
        self._pace = pacing.unspent(self._pace, self._max_cps, now)

    def sent(self, decided: float, now: float) -> None:
        """A call that was decided on at ``decided`` was sent at ``now``."""
        if self._max_cps is not None:
            self._pace = pacing.sent(self._pace, decided, now)

    def refused(self, now: float) -> None:
        """FreeSWITCH turned a call away."""
        self.backpressure = backpressure.refused(self.backpressure, now, self._taken)

    def accepted(self, placed_at: float) -> None:
        """FreeSWITCH took a call that was placed at ``placed_at``."""
        self.backpressure = backpressure.accepted(self.backpressure, placed_at)
        self._taken.append(placed_at)
