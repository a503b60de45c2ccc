"""How many calls may start just now: ``cps``, ``limit`` and the node's ``max_calls``.

Each start has its beat; beats are ``1 / cps`` seconds apart.  A start may come up to
``MAX_CATCH_UP`` seconds after its beat, and the next beat stays where it was: so ticks that are
some milliseconds late do not lower the rate.  A start that is later than that ends a pause, and the
beats begin anew from now: no starts are saved up for a burst.  Besides, no second has more than
``cps`` plus one starts, late ones included.

``now`` is in seconds of a clock that should never run backwards (monotonic).  If it does by more
than ``MIN_CLOCK_JUMP``, the beats begin anew too, so that calls do not stop for long.
"""

from __future__ import annotations

import math
import sys
from bisect import bisect_right

from attrs import frozen

UNLIMITED = sys.maxsize
"""The room without a rate limit."""

MAX_CATCH_UP = 0.1
"""Seconds by which a start may come after its beat: two dispatch ticks."""

MIN_CLOCK_JUMP = 1.0
"""Seconds by which ``now`` may step back before it is taken as another clock."""

_SECOND = 1.012
"""The length of a second as starts are counted.  Between a start and its originate on the wire are
two scripts in Redis and two sockets.  As long as no call takes 12 ms longer than another one, no
second on the wire is above the rate either.  The highest rates lose a good one per cent by this."""

_SOON = 0.004
"""Seconds within which a call is usually sent."""

# Floats near 2e9 have steps of 2.4e-7, and a timer may fire one step early.
_TICK = 1e-6


@frozen
class Pace:
    """The starts so far; ``Pace()`` is none.

    ``slot``: the beat of the last start, None = no start yet.  ``recent``: the starts of about the
    last second, in order; the last start is always among them.  All are moments in seconds.
    """

    slot: float | None = None
    recent: tuple[float, ...] = ()


def room(pace: Pace, cps: float | None, now: float) -> int:
    """Return how many calls may start at ``now``; ``cps`` None = no limit, 0 = none at all."""
    if cps is None:
        return UNLIMITED
    if cps <= 0:
        return 0
    return max(0, min(_slots_due(pace, cps, now), _most_a_second(cps) - in_last_second(pace, now)))


def spent(pace: Pace, cps: float | None, started: int, now: float) -> Pace:
    """Return the pace after ``started`` calls began at ``now``.

    ``started`` may be more than there was ``room`` for: the next start then waits accordingly.
    """
    if started <= 0:
        return pace
    if not cps or cps <= 0:
        return Pace(now, (now,))
    since = None if _is_anew(pace, cps, now) else pace.slot
    first = now if since is None else since + 1 / cps
    before = () if _has_jumped(pace, now) else _last_second(pace, now)
    slot = first + (started - 1) / cps
    if started >= _slots_due(pace, cps, now):
        slot = max(slot, now - 1 / cps + 2 * _TICK)  # no more is due, however floats are rounded
    return Pace(slot, (*before, *[now] * started))


def sent(pace: Pace, decided: float, now: float) -> Pace:
    """Return the pace when a call that began at ``decided`` was sent at ``now``.

    If it was on its way for long, as when Redis stood still, it counts in the second in which it
    was sent; otherwise that second would have too many calls with the ones after it.
    """
    if now - decided < _SOON or _has_jumped(pace, now):
        return pace
    index = bisect_right(pace.recent, decided) - 1
    others = pace.recent[:index] + pace.recent[index + 1 :] if index >= 0 else pace.recent
    return Pace(pace.slot, (*others, now))


def unspent(pace: Pace, cps: float | None, now: float) -> Pace:
    """Return the pace when a call that began by ``now`` was not placed after all."""
    if not cps or pace.slot is None or _has_jumped(pace, now):
        return pace
    index = bisect_right(pace.recent, now) - 1
    if index < 0:
        return pace
    return Pace(pace.slot - 1 / cps, pace.recent[:index] + pace.recent[index + 1 :])


def next_start(pace: Pace, cps: float | None, now: float) -> float | None:
    """Return the first moment from ``now`` on at which there is room; None = never (cps 0).

    Set a timer for it, no closer than 10 ms: at 500 cps this starts 98.5 % of the calls; irregular
    ticks of 50 ms alone start about 94 %.
    """
    if cps is None or room(pace, cps, now) > 0:
        return now
    if cps <= 0:
        return None
    if _is_anew(pace, cps, now) or pace.slot is None:
        return _second_has_room(pace, cps, now)
    return max(pace.slot + 1 / cps, _second_has_room(pace, cps, now))


def in_last_second(pace: Pace, now: float) -> int:
    """Return how many calls started in the last second."""
    return 0 if _has_jumped(pace, now) else len(_last_second(pace, now))


def same_clock_from(pace: Pace) -> float:
    """Return the moment before which ``now`` means that the clock was put back; -inf = none."""
    return pace.recent[-1] - MIN_CLOCK_JUMP if pace.recent else -math.inf


def _slots_due(pace: Pace, cps: float, now: float) -> int:
    if _is_anew(pace, cps, now):
        return 1
    return math.floor((_lateness(pace, cps, now) + _TICK) * cps) + 1


def _is_anew(pace: Pace, cps: float, now: float) -> bool:
    """Say whether the beats begin at ``now``: no start yet, a pause, or the clock was put back."""
    if pace.slot is None or _has_jumped(pace, now):
        return True
    return _lateness(pace, cps, now) > MAX_CATCH_UP


def _lateness(pace: Pace, cps: float, now: float) -> float:
    """Return how long ago the next beat was; negative = it is still to come."""
    return now - (pace.slot or 0.0) - 1 / cps


def _has_jumped(pace: Pace, now: float) -> bool:
    return now < same_clock_from(pace)


def _most_a_second(cps: float) -> int:
    return math.floor(cps) + 1


def _last_second(pace: Pace, now: float) -> tuple[float, ...]:
    return pace.recent[bisect_right(pace.recent, now, key=_second_after) :]


def _second_after(moment: float) -> float:
    # `room` and `next_start` must round alike: so there is room at the moment of next_start.
    return moment + _SECOND


def _second_has_room(pace: Pace, cps: float, now: float) -> float:
    """Return when the last second has few enough starts for one more."""
    starts = _last_second(pace, now)
    too_many = len(starts) - _most_a_second(cps)
    return _second_after(starts[too_many]) if too_many >= 0 else now
