"""Agents and callees in virtual time: what the pacing rules are tried on.

An agent is free, or busy with one call for a handle time that is lognormal.  A call rings; some are
answered, evenly between two ages, all others end at another, or soon where the trunk is dead.  A
callee who has answered and finds no free agent waits ``grace`` seconds, then he counts as
abandoned.  The rules see what a dialer would see, no more: states and ages, and each event as it
happens.
"""

from __future__ import annotations

import enum
import heapq
import math
import random
from collections.abc import Callable, Iterator
from itertools import count

from attrs import define, field, frozen

from ctidialer.rules.prediction.look_ahead import Curves, Situation
from ctidialer.rules.prediction.pacer import (
    Learnt,
    PacingRules,
    calls_to_place,
    should_release,
)

HOUR = 3600.0
LOOK_INTERVAL = 1.0
"""Seconds between two decisions when nothing happens, and for which the curves are kept."""


FAILS_AFTER = 4.0
"""Seconds after which a dead trunk gives a call back."""


class RingEnd(enum.Enum):
    """How a call ends to ring."""

    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    FAILED = "failed"


@frozen
class Conditions:
    """How callees and agents behave at one moment; seconds, shares 0 to 1.

    ``variation`` is the standard deviation of the handle time as a share of its mean.
    """

    agents: int
    answer_rate: float = 0.3
    answer_from: float = 5.0
    answer_until: float = 25.0
    ring_out: float = 30.0
    handle_mean: float = 60.0
    variation: float = 0.8
    is_dead: bool = False

    def handle_time(self, chance: random.Random) -> float:
        """Draw how long an agent is busy."""
        spread = math.log1p(self.variation**2)
        return chance.lognormvariate(math.log(self.handle_mean) - spread / 2.0, math.sqrt(spread))

    def ring(self, chance: random.Random) -> tuple[RingEnd, float]:
        """Draw how a call ends to ring, and after how many seconds."""
        if self.is_dead:
            return RingEnd.FAILED, FAILS_AFTER
        if chance.random() < self.answer_rate:
            return RingEnd.ANSWERED, chance.uniform(self.answer_from, self.answer_until)
        return RingEnd.UNANSWERED, self.ring_out


@define
class Hour:
    """What one hour of a run came to: seconds of agents, and counts of calls."""

    agent_seconds: float = 0.0
    busy_seconds: float = 0.0
    dialed: int = 0
    answered: int = 0
    abandoned: int = 0
    released: int = 0


Pace = Callable[[Situation, Learnt, Curves, PacingRules], int]


def ahead(situation: Situation, learnt: Learnt, curves: Curves, rules: PacingRules) -> int:
    """Place as many calls as the prediction allows."""
    return calls_to_place(situation, learnt, curves, rules, at_most=1000)


def progressive(situation: Situation, learnt: Learnt, curves: Curves, rules: PacingRules) -> int:
    """Place one call for each free agent."""
    return max(0, situation.progressive)


