"""How many calls one task may have on their way: its calls by stage, and what it has learnt.

No clock, no input or output: the calls report to it (`ctidialer.dialer.agents.watched_call`), and
`ctidialer.dialer.agents.pacers` asks it.
"""

from __future__ import annotations

from attrs import define, evolve, field

from ctidialer.contract.agent_dialing import AgentDialing, DialMode
from ctidialer.contract.pacing import PacingStatus
from ctidialer.dialer.agents.handling import Handling
from ctidialer.dialer.agents.sharing import NO_OTHERS, Others
from ctidialer.rules import dial_mode
from ctidialer.rules.abandonment import Judgement
from ctidialer.rules.agents import AgentsNow
from ctidialer.rules.prediction.feedback import Ledger
from ctidialer.rules.prediction.look_ahead import Curves, Situation
from ctidialer.rules.prediction.pacer import (
    Learnt,
    PacingRules,
    calls_to_place,
    should_release,
)

CURVES_FOR = 1.0
"""Seconds for which the curves are kept."""

SETTLED_AFTER = 3.0
"""Seconds after a bridge in which the agents' table may not say yet that the agent talks."""

MAX_TAUGHT = 100
"""Answers of other hosts that are learnt from in one second."""

Call = object
"""What stands for a call: nothing is asked of it."""


