"""The agents and callees of the laboratory: what `ctidialer.rules.forecast.world` is filled with.

Handle times are lognormal.  Some calls are answered, evenly between two ages, all others end at
another, or soon where the trunk is dead.
"""

from __future__ import annotations

import math
import random

from attrs import define, frozen

from ctidialer.rules.forecast.actors import RingEnd

FAILS_AFTER = 4.0
"""Seconds after which a dead trunk gives a call back."""

NOTICED_AFTER = 0.1
"""Seconds after which mod_callcenter notices that a call is over."""


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
class WholeSeconds:
    """The same with agents of mod_callcenter, who get their next call when a new second has begun.

    ``rests``: the seconds, of all calls, in which an agent was neither busy nor free.
    """

    base: Conditions
    rests: float = 0.0
    now: float = 0.0

    @property
    def agents(self) -> int:
        """How many agents are there."""
        return self.base.agents

    def at(self, now: float) -> WholeSeconds:
        """Return how things are at this moment."""
        self.now = now
        return self

    def ring(self, chance: random.Random) -> tuple[RingEnd, float]:
        """Draw how a call ends to ring, and after how many seconds."""
        return self.base.ring(chance)

    def handle_time(self, chance: random.Random) -> float:
        """Draw for how long an agent has no other call."""
        busy = self.base.handle_time(chance)
        end = self.now + busy
        rest = math.floor(end + NOTICED_AFTER) + 1.0 - end
        self.rests += rest
        return busy + rest
