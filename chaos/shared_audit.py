"""The part of the audit that asks whether what hosts share was ever used above its count or rate,
by the logs of all their switches together.

Pure.  A call is up from its originate to its end, or to the end of its switch.  The calls of a host
that is gone count until its places are free (docs/hosts.rst): what goes on after that is no fault
of those who use the places, but it is counted.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from math import inf

from attrs import field, frozen

from chaos.auditor import NEVER_LEFT
from chaos.sharing import Shared
from ctidialer.switchsim.calllog import CallLog, OriginateLine

CountsOn = Callable[[OriginateLine], Iterable[Shared]]
Late = Callable[[str, float], float]
"""How late a call may be (seconds) that a host sent at this moment."""

WINDOWS = (1.0, 3.0, 10.0, 30.0)
"""Seconds over which starts are counted."""

STEPS = 20
"""Windows of one length that begin within that length."""


@frozen
class Witness:
    """What was seen of one host: the log of its switch; the moments (unix s) at which the switch
    was ended, and those at which the places of the host came free since it was gone."""

    log: CallLog
    switch_ended: Sequence[float] = ()
    freed: Sequence[float] = ()


@frozen
class Call:
    """One call, up from ``start`` to ``end``; ``earliest`` = when it may have been sent.

    ``counts_until``: when its place came free, though it was still up; that is ``end`` else.
    """

    start: float
    end: float
    earliest: float
    counts_until: float


@frozen
class Use:
    """How much something was used at most."""

    at_once: int = 0
    in_a_second: int = 0


@frozen
class SharedFindings:
    """``most``: how much each was used.  ``outlived``: calls that went on after the places of their
    host had come free.
    """

    most: Mapping[str, Use] = field(factory=dict)
    outlived: int = 0
    faults: tuple[str, ...] = ()


def examine_shared(
    witnesses: Mapping[str, Witness], late: Late, counts_on: CountsOn
) -> SharedFindings:
    """Compare the calls of all hosts with what they share."""
    calls: defaultdict[Shared, list[Call]] = defaultdict(list)
    outlived = 0
    for host, witness in witnesses.items():
        for line, call in _calls(host, witness, late):
            outlived += call.counts_until < call.end
            for shared in counts_on(line):
                calls[shared].append(call)
    most, faults = {}, []
    for shared, some in calls.items():
        some.sort(key=lambda call: call.start)
        most[shared.name] = Use(_most_at_once(some)[0], _most_in_a_second(some))
        faults += [*_above_the_count(shared, some), *_above_the_rate(shared, some)]
    return SharedFindings(most, outlived, tuple(faults))


def _calls(host: str, witness: Witness, late: Late) -> Iterator[tuple[OriginateLine, Call]]:
    """Yield the calls of a host; what made no channel was none."""
    log = witness.log
    never_left = {(line.uuid, line.call) for line in log.ends if line.cause in NEVER_LEFT}
    ends = {line.uuid: line.time for line in log.ends if line.cause not in NEVER_LEFT}
    for line in log.originates:
        if line.uuid and (line.uuid, line.call) not in never_left:
            ended = ends.get(line.uuid, _first(witness.switch_ended, line.time))
            counts_until = min(ended, _first(witness.freed, line.time))
            earliest = line.time - late(host, line.time)
            yield line, Call(line.time, ended, earliest, counts_until)


def _first(moments: Sequence[float], after: float) -> float:
    return min((one for one in moments if one > after), default=inf)


def _most_at_once(calls: Sequence[Call]) -> tuple[int, float]:
    """Return how many calls counted at once, at most, and when that was first so."""
    starts = [(call.start, 1) for call in calls]
    steps = sorted([*starts, *((call.counts_until, -1) for call in calls)])
    sums = list(accumulate(step for _, step in steps))
    most = max(sums, default=0)
    return most, steps[sums.index(most)][0] if sums else 0.0


def _most_in_a_second(calls: Sequence[Call]) -> int:
    starts = [call.start for call in calls]
    return max((bisect_left(starts, one + 1.0) - at for at, one in enumerate(starts)), default=0)


def _above_the_count(shared: Shared, calls: Sequence[Call]) -> Iterator[str]:
    most, at = _most_at_once(calls)
    if shared.count is not None and most > shared.count:
        yield f"{shared.name} had {most} calls at once, {shared.count} are allowed (at {at:.3f})"


def _above_the_rate(shared: Shared, calls: Sequence[Call]) -> Iterator[str]:
    """Look at starts that were surely sent within a window."""
    if shared.cps is None or not calls:
        return
    starts = [call.start for call in calls]
    for window in WINDOWS:
        allowed, worst, at = int(shared.cps * window) + 1, 0, 0.0
        for step in range(int((starts[-1] - starts[0]) / window * STEPS) + 1):
            begin = starts[0] + step * window / STEPS
            some = calls[bisect_left(starts, begin) : bisect_right(starts, begin + window)]
            sent = sum(call.earliest >= begin for call in some)
            worst, at = max((worst, at), (sent, begin))
        if worst > allowed:
            yield (
                f"{shared.name} had {worst} starts within {window:g} s, {allowed} are allowed"
                f" (from {at:.3f})"
            )