@define
class World:
    """One task, its agents and its callees, from second 0 on; ``run`` is the whole of it.

    ``conditions`` says how things are at each moment.
    """

    conditions: Callable[[float], Conditions]
    rules: PacingRules = field(factory=PacingRules)
    pace: Pace = ahead
    chance: random.Random = field(factory=random.Random)
    learnt: Learnt = field(factory=Learnt)
    hours: list[Hour] = field(factory=list)
    now: float = 0.0
    _busy: dict[int, float] = field(factory=dict)
    _ringing: dict[int, float] = field(factory=dict)
    _waiting: dict[int, float] = field(factory=dict)
    _events: list[tuple[float, int, Callable[[int], None]]] = field(factory=list)
    _ids: Iterator[int] = field(factory=count)
    _curves: Curves | None = None
    _curves_at: float = 0.0

    def run(self, seconds: float) -> list[Hour]:
        """Let the time pass; return the hours, from the first one on."""
        self._after(0.0, self._look)
        while self._events and self._events[0][0] < seconds:
            at, event, happens = heapq.heappop(self._events)
            self._pass(at)
            happens(event)
            self._decide()
        self._pass(seconds)
        return self.hours

    # --- time ----------------------------------------------------------------------------------

    def _after(self, wait: float, happens: Callable[[int], None]) -> int:
        event = next(self._ids)
        heapq.heappush(self._events, (self.now + wait, event, happens))
        return event

    def _pass(self, until: float) -> None:
        """Count the seconds of agents up to a moment, hour by hour."""
        while self.now < until:
            end = min(until, (self.now // HOUR + 1.0) * HOUR)
            hour = self._hour()
            hour.agent_seconds += self._agents() * (end - self.now)
            hour.busy_seconds += len(self._busy) * (end - self.now)
            self.now = end

    def _hour(self) -> Hour:
        place = int(self.now // HOUR)
        while len(self.hours) <= place:
            self.hours.append(Hour())
        return self.hours[place]

    # --- what happens --------------------------------------------------------------------------

    def _look(self, _: int) -> None:
        """A second has passed."""
        self._after(LOOK_INTERVAL, self._look)

    def _place(self) -> None:
        end, seconds = self.conditions(self.now).ring(self.chance)
        happens = {
            RingEnd.ANSWERED: self._answered,
            RingEnd.UNANSWERED: self._unanswered,
            RingEnd.FAILED: self._failed,
        }[end]
        call = self._after(seconds, happens)
        self._ringing[call] = self.now
        self._hour().dialed += 1

    def _unanswered(self, call: int) -> None:
        placed_at = self._ringing.pop(call, None)
        if placed_at is not None:
            self.learnt = self.learnt.unanswered(self.now - placed_at)

    def _failed(self, call: int) -> None:
        placed_at = self._ringing.pop(call, None)
        if placed_at is not None:
            self.learnt = self.learnt.cut_short(self.now - placed_at)

    def _answered(self, call: int) -> None:
        placed_at = self._ringing.pop(call, None)
        if placed_at is None:
            return  # it was given up
        self.learnt = self.learnt.answered(self.now - placed_at)
        self._hour().answered += 1
        if self._free() > 0:
            self._connect()
        else:
            self._waiting[self._after(self.rules.grace, self._abandoned)] = self.now

    def _abandoned(self, callee: int) -> None:
        if self._waiting.pop(callee, None) is not None:
            self._hour().abandoned += 1
            self.learnt = self.learnt.judged(self.rules, is_abandoned=True)

    def _connect(self) -> None:
        seconds = self.conditions(self.now).handle_time(self.chance)
        self._busy[self._after(seconds, self._freed)] = self.now
        self.learnt = self.learnt.judged(self.rules, is_abandoned=False)

    def _freed(self, agent: int) -> None:
        self.learnt = self.learnt.freed(self.now - self._busy.pop(agent))
        if self._waiting and self._free() > 0:
            self._waiting.pop(next(iter(self._waiting)))
            self._connect()

    # --- decisions -----------------------------------------------------------------------------

    def _agents(self) -> int:
        """Return the agents who are there; who leaves ends his call first."""
        return max(self.conditions(self.now).agents, len(self._busy))

    def _free(self) -> int:
        return self._agents() - len(self._busy)

    def _situation(self) -> Situation:
        return Situation(
            free=self._free(),
            busy=tuple(self.now - since for since in self._busy.values()),
            ringing=tuple(self.now - since for since in self._ringing.values()),
            waiting=len(self._waiting),
        )

    def _decide(self) -> None:
        situation = self._situation()
        if self._curves is None or self.now - self._curves_at >= LOOK_INTERVAL:
            self._curves = self.learnt.curves(situation, self.rules)
            self._curves_at = self.now
        while should_release(situation, self.learnt, self._curves, self.rules):
            self._release()
            situation = self._situation()
        for _ in range(self.pace(situation, self.learnt, self._curves, self.rules)):
            self._place()

    def _release(self) -> None:
        """Give up the call that has rung for longest."""
        call = next(iter(self._ringing))
        self.learnt = self.learnt.cut_short(self.now - self._ringing.pop(call))
        self._hour().released += 1