@define(eq=False)
class TaskPacer:
    """The calls of one task on this host; ``learnt`` without the ledger.

    ``own`` are the answers that this host has counted in the period, ``others`` those of others.

    Where several hosts dial for the same agents (`ctidialer.dialer.agents.sharing`):
    ``other_calls`` are those of the others, ``granted`` calls this host has permitted them, and
    ``permitted`` calls it may place itself; None = it paces, so nobody has to permit it any.
    """

    dialing: AgentDialing
    learnt: Learnt = field(factory=Learnt)
    own: Ledger = field(factory=Ledger)
    others: Ledger = field(factory=Ledger)
    period_start: float = 0.0
    released: int = 0
    other_calls: Others = NO_OTHERS
    granted: int = 0
    permitted: int | None = None
    handling: Handling = field(factory=Handling)
    _ringing: dict[Call, float] = field(factory=dict)
    _waiting: dict[Call, float] = field(factory=dict)
    _connected: dict[Call, float] = field(factory=dict)
    _aside: dict[Call, float] = field(factory=dict)
    _curves: Curves | None = None
    _curves_at: float = 0.0

    def has(self, call: Call) -> bool:
        """Whether a call is up."""
        stages = (self._ringing, self._waiting, self._connected, self._aside)
        return any(call in stage for stage in stages)

    def begins_period(self, at: float) -> None:
        """The present period began then; answers of the one before count no more."""
        if at != self.period_start:
            if self.period_start:
                self.own = self.others = Ledger()
            self.period_start = at

    @property
    def up(self) -> int:
        """How many calls are up, in whatever stage."""
        stages = (self._ringing, self._waiting, self._connected, self._aside)
        return sum(map(len, stages))

    @property
    def ledger(self) -> Ledger:
        """The answers of the period, over all hosts."""
        answers = self.own.answers + self.others.answers
        return Ledger(answers, self.own.abandoned + self.others.abandoned)

    @property
    def rules(self) -> PacingRules:
        """What the task asks for."""
        dialing = self.dialing
        return PacingRules(
            ceiling=dialing.abandon_rate,
            grace=dialing.abandon_time,
            ring_min=dialing.ring_min,
            may_release=dialing.ring_release,
        )

    # --- what happens to a call ----------------------------------------------------------------

    def placed(self, call: Call, at: float) -> None:
        """It is about to be sent."""
        self._ringing[call] = at
        if self.permitted is not None:
            self.permitted -= 1

    def answered(self, call: Call, age: float, at: float) -> None:
        """The callee answered, ``age`` seconds after the call was placed: he waits."""
        self._ringing.pop(call, None)
        self._waiting[call] = at
        self.learnt = self.learnt.answered(age)

    def connected(self, call: Call, at: float) -> None:
        """An agent has the callee, or had him before a restart."""
        self._drop(call)
        self._connected[call] = at
        self.handling.begins(call, at)

    def set_aside(self, call: Call, at: float) -> None:
        """It is up and needs no agent: it is being given up, or hears a message."""
        self._drop(call)
        self._aside[call] = at

    def rang_out(self, age: float, *, cut_short: bool) -> None:
        """A call ended without an answer; ``cut_short``: the callee had no say in it."""
        self.learnt = self.learnt.cut_short(age) if cut_short else self.learnt.unanswered(age)

    def left(self, call: Call, at: float) -> None:
        """The call is over, or was not sent after all."""
        self._drop(call)
        self.handling.call_ended(call, at)

    def counts(self, before: Judgement | None, after: Judgement) -> None:
        """An answered call counts as ``after``; it counted as ``before`` until now, None = not."""
        first = before in (None, Judgement.NEITHER)
        if first and after is not Judgement.NEITHER:
            is_abandoned = after is Judgement.ABANDONED
            risk = self.learnt.risk.after_answer(
                self.dialing.abandon_rate, is_abandoned=is_abandoned
            )
            self.learnt = evolve(self.learnt, risk=risk)
        change = _weight(after), _weight(before)
        (answers, abandoned), (answers_before, abandoned_before) = change
        self.own = Ledger(
            max(0, self.own.answers + answers - answers_before),
            max(0, self.own.abandoned + abandoned - abandoned_before),
        )

    # --- decisions -----------------------------------------------------------------------------

    def room(self, agents: AgentsNow, pending: int, now: float, at_most: int) -> int:
        """Return how many more calls may be placed; ``pending`` numbers are about to be called."""
        if self.permitted is not None:
            at_most = min(at_most, self.permitted - pending)
        if agents.problem is not None or at_most <= 0:
            return 0
        situation = self.situation(agents, pending, now)
        if self.dialing.mode is DialMode.PREDICTIVE:
            return calls_to_place(
                situation, self._with_ledger(), self.curves(situation, now), self.rules, at_most
            )
        on_their_way = len(situation.ringing) + situation.waiting
        return min(at_most, dial_mode.room(self._most(agents), on_their_way))

    @property
    def is_progressive(self) -> bool:
        """Whether calls are placed for free agents only although the mode would allow more."""
        mode = self.dialing.mode
        if mode is DialMode.RATIO:
            return self.ledger.can_bear(self.dialing.abandon_rate) < 1
        return mode is DialMode.PREDICTIVE and self._with_ledger().is_progressive(self.rules)

    def to_release(
        self, agents: AgentsNow, pending: int, now: float, rung: dict[Call, float]
    ) -> Call | None:
        """Return the call that is to be given up now; ``rung``: since when calls ring."""
        if not self.dialing.ring_release:
            return None
        long_enough = [
            call
            for call in self._ringing
            if call in rung and now - rung[call] >= self.dialing.ring_min
        ]
        if not long_enough or not self._runs_short(agents, pending, now):
            return None
        return min(long_enough, key=rung.__getitem__)

    def situation(self, agents: AgentsNow, pending: int, now: float) -> Situation:
        """Return where the calls stand, as the prediction sees it.

        Who answered and is being offered to an agent has his agent; who was bridged a moment ago
        still counts where the agent is shown as free.
        """
        recent = sum(now - at < SETTLED_AFTER for at in self._connected.values())
        unseen = min(recent, max(0, len(self._connected) - agents.talking))
        return Situation(
            free=agents.free,
            busy=(*agents.busy, *self.handling.ages(agents.busy_unknown, now)),
            ringing=(
                *self.ages(now),
                *(0.0,) * (pending + self.granted),
                *self.other_calls.ages(now),
            ),
            waiting=max(0, len(self._waiting) + self.other_calls.waiting - agents.ringing) + unseen,
        )

    def ages(self, now: float) -> tuple[float, ...]:
        """Return how long the calls of this host have rung."""
        return tuple(max(0.0, now - at) for at in self._ringing.values())

    @property
    def waiting(self) -> int:
        """How many callees wait for an agent."""
        return len(self._waiting)

    def counted_elsewhere(self, others: Ledger) -> None:
        """Other hosts have counted so much by now: an answer there teaches as much as one here."""
        abandoned = others.abandoned - self.others.abandoned
        reached = others.answers - self.others.answers - abandoned
        risk, ceiling = self.learnt.risk, self.dialing.abandon_rate
        for is_abandoned, count in ((True, abandoned), (False, reached)):
            for _ in range(min(max(0, count), MAX_TAUGHT)):
                risk = risk.after_answer(ceiling, is_abandoned=is_abandoned)
        self.learnt, self.others = evolve(self.learnt, risk=risk), others

    def curves(self, situation: Situation, now: float) -> Curves:
        """Return the curves, made anew once a second."""
        if self._curves is None or not 0.0 <= now - self._curves_at < CURVES_FOR:
            self._curves = self.learnt.curves(situation, self.rules)
            self._curves_at = now
        return self._curves

    def look(self, agents: AgentsNow, now: float) -> None:
        """Learn from the agents as they are now: who is free again was busy for so long."""
        for age in self.handling.look(agents, now):
            self.learnt = self.learnt.freed(age)

    def status(self, agents: AgentsNow, pending: int, now: float) -> PacingStatus:
        """Return all of it for people."""
        dialing, ledger = self.dialing, self.ledger
        is_ahead = dialing.mode is DialMode.PREDICTIVE
        curves = self.curves(self.situation(agents, pending, now), now) if is_ahead else None
        return PacingStatus(
            mode=dialing.mode.value,
            at=now,
            queue=dialing.queue,
            group=dialing.group,
            free=agents.free,
            busy=len(agents.busy) + agents.busy_unknown,
            agents_ringing=agents.ringing,
            talking=agents.talking,
            wrap_up=agents.wrap_up,
            away=agents.away,
            stale=agents.stale,
            problem=agents.problem.en if agents.problem else "",
            problem_zh=agents.problem.zh if agents.problem else "",
            may_place=not dialing.is_paced or self.room(agents, pending, now, 1) > 0,
            ringing=len(self._ringing) + pending,
            waiting=len(self._waiting),
            connected=len(self._connected),
            released=self.released,
            period_start=self.period_start,
            answered=ledger.answers,
            abandoned=ledger.abandoned,
            ceiling=dialing.abandon_rate,
            can_bear=ledger.can_bear(dialing.abandon_rate),
            is_progressive=self.is_progressive,
            risk=self._with_ledger().risk_taken(self.rules) if is_ahead else None,
            answer_rate=curves.ring.answer_rate if curves else None,
            handle_time=curves.handle.mean if curves else None,
            use=self.handling.use,
        )

    def _with_ledger(self) -> Learnt:
        return evolve(self.learnt, ledger=self.ledger)

    def _most(self, agents: AgentsNow) -> int:
        busy = len(agents.busy) + agents.busy_unknown
        dialing = self.dialing
        if self.is_progressive:
            dialing = evolve(dialing, mode=DialMode.PROGRESSIVE)
        return dial_mode.most_on_their_way(dialing, agents.free, busy)

    def _runs_short(self, agents: AgentsNow, pending: int, now: float) -> bool:
        situation = self.situation(agents, pending, now)
        if self.dialing.mode is DialMode.PREDICTIVE:
            learnt, curves = self._with_ledger(), self.curves(situation, now)
            return should_release(situation, learnt, curves, evolve(self.rules, ring_min=0.0))
        return len(situation.ringing) + situation.waiting > self._most(agents)

    def _drop(self, call: Call) -> None:
        for stage in (self._ringing, self._waiting, self._connected, self._aside):
            stage.pop(call, None)


def _weight(judgement: Judgement | None) -> tuple[int, int]:
    """Return how a call counts: as answered by a person, and as abandoned."""
    is_abandoned = judgement is Judgement.ABANDONED
    return int(is_abandoned or judgement is Judgement.REACHED), int(is_abandoned)
