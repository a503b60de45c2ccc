"""How to go on when FreeSWITCH itself refuses calls: too many sessions, rate, paused.

No call is started for a while; the while doubles with every round of refusals and shrinks again
with every call that is taken.  Until it has shrunk to nothing calls are started at
``MAX_CAREFUL_CPS`` at most: what it refuses goes back into its queue, so few are put to the test.
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
        # A clock that was set back must not hold the calls for longer than a pause.
        return now < self.until <= now + self.pause


def refused(state: Backpressure, now: float) -> Backpressure:
    """FreeSWITCH refused a call; the refusals of one burst count once."""
    if state.holds(now):
        return state
    pause = min(MAX_PAUSE, max(MIN_PAUSE, state.pause * 2))
    return Backpressure(pause, now + pause)


def accepted(state: Backpressure, placed_at: float) -> Backpressure:
    """FreeSWITCH took a call that was placed at ``placed_at``.

    Of one that was placed before the last pause was over nothing follows.
    """
    if not state.pause or placed_at < state.until:
        return state
    shorter = state.pause / 2
    return Backpressure() if shorter < MIN_PAUSE else evolve(state, pause=shorter)
