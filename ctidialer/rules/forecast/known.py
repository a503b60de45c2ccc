"""What is known of a task's callees and agents: as it has learnt, else by its last records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import mean

from attrs import evolve, frozen

from ctidialer.contract.agent_dialing import AgentDialing
from ctidialer.contract.record import Outcome
from ctidialer.contract.record_summary import AttemptSummary, RecordSummary
from ctidialer.contract.said import Said
from ctidialer.rules.forecast.assumptions import Assumption
from ctidialer.rules.forecast.callees import ONLY_NO_ANSWER, Mix
from ctidialer.rules.prediction.handle_time import HandleTimes
from ctidialer.rules.prediction.pacer import Learnt
from ctidialer.rules.prediction.ringing import PRIOR_CALLS, RingTimes

ENOUGH = 20
"""Records from which on they say more than a guess does; they then weigh nearly alone."""

GUESS_LEFT = 0.01
"""The weight that is left of the guess then."""

_TINY = 1e-6
Counts = tuple[float, ...]

UNANSWERED = frozenset(
    {
        Outcome.BUSY,
        Outcome.NO_ANSWER,
        Outcome.REJECTED,
        Outcome.UNALLOCATED,
        Outcome.FAILED,
    }
)
"""How calls end that nobody answers."""

WRAP_UP = Said("none is counted", "按没有计算")


@frozen
class Known:
    """What a forecast may rest on, and where that comes from.

    The task dials by ``learnt``, which is cautious: it holds a guess besides what was seen.
    ``truth`` is what was seen alone, where that is enough.
    Of the time for which an agent is busy, a call is up for the share ``talk``.  ``lasted``: the
    calls of the records, where no agents were learnt of; see `Callees`.
    """

    learnt: Learnt
    truth: Learnt
    mix: Mix
    assumptions: tuple[Said, ...]
    talk: float = 1.0
    lasted: tuple[float, ...] = ()


def known(
    learnt: Learnt | None, records: Sequence[RecordSummary], dialing: AgentDialing | None
) -> Known:
    """Return what is known; ``learnt`` None = the task has not been paced yet.

    ``records`` are the last ones of the task, in any order.
    """
    dialed = [one for one in records if one.attempts]
    mix = mix_of(dialed)
    outcomes = Assumption.OUTCOMES.of(count=len(dialed)) if dialed else Assumption.NO_OUTCOMES.of()
    has_agents = dialing is not None and dialing.is_paced
    if learnt is not None and has_agents:
        truth = without_guess(learnt)
        said = (_learnt_figures(learnt, truth), outcomes)
        return Known(learnt, truth, mix, said, _talk(truth, dialed))
    found = learnt_from(dialed, has_agents=has_agents)
    lasted = tuple(_lasted(dialed, has_agents=has_agents))
    lasted = lasted if len(lasted) >= ENOUGH else ()
    figures = _figures(found, len(dialed), lasted, has_agents=has_agents)
    return Known(found, found, mix, (figures, outcomes), lasted=lasted)


def learnt_from(dialed: Sequence[RecordSummary], *, has_agents: bool) -> Learnt:
    """Return what a task would have learnt from these calls, if it had been paced.

    Where it has agents, they are busy from the bridge on; else the answer takes the call's place.
    """
    learnt = Learnt()
    if len(dialed) >= ENOUGH:
        learnt = Learnt(handle=learnt.handle.faded(GUESS_LEFT), ring=learnt.ring.faded(GUESS_LEFT))
    for record in dialed:
        for attempt in record.attempts:
            learnt = _with(learnt, record, attempt, has_agents=has_agents)
    return learnt


def mix_of(dialed: Sequence[RecordSummary]) -> Mix:
    """Return how calls end, by these records of numbers that were called."""
    outcomes = Counter(_outcome(one) for one in dialed if not one.answered)
    unanswered = {one: outcomes[one] for one in UNANSWERED - {Outcome.FAILED} if outcomes[one]}
    calls = sum(len(one.attempts) for one in dialed)
    answered = sum(one.answered for one in dialed)
    lost = sum(len(one.attempts) for one in dialed if _is_lost(one))
    again = calls - len(dialed)
    return Mix(
        machine=sum(_outcome(one) is Outcome.MACHINE for one in dialed) / max(1, answered),
        failed=lost / max(1, calls),
        fails_after=_mean_length([one for one in dialed if _is_lost(one)]),
        redialed=again / max(1, calls - answered),
        unanswered=unanswered or ONLY_NO_ANSWER,
    )


def _with(
    learnt: Learnt, record: RecordSummary, attempt: AttemptSummary, *, has_agents: bool
) -> Learnt:
    if attempt.answered_at is not None:
        learnt = evolve(
            learnt, ring=learnt.ring.was_answered(attempt.answered_at - attempt.dialed_at)
        )
        lasts = attempt.talk_seconds if has_agents else attempt.bill_seconds
        return learnt if lasts is None else learnt.freed(lasts)
    if attempt.ended_at is None or _is_lost(record):
        return learnt
    return learnt.unanswered(attempt.ended_at - attempt.dialed_at)


def _lasted(dialed: Sequence[RecordSummary], *, has_agents: bool) -> Iterator[float]:
    for record in dialed:
        last = record.attempts[-1]
        lasts = last.talk_seconds if has_agents else last.bill_seconds
        if lasts is not None and _outcome(record) is not Outcome.MACHINE:
            yield lasts


def _talk(learnt: Learnt, dialed: Sequence[RecordSummary]) -> float:
    """Return for which share of the handle time a call is up."""
    talks = tuple(_lasted(dialed, has_agents=True))
    handle = learnt.handle.curve(()).mean
    return min(1.0, mean(talks) / handle) if talks and handle > 0.0 else 1.0


def without_guess(learnt: Learnt) -> Learnt:
    """Return what was seen, with hardly any of the guess that it began with; of few calls all."""
    if _calls_seen(learnt) < ENOUGH or sum(learnt.handle.ends) < PRIOR_CALLS + ENOUGH:
        return learnt
    handle, ring, guess = learnt.handle, learnt.ring, Learnt()
    less_handle = _without(
        (handle.exposure, handle.ends), (guess.handle.exposure, guess.handle.ends)
    )
    less_ring = _without(
        (ring.at_risk, ring.answered, ring.ended),
        (guess.ring.at_risk, guess.ring.answered, guess.ring.ended),
    )
    return evolve(learnt, handle=HandleTimes(*less_handle), ring=RingTimes(*less_ring))


def _without(counts: Sequence[Counts], guessed: Sequence[Counts]) -> list[Counts]:
    """Return counts less what is left of the guess in them.

    That fades with time, and what was seen only adds to it: so it is the least share of the guess
    that is found anywhere.
    """
    pairs = [
        (count, guess)
        for one, other in zip(counts, guessed, strict=True)
        for count, guess in zip(one, other, strict=True)
        if guess > _TINY
    ]
    share = (1.0 - GUESS_LEFT) * min(1.0, *(count / guess for count, guess in pairs))
    return [
        tuple(max(0.0, count - share * guess) for count, guess in zip(one, other, strict=True))
        for one, other in zip(counts, guessed, strict=True)
    ]


def _calls_seen(learnt: Learnt) -> int:
    return round(max(0.0, learnt.ring.at_risk[0] - PRIOR_CALLS))


def _learnt_figures(learnt: Learnt, truth: Learnt) -> Said:
    seen = _calls_seen(learnt)
    return Assumption.LEARNT.of(
        rate=f"{100 * truth.ring.curve(()).answer_rate:.1f}",
        mean=f"{truth.handle.curve(()).mean:.0f}",
        calls=seen if seen < ENOUGH else None,
    )


def _figures(found: Learnt, records: int, lasted: Sequence[float], *, has_agents: bool) -> Said:
    lasts = mean(lasted) if lasted else found.handle.curve(()).mean
    shown = {
        "rate": f"{100 * found.ring.curve(()).answer_rate:.1f}",
        "mean": f"{lasts:.0f}",
    }
    if not records:
        return Assumption.NOTHING_KNOWN.of(**shown)
    wrap_up = {"wrap_up": WRAP_UP.en, "wrap_up_zh": WRAP_UP.zh} if has_agents else {}
    return Assumption.FROM_RECORDS.of(count=records, **shown, **wrap_up)


def _outcome(record: RecordSummary) -> Outcome | None:
    """Return the outcome; one that only a later version knows is none."""
    try:
        return Outcome(record.outcome)
    except ValueError:
        return None


def _is_lost(record: RecordSummary) -> bool:
    """Whether the line lost its calls, so that they say nothing of the callee."""
    return not record.answered and _outcome(record) is Outcome.FAILED


def _mean_length(lost: Sequence[RecordSummary]) -> float:
    lengths = [
        attempt.ended_at - attempt.dialed_at
        for record in lost
        for attempt in record.attempts
        if attempt.ended_at is not None
    ]
    return max(0.0, mean(lengths)) if lengths else Mix().fails_after
