"""What several runs of a list came to, as it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import mean, quantiles

from ctidialer.contract.agent_dialing import DialMode
from ctidialer.contract.forecast import Forecast, HeldBack, Range
from ctidialer.contract.record import Outcome
from ctidialer.contract.said import Said
from ctidialer.contract.waiting import WaitReason
from ctidialer.rules.calling_hours import opening
from ctidialer.rules.forecast.numbers import CallRules
from ctidialer.rules.forecast.runs import Foreseen, Question, Run

CALLS, FLOW = "calls", "flow"


def summed_up(
    task: str, host: str, asked: Question, found: Foreseen, assumptions: Sequence[Said]
) -> Forecast:
    """Return the forecast of a task."""
    runs, dialing = found.runs, asked.dialing
    until = asked.now + asked.horizon
    ends = [until if one.ended is None else asked.now + one.ended for one in runs]
    ended = sum(one.ended is not None for one in runs) / len(runs)
    middle = _range(ends)
    return Forecast(
        task=task,
        host=host,
        zone=asked.rules.zone,
        at=asked.now,
        mode=(DialMode.BATCH if dialing is None else dialing.mode).value,
        queued=asked.fresh.total,
        waiting=asked.waiting.total,
        agents=asked.agents,
        method=FLOW if found.speeds else CALLS,
        runs=len(runs),
        until=until,
        ends=ended,
        ends_at=middle if ended >= 0.5 else None,
        left=_counts(runs, lambda one: one.left),
        calls=_counts(runs, lambda one: one.calls),
        answered=_counts(runs, lambda one: one.answered),
        abandoned=_counts(runs, lambda one: one.abandoned),
        abandoned_share=_known(
            one.abandoned / one.answered
            for one in runs
            if one.answered and asked.agents is not None
        ),
        ceiling=None if dialing is None else dialing.abandon_rate,
        agent_use=None
        if asked.is_batch
        else _known(one.use for one in runs if one.use is not None),
        outcomes=_outcomes(runs),
        held=_held(asked.rules, runs, asked.now, middle.middle),
        assumptions=tuple(assumptions),
    )


def closed_seconds(rules: CallRules, begin: float, end: float) -> float:
    """Return for how long the task is closed between two moments (unix seconds)."""
    closed, now = 0.0, begin
    while now < end:
        found = opening(rules.hours, rules.zone, now)
        then = end if found.changes_at is None else min(end, found.changes_at)
        closed += 0.0 if found.open else then - now
        now = then
    return closed


def _held(rules: CallRules, runs: Sequence[Run], now: float, end: float) -> HeldBack:
    def waited(reason: WaitReason) -> int:
        return round(mean(one.held.get(reason, 0.0) for one in runs))

    outcomes = _outcomes(runs)
    return HeldBack(
        callee_hours=waited(WaitReason.HOURS),
        caps=waited(WaitReason.CAP),
        retries=round(mean(one.retries for one in runs)),
        invalid=outcomes.get(Outcome.INVALID.value, 0),
        dnc=outcomes.get(Outcome.DNC.value, 0),
        closed=outcomes.get(Outcome.CLOSED.value, 0),
        capped=outcomes.get(Outcome.CAPPED.value, 0),
        closed_seconds=closed_seconds(rules, now, end),
        idle_seconds=mean(one.idle for one in runs),
    )


def _outcomes(runs: Sequence[Run]) -> dict[str, int]:
    means = {one: mean(run.outcomes.get(one, 0.0) for run in runs) for one in Outcome}
    return {one.value: round(count) for one, count in means.items() if round(count)}


def _counts(runs: Sequence[Run], of: Callable[[Run], float]) -> Range:
    found = _range([of(one) for one in runs])
    return Range(round(found.low), round(found.middle), round(found.high))


def _known(values: Iterable[float]) -> Range | None:
    found = list(values)
    return _range(found) if found else None


def _range(values: Sequence[float]) -> Range:
    """Return the 10th, 50th and 90th percentile."""
    if len(values) == 1:
        return Range(values[0], values[0], values[0])
    tenths = quantiles(values, n=10, method="inclusive")
    return Range(tenths[0], tenths[4], tenths[8])
