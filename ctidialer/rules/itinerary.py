"""The way of one number through its line groups: redial and failover (docs/redis-contract.rst).

first_choice -> call -> after_call -> Redial, NextGroup -> first_choice -> …
                                   -> NoFurtherCall
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve, frozen

from ctidialer.contract.line import CallRule, LineGroup
from ctidialer.rules.line_state import CallEnd
from ctidialer.rules.routing import Choice, LineBusy, NoLine


@frozen
class Itinerary:
    """Where a number stands: ``groups[position]`` is next, and had ``redials`` redials so far."""

    groups: tuple[str, ...]
    position: int = 0
    redials: int = 0


@frozen
class Redial:
    """The call is placed again through the same group, ``delay`` seconds from now."""

    itinerary: Itinerary
    delay: float


@frozen
class NextGroup:
    """The next group is tried at once."""

    itinerary: Itinerary


@frozen
class NoFurtherCall:
    """The number is finished."""


def first_choice(
    choose: Callable[[str], Choice | NoLine], itinerary: Itinerary
) -> tuple[Choice, Itinerary] | NoLine:
    """Return the way of the next call, and the itinerary with that call.

    ``choose`` returns the way of a call through one group, as `ctidialer.rules.routing.choose`.
    A group without a free line is passed over, as if the call through it had failed; a redial has
    its own group only.  If no group has a free line, NoLine has the reasons of all.
    """
    reasons: list[LineBusy] = []
    for position, name in enumerate(groups_left(itinerary), itinerary.position):
        chosen = choose(name)
        if isinstance(chosen, Choice):
            return chosen, _moved(itinerary, position)
        reasons.extend(chosen.reasons)
    return NoLine(", ".join(groups_left(itinerary)), tuple(reasons))


def groups_left(itinerary: Itinerary) -> tuple[str, ...]:
    """Return the groups through which the next call may be placed, the present one first."""
    end = itinerary.position + 1 if itinerary.redials else len(itinerary.groups)
    return itinerary.groups[itinerary.position : end]


def next_group(itinerary: Itinerary) -> Itinerary | None:
    """Return the itinerary from the next group on; None = there is none."""
    following = itinerary.position + 1
    return _moved(itinerary, following) if following < len(itinerary.groups) else None


def after_wait(itinerary: Itinerary) -> Itinerary | None:
    """Return what follows when the next call has waited for a line in vain; None = nothing.

    After a redial the next group follows.  A call through a next group has waited for the lines of
    all groups that are left, so nothing follows.
    """
    return next_group(itinerary) if itinerary.redials else None


def after_call(
    itinerary: Itinerary, group: LineGroup | None, end: CallEnd
) -> Redial | NextGroup | NoFurtherCall:
    """Return what follows a call through ``group`` (None = it was a line or a fallback).

    First ``no_redialer_rule``, then ``redialer_rule`` up to ``redialer_count``, then the next
    group.
    """
    if not _has_failed(group, end) or _is_final(group, end):
        return NoFurtherCall()
    if group is not None and itinerary.redials < group.redials and _may_redial(group, end):
        return Redial(evolve(itinerary, redials=itinerary.redials + 1), group.rest)
    following = next_group(itinerary)
    return NoFurtherCall() if following is None else NextGroup(following)


def _moved(itinerary: Itinerary, position: int) -> Itinerary:
    if position == itinerary.position:
        return itinerary
    return evolve(itinerary, position=position, redials=0)


def _has_failed(group: LineGroup | None, end: CallEnd) -> bool:
    """Say whether the call was not answered, or was too short for ``redialer_rule.bill``."""
    if not end.answered:
        return True
    rule = group.redial_rule if group is not None else None
    return rule is not None and _is_below(end.bill, rule.bill)


def _is_final(group: LineGroup | None, end: CallEnd) -> bool:
    rule = group.finished_rule if group is not None else None
    if rule is None:
        return False
    if end.answered:
        return _names(rule, end) or _reaches(end.bill, rule.bill)
    return _names(rule, end) or _reaches(end.duration, rule.duration)


def _may_redial(group: LineGroup, end: CallEnd) -> bool:
    rule = group.redial_rule
    # An answered call gets here only if it was too short for the rule's bill.
    if rule is None or end.answered:
        return True
    return _names(rule, end) or _is_below(end.duration, rule.duration)


def _names(rule: CallRule, end: CallEnd) -> bool:
    return end.cause in rule.causes or end.sip_code in rule.sip_codes


def _is_below(seconds: float | None, bound: float | None) -> bool:
    return seconds is not None and bound is not None and seconds < bound


def _reaches(seconds: float | None, bound: float | None) -> bool:
    return seconds is not None and bound is not None and seconds >= bound
