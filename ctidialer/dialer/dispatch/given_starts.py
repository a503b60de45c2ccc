"""Starts that Redis has given ahead of their time: calls wait for them, and pass them on.

A start that no call has used goes to the call that waits next, the start of that one to the one
after it, and so on; what is left over goes back to Redis.  A daemon that was late does not make up
for it at once: its next starts keep their distance, so that no second has more than it may.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from operator import attrgetter

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ctidialer.contract.counted import SPACING
from ctidialer.dialer.dispatch.counted_things import Thing
from ctidialer.glue import thin_out

MAX_WAIT = 1.0
"""Seconds that a call waits at most for its start, whatever became of the clock."""

IDLE_AFTER = 60.0
"""Seconds after its last start after which a line can be forgotten: what the next one would keep
its distance from is long over."""

MAX_SLACK = 0.02
"""Seconds by which a call may be late without those after it being later, too: timers are."""


@define(eq=False)
class _Wait:
    """A call that waits: for its start (microseconds of Redis), which is ``at`` (unix seconds)."""

    start: int
    at: float
    came: Deferred[int] = field(factory=Deferred)


@define(eq=False)
class _Line:
    """The calls that wait for starts of the same things, the earliest first; and the last start.

    ``slack``: as `MAX_SLACK`, and less than the time between two starts.
    """

    slack: float = 0.0
    waits: list[_Wait] = field(factory=list)
    last_start: int = 0
    last_at: float = 0.0
    timer: IDelayedCall | None = None

    def due(self, wait: _Wait) -> float:
        """Return when the call may start (unix seconds), as far from the last one as it was to be,
        less what starts are apart beyond the rate."""
        apart = (wait.start - self.last_start) / 1e6 / SPACING
        return max(wait.at, self.last_at + apart)


class GivenStarts:
    """The starts of this host, by the things that pace them."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._lines: dict[tuple[str, ...], _Line] = {}
        self._thin_out_at = 0

    def wait(self, things: Sequence[Thing], start: int, start_in: float) -> Deferred[int]:
        """Fire when a call may start that was given ``start``, in ``start_in`` seconds.

        It fires with the start that the call has then: an earlier one may have come free.
        """
        line = self._line(things)
        wait = _Wait(start, self._clock.seconds() + start_in)
        insort(line.waits, wait, key=attrgetter("start"))
        self._look(line)
        return wait.came

    def pass_on(self, things: Sequence[Thing], start: int) -> int:
        """No call has used a start: return which is left over after all have moved up."""
        line = self._line(things)
        for wait in line.waits:
            if wait.start > start:
                earlier = wait.at - (wait.start - start) / 1e6
                wait.start, wait.at, start = start, earlier, wait.start
        self._look(line)
        return start

    def _line(self, things: Sequence[Thing]) -> _Line:
        names = tuple(one.key for one in things)
        line = self._lines.get(names)
        if line is None:
            self._forget_idle_ones()
            line = self._lines[names] = _Line()
        line.slack = min(MAX_SLACK, *(one.counted.interval / 2 for one in things))
        return line

    def _forget_idle_ones(self) -> None:
        """Tasks and lines come and go: drop what they leave behind, when that is much."""
        long_ago = self._clock.seconds() - IDLE_AFTER
        if len(self._lines) >= self._thin_out_at:
            self._thin_out_at = thin_out(
                self._lines, lambda line: bool(line.waits) or line.last_at > long_ago
            )

    def _look(self, line: _Line) -> None:
        """Let those begin whose start has come, and wait for the next."""
        now = self._clock.seconds()
        while line.waits and line.due(line.waits[0]) <= now:
            self._come(line, line.waits.pop(0))
        if line.timer is not None and line.timer.active():
            line.timer.cancel()
        if line.waits:
            until = min(line.due(line.waits[0]) - now, MAX_WAIT)
            line.timer = self._clock.callLater(until, self._timed, line)

    def _timed(self, line: _Line) -> None:
        """The first one has waited for long enough."""
        self._come(line, line.waits.pop(0))
        self._look(line)

    def _come(self, line: _Line, wait: _Wait) -> None:
        # What timers are late by must not add up over many calls.  As it is less than the time
        # between two starts, a second still has no more than the rate and one.
        now = self._clock.seconds()
        line.last_at = min(now, max(line.due(wait), now - line.slack))
        line.last_start = wait.start
        wait.came.callback(wait.start)
