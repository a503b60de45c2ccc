"""Whether a callee who answered was left waiting for an agent: docs/agents.rst.

Abandoned: answered by a person, and not bridged within ``abandon_time``.  Who hangs up before that
counts neither as abandoned nor as answered by a person; a machine neither.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

from ctidialer.contract.agent_dialing import AbandonFrom, AgentDialing
from ctidialer.contract.record import AttemptRecord, Outcome

GREETING_END = "cti_greeting_end"
"""The channel variable that says when the callee's greeting was over: unix seconds."""

HUNG_UP_BY = "sip_hangup_disposition"
HUNG_UP_BY_US = "send_bye"
"""What FreeSWITCH writes when it ended an answered call of SIP itself."""


class Judgement(enum.Enum):
    """What an answered call counts as."""

    REACHED = "reached"
    """An agent was there in time."""
    ABANDONED = "abandoned"
    NEITHER = "neither"


def names(dialing: AgentDialing | None) -> tuple[str, ...]:
    """Return the channel variables that are needed to judge a call that has ended."""
    if dialing is None:
        return ()
    greeting = dialing.abandon_from is AbandonFrom.GREETING
    return (HUNG_UP_BY, GREETING_END) if greeting else (HUNG_UP_BY,)


def waits_until(dialing: AgentDialing, answered_at: float, said: Mapping[str, str]) -> float:
    """Return until when a callee may wait (unix seconds); ``said``: variables of his channel.

    The end of a greeting is that of FreeSWITCH's clock; before the answer it is no end of one.
    """
    begin = answered_at
    if dialing.abandon_from is AbandonFrom.GREETING:
        begin = max(answered_at, _moment(said.get(GREETING_END, "")))
    return begin + dialing.abandon_time


def judged(dialing: AgentDialing | None, attempt: AttemptRecord, outcome: Outcome) -> Judgement:
    """Return what a call that has ended counts as; ``outcome`` says whether it was a machine."""
    answered_at, ended_at = attempt.answered_at, attempt.ended_at
    if dialing is None or answered_at is None or outcome is Outcome.MACHINE:
        return Judgement.NEITHER
    until = waits_until(dialing, answered_at, attempt.said)
    if attempt.bridged_at is not None:
        return Judgement.REACHED if attempt.bridged_at <= until else Judgement.ABANDONED
    if ended_at is None or attempt.hangup_cause is None:
        return Judgement.NEITHER  # its hang-up was not heard: it may have been bridged
    left = attempt.said.get(HUNG_UP_BY) != HUNG_UP_BY_US
    return Judgement.NEITHER if ended_at < until and left else Judgement.ABANDONED


def is_abandoned(
    dialing: AgentDialing | None, attempts: Sequence[AttemptRecord], outcome: Outcome
) -> bool:
    """Whether a number was left waiting; only its last call can have been answered by a person
    whom ``outcome`` tells from a machine."""
    return bool(attempts) and judged(dialing, attempts[-1], outcome) is Judgement.ABANDONED


def _moment(text: str) -> float:
    """Return unix seconds; what is no number is no moment."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0.0 < value < 4e9 else 0.0
