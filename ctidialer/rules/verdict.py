"""How a call, and with it its number, ended: the one place where the outcome is put together.

A call ends by its cause (`ctidialer.rules.disposition`); a call of which nothing can be learnt any
more is unknown, unless it was answered; what a task's ``outcome_rule`` says counts before both.
"""

from __future__ import annotations

from collections.abc import Sequence

from ctidialer.contract.after_call import AfterCall
from ctidialer.contract.record import AttemptRecord, Outcome
from ctidialer.rules import after_call
from ctidialer.rules.attempt import Attempt
from ctidialer.rules.disposition import outcome


def by_cause(last: AttemptRecord, *, lost: bool) -> Outcome:
    """Return how a call ended as far as the network tells; ``lost``: its end was not seen."""
    answered = last.answered_at is not None
    if lost and not answered:
        return Outcome.UNKNOWN
    return outcome(answered=answered, cause=last.hangup_cause, sip_code=last.sip_code)


def by_rule(wanted: AfterCall, attempts: Sequence[AttemptRecord], found: Outcome) -> Outcome:
    """Return the outcome of a number whose last call ended as ``found``."""
    ruled = after_call.ruled(wanted, attempts[-1].said) if attempts else None
    return ruled or found


def of_call(wanted: AfterCall, attempt: Attempt) -> Outcome:
    """Return what the record will say if no call follows this one, which has ended."""
    if attempt.lost and not attempt.was_answered:
        return Outcome.UNKNOWN
    return after_call.ruled(wanted, attempt.said) or outcome(
        answered=attempt.was_answered, cause=attempt.cause, sip_code=attempt.sip_code
    )
