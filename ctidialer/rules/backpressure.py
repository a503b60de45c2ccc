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

BLIND_BACK_OFF = 0.7
"""The share of the good rate that stays good where none could be measured: too soon after a pause,
or while few calls were placed."""


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
        """Whether calls start at a lower rate than FreeSWITCH has taken before.

        What is placed during a pause was on its way before it.
        """
        cps = self.cps(now)
        if cps is None or self.holds(now):
            return False
        return self.pause > 0 or cps < self.good_rate

    def has_slowed(self, placed_at: float, now: float) -> bool:
        """Whether calls have been slowed down since the one of ``placed_at`` was placed.

        Then its refusal, of which is heard at ``now``, says nothing new.
        """
        return placed_at < self.until <= now + MAX_PAUSE


def refused(state: Backpressure, now: float, placed_at: float, taken: float = 0.0) -> Backpressure:
    """FreeSWITCH refused a call that was placed at ``placed_at``; one burst counts once.

    ``taken``: calls per second that FreeSWITCH took before it.
    """
    if state.has_slowed(placed_at, now):
        return state
    before = state if state.cps(now) is not None else Backpressure()
    pause = min(MAX_PAUSE, max(MIN_PAUSE, before.pause * 2))
    ceiling, good_rate = _lowered(before, placed_at, taken)
    return Backpressure(pause, now + pause, ceiling, good_rate)


def _lowered(before: Backpressure, placed_at: float, taken: float) -> tuple[float, float]:
    """Return the ceiling after a refusal, and the rate that counts as good."""
    if before.pause or not taken:  # FreeSWITCH has taken none since the last refusal
        good_rate = before.good_rate or math.inf
        return min(before.ceiling or math.inf, good_rate, MAX_CAREFUL_CPS), good_rate
    if not before.ceiling:  # perhaps few calls were taken because few were placed
        return max(MIN_CEILING, BACK_OFF * taken), math.inf
    is_soon = placed_at - before.until < RATE_WINDOW
    good_rate = BACK_OFF * taken
    if is_soon or taken < BLIND_BACK_OFF * before.ceiling:
        known = before.ceiling if math.isinf(before.good_rate) else before.good_rate
        good_rate = BLIND_BACK_OFF * known
    good_rate = max(MIN_CEILING, good_rate)
    return min(before.ceiling, good_rate), good_rate


def accepted(state: Backpressure, placed_at: float) -> Backpressure:
    """FreeSWITCH took a call that was placed at ``placed_at``.

    A call that was placed before the end of the last pause changes nothing.
    """
    if not state.ceiling or placed_at < state.until <= placed_at + MAX_PAUSE:
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
