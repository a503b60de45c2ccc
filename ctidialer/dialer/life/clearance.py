"""Whether a number may be called now, and whether it is called again: docs/waiting.rst.

The rules decide; here they are asked for a number in hand.  A number without rules of its callee
takes the quick way.
"""

from __future__ import annotations

from ctidialer.contract.record import Outcome
from ctidialer.contract.waiting import Carried, WaitReason
from ctidialer.dialer.life.number_in_hand import (
    OPTS_OUT,
    Finished,
    NumberInHand,
    Progress,
    Waits,
    finished,
)
from ctidialer.rules import abandonment
from ctidialer.rules.callee_zone import e164, spellings
from ctidialer.rules.caps import cap_key
from ctidialer.rules.permission import End, WaitUntil, may_call
from ctidialer.rules.retrying import EndedTry, Retry, next_try
from ctidialer.store.errors import Denied
from ctidialer.store.permit import Permit

ON_LIST = "the number is on the list {list}{why}"
CAPPED = "the callee was called as often as callee_limit allows"
CAPPED_FOR_GOOD = f"{CAPPED}, and may be called again only when it is too late"


def before_first(number: NumberInHand, now: float) -> Waits | Finished | None:
    """Return why the first call of a try may not be placed at ``now``; None = it may."""
    terms = number.terms
    if terms is None:
        return None
    found = may_call(terms.callee, terms.hours, number.number, terms.own_zone, now, terms.last)
    if isinstance(found, WaitUntil):
        return Waits(found.at, found.reason, found.text)
    return Finished(found.outcome, found.text) if isinstance(found, End) else None


def before_further(number: NumberInHand, progress: Progress, now: float) -> Finished | None:
    """Return how a number ends that may not be called further at ``now``; None = it may."""
    found = before_first(number, now)
    if found is None:
        return None
    why = found.text if isinstance(found, Waits) else found.reason
    return finished(progress, f"no further call: {why}")


def permit(number: NumberInHand) -> Permit | None:
    """Return what Redis looks at, and counts, in the step that notes a call; None = nothing."""
    terms = number.terms
    if terms is None or not (terms.callee.dnc or terms.callee.caps):
        return None
    rules, written = terms.callee, number.number
    key = cap_key(rules, written, number.name) if rules.caps else ""
    lists = spellings(written, rules.region) if rules.dnc else ()
    return Permit(rules.dnc, lists, rules.caps, key)


def denied(number: NumberInHand, progress: Progress, error: Denied) -> Waits | Finished:
    """Return what becomes of a number that Redis does not allow to be called now."""
    if error.until is None:
        why = f": {error.reason}" if error.reason else ""
        return Finished(Outcome.DNC, ON_LIST.format(list=error.dnc, why=why), progress.attempts)
    if progress.attempts:
        return finished(progress, f"no further call: {CAPPED}")
    assert number.terms is not None
    if number.terms.last.too_late(error.until) is not None:
        return Finished(Outcome.CAPPED, CAPPED_FOR_GOOD)
    return Waits(error.until, WaitReason.CAP, CAPPED)


def opted_out(number: NumberInHand, end: Finished) -> tuple[str, str] | None:
    """Return the list, and the number for it, of a callee who does not want to be called again."""
    terms = number.terms
    if terms is None or terms.callee.dnc_add is None or not end.attempts:
        return None
    if end.attempts[-1].said.get(OPTS_OUT, "").lower() != "true":
        return None
    return terms.callee.dnc_add, e164(number.number, terms.callee.region) or number.number


def retry(number: NumberInHand, carried: Carried | None, end: Finished, now: float) -> Retry | None:
    """Return when a number that has ended at ``now`` is called again; None = never."""
    terms = number.terms
    if terms is None or not terms.callee.retry.rules or opted_out(number, end):
        return None
    tried, used = (0, {}) if carried is None else (carried.tried, carried.used)
    abandoned = abandonment.is_abandoned(number.agents, end.attempts, end.outcome)
    ended = EndedTry(end.outcome, now, abandoned, tried, used)
    found = next_try(terms.callee.retry, ended, terms.zone, terms.callee.abandoned_rest)
    return None if found is None or terms.last.too_late(found.at) else found
