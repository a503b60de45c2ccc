"""What would become of numbers if they were called now: for ``ctidialer load --dry-run``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from attrs import Factory, define, field, frozen

from ctidialer.contract.callee import CalleeRules
from ctidialer.contract.number import NumberEntry
from ctidialer.rules.callee_hours import CalleeHours
from ctidialer.rules.caps import allowed_at
from ctidialer.rules.permission import End, LastMoments, WaitUntil, may_call


@frozen
class CalleeNow:
    """What is known of one callee; times are unix seconds.

    ``is_listed``: a do-not-call list has him.  ``calls``, ``talks``: those that caps count.
    """

    number: NumberEntry
    is_listed: bool = False
    calls: Sequence[float] = ()
    talks: Sequence[float] = ()


@define
class Prospects:
    """How many numbers could be called at ``now``, and what holds the others back.

    A number that several things hold back counts with the first: a do-not-call list (``listed``),
    hours that never open or open too late (``closed``), hours that open later (``opening``: by when
    they do), a cap (``capped``; ``allowed_from``: when the first of these may be called again).
    """

    rules: CalleeRules
    last: LastMoments
    now: float
    callable_now: int = 0
    listed: int = 0
    closed: int = 0
    capped: int = 0
    allowed_from: float | None = None
    opening: Counter[float] = Factory(Counter)
    _hours: CalleeHours = field(factory=CalleeHours, init=False)

    def add(self, callee: CalleeNow) -> None:
        """Count one number."""
        if callee.is_listed:
            self.listed += 1
            return
        number = callee.number
        found = may_call(
            self.rules, self._hours, number.number, number.timezone, self.now, self.last
        )
        if isinstance(found, End):
            self.closed += 1
        elif isinstance(found, WaitUntil):
            self.opening[found.at] += 1
        else:
            self._add_open(callee)

    def _add_open(self, callee: CalleeNow) -> None:
        at = allowed_at(self.rules.caps, callee.calls, callee.talks, self.now)
        if at <= self.now:
            self.callable_now += 1
            return
        self.capped += 1
        self.allowed_from = at if self.allowed_from is None else min(at, self.allowed_from)
