"""What a document says of the callees, made into rules (docs/redis-contract.rst)."""

from __future__ import annotations

import re

from ctidialer.contract import fields, times
from ctidialer.contract.callee import (
    NO_CALLEE_RULES,
    RETRIED,
    CalleeRules,
    Cap,
    CapScope,
    LocalTime,
    RetryPlan,
    RetryRule,
)
from ctidialer.contract.document import Params, Place, shown
from ctidialer.contract.hours import ALL_HOURS, CallingHours
from ctidialer.contract.hours_document import read_holidays, read_weekdays, read_windows
from ctidialer.contract.known_keys import CALLEE
from ctidialer.contract.problems import Problem

MAX_RETRIES = 1000
MAX_AFTER = 366 * 86_400.0
MAX_WINDOW = 366 * 86_400.0
"""Seconds."""

MAX_CAP = 10_000
RULE_FILES = ("us", "us-debt", "ca", "au", "uk")

_REGION = re.compile(r"[A-Z]{2}")
_TIME_OF_DAY = re.compile(r"\s*[0-9\uff10-\uff19]{1,2}[:\uff1a].*")


def read_callee_rules(params: Params) -> CalleeRules:
    """Return what a task or a configuration says of its callees."""
    if not any(params.get(name) is not None for name in CALLEE):
        return NO_CALLEE_RULES
    return CalleeRules(
        retry=RetryPlan(
            rules=params.optional("retry_plan", _plan, ()),
            max_retries=params.optional("retry_count", _retries, None),
        ),
        hours=_hours(params),
        region=params.optional("callee_region", _region, None),
        timezone=params.optional("callee_timezone", times.timezone, None),
        dnc=params.optional("dnc", fields.texts, ()),
        dnc_add=params.optional("dnc_add", fields.text, None),
        caps=params.optional("callee_limit", _caps, ()),
        cap_scope=params.optional("callee_limit_scope", _scope, CapScope.ALL),
        compliance=params.optional("compliance", _rule_files, ()),
    )


def _hours(params: Params) -> tuple[CallingHours, ...]:
    """Return when callees may be called in their own time; empty = the document does not say."""
    hours = CallingHours(
        windows=params.optional("callee_hour", read_windows, ()),
        weekdays=params.optional("callee_week", read_weekdays, None),
        holidays=params.optional("callee_holiday", read_holidays, ()),
    )
    return () if hours == ALL_HOURS else (hours,)


def rule_places(node: Place) -> list[Place] | None:
    """Return the rules in a ``retry_plan``; one alone may stand without a list."""
    return _one_or_several(node, "outcome")


def cap_places(node: Place) -> list[Place] | None:
    """Return the caps in a ``callee_limit``; one alone may stand without a list."""
    return _one_or_several(node, "count")


def _one_or_several(node: Place, key_of_one: str) -> list[Place] | None:
    is_one = isinstance(node.value, dict) and key_of_one in node.value
    return [node] if is_one else fields.items(node)


def _plan(node: Place) -> tuple[RetryRule, ...] | None:
    nodes = rule_places(node)
    if nodes is None:
        return None
    return tuple(rule for one in nodes if (rule := _rule(one)) is not None)


def _rule(node: Place) -> RetryRule | None:
    members = fields.members(node)
    if members is None:
        return None
    params = Params(members, node, complete=True)
    outcomes: frozenset[str] = params.required("outcome", _outcomes, frozenset())
    after: tuple[float | LocalTime, ...] = params.required("after", _after, ())
    count = params.optional("count", _count, 1)
    return RetryRule(outcomes, after, count) if outcomes and after else None


def _outcomes(node: Place) -> frozenset[str] | None:
    names = fields.some_texts(node)
    if names is None:
        return None
    found = {name.strip().lower() for name in names}
    for name in sorted(found - RETRIED):
        known = ", ".join(sorted(RETRIED))
        problem = Problem.UNKNOWN_IS_NOT_RETRIED if name == "unknown" else Problem.NO_OUTCOME
        node.fault(problem.of(known=known, value=shown(name)))
    return frozenset(found & RETRIED) or None


def _after(node: Place) -> tuple[float | LocalTime, ...] | None:
    is_one = fields.as_written(node.value) is not None
    nodes = [node] if is_one else fields.items(node)
    if nodes is None:
        return None
    if not nodes:
        node.fault(Problem.EMPTY.of())
    found = (_moment(one) for one in nodes)
    return tuple(one for one in found if one is not None) or None


def _moment(node: Place) -> float | LocalTime | None:
    if isinstance(node.value, str) and _TIME_OF_DAY.fullmatch(node.value):
        second = times.time_of_day(node)
        return None if second is None else LocalTime(second)
    return fields.decimal(node, 0.0, MAX_AFTER)


def _count(node: Place) -> int | None:
    return fields.whole(node, 0, MAX_RETRIES)


_retries = _count


def _region(node: Place) -> str | None:
    word = fields.word(node)
    if word is None or _REGION.fullmatch(word.upper()):
        return word and word.upper()
    node.fault(Problem.NO_REGION.of(value=shown(word)))
    return None


def _caps(node: Place) -> tuple[Cap, ...] | None:
    nodes = cap_places(node)
    if nodes is None:
        return None
    return tuple(cap for one in nodes if (cap := _cap(one)) is not None)


def _cap(node: Place) -> Cap | None:
    members = fields.members(node)
    if members is None:
        return None
    params = Params(members, node, complete=True)
    count = params.required("count", _calls, 0)
    seconds = params.required("time", _window, 0.0)
    talk = params.optional("talk", fields.flag, False)
    return Cap(count, seconds, talk) if count and seconds else None


def _calls(node: Place) -> int | None:
    return fields.whole(node, 1, MAX_CAP)


def _window(node: Place) -> float | None:
    return fields.decimal(node, 1.0, MAX_WINDOW)


def _scope(node: Place) -> CapScope | None:
    return fields.one_of(node, CapScope)


def _rule_files(node: Place) -> tuple[str, ...] | None:
    names = fields.texts(node)
    if names is None:
        return None
    found = tuple(dict.fromkeys(name.strip().lower() for name in names))
    for name in found:
        if name not in RULE_FILES:
            node.fault(Problem.NO_OUTCOME.of(known=", ".join(RULE_FILES), value=shown(name)))
    return tuple(name for name in found if name in RULE_FILES) or None
