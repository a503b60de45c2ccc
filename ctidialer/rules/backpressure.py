"""How to go on when FreeSWITCH itself refuses calls: too many sessions, rate, paused.

After a refusal no call is started for a pause.  The pause doubles with every round of refusals and
halves with every call that FreeSWITCH takes.

A refusal does not say what FreeSWITCH would take, and that changes: agents' legs and other programs
share its sessions.  So the rate is found as TCP finds that of a network (RFC 5681): a refusal sets
a ceiling a little below the rate at which calls were taken, and each call that is taken raises it:
fast up to that rate, slowly above it, and the faster the longer no call is refused.  Few numbers
are refused then, and have to go back to their queue.  After ``LIFTED_AFTER`` seconds without a
refusal there is no ceiling any more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from attrs import evolve, frozen

MIN_PAUSE = 0.5
MAX_PAUSE = 16.0

MIN_CEILING = 5.0
"""Calls started per second, at least.  Where FreeSWITCH takes still fewer, the pauses do the rest;
and a task whose calls are always refused slows the others down no further."""

MAX_CAREFUL_CPS = 10.0
"""Calls started per second while it is not known whether FreeSWITCH takes any."""

BACK_OFF = 0.9
"""The share of the rate that FreeSWITCH took that is known to be good."""

FAST_RISE = 1.0
"""What a call that is taken adds to a ceiling below the good rate: it doubles in a second."""

SLOW_RISE = 0.01
"""What it adds from there on, at first: one per cent a second."""

DOUBLES_IN = 10.0
"""Seconds without a refusal after which the slow rise is twice as fast; after twice of it, thrice.
"""

LIFTED_AFTER = 60.0
"""Seconds after the last pause at which the ceiling is lifted."""

RATE_WINDOW = 1.0
"""Seconds over which the rate is measured that FreeSWITCH took."""

QUICK_BACK_OFF = 0.7
"""The share of the good rate that is good after a refusal sooner than that after a pause."""


@frozen
class Backpressure:
    """No new call before ``until`` (seconds of the same clock as ``now``); ``pause`` is its length.

    ``pause`` 0 = FreeSWITCH took the last call.  ``ceiling``: calls that may start per second, 0 =
    FreeSWITCH has refused none.  ``good_rate``: calls per second that FreeSWITCH takes, as far as
    that is known; infinite = nothing is known.
    """

    pause: float = 0.0
    until: float = 0.0
    ceiling: float = 0.0
    good_rate: float = 0.0

    def holds(self, now: float) -> bool:
        """Whether no call may be started at ``now``."""
        # If the clock was set back, the pause must not last longer than its length.
        return now < self.until <= now + self.pause

    def cps(self, now: float) -> float | None:
        """Return how many calls may start per second at ``now``; None = as many as one likes."""
        if not self.ceiling:
            return None
        # If the clock was set back, the ceiling must not last longer either.
        is_in_force = self.pause > 0 or -MAX_PAUSE <= now - self.until < LIFTED_AFTER
        return self.ceiling if is_in_force else None

    def is_careful(self, now: float) -> bool:
        """Whether calls start at a lower rate than FreeSWITCH has taken before."""
        cps = self.cps(now)
        return cps is not None and (self.pause > 0 or cps < self.good_rate)

    def has_slowed(self, placed_at: float, now: float) -> bool:
        """Whether calls have been slowed down since the one of ``placed_at`` was placed.

        Then its refusal, of which is heard at ``now``, says nothing new.
        """
        return placed_at < self.until <= now + MAX_PAUSE


def refused(
    state: Backpressure, now: float, placed_at: float, started: Iterable[float] = ()
) -> Backpressure:
    """FreeSWITCH refused a call that was placed at ``placed_at``; one burst counts once.

    ``started``: when calls were started lately.
    """
    if state.has_slowed(placed_at, now):
        return state
    before = state if state.cps(now) is not None else Backpressure()
    pause = min(MAX_PAUSE, max(MIN_PAUSE, before.pause * 2))
    since = max(before.until, placed_at - RATE_WINDOW)
    taken = sum(since <= moment < placed_at for moment in started)
    if before.pause or not taken:  # FreeSWITCH has taken none since the last refusal
        good_rate = before.good_rate or math.inf
        return Backpressure(pause, now + pause, min(good_rate, MAX_CAREFUL_CPS), good_rate)
    if placed_at - before.until < RATE_WINDOW:  # too few calls to measure a rate by
        known = before.ceiling if math.isinf(before.good_rate) else before.good_rate
        rate = max(MIN_CEILING, QUICK_BACK_OFF * known)
        return Backpressure(pause, now + pause, rate, rate)
    rate = BACK_OFF * taken / RATE_WINDOW
    # Without a ceiling few calls may have been taken because few were placed.
    good_rate = max(MIN_CEILING if before.ceiling else MAX_CAREFUL_CPS, rate)
    return Backpressure(pause, now + pause, max(MIN_CEILING, rate), good_rate)


def accepted(state: Backpressure, placed_at: float) -> Backpressure:
    """FreeSWITCH took a call that was placed at ``placed_at``.

    A call that was placed before the end of the last pause changes nothing.
    """
    if not state.ceiling or placed_at < state.until:
        return state
    if state.cps(placed_at) is None:
        return Backpressure()
    shorter = state.pause / 2
    pause = shorter if shorter >= MIN_PAUSE else 0.0
    return evolve(state, pause=pause, ceiling=state.ceiling + _rise(state, placed_at))


def _rise(state: Backpressure, now: float) -> float:
    if state.ceiling < state.good_rate:
        return FAST_RISE
    return SLOW_RISE * (1 + (now - state.until) / DOUBLES_IN)
