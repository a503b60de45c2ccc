"""How to go on when FreeSWITCH itself refuses calls: too many sessions, rate, paused.

After a refusal no call is started for a pause.  The pause doubles with every round of refusals and
halves with every call that FreeSWITCH takes.  Until it is back at 0, calls start at no more than
``MAX_CAREFUL_CPS``, so that few numbers are refused and have to go back to their queue.
"""

from __future__ import annotations

from attrs import evolve, frozen

MIN_PAUSE = 0.5
MAX_PAUSE = 16.0

MAX_CAREFUL_CPS = 10.0
"""Calls started per second while it is not known whether FreeSWITCH takes them again."""


@frozen
class Backpressure:
    """No new call before ``until`` (seconds of the same clock as ``now``); ``pause`` is its length.

    ``pause`` 0 = FreeSWITCH has lately taken every call.
    """

    pause: float = 0.0
    until: float = 0.0

    def holds(self, now: float) -> bool:
        """Whether no call may be started at ``now``."""
        # If the clock was set back, the pause must not last longer than its length.
        return now < self.until <= now + self.pause


def refused(state: Backpressure, now: float) -> Backpressure:
    """FreeSWITCH refused a call; the refusals of one burst count once."""
    if state.holds(now):
        return state
    pause = min(MAX_PAUSE, max(MIN_PAUSE, state.pause * 2))
    return Backpressure(pause, now + pause)


def accepted(state: Backpressure, placed_at: float) -> Backpressure:
    """FreeSWITCH took a call that was placed at ``placed_at``.

    A call that was placed before the end of the last pause changes nothing.
    """
    if not state.pause or placed_at < state.until:
        return state
    shorter = state.pause / 2
    return Backpressure() if shorter < MIN_PAUSE else evolve(state, pause=shorter)
