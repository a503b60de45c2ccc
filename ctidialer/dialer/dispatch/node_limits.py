"""How fast this node may start calls, over all its tasks."""

from __future__ import annotations

import math

from ctidialer.dialer.dispatch.placed_calls import PlacedCalls
from ctidialer.rules import backpressure, pacing
from ctidialer.rules.backpressure import Backpressure
from ctidialer.rules.pacing import Pace

UNLIMITED = 1_000_000

IS_REACHED = 0.8
"""The share of a ceiling from which on it counts as what slows calls down."""

MAX_RETURN_TIME = 0.2
"""Seconds within which a refused number is at the head of its queue again, commonly: give-backs are
gathered for half of it."""


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
        self._placed = PlacedCalls()
        self._returned_at = 0.0
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
        self._judge(now)
        if self._holds_until(now) > now:
            return 0
        rate = pacing.room(self._pace, self._max_cps, now)
        return min(rate, pacing.room(self._careful, self.backpressure.cps(now), now))

    def next_further(self, now: float) -> float:
        """Return when the node's pace, and the pause after a refusal, let a call start."""
        moment = self.next_start(now)
        held_until = self._holds_until(now)
        if held_until > now:
            return max(moment, held_until)
        careful = pacing.next_start(self._careful, self.backpressure.cps(now), now)
        return max(moment, careful or now)

    def slowed_to(self, now: float) -> float | None:
        """Return the calls per second to which refusals lower the rate; None = nothing is slower.

        A ceiling that is not reached slows nothing down.
        """
        self._judge(now)
        cps = self.backpressure.cps(now)
        if cps is None or self.backpressure.pause:
            return cps
        return cps if pacing.in_last_second(self._careful, now) >= IS_REACHED * cps else None

    def is_refused(self, now: float) -> bool:
        """Say whether FreeSWITCH has refused calls, and is not known to take any since."""
        self._judge(now)
        return self.backpressure.pause > 0

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
            # Numbers whose claim was under way when the ceiling came must not stop all others.
            self._careful = pacing.spent(self._careful, cps, min(count, math.ceil(cps)), now)

    def unspent(self, now: float) -> None:
        """A call that was counted is not placed after all."""
        self._pace = pacing.unspent(self._pace, self._max_cps, now)
        self._careful = pacing.unspent(self._careful, self.backpressure.cps(now), now)

    def sent(self, decided: float, now: float) -> None:
        """A call that was decided on at ``decided`` was sent at ``now``."""
        if self._max_cps is not None:
            self._pace = pacing.sent(self._pace, decided, now)

    def placed(self, uuid: str, now: float) -> None:
        """An originate goes to FreeSWITCH."""
        self._placed.placed(uuid, now)

    def refused(self, uuid: str, now: float, dialed_at: float) -> bool:
        """FreeSWITCH turned away a call; return whether it is the first of its burst.

        ``dialed_at``: when it was placed, if that is not remembered any more.
        """
        self._judge(now)
        remembered = self._placed.refused(uuid)
        placed_at = dialed_at if remembered is None else remembered
        if self.backpressure.has_slowed(placed_at, now):
            return False
        taken = self._placed.rate(placed_at)
        self.backpressure = backpressure.refused(self.backpressure, now, placed_at, taken)
        self._careful = Pace()
        return True

    def gives_back(self, now: float) -> None:
        """A refused number goes back to the head of its queue: no other one is taken before."""
        self._returned_at = now + MAX_RETURN_TIME

    def _holds_until(self, now: float) -> float:
        """Return until when no call may start; ``now`` or before = one may."""
        pause = self.backpressure.until if self.backpressure.holds(now) else now
        is_to_come = now < self._returned_at <= now + MAX_RETURN_TIME
        return max(pause, self._returned_at) if is_to_come else pause

    def _judge(self, now: float) -> None:
        """Let the calls raise the rate that FreeSWITCH has not refused in time."""
        for placed_at in self._placed.judged(now):
            self.backpressure = backpressure.accepted(self.backpressure, placed_at)
