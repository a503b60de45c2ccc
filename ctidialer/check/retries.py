"""What can never happen in a retry plan, and where caps are in its way: for ``ctidialer check``.

Pure: rules in, findings out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate
from zoneinfo import ZoneInfo

from attrs import frozen

from ctidialer.check.findings import Severity
from ctidialer.check.sentences import Sentence
from ctidialer.contract.callee import ABANDONED, CalleeRules, Cap, LocalTime, RetryRule
from ctidialer.contract.callee_document import cap_places, read_callee_rules, rule_places
from ctidialer.contract.document import Params, Place
from ctidialer.contract.hours import CallingHours
from ctidialer.contract.problems import Told
from ctidialer.rules.calling_hours import first_moment, stops_at

Said = tuple[Severity, Place | None, Told]
"""What is to be said of the value at a place."""

LONGEST_DAY = 90_000.0
"""Seconds within which every time of day comes, also where the clock is put back."""


@frozen
class Planned:
    """A document with a plan or caps, and what bears on them.

    ``own``: the hours of a task, with their zone; None = a configuration.  ``is_judged``: whether
    calls can count as abandoned.  ``ring_time``: for how many seconds a call may ring.
    ``has_further_calls``: whether a call that fails is followed by others of the same try.
    """

    callee: CalleeRules
    params: Params
    own: CallingHours | None
    is_judged: bool
    ring_time: float
    has_further_calls: bool


def plan_findings(of: Planned, now: float) -> Iterator[Said]:
    """Yield what is to be said of the plan and of the caps; ``now`` in unix seconds."""
    yield from _of_count(of)
    plan = of.params.get("retry_plan")
    places = (rule_places(plan) if plan is not None else None) or []
    left = _time_left(of.own, now)
    named: frozenset[str] = frozenset()
    for place, rule in zip(places, of.callee.retry.rules, strict=True):
        yield from _of_rule(of, place, rule, named)
        yield from _too_late(place, rule, left)
        named |= rule.outcomes
    yield from _of_caps(of, places)


def _of_count(of: Planned) -> Iterator[Said]:
    place = of.params.get("retry_count")
    if not of.callee.retry.rules:
        if place is not None:
            yield Severity.WARNING, place, Sentence.NO_PLAN.of()
    elif of.callee.retry.max_retries == 0:
        yield Severity.WARNING, place, Sentence.PLAN_OFF.of()


def _of_rule(of: Planned, place: Place, rule: RetryRule, named: frozenset[str]) -> Iterator[Said]:
    """Yield why a rule never applies; ``named``: the outcomes of the rules before it."""
    if rule.outcomes <= named:
        yield Severity.WARNING, place, Sentence.RULE_HIDDEN.of()
    elif rule.count == 0:
        yield Severity.WARNING, place.member("count", None), Sentence.NO_RETRY.of()
    elif ABANDONED in rule.outcomes and not of.is_judged:
        yield Severity.WARNING, place.member("outcome", None), Sentence.NONE_ABANDONED.of()


def _time_left(own: CallingHours | None, now: float) -> float:
    """Return for how many seconds a task calls at most, from its start, or else from now, on."""
    if own is None or own.timezone is None:
        return math.inf
    begin = now if own.start is None else first_moment(ZoneInfo(own.timezone), own.start)
    return stops_at(own, own.timezone) - begin


def _too_late(place: Place, rule: RetryRule, left: float) -> Iterator[Said]:
    """Yield that no retry of a rule, or none after the first ones, comes before ``stop_time``."""
    soonest = accumulate(one if isinstance(one, float) else 0.0 for one in rule.after)
    late = next((index for index, seconds in enumerate(soonest) if seconds >= left), None)
    if left > 0 and late is not None and late < rule.count:
        problem = Sentence.RETRY_TOO_LATE.of(retry=late + 1)
        yield Severity.WARNING, place.member("after", None), problem


def _of_caps(of: Planned, rules: Sequence[Place]) -> Iterator[Said]:
    places = _places_of_caps(of.params)
    for cap in of.callee.caps:
        place = places.get(cap, of.params.get("compliance"))
        values = {"count": cap.count, "seconds": f"{cap.seconds:g}"}
        if any(_covers(other, cap) for other in of.callee.caps if other != cap):
            yield Severity.NOTICE, place, Sentence.CAP_COVERED.of()
        elif cap.count == 1 and not cap.talk and of.has_further_calls:
            yield Severity.WARNING, place, Sentence.CAP_OF_ONE.of(**values)
        for rule_place, rule in zip(rules, of.callee.retry.rules, strict=True):
            retry = None if cap.talk else _first_over(cap, rule, of)
            if retry is not None:
                problem = Sentence.RETRY_OVER_CAP.of(retry=retry, **values)
                yield Severity.WARNING, rule_place, problem


def _places_of_caps(params: Params) -> dict[Cap, Place]:
    """Return where each cap of the document's own stands."""
    place = params.get("callee_limit")
    places = (cap_places(place) if place is not None else None) or []
    return dict(zip(read_callee_rules(params).caps, places, strict=True))


def _covers(other: Cap, cap: Cap) -> bool:
    """Say whether whatever ``cap`` forbids ``other`` forbids too: conversations are calls."""
    return (
        other.count <= cap.count and other.seconds >= cap.seconds and (not other.talk or cap.talk)
    )


def _first_over(cap: Cap, rule: RetryRule, of: Planned) -> int | None:
    """Return which retry of a rule, alone, always comes too soon for a cap; None = none does."""
    most = of.callee.retry.max_retries
    retries = rule.count if most is None else min(rule.count, most)
    for retry in range(cap.count, min(retries, cap.count + len(rule.after)) + 1):
        gaps = (_longest(rule, index) for index in range(retry - cap.count, retry))
        if sum(gap + of.ring_time for gap in gaps) < cap.seconds:
            return retry
    return None


def _longest(rule: RetryRule, index: int) -> float:
    """Return after how many seconds the retry of this index comes at the latest."""
    after = rule.after[min(index, len(rule.after) - 1)]
    return LONGEST_DAY if isinstance(after, LocalTime) else after
