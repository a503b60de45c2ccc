"""Several runs of the rest of a list, each with other chance: call by call, or as a flow."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

from attrs import evolve, field, frozen

from ctidialer.contract.agent_dialing import AgentDialing, DialMode
from ctidialer.contract.record import Outcome
from ctidialer.contract.waiting import WaitReason
from ctidialer.rules.forecast.actors import Bounds, Endless, Numbers
from ctidialer.rules.forecast.callees import Callees, Mix
from ctidialer.rules.forecast.flow import (
    MAX_AGENTS,
    Speed,
    flow,
    measured,
    reckoned,
    summed,
)
from ctidialer.rules.forecast.numbers import CallRules, NumbersLeft, Part
from ctidialer.rules.forecast.paces import pace_of
from ctidialer.rules.forecast.world import LOOK_INTERVAL, World
from ctidialer.rules.prediction.feedback import AIM, Ledger
from ctidialer.rules.prediction.look_ahead import Situation
from ctidialer.rules.prediction.pacer import Learnt, PacingRules

MOST_EACH = 2500
"""Numbers of which each call is simulated; a longer list flows."""

MOST_EVENTS = 20_000
"""Events of one run of single calls; a list that needs more (for its retries) flows."""

ALL_EVENTS = 20_000
"""Events of all runs of single calls together: some seconds of computing."""

SETTLING_EVENTS = 5000
"""Events in which the risk that is taken finds its height, once for all runs."""

WARM_UP_EVENTS, FLOW_EVENTS = 1200, 2500
"""Events in which agents get going, and those that are measured, in each run."""

SETTLED_ANSWERS = 20_000
"""A ledger with so many answers, and the share of abandoned calls that is aimed at, holds nothing
back: as it is in nearly all of a long period."""

FLOW_NUMBERS = 5000
"""Numbers of a list that flows, each of which stands for many."""

FEWEST_RUNS, MOST_RUNS = 5, 20


@frozen
class Question:
    """All that a forecast is made from; ``now`` in unix seconds, ``horizon`` in seconds from then.

    ``agents`` None = the task has none.  It is dialed by ``learnt``, which has the ledger of the
    present period; callees and agents behave as ``truth`` says, ``mix`` and ``lasted``
    (`Callees`).
    """

    rules: CallRules
    dialing: AgentDialing | None
    fresh: Part
    waiting: Part
    learnt: Learnt
    truth: Learnt
    mix: Mix
    bounds: Bounds
    agents: int | None
    now: float
    horizon: float
    lasted: Sequence[float] = ()
    seed: int = 1

    @property
    def is_batch(self) -> bool:
        """Whether no agent bounds the calls."""
        return self.agents is None

    @property
    def is_ahead(self) -> bool:
        """Whether calls are placed by what is foreseen."""
        return self.dialing is not None and self.dialing.mode is DialMode.PREDICTIVE

    @property
    def pacing(self) -> PacingRules:
        """What the task asks of its pacing."""
        dialing = self.dialing or AgentDialing()
        return PacingRules(
            ceiling=dialing.abandon_rate,
            grace=dialing.abandon_time,
            ring_min=dialing.ring_min,
            may_release=dialing.ring_release and self.is_ahead,
        )


@frozen
class Run:
    """How the list went once: seconds from now, ``ended`` None = it did not."""

    ended: float | None
    calls: float
    answered: float
    machines: float
    abandoned: float
    retries: float
    left: float
    use: float | None
    idle: float
    outcomes: Mapping[Outcome, float] = field(factory=dict)
    held: Mapping[WaitReason, float] = field(factory=dict)


@frozen
class Foreseen:
    """All runs; ``speeds`` are those of the flow, empty = each call was simulated."""

    runs: Sequence[Run]
    speeds: Sequence[Speed] = ()


def foresee(asked: Question) -> Foreseen:
    """Let the list go several times, the same for the same seed."""
    chances = (random.Random(f"{asked.seed} {turn}") for turn in range(MOST_RUNS))
    return _each(asked, chances) or _flows(asked, chances)


def _each(asked: Question, chances: Iterator[random.Random]) -> Foreseen | None:
    """Simulate each call; None = there are too many."""
    if asked.fresh.total + asked.waiting.total > MOST_EACH:
        return None
    runs, events = [], 0
    for chance in chances:
        numbers = _numbers(asked, chance, MOST_EACH)
        world = _world(asked, numbers, chance, learns=asked.is_ahead)
        world.run(asked.horizon, MOST_EVENTS)
        if world.events >= MOST_EVENTS:
            return None
        runs.append(_run(numbers, world))
        events += world.events
        if len(runs) >= FEWEST_RUNS and events >= ALL_EVENTS:
            break
    return Foreseen(runs)


def _run(numbers: NumbersLeft, world: World) -> Run:
    seen = summed(world.hours)
    use = seen.busy_seconds / seen.agent_seconds if seen.agent_seconds else None
    ended = (numbers.tally.last_end or 0.0) if numbers.is_over else None
    return _told(numbers, ended, use, seen.idle_seconds)


def _flows(asked: Question, chances: Iterator[random.Random]) -> Foreseen:
    runs, speeds = [], []
    settled = asked if asked.is_batch else _settled(_part(asked), next(chances))
    callees = _callees(asked)
    for chance, _ in zip(chances, range(FEWEST_RUNS), strict=False):
        speed = _speed(asked, settled, chance)
        numbers = _numbers(asked, chance, FLOW_NUMBERS)
        flown = flow(numbers, callees, speed, chance, asked.horizon)
        ended = flown.until if numbers.is_over else None
        runs.append(_told(numbers, ended, speed.use if flown.working else None, flown.idle))
        speeds.append(speed)
    return Foreseen(runs, speeds)


def _part(asked: Question) -> Question:
    """Return the question for a part of very many agents, with its share of limit and rate."""
    assert asked.agents is not None
    many, bounds = max(1.0, asked.agents / MAX_AGENTS), asked.bounds
    limit, cps = round(bounds.limit / many), bounds.cps
    return evolve(
        asked,
        agents=round(asked.agents / many),
        bounds=evolve(bounds, limit=limit, cps=None if cps is None else cps / many),
    )


def _settled(asked: Question, chance: random.Random) -> Question:
    """Return the question with what such a task has learnt, and dares, after a while."""
    aimed = round(AIM * asked.pacing.ceiling * SETTLED_ANSWERS)
    learnt = evolve(asked.truth, risk=asked.learnt.risk, ledger=Ledger(SETTLED_ANSWERS, aimed))
    asked = evolve(asked, learnt=learnt)
    world = _world(asked, Endless(), chance)
    world.run(asked.horizon, SETTLING_EVENTS)
    return evolve(asked, learnt=evolve(asked.learnt, risk=world.learnt.risk))


def _speed(asked: Question, settled: Question, chance: random.Random) -> Speed:
    """Return how fast it goes; ``settled`` is the question for a part of the agents."""
    if asked.agents is None or settled.agents is None:
        return reckoned(_callees(asked), asked.bounds, chance)
    found = measured(_world(settled, Endless(), chance), WARM_UP_EVENTS, FLOW_EVENTS)
    abandoned = found.abandoned
    if asked.is_ahead:  # for some minutes it may be more: in the long run the feedback holds it
        abandoned = min(abandoned, AIM * asked.pacing.ceiling)
    calls = found.calls * asked.agents / max(1, settled.agents)
    return evolve(found, calls=calls, abandoned=abandoned)


def _told(numbers: NumbersLeft, ended: float | None, use: float | None, idle: float) -> Run:
    tally = numbers.tally
    return Run(
        ended=ended,
        calls=tally.calls,
        answered=tally.answered,
        machines=tally.machines,
        abandoned=tally.abandoned,
        retries=tally.retries,
        left=numbers.left,
        use=use,
        idle=idle,
        outcomes=dict(tally.ended),
        held=dict(tally.held),
    )


def _numbers(asked: Question, chance: random.Random, most: int) -> NumbersLeft:
    return NumbersLeft.of(
        asked.fresh, asked.waiting, asked.rules, asked.mix, chance, asked.now, most
    )


def _callees(asked: Question) -> Callees:
    curves = asked.truth.curves(Situation(free=0), asked.pacing)
    # Without agents every answered call is as good as taken: the limit bounds them.
    many = asked.bounds.limit if asked.agents is None else asked.agents
    return Callees(many, curves.ring, curves.handle, asked.mix, asked.lasted)


def _world(
    asked: Question, numbers: Numbers, chance: random.Random, *, learns: bool = False
) -> World:
    callees = _callees(asked)
    return World(
        conditions=lambda _: callees,
        pace=pace_of(None if asked.is_batch else asked.dialing),
        rules=asked.pacing,
        bounds=asked.bounds,
        chance=chance,
        numbers=numbers,
        learnt=asked.learnt,
        learns=learns,
        look_interval=LOOK_INTERVAL if asked.is_ahead else None,
    )
