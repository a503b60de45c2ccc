"""Callees and agents as a task has come to know them: with them a forecast fills its world."""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate

from attrs import field, frozen

from ctidialer.contract.record import Outcome
from ctidialer.rules.forecast.actors import RingEnd
from ctidialer.rules.prediction.handle_time import EDGES, HandleCurve
from ctidialer.rules.prediction.ringing import MAX_RING, RingCurve

ONLY_NO_ANSWER: Mapping[Outcome, float] = {Outcome.NO_ANSWER: 1.0}


@frozen
class Mix:
    """How calls end, beside when they are answered; shares 0 to 1.

    ``machine``: of the answered calls, those that a machine answered.  ``failed``: of all calls,
    those that the line lost, after ``fails_after`` seconds.  ``redialed``: of the calls without an
    answer, those after which the same number is called at once by a redial or the next line group.
    ``unanswered``: weights of the outcomes of tries without an answer.
    """

    machine: float = 0.0
    failed: float = 0.0
    fails_after: float = 2.0
    redialed: float = 0.0
    unanswered: Mapping[Outcome, float] = ONLY_NO_ANSWER

    def outcome(self, chance: random.Random) -> Outcome:
        """Draw how a try without an answer ends."""
        names = tuple(self.unanswered)
        return chance.choices(names, tuple(self.unanswered.values()))[0]


@frozen
class Callees:
    """How calls go, by the curves that were learnt; ``agents`` take those that are answered.

    ``lasted``: where single calls are known, for how many seconds each kept its agent, or its
    place; then they are drawn from, and not the curve.
    """

    agents: int
    ring_curve: RingCurve
    handle_curve: HandleCurve
    mix: Mix = field(factory=Mix)
    lasted: Sequence[float] = ()
    _ended: Sequence[float] = field(init=False)
    """At the beginning of each second: the share that has ended without an answer."""

    @_ended.default
    def _all_ended(self) -> Sequence[float]:
        curve = self.ring_curve
        shares = (1.0 - still - by for still, by in zip(curve.still, curve.answered, strict=True))
        return tuple(accumulate(shares, max))

    @property
    def answer_rate(self) -> float:
        """The share of the calls that are answered, by machines too."""
        return (1.0 - self.mix.failed) * self.ring_curve.answer_rate

    def ring(self, chance: random.Random) -> tuple[RingEnd, float]:
        """Draw how a call ends to ring, and after how many seconds."""
        if chance.random() < self.mix.failed:
            return RingEnd.FAILED, self.mix.fails_after
        drawn, curve = chance.random(), self.ring_curve
        if drawn < curve.answer_rate:
            end = RingEnd.MACHINE if chance.random() < self.mix.machine else RingEnd.ANSWERED
            return end, _crossed(curve.answered, drawn)
        return RingEnd.UNANSWERED, _crossed(self._ended, drawn - curve.answer_rate)

    def handle_time(self, chance: random.Random) -> float:
        """Draw for how many seconds an agent is busy: until the hazard has summed up to a draw."""
        if self.lasted:
            return chance.choice(self.lasted)
        curve, drawn = self.handle_curve, chance.expovariate(1.0)
        place = min(bisect_right(curve.cumulated, drawn) - 1, len(curve.hazard) - 1)
        rate = curve.hazard[place]
        if rate <= 0.0:  # only in the last bin: nobody was ever busy for so long
            return EDGES[place]
        return EDGES[place] + (drawn - curve.cumulated[place]) / rate


def _crossed(points: Sequence[float], level: float) -> float:
    """Return at which second a rising share reaches a level; the last second if it never does."""
    place = bisect_left(points, level)
    if place == 0:
        return 0.0
    if place >= len(points):
        return float(MAX_RING)
    before, after = points[place - 1], points[place]
    return place - 1 + (level - before) / (after - before)
