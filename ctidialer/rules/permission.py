"""Whether a number may be called now, as far as its text and the clock tell: docs/waiting.rst.

Do-not-call lists and caps are looked at in Redis, in the very step that notes the call.
"""

from __future__ import annotations

import math

from attrs import frozen
from msgspec import Struct

from ctidialer.contract.callee import CalleeRules
from ctidialer.contract.record import Outcome
from ctidialer.contract.waiting import WaitReason
from ctidialer.rules.callee_hours import CalleeHours
from ctidialer.rules.callee_zone import zones_of


@frozen
class Go:
    """It may be called."""


@frozen
class WaitUntil:
    """It may not be called now; it is asked for again at ``at`` (unix seconds)."""

    at: float
    reason: WaitReason
    text: str


@frozen
class End:
    """It will not be called: its record says why."""

    outcome: Outcome
    text: str


Permission = Go | WaitUntil | End

GO = Go()
NO_ZONE = (
    "callee_hour is set, and nobody knows where this number is: give it a timezone, or the task"
    " callee_region or callee_timezone"
)
NEVER_OPEN = "the callee's hours are never open in all of its time zones at once: {zones}"
OPENS_TOO_LATE = "the callee's hours open only after {what}"
WAITS = "outside of the callee's hours ({zones})"


class LastMoments(Struct, frozen=True):
    """When a number can be called no more (unix seconds): its task stops, or it expires."""

    stops: float = math.inf
    expires: float = math.inf

    def too_late(self, at: float) -> Outcome | None:
        """Return how a number ends that could be called at ``at`` only; None = that will do."""
        if at >= self.stops:
            return Outcome.CLOSED
        return Outcome.EXPIRED if at > self.expires else None


NO_LAST_MOMENT = LastMoments()


def callee_zones(rules: CalleeRules, number: str, given: str | None) -> tuple[str, ...]:
    """Return where the callee may be: as the entry says, else by the number, else as the task."""
    if given is not None:
        return (given,)
    found = zones_of(number, rules.region)
    if found or rules.timezone is None:
        return found
    return (rules.timezone,)


def may_call(
    rules: CalleeRules,
    hours: CalleeHours,
    number: str,
    given_zone: str | None,
    now: float,
    last: LastMoments = NO_LAST_MOMENT,
) -> Permission:
    """Return whether a number may be called at ``now``; ``given_zone`` stands in its entry."""
    if not rules.hours:
        return GO
    return may_call_in(rules, hours, callee_zones(rules, number, given_zone), now, last)


def may_call_in(
    rules: CalleeRules,
    hours: CalleeHours,
    zones: tuple[str, ...],
    now: float,
    last: LastMoments = NO_LAST_MOMENT,
) -> Permission:
    """Return whether a callee in these zones may be called at ``now``; none = nobody knows."""
    if not rules.hours:
        return GO
    if not zones:
        return End(Outcome.CLOSED, NO_ZONE)
    opening = hours.at(rules.hours, zones, now)
    if opening.open:
        return GO
    shown = ", ".join(zones)
    if opening.changes_at is None:
        return End(Outcome.CLOSED, NEVER_OPEN.format(zones=shown))
    outcome = last.too_late(opening.changes_at)
    if outcome is not None:
        what = "its task stops" if outcome is Outcome.CLOSED else "it expires"
        return End(outcome, OPENS_TOO_LATE.format(what=what))
    return WaitUntil(opening.changes_at, WaitReason.HOURS, WAITS.format(zones=shown))
