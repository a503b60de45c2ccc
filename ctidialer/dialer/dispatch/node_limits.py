"""What this node may do at once, over all its tasks."""

from __future__ import annotations

from collections.abc import Callable

from ctidialer.rules import backpressure, pacing
from ctidialer.rules.backpressure import Backpressure
from ctidialer.rules.explanation import NodeLoad
from ctidialer.rules.pacing import Pace

UNLIMITED = 1_000_000


class NodeLimits:
    """``max_calls`` calls at once and ``max_cps`` starts per second (0 = no limit), and the pauses
    that FreeSWITCH's refusals ask for.

    ``calls`` are the numbers in hand.  ``kept`` calls are kept free for the scheduled numbers,
    ``started`` counts all numbers ever taken.  ``is_paused``: FreeSWITCH says that somebody has
    paused it.
    """

    def __init__(self, max_calls: int, max_cps: float) -> None:
        self._max_calls = max_calls
        self._max_cps = max_cps or None
        self._pace = Pace()
        self._careful = Pace()
        self.backpressure = Backpressure()
        self.is_paused = False
        self.calls = 0
        self._asked = 0
        self.kept = 0
        self.started = 0
        self.finished: Callable[[], None] = lambda: None
        """Called when a claim has been answered."""

    @property
    def asked(self) -> int:
        """The numbers that were asked for by the claims that are under way."""
        return self._asked

    @asked.setter
    def asked(self, count: int) -> None:
        self._asked = count
        self.finished()

    def room(self, now: float) -> int:
        """Return how many numbers of queues may be asked for at ``now``."""
        return max(0, self.scheduled_room(now) - self.kept)

    def scheduled_room(self, now: float) -> int:
        """Return how many scheduled numbers may be asked for at ``now``."""
        if self.backpressure.holds(now):
            return 0
        room = self._max_calls - self.calls - self.asked if self._max_calls else UNLIMITED
        if self._max_cps is not None:
            room = min(room, pacing.room(self._pace, self._max_cps, now) - self.asked)
        if self.backpressure.pause:
            careful = pacing.room(self._careful, backpressure.CAREFUL, now)
            room = min(room, careful - self.asked)
        return max(0, room)

    def load(self, now: float) -> NodeLoad:
        """Return what the node does and may do, to explain it."""
        return NodeLoad(
            calls=self.calls,
            max_calls=self._max_calls,
            kept=self.kept,
            max_cps=self._max_cps or 0.0,
            next_start=self.next_start(now),
            backpressure=self.backpressure,
            is_paused=self.is_paused,
        )

    def next_start(self, now: float) -> float:
        """Return the first moment from ``now`` on at which the node's pace lets a call start."""
        moment = pacing.next_start(self._pace, self._max_cps, now)
        return now if moment is None else moment

    def taken(self, count: int, now: float) -> None:
        """``count`` numbers were taken and are called now."""
        self.calls += count
        self.started += count
        if self._max_cps is not None:
            self._pace = pacing.spent(self._pace, self._max_cps, count, now)
        if self.backpressure.pause:
            self._careful = pacing.spent(self._careful, backpressure.CAREFUL, count, now)

    def sent(self, decided: float, now: float) -> None:
        """A call that was decided on at ``decided`` was sent at ``now``."""
        if self._max_cps is not None:
            self._pace = pacing.sent(self._pace, decided, now)

    def refused(self, now: float) -> None:
        """FreeSWITCH turned a call away."""
        self.backpressure = backpressure.refused(self.backpressure, now)

    def accepted(self, placed_at: float) -> None:
        """FreeSWITCH took a call that was placed at ``placed_at``."""
        self.backpressure = backpressure.accepted(self.backpressure, placed_at)
