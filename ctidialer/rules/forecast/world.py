"""Agents and callees in virtual time: what the pacing rules are tried on.

An agent is free, or busy with one call.  A call rings until it is answered or ends.  A callee who
has answered and finds no free agent waits ``grace`` seconds, then he counts as abandoned.  The
rules see what a dialer would see, no more: states and ages, and each event as it happens.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator
from itertools import count

from attrs import define, field

from ctidialer.rules import pacing
from ctidialer.rules.forecast.actors import (
    Bounds,
    CallEnd,
    Conditions,
    Endless,
    Hour,
    Numbers,
    RingEnd,
)
from ctidialer.rules.pacing import Pace as Starts
from ctidialer.rules.prediction.look_ahead import Curves, Situation
from ctidialer.rules.prediction.pacer import Learnt, PacingRules, should_release

HOUR = 3600.0
LOOK_INTERVAL = 1.0
"""Seconds between two decisions when nothing happens, and for which the curves are kept."""

MIN_WAIT = 0.01
"""Seconds between two decisions at least, where a rate has to be waited for."""


@define
class World:
    """One task, its agents and its callees, from second 0 on; ``run`` is the whole of it.

    ``conditions`` says how things are at each moment, ``pace`` how many more calls are wanted.
    ``learns``: callees and agents teach something new, so the curves are made anew each second.
    ``look_interval``: seconds after which more calls may be wanted although nothing has happened;
    None = only what happens counts.
    """

    conditions: Callable[[float], Conditions]
    pace: Callable[[World], int]
    rules: PacingRules = field(factory=PacingRules)
    bounds: Bounds = field(factory=Bounds)
    chance: random.Random = field(factory=random.Random)
    numbers: Numbers = field(factory=Endless)
    learnt: Learnt = field(factory=Learnt)
    learns: bool = True
    look_interval: float | None = LOOK_INTERVAL
    hours: list[Hour] = field(factory=list)
    now: float = 0.0
    events: int = 0
    _busy: dict[int, float] = field(factory=dict)
    _ringing: dict[int, float] = field(factory=dict)
    _waiting: dict[int, float] = field(factory=dict)
    _called: dict[int, object] = field(factory=dict)
    _starts: Starts = field(factory=Starts)
    _coming: list[tuple[float, int, Callable[[int], None]]] = field(factory=list)
    _ids: Iterator[int] = field(factory=count)
    _looks_at: float | None = None
    _look_id: int = -1
    _curves: Curves | None = None
    _curves_at: float = 0.0

    def run(self, until: float, most_events: float = float("inf")) -> list[Hour]:
        """Let the time pass, or what is left of it; return the hours, from the first one on.

        It ends sooner when nothing more can happen, or after ``most_events``.
        """
        if self._looks_at is None:
            self._look_after(0.0)
        while self._coming and self._coming[0][0] < until and self.events < most_events:
            at, event, happens = heapq.heappop(self._coming)
            self.events += 1
            self._pass(at)
            happens(event)
            self._decide()
        if self._coming and self.events < most_events:
            self._pass(until)
        return self.hours

    @property
    def is_over(self) -> bool:
        """Whether nothing more can happen."""
        return not self._coming

    @property
    def up(self) -> int:
        """How many calls ring, wait or have an agent."""
        return len(self._ringing) + len(self._waiting) + len(self._busy)

    # --- what the paces ask --------------------------------------------------------------------

    @property
    def on_their_way(self) -> int:
        """How many calls ring, or were answered and have no agent yet."""
        return len(self._ringing) + len(self._waiting)

    @property
    def busy(self) -> int:
        """How many agents talk, or are in wrap-up."""
        return len(self._busy)

    @property
    def free(self) -> int:
        """How many agents could take a call."""
        return self._agents() - len(self._busy)

    @property
    def room(self) -> int:
        """How many more calls limit and rate allow."""
        bounds = self.bounds
        talking = round(len(self._busy) * bounds.talk)
        room = min(
            bounds.limit - self.on_their_way - talking,
            pacing.room(self._starts, bounds.cps, self.now),
        )
        return max(0, room)

    @property
    def situation(self) -> Situation:
        """Where the calls stand, as the prediction sees it."""
        return Situation(
            free=self.free,
            busy=tuple(self.now - since for since in self._busy.values()),
            ringing=tuple(self.now - since for since in self._ringing.values()),
            waiting=len(self._waiting),
        )

    def curves(self, situation: Situation) -> Curves:
        """Return the curves as they are known now."""
        is_old = self.learns and self.now - self._curves_at >= LOOK_INTERVAL
        if self._curves is None or is_old:
            self._curves = self.learnt.curves(situation, self.rules)
            self._curves_at = self.now
        return self._curves

    # --- time ----------------------------------------------------------------------------------

    def _after(self, wait: float, happens: Callable[[int], None]) -> int:
        event = next(self._ids)
        heapq.heappush(self._coming, (self.now + wait, event, happens))
        return event

    def _pass(self, until: float) -> None:
        """Count the seconds of agents up to a moment, hour by hour."""
        if self.now >= until:
            return
        is_open = self.numbers.is_open(self.now)
        is_idle = not self.up and not self.numbers.ready(self.now)
        while self.now < until:
            end = min(until, (self.now // HOUR + 1.0) * HOUR)
            if is_open:
                self._count(self._hour(), end - self.now, is_idle=is_idle)
            self.now = end

    def _count(self, hour: Hour, seconds: float, *, is_idle: bool) -> None:
        if is_idle:
            hour.idle_seconds += seconds
        else:
            hour.agent_seconds += self._agents() * seconds
            hour.busy_seconds += len(self._busy) * seconds

    def _hour(self) -> Hour:
        place = int(self.now // HOUR)
        while len(self.hours) <= place:
            self.hours.append(Hour())
        return self.hours[place]

    def _look_after(self, wait: float) -> None:
        self._looks_at = self.now + wait
        self._look_id = self._after(wait, self._look)

    def _look(self, event: int) -> None:
        """A second has passed, or what was waited for has come."""
        if event == self._look_id:
            self._looks_at = None

    def _plan(self) -> None:
        """Look again when a call could be placed of which no event tells."""
        wait = self._wait()
        if wait is not None and (self._looks_at is None or self.now + wait < self._looks_at):
            self._look_after(wait)

    def _wait(self) -> float | None:
        if not self.numbers.ready(self.now):
            at = self.numbers.changes_at(self.now)
            return None if at is None else max(MIN_WAIT, at - self.now)
        start = pacing.next_start(self._starts, self.bounds.cps, self.now)
        if start is None or start <= self.now:
            return self.look_interval
        return max(MIN_WAIT, start - self.now)

    # --- what happens --------------------------------------------------------------------------

    def _place(self) -> None:
        end, seconds = self.conditions(self.now).ring(self.chance)
        happens = {
            RingEnd.ANSWERED: self._answered,
            RingEnd.MACHINE: self._machine,
            RingEnd.UNANSWERED: self._unanswered,
            RingEnd.FAILED: self._failed,
        }[end]
        call = self._after(seconds, happens)
        self._ringing[call] = self.now
        self._called[call] = self.numbers.take(self.now)
        self._starts = pacing.spent(self._starts, self.bounds.cps, 1, self.now)
        self._hour().dialed += 1

    def _unanswered(self, call: int) -> None:
        age = self._rang(call)
        if age is not None:
            self._learn(Learnt.unanswered, age)
            self._over(call, CallEnd.UNANSWERED)

    def _failed(self, call: int) -> None:
        age = self._rang(call)
        if age is not None:
            self._learn(Learnt.cut_short, age)
            self._over(call, CallEnd.FAILED)

    def _machine(self, call: int) -> None:
        age = self._rang(call)
        if age is not None:
            self._learn(Learnt.answered, age)
            self._over(call, CallEnd.MACHINE)

    def _answered(self, call: int) -> None:
        age = self._rang(call)
        if age is None:
            return  # it was given up
        self._learn(Learnt.answered, age)
        self._hour().answered += 1
        number = self._called.pop(call)
        if self.free > 0:
            self._connect(number)
        else:
            waits = self._after(self.rules.grace, self._abandoned)
            self._waiting[waits], self._called[waits] = self.now, number

    def _abandoned(self, callee: int) -> None:
        if self._waiting.pop(callee, None) is not None:
            self._hour().abandoned += 1
            self.learnt = self.learnt.judged(self.rules, is_abandoned=True)
            self._over(callee, CallEnd.ABANDONED)

    def _connect(self, number: object) -> None:
        seconds = self.conditions(self.now).handle_time(self.chance)
        agent = self._after(seconds, self._freed)
        self._busy[agent], self._called[agent] = self.now, number
        self.learnt = self.learnt.judged(self.rules, is_abandoned=False)

    def _freed(self, agent: int) -> None:
        age = self.now - self._busy.pop(agent)
        self._learn(Learnt.freed, age)
        self._over(agent, CallEnd.REACHED)
        if self._waiting and self.free > 0:
            callee = next(iter(self._waiting))
            del self._waiting[callee]
            self._connect(self._called.pop(callee))

    def _rang(self, call: int) -> float | None:
        """Take a call from those that ring; return for how long it did, None = it was given up."""
        placed_at = self._ringing.pop(call, None)
        return None if placed_at is None else self.now - placed_at

    def _over(self, call: int, end: CallEnd) -> None:
        self.numbers.over(self._called.pop(call), end, self.now)

    def _learn(self, by: Callable[[Learnt, float], Learnt], age: float) -> None:
        if self.learns:
            self.learnt = by(self.learnt, age)

    # --- decisions -----------------------------------------------------------------------------

    def _agents(self) -> int:
        """Return the agents who are there; who leaves ends his call first."""
        return max(self.conditions(self.now).agents, len(self._busy))

    def _decide(self) -> None:
        self._release()
        if self.numbers.ready(self.now):
            for _ in range(min(self.pace(self), self.room)):
                self._place()
                if not self.numbers.ready(self.now):
                    break
        self._plan()

    def _release(self) -> None:
        """Give up the calls that have rung for longest, while too many will be answered."""
        while self.rules.may_release and self._should_release():
            call = next(iter(self._ringing))
            age = self.now - self._ringing.pop(call)
            self._learn(Learnt.cut_short, age)
            self._hour().released += 1
            self._over(call, CallEnd.RELEASED)

    def _should_release(self) -> bool:
        situation = self.situation
        return should_release(situation, self.learnt, self.curves(situation), self.rules)
