"""Long lists: how fast a task calls while it has numbers, and the whole list at that speed.

``measured`` lets agents and callees act for a while with numbers without end.  ``flow`` then goes
through the list number by number, each of which stands for many, at the speed that was measured;
whoever they are, they meet hours, lists, caps and retries as in the world of single calls.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from attrs import frozen

from ctidialer.rules.forecast.actors import Bounds, CallEnd, Hour, RingEnd
from ctidialer.rules.forecast.callees import Callees
from ctidialer.rules.forecast.numbers import NumbersLeft
from ctidialer.rules.forecast.world import World

MAX_AGENTS = 150
"""More agents are taken as if there were so many of them, over and over: use hardly grows then."""

MIN_STEP = 0.001
"""Seconds by which the time goes on at least."""

DRAWS = 2000
"""Calls that are drawn to learn how long one lasts."""


@frozen
class Speed:
    """What a task does per second while it has numbers to call.

    ``calls``: calls placed.  ``use``: the share of the agents' time that they are busy,
    None = it has none.
    ``abandoned``: of the calls answered by people.  ``measured``: seconds that it was taken from.
    """

    calls: float
    use: float | None
    abandoned: float
    measured: float


def measured(world: World, warm_up: int, events: int) -> Speed:
    """Let a world with numbers without end run; return how fast it goes.

    The first events, ``warm_up`` of them, in which agents get busy, are not measured.
    """
    world.run(math.inf, warm_up)
    begun, before = world.now, summed(world.hours)
    world.run(math.inf, world.events + events)
    after, seconds = summed(world.hours), max(MIN_STEP, world.now - begun)
    answered = after.answered - before.answered
    agents = after.agent_seconds - before.agent_seconds
    return Speed(
        calls=(after.dialed - before.dialed) / seconds,
        use=(after.busy_seconds - before.busy_seconds) / agents if agents else None,
        abandoned=(after.abandoned - before.abandoned) / answered if answered else 0.0,
        measured=seconds,
    )


def reckoned(callees: Callees, bounds: Bounds, chance: random.Random) -> Speed:
    """Return how fast a task without agents calls: as limit, rate and the length of calls say."""
    slot = sum(_up_for(callees, bounds, chance) for _ in range(DRAWS)) / DRAWS
    calls = bounds.limit / max(MIN_STEP, slot)
    return Speed(calls if bounds.cps is None else min(calls, bounds.cps), None, 0.0, 0.0)


def _up_for(callees: Callees, bounds: Bounds, chance: random.Random) -> float:
    """Draw for how many seconds a call is up."""
    end, rings = callees.ring(chance)
    return rings + (callees.handle_time(chance) * bounds.talk if end is RingEnd.ANSWERED else 0.0)


@frozen
class Flown:
    """How a list went: until when (seconds of its clock), and for how long the task was open with
    numbers to call, and without."""

    until: float
    working: float
    idle: float


def flow(
    numbers: NumbersLeft, callees: Callees, speed: Speed, chance: random.Random, until: float
) -> Flown:
    """Let the numbers be called at this speed; one call is over when the next is placed."""
    now = working = idle = 0.0
    if speed.calls <= 0.0:
        return Flown(until, working, idle)
    step = numbers.weight / speed.calls
    while now < until and not numbers.is_over:
        if numbers.ready(now):
            number = numbers.take(now)
            end = _end(callees, speed, chance)
            then = min(until, now + step)
            working += then - now
            now = then
            numbers.over(number, end, now)
            continue
        at = numbers.changes_at(now)
        then = until if at is None else min(until, at)
        if numbers.is_open(now):
            idle += then - now
        now = max(then, now + MIN_STEP)
    return Flown(now, working, idle)


def _end(callees: Callees, speed: Speed, chance: random.Random) -> CallEnd:
    end, _ = callees.ring(chance)
    if end is RingEnd.ANSWERED:
        return CallEnd.ABANDONED if chance.random() < speed.abandoned else CallEnd.REACHED
    return _ENDS[end]


_ENDS = {
    RingEnd.MACHINE: CallEnd.MACHINE,
    RingEnd.UNANSWERED: CallEnd.UNANSWERED,
    RingEnd.FAILED: CallEnd.FAILED,
}


def summed(hours: Sequence[Hour]) -> Hour:
    """Return what several hours came to together."""
    return Hour(
        agent_seconds=sum(one.agent_seconds for one in hours),
        busy_seconds=sum(one.busy_seconds for one in hours),
        idle_seconds=sum(one.idle_seconds for one in hours),
        dialed=sum(one.dialed for one in hours),
        answered=sum(one.answered for one in hours),
        abandoned=sum(one.abandoned for one in hours),
        released=sum(one.released for one in hours),
    )
