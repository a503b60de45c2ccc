"""The numbers that a task has left, in virtual time: each meets the rules that it will meet.

Of a long list each number here stands for ``weight`` of them, drawn evenly over the list, so that
the order in which zones and do-not-call entries come is kept.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import count

from attrs import define, field, frozen

from ctidialer.contract.callee import CalleeRules
from ctidialer.contract.hours import CallingHours
from ctidialer.contract.record import Outcome
from ctidialer.contract.waiting import WaitReason
from ctidialer.rules.callee_hours import CalleeHours
from ctidialer.rules.calling_hours import Opening, opening
from ctidialer.rules.caps import allowed_at
from ctidialer.rules.forecast.actors import CallEnd, Numbers
from ctidialer.rules.forecast.callees import Mix
from ctidialer.rules.permission import Go, LastMoments, WaitUntil, may_call_in
from ctidialer.rules.retrying import EndedTry, next_try


@frozen
class Sampled:
    """What is known of one number of the list; times are unix seconds.

    ``zones``: where its callee may be (IANA names).  ``ends``: how it will end without a call:
    invalid, or on a do-not-call list; None = it will be called.  ``calls``, ``talks``: those that
    caps have counted.  ``due``, ``tried``, ``used``: of a number that waits.
    """

    zones: tuple[str, ...] = ()
    ends: Outcome | None = None
    calls: tuple[float, ...] = ()
    talks: tuple[float, ...] = ()
    due: float = 0.0
    tried: int = 0
    used: Mapping[str, int] = field(factory=dict)


@frozen
class Part:
    """So many numbers, and a sample of them in their order; empty = nothing is known of them."""

    total: int = 0
    sample: Sequence[Sampled] = ()

    def spread(self, many: int) -> Iterator[Sampled]:
        """Yield ``many`` numbers that stand for all of them."""
        if not self.sample:
            yield from (UNKNOWN for _ in range(many))
            return
        for place in range(many):
            yield self.sample[place * len(self.sample) // many]


UNKNOWN = Sampled()


@frozen
class CallRules:
    """What the task asks for: its hours, its zone (IANA), and the rules of its callees.

    ``stops``: when it ends for good (unix seconds).
    """

    hours: CallingHours
    zone: str
    callee: CalleeRules
    last: LastMoments


@define(eq=False)
class Tally:
    """What became of numbers, each with its weight.

    ``ended``: final outcomes; ``held``: numbers that had to wait, by the reason.
    """

    calls: float = 0.0
    answered: float = 0.0
    machines: float = 0.0
    abandoned: float = 0.0
    retries: float = 0.0
    ended: dict[Outcome, float] = field(factory=dict)
    held: dict[WaitReason, float] = field(factory=dict)
    last_end: float | None = None


@define(eq=False)
class _Number:
    zones: tuple[str, ...]
    ends: Outcome | None
    calls: tuple[float, ...]
    talks: tuple[float, ...]
    tried: int
    used: Mapping[str, int]
    held: frozenset[WaitReason] = frozenset()


@define(eq=False)
class NumbersLeft(Numbers):
    """The rest of a list; ``start`` is the unix time at which the clock of the world shows 0."""

    rules: CallRules
    mix: Mix
    chance: random.Random
    start: float
    weight: float = 1.0
    tally: Tally = field(factory=Tally)
    out: int = 0
    _fresh: Iterator[Sampled] = field(factory=lambda: iter(()))
    _fresh_left: int = 0
    _waiting: list[tuple[float, int, _Number]] = field(factory=list)
    _again: list[_Number] = field(factory=list)
    _next: _Number | None = None
    _order: Iterator[int] = field(factory=count)
    _asked_at: float = -1.0
    _task_opening: Opening | None = None
    _callee_hours: CalleeHours = field(factory=CalleeHours)

    @classmethod
    def of(
        cls,
        fresh: Part,
        waiting: Part,
        rules: CallRules,
        mix: Mix,
        chance: random.Random,
        start: float,
        most: int,
    ) -> NumbersLeft:
        """Return the rest of a list, as ``most`` numbers at most."""
        total = fresh.total + waiting.total
        weight = max(1.0, total / most)
        left = cls(rules, mix, chance, start, weight)
        left._fresh_left = round(fresh.total / weight)
        left._fresh = fresh.spread(left._fresh_left)
        for one in waiting.spread(round(waiting.total / weight)):
            left._wait(_number(one), one.due - start)
        return left

    @property
    def left(self) -> float:
        """How many numbers have not ended."""
        here = self._fresh_left + len(self._waiting) + len(self._again) + (self._next is not None)
        return self.weight * (here + self.out)

    @property
    def is_over(self) -> bool:
        """Whether every number has ended."""
        return self.left == 0

    # --- part of Numbers -----------------------------------------------------------------------

    def is_open(self, now: float) -> bool:
        """Whether the task may call, and has anybody left to call."""
        return not self.is_over and self._opening(now).open

    def ready(self, now: float) -> bool:
        """Whether there is a number that may be called now."""
        if not self._opening(now).open:
            return False
        if self._next is not None and self._asked_at == now:
            return True
        while True:
            number, self._next = self._next or self._pop(now), None
            if number is None:
                return False
            if self._may_be_called(number, now):
                self._next, self._asked_at = number, now
                return True

    def take(self, now: float) -> object:
        """Return the number that `ready` has found; it is called."""
        number, self._next = self._next, None
        assert number is not None
        self.out += 1
        self.tally.calls += self.weight
        if self.rules.callee.caps:
            number.calls = (*number.calls, self.start + now)
        return number

    def over(self, number: object, end: CallEnd, now: float) -> None:
        """A call has ended: the number is tried again, at once or later, or has ended."""
        assert isinstance(number, _Number)
        self.out -= 1
        tally = self.tally
        if end in (CallEnd.REACHED, CallEnd.ABANDONED):
            tally.answered += self.weight
            tally.abandoned += self.weight * (end is CallEnd.ABANDONED)
            number.talks = (*number.talks, self.start + now) if self.rules.callee.caps else ()
            self._tried(number, Outcome.ANSWERED, now, is_abandoned=end is CallEnd.ABANDONED)
        elif end is CallEnd.MACHINE:
            tally.machines += self.weight
            self._tried(number, Outcome.MACHINE, now)
        elif self.chance.random() < self.mix.redialed:
            self._again.append(number)
        elif end is CallEnd.FAILED:
            self._tried(number, Outcome.FAILED, now)
        else:
            self._tried(number, self.mix.outcome(self.chance), now)

    def changes_at(self, now: float) -> float | None:
        """Return when the task opens, or closes, or the next waiting number is due."""
        if self.is_over:
            return None
        task = self._opening(now)
        moments = [] if task.changes_at is None else [task.changes_at - self.start]
        if task.open and self._waiting:
            moments.append(self._waiting[0][0])
        return min(moments, default=None)

    # --- what is decided -----------------------------------------------------------------------

    def _opening(self, now: float) -> Opening:
        """Return whether the task is open; asked anew when that has changed."""
        known, at = self._task_opening, self.start + now
        if known is None or (known.changes_at is not None and at >= known.changes_at):
            known = self._task_opening = opening(self.rules.hours, self.rules.zone, at)
        return known

    def _pop(self, now: float) -> _Number | None:
        if self._again:
            return self._again.pop(0)
        if self._waiting and self._waiting[0][0] <= now:
            return heapq.heappop(self._waiting)[2]
        if self._fresh_left:
            self._fresh_left -= 1
            return _number(next(self._fresh))
        return None

    def _may_be_called(self, number: _Number, now: float) -> bool:
        """Say whether it may; if not, it waits from now on, or has ended."""
        if number.ends is Outcome.INVALID:
            return self._end(number.ends, now)
        rules, at = self.rules, self.start + now
        found = may_call_in(rules.callee, self._callee_hours, number.zones, at, rules.last)
        if isinstance(found, WaitUntil):
            return self._hold(number, found.reason, found.at)
        if not isinstance(found, Go):
            return self._end(found.outcome, now)
        if number.ends is not None:
            return self._end(number.ends, now)
        allowed = allowed_at(rules.callee.caps, number.calls, number.talks, at)
        if allowed <= at:
            return True
        if rules.last.too_late(allowed) is not None:
            return self._end(Outcome.CAPPED, now)
        return self._hold(number, WaitReason.CAP, allowed)

    def _tried(
        self, number: _Number, outcome: Outcome, now: float, *, is_abandoned: bool = False
    ) -> None:
        rules = self.rules
        ended = EndedTry(outcome, self.start + now, is_abandoned, number.tried, number.used)
        retry = next_try(rules.callee.retry, ended, rules.zone, rules.callee.abandoned_rest)
        if retry is None or rules.last.too_late(retry.at) is not None:
            self._end(outcome, now)
            return
        number.tried, number.used = number.tried + 1, retry.used
        self.tally.retries += self.weight
        self._wait(number, retry.at - self.start)

    def _hold(self, number: _Number, reason: WaitReason, until: float) -> bool:
        if reason not in number.held:
            number.held |= {reason}
            self.tally.held[reason] = self.tally.held.get(reason, 0.0) + self.weight
        self._wait(number, until - self.start)
        return False

    def _wait(self, number: _Number, due: float) -> None:
        heapq.heappush(self._waiting, (due, next(self._order), number))

    def _end(self, outcome: Outcome, now: float) -> bool:
        self.tally.ended[outcome] = self.tally.ended.get(outcome, 0.0) + self.weight
        self.tally.last_end = now
        return False


def _number(one: Sampled) -> _Number:
    return _Number(one.zones, one.ends, one.calls, one.talks, one.tried, one.used)
