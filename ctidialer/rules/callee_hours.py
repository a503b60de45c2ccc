"""When a callee may be called, by the clock where he is: docs/waiting.rst.

Hours may be several, the task's own and those of rule files, and zones too: a call is placed only
while all hours are open in all zones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ctidialer.contract.hours import CallingHours
from ctidialer.rules.calling_hours import Opening, opening

MAX_TURNS = 100
"""Openings looked at before hours count as never open at once: three weeks and more."""

MAX_KNOWN = 10_000
"""Combinations of hours and zones that are remembered; beyond that all are forgotten."""

Hours = tuple[CallingHours, ...]
Zones = tuple[str, ...]


def all_open(hours: Sequence[CallingHours], zones: Sequence[str], now: float) -> Opening:
    """Return whether all hours are open in all zones at ``now``, and when that changes.

    Closed with ``changes_at`` None: never all at once.
    """
    found = [opening(one, zone, now) for one in hours for zone in zones]
    shut = next((one for one in found if not one.open), None)
    if shut is None:
        ends = [one.changes_at for one in found if one.changes_at is not None]
        return Opening(True, None, min(ends, default=None))
    return Opening(False, shut.closed, _opens_at(hours, zones, now))


def _opens_at(hours: Sequence[CallingHours], zones: Sequence[str], now: float) -> float | None:
    """Return the first moment at which all are open; each turn goes to the last of the others."""
    moment = now
    for _ in range(MAX_TURNS):
        found = [opening(one, zone, moment) for one in hours for zone in zones]
        shut = [one.changes_at for one in found if not one.open]
        if not shut:
            return moment
        if None in shut:
            return None
        moment = max(at for at in shut if at is not None)
    return None


class CalleeHours:
    """Remembers what is open until it changes: many numbers have the same hours and zones."""

    def __init__(self) -> None:
        self._known: dict[tuple[Hours, Zones], tuple[float, Opening]] = {}

    def at(self, hours: Hours, zones: Zones, now: float) -> Opening:
        """Return what `all_open` does."""
        since, known = self._known.get((hours, zones), (math.inf, _UNASKED))
        if since <= now and (known.changes_at is None or now < known.changes_at):
            return known
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        found = all_open(hours, zones, now)
        self._known[hours, zones] = now, found
        return found


_UNASKED = Opening(open=False)
