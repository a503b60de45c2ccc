"""Whether, and when, a number is tried again after a try that has ended: docs/waiting.rst."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from attrs import frozen

from ctidialer.contract.callee import ABANDONED, LocalTime, RetryPlan, RetryRule
from ctidialer.contract.record import Outcome
from ctidialer.rules.calling_hours import first_moment


@frozen
class Retry:
    """The next try of a number: when it is due (unix seconds), and the retries used with it."""

    at: float
    used: Mapping[str, int]


@frozen
class EndedTry:
    """A try that has ended, at ``at`` (unix seconds); ``tried``: how many had ended before it.

    ``used``: the retries that each rule has given so far, by the rule's name.
    """

    outcome: Outcome
    at: float
    is_abandoned: bool = False
    tried: int = 0
    used: Mapping[str, int] = {}


def next_try(plan: RetryPlan, ended: EndedTry, zone: str, rest: float = 0.0) -> Retry | None:
    """Return the next try of a number; None = this one was its last.

    ``zone`` (IANA) is the task's, for times of day.  ``rest``: seconds for which whoever was
    abandoned is left alone, whatever the plan says.
    """
    rule = _rule_for(plan, ended)
    if rule is None or (plan.max_retries is not None and ended.tried >= plan.max_retries):
        return None
    used = ended.used.get(rule.name, 0)
    if used >= rule.count:
        return None
    after = rule.after[min(used, len(rule.after) - 1)]
    at = ended.at + after if isinstance(after, float) else _next_time(after, ended.at, zone)
    if ended.is_abandoned:
        at = max(at, ended.at + rest)
    return Retry(at, {**ended.used, rule.name: used + 1})


def _rule_for(plan: RetryPlan, ended: EndedTry) -> RetryRule | None:
    """Return the first rule that names the outcome; an abandoned call is also an answered one."""
    names = {ended.outcome.value, ABANDONED} if ended.is_abandoned else {ended.outcome.value}
    return next((rule for rule in plan.rules if rule.outcomes & names), None)


def _next_time(after: LocalTime, now: float, zone: str) -> float:
    """Return the next moment after ``now`` at which the clock of the zone shows that time."""
    here = ZoneInfo(zone)
    day = datetime.combine(datetime.fromtimestamp(now, here).date(), time())
    days = (day + timedelta(days=ahead, seconds=after.second) for ahead in range(3))
    return next(at for one in days if (at := first_moment(here, one)) > now)
