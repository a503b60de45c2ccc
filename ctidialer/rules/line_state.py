"""The account of one line: calls, rest, rate, faults (docs/redis-contract.rst).

A state is kept by line name and counts every call until its end, so the account of a line stays
right if the line is edited or removed while calls are up.  It has moments, not deadlines: a changed
``rest`` or ``fault_try_interval`` is in force at once.  If the clock jumped back, and a rest seems
to have begun in the future, it counts as over.

A line is out of use after too many faults in a row, or because FreeSWITCH made no channel for a
call (it "never left").  A call that is started while the line is out of use is its trial.  ``now``
is in seconds, of one clock for all calls of one account.  A call that ends had a channel;
`is_fault` says whether its end is a fault, and with a threshold of 0 none is::

    state          what happens                  then
    IN USE         a call ends as a fault        FAULTY from the threshold on, else IN USE
    FAULTY         the interval is over          one trial call is let through
    FAULTY         the trial ends as a fault     FAULTY, and the interval begins anew
    NEVER LEFT     the interval is over          one trial call is let through
    NEVER LEFT     the trial ends as a fault     FAULTY from the threshold on, else IN USE
    FAULTY, NEVER  the trial goes well           IN USE
    FAULTY, NEVER  the trial is withdrawn        as before, and the next trial may be made
    FAULTY, NEVER  an older call ends            as before
    any            a call never left             NEVER LEFT, and the interval begins anew
    FAULTY, NEVER  an operator has it tried      as before, and the interval is over

An operator can take a line out of use besides (`TakenOut`): it starts no call then, its calls that
are up go on, and what they show of the line counts as ever.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from ctidialer.contract.counted import TOGETHER
from ctidialer.contract.line import FaultPolicy, Line, Scope
from ctidialer.rules import pacing
from ctidialer.rules.line_reasons import Why as Why
from ctidialer.rules.pacing import Pace

TRY_INTERVAL = 30.0
"""Seconds between two trials after a call never left, if the line has no interval of its own."""


# Structs, for the same reason as `ctidialer.rules.attempt.Attempt`.
class CallEnd(Struct, frozen=True, gc=False):
    """How one call ended.

    ``cause`` is FreeSWITCH's name in capitals, ``sip_code`` the final SIP status.  ``duration`` is
    the time from originate to hang-up, ``bill`` from answer to hang-up, in seconds.
    """

    answered: bool
    cause: str | None = None
    sip_code: int | None = None
    duration: float = 0.0
    bill: float | None = None


NO_START = Pace()


class TakenOut(Struct, frozen=True, gc=False):
    """An operator has taken a line out of use: ``by`` whom and ``why``, as far as it is known.

    ``until``: unix seconds, infinity = until it is put back.
    """

    until: float = math.inf
    by: str = ""
    why: str = ""


class LineState(Struct, frozen=True, gc=False):
    """What one line is doing; ``LineState()`` is a line that was never used.

    ``idle_since``: the end of the last call, ``last_start``: the start of the last one.
    ``faults``: faults in a row.  ``out_of_use_since``: when the last of them ended, or when the
    last call never left; ``never_left`` is FreeSWITCH's word for that (INVALID_GATEWAY), empty =
    it is not so, and ``never_left_by`` the dial string it holds for.  ``trial_since``: when the
    trial call under way began.  ``others``: places that other hosts have, or wait for, as Redis
    last said of a line that is counted over hosts; ``barred_until``: before then Redis lets no call
    of this host start on it; ``sharers`` hosts share its starts.  ``taken_out``: an operator's
    order.  Moments are seconds, None = never.
    """

    calls: int = 0
    idle_since: float | None = None
    last_start: float | None = None
    faults: int = 0
    out_of_use_since: float | None = None
    trial_since: float | None = None
    never_left: str = ""
    never_left_by: str = ""
    pace: Pace = NO_START
    others: int = 0
    barred_until: float | None = None
    taken_out: TakenOut | None = None
    sharers: int = 1

    @property
    def out_of_use(self) -> bool:
        """Whether faults, or a call that never left, have put the line out of use."""
        return self.out_of_use_since is not None


UNUSED = LineState()


def started(state: LineState, line: Line, now: float) -> LineState:
    """A call takes its place on the line, from its originate on."""
    trial_since = now if _is_out_of_use(state, line) else None
    is_paced_here = line.cps is not None and not _is_paced_by_redis(line)
    pace = pacing.spent(state.pace, line.cps, 1, now) if is_paced_here else NO_START
    return replace(state, calls=state.calls + 1, last_start=now, trial_since=trial_since, pace=pace)


def answered(state: LineState, line: Line) -> LineState:
    """The last call that was started has been answered: the line works.

    Without this, ``ended`` would find out the same, but only at the hang-up.
    """
    if _is_out_of_use(state, line) and state.trial_since is None:
        return state
    return _in_use(state)


def ended(state: LineState, line: Line, now: float, end: CallEnd) -> LineState:
    """A call on the line is over: its end shows whether the line works."""
    after = replace(state, calls=max(0, state.calls - 1), idle_since=now)
    if _is_out_of_use(state, line) and not _is_trial(state, now, end):
        return after
    if line.faults.threshold == 0 or not is_fault(line.faults, end):
        return _in_use(after)
    faults = state.faults + 1
    is_faulty = state.out_of_use and not state.never_left
    is_out = is_faulty or faults >= line.faults.threshold
    return replace(_in_use(after), faults=faults, out_of_use_since=now if is_out else None)


def never_left(state: LineState, line: Line, word: str, now: float) -> LineState:
    """A call that was started got no channel; ``word`` is FreeSWITCH's answer.

    The line is out of use at once, until it has another dial string or a trial call leaves.
    """
    return replace(
        state,
        calls=max(0, state.calls - 1),
        out_of_use_since=now,
        trial_since=None,
        never_left=word,
        never_left_by=line.dialstring,
    )


def counted(
    state: LineState, others: int, barred_until: float | None, sharers: int = 1
) -> LineState:
    """Redis has said how it stands with a line that is counted over hosts."""
    if (others, barred_until, sharers) == (state.others, state.barred_until, state.sharers):
        return state
    return replace(state, others=others, barred_until=barred_until, sharers=sharers)


def taken_out(state: LineState, order: TakenOut | None) -> LineState:
    """An operator has taken the line out of use; None = it is put back."""
    return state if order == state.taken_out else replace(state, taken_out=order)


def tried_now(state: LineState) -> LineState:
    """An operator wants the trial call of a line that is out of use to be let through at once."""
    return replace(state, out_of_use_since=-math.inf) if state.out_of_use else state


def withdrawn(state: LineState) -> LineState:
    """A call was not placed after all (never sent, or refused by FreeSWITCH itself).

    It is no verdict on the line: neither a fault nor a success, and there is no rest after it.
    """
    return replace(state, calls=max(0, state.calls - 1), trial_since=None)


def is_fault(policy: FaultPolicy, end: CallEnd) -> bool:
    """Say whether a call counts against its line: unanswered, and ended too soon to have rung."""
    if end.answered:
        return False
    return policy.connect_time is None or end.duration < policy.connect_time


def idleness(state: LineState) -> tuple[bool, float]:
    """Return the sort key of a free line: the lines of a tier are taken in this order."""
    since = state.last_start if state.calls else state.idle_since
    return (state.calls > 0, -math.inf if since is None else since)


def room(line: Line, state: LineState, now: float) -> float:
    """Return how many calls could be started on the line at ``now``: a whole number or infinity.

    A line with a rate or a rest has room for one; after that start it may have room again at once.
    """
    if why_busy(line, state, now) is not None:
        return 0
    spaced = (line.rest > 0 and line.count != 1) or line.cps is not None
    free = math.inf if line.count is None else line.count - state.calls - state.others
    if _is_paced_by_redis(line) and not _is_out_of_use(state, line):
        together = int((line.cps or 0) * TOGETHER / state.sharers)
        return min(max(1, together), free) if spaced else free
    return min(1, free) if spaced or _is_out_of_use(state, line) else free


def changes_at(line: Line, state: LineState, now: float) -> float | None:
    """Return a moment after ``now`` until which the `room` of the line does not change by itself.

    None = it never changes by itself.  This is right only while the clock goes forward; a rest or a
    fault in the future (the clock was put back) has no effect until that moment.
    """
    rests_since = _rests_since(line, state) if line.rest > 0 else None
    moments = [*_paced_until(line, state, now)] if line.cps is not None else []
    if rests_since is not None:
        moments += (rests_since, rests_since + line.rest)
    if state.barred_until is not None:
        moments.append(state.barred_until)
    if state.taken_out is not None:
        moments.append(state.taken_out.until)
    if state.out_of_use_since is not None:
        since = state.out_of_use_since
        moments += (since, since + _try_interval(line, state))
    to_come = (moment for moment in moments if now < moment < math.inf)
    return min(to_come, default=None) if moments else None


def _paced_until(line: Line, state: LineState, now: float) -> Iterator[float]:
    start = pacing.next_start(state.pace, line.cps, now)
    if start is not None:
        yield start
    yield pacing.same_clock_from(state.pace)


def why_busy(line: Line, state: LineState, now: float) -> Why | None:
    """Return why the line can take no call at ``now``; None = it can."""
    if line.fault:
        return Why.MALFORMED
    if _is_taken_out(state, now):
        return Why.TAKEN_OUT
    if _is_out_of_use(state, line):
        if state.trial_since is not None and state.calls > 0:
            return Why.TRIAL_UNDER_WAY
        if _within(state.out_of_use_since, _try_interval(line, state), now):
            return Why.NEVER_LEFT if state.never_left else Why.OUT_OF_USE
    if line.count is not None and state.calls + state.others >= line.count:
        return Why.FULL_ELSEWHERE if state.others else Why.FULL
    if state.barred_until is not None and now < state.barred_until:
        return Why.PACED_ELSEWHERE
    if _is_paced_by_redis(line):
        return None
    if _within(_rests_since(line, state), line.rest, now):
        return Why.RESTING
    return None if pacing.room(state.pace, line.cps, now) > 0 else Why.PACED


def free_at(line: Line, state: LineState, now: float) -> float | None:
    """Return when the line can take a call by itself; ``now`` = it can already.

    None = not before one of its calls has ended, or it is malformed or edited.
    """
    why = why_busy(line, state, now)
    if why is None:
        return now
    if why is Why.TAKEN_OUT:
        return _free_when_back(line, state, now)
    if why in (Why.FULL, Why.FULL_ELSEWHERE, Why.TRIAL_UNDER_WAY):
        return None
    if line.count is not None and state.calls + state.others >= line.count:
        return None
    paced_at = pacing.next_start(state.pace, line.cps, now)
    if paced_at is None:
        return None
    rest = 0.0 if _is_paced_by_redis(line) else line.rest
    rested_at = _ends(_rests_since(line, state), rest, now)
    return max(rested_at, _trial_at(line, state, now), paced_at, state.barred_until or now)


def calls_to_end(state: LineState) -> int:
    """Return of how many calls the end may free the line."""
    is_out_for_good = state.taken_out is not None and math.isinf(state.taken_out.until)
    return 0 if is_out_for_good else state.calls + state.others


def _free_when_back(line: Line, state: LineState, now: float) -> float | None:
    """Return when a line that is taken out of use can take a call by itself."""
    until = math.inf if state.taken_out is None else state.taken_out.until
    freed_at = free_at(line, replace(state, taken_out=None), now)
    return None if math.isinf(until) or freed_at is None else max(freed_at, until)


def _is_taken_out(state: LineState, now: float) -> bool:
    return state.taken_out is not None and now < state.taken_out.until


def _is_paced_by_redis(line: Line) -> bool:
    """Say whether Redis gives the starts: it spaces them over all hosts, some ahead of their time
    (`ctidialer.store.places`), and says until when there is none."""
    return line.scope is Scope.DOMAIN


def _try_interval(line: Line, state: LineState) -> float:
    """Return the time in seconds between two trials of a line that is out of use."""
    interval = line.faults.try_interval
    return TRY_INTERVAL if state.never_left and not interval else interval


def _in_use(state: LineState) -> LineState:
    if not state.faults and state.out_of_use_since is None and state.trial_since is None:
        return state  # the usual case: nothing changes
    return replace(state, faults=0, out_of_use_since=None, trial_since=None, never_left="")


def _is_trial(state: LineState, now: float, end: CallEnd) -> bool:
    """Tell the trial call from those that were up before the line went out of use."""
    if state.trial_since is None:
        return False
    return state.calls <= 1 or end.duration <= now - state.trial_since


def _is_out_of_use(state: LineState, line: Line) -> bool:
    if not state.never_left:
        return state.out_of_use and line.faults.threshold > 0
    return state.never_left_by == line.dialstring  # mended by an edit: as if it were another line


def _rests_since(line: Line, state: LineState) -> float | None:
    return state.idle_since if line.count == 1 else state.last_start


def _trial_at(line: Line, state: LineState, now: float) -> float:
    if not _is_out_of_use(state, line):
        return now
    return _ends(state.out_of_use_since, _try_interval(line, state), now)


def _within(since: float | None, span: float, now: float) -> bool:
    return since is not None and since <= now < since + span


def _ends(since: float | None, span: float, now: float) -> float:
    return since + span if since is not None and _within(since, span, now) else now
