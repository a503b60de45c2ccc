"""When callees answer, if they do: for each second of ringing, how many answered or gave up then.

Ages are seconds since the call was placed; a call that rings for longer than ``MAX_RING`` is held
to be lost.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from attrs import evolve, field, frozen

MAX_RING = 120
"""Seconds of ringing that are told apart."""

PRIOR_CALLS = 20.0
PRIOR_ANSWERED = 0.5
PRIOR_FROM, PRIOR_UNTIL = 4, 30
PRIOR_END = 60
"""Before anything was seen: as if so many calls had been, half of them answered, evenly between
these seconds, and the others given up at the last.  More answers than most lists have: cautious."""

PRIOR_WEIGHT = 2.0
"""So many calls that prior is worth where it is asked how far off the share of answers may be."""


def _second(age: float) -> int:
    return min(max(0, int(age)), MAX_RING - 1)


def _prior_answered() -> tuple[float, ...]:
    each = PRIOR_CALLS * PRIOR_ANSWERED / (PRIOR_UNTIL - PRIOR_FROM)
    return tuple(each if PRIOR_FROM <= second < PRIOR_UNTIL else 0.0 for second in range(MAX_RING))


def _prior_ended() -> tuple[float, ...]:
    rest = PRIOR_CALLS * (1.0 - PRIOR_ANSWERED)
    return tuple(rest if second == PRIOR_END else 0.0 for second in range(MAX_RING))


def _prior_at_risk() -> tuple[float, ...]:
    left = PRIOR_CALLS
    at_risk = []
    for answered, ended in zip(_prior_answered(), _prior_ended(), strict=True):
        at_risk.append(left)
        left -= answered + ended
    return tuple(at_risk)


_PRIOR_AT_RISK = _prior_at_risk()
_UNSEEN = tuple(count * (1.0 - PRIOR_WEIGHT / PRIOR_CALLS) for count in _PRIOR_AT_RISK)


@frozen
class RingTimes:
    """What was seen, in each second of age: calls that still rang as it began, and of these those
    answered and those ended without an answer before it was over."""

    at_risk: tuple[float, ...] = field(default=_PRIOR_AT_RISK)
    answered: tuple[float, ...] = field(factory=_prior_answered)
    ended: tuple[float, ...] = field(factory=_prior_ended)

    def was_answered(self, age: float) -> RingTimes:
        """A callee answered ``age`` seconds after his call was placed."""
        return evolve(
            self, answered=_with_one(self.answered, age), at_risk=self._rang(_second(age) + 1)
        )

    def was_ended(self, age: float) -> RingTimes:
        """A call ended without an answer, ``age`` seconds after it was placed."""
        return evolve(self, ended=_with_one(self.ended, age), at_risk=self._rang(_second(age) + 1))

    def was_cut_short(self, age: float) -> RingTimes:
        """A call was given up by the dialer, or lost by the line: what the callee would have done
        after that is not known."""
        return evolve(self, at_risk=self._rang(int(age)))

    def faded(self, factor: float) -> RingTimes:
        """Give what was seen so far less weight, as what was seen long ago deserves."""
        return RingTimes(
            at_risk=tuple(count * factor for count in self.at_risk),
            answered=tuple(count * factor for count in self.answered),
            ended=tuple(count * factor for count in self.ended),
        )

    def curve(self, ringing: Iterable[float]) -> RingCurve:
        """Return the chances; ``ringing`` are the ages of the calls that ring now."""
        at_risk = self._at_risk_with(ringing)
        left, reached = 1.0, 0.0
        still, answered = [left], [reached]
        for risk, answers, ends in zip(at_risk, self.answered, self.ended, strict=True):
            if risk > 0.0:
                reached += left * min(1.0, answers / risk)
                left *= max(0.0, 1.0 - (answers + ends) / risk)
            still.append(left)
            answered.append(reached)
        return RingCurve(still=tuple(still), answered=tuple(answered), at_risk=tuple(at_risk))

    def _rang(self, seconds: int) -> tuple[float, ...]:
        """Return the calls at risk with one more, which was there in the first so many seconds."""
        return (*(count + 1.0 for count in self.at_risk[:seconds]), *self.at_risk[seconds:])

    def _at_risk_with(self, ringing: Iterable[float]) -> Sequence[float]:
        """Return the calls at risk; those that ring now have lived through their whole seconds."""
        through = [0] * (MAX_RING + 1)
        for age in ringing:
            through[min(max(0, int(age)), MAX_RING)] += 1
        at_risk = list(self.at_risk)
        older = 0
        for second in range(MAX_RING - 1, -1, -1):
            older += through[second + 1]
            at_risk[second] += older
        return at_risk


def _with_one(counts: tuple[float, ...], age: float) -> tuple[float, ...]:
    place = _second(age)
    return (*counts[:place], counts[place] + 1.0, *counts[place + 1 :])


@frozen
class RingCurve:
    """At the beginning of each second of age: ``still`` the share of the calls that ring, and
    ``answered`` the share answered before; ``at_risk``: how many calls these were read off."""

    still: tuple[float, ...]
    answered: tuple[float, ...]
    at_risk: tuple[float, ...]

    @property
    def answer_rate(self) -> float:
        """Return the share of the calls that are answered in the end."""
        return self.answered[-1]

    def answers_within(self, age: float, seconds: float) -> float:
        """Return the chance that a call that rings at this age is answered ``seconds`` later."""
        return self.answers(age, (seconds,))[0]

    def answers(self, age: float, moments: tuple[float, ...]) -> tuple[float, ...]:
        """Return the same for several moments, each in seconds from now."""
        still = _between(self.still, age)
        if still <= 1e-9:
            return (0.0,) * len(moments)
        begin = _between(self.answered, age)
        return tuple((_between(self.answered, age + u) - begin) / still for u in moments)

    def doubt(self, seconds: int) -> float:
        """Return the standard deviation of the share answered within whole seconds of a call's
        beginning, as a share of it: few calls were seen, another few would tell another share.

        Greenwood's formula, for two ways in which ringing ends.
        """
        answered = self.answered[seconds]
        if answered <= 0.0:
            return 0.0
        variance = 0.0
        for second in range(seconds):
            still, left = self.still[second], self.still[second + 1]
            answers = self.answered[second + 1] - self.answered[second]
            ends = max(0.0, still - left - answers)
            later = (answered - self.answered[second + 1]) / left if left > 1e-9 else 0.0
            gain, loss = 1.0 - later, later
            spread = still * (answers * gain**2 + ends * loss**2)
            seen = max(PRIOR_WEIGHT, self.at_risk[second] - _UNSEEN[second])
            variance += (spread - (answers * gain - ends * loss) ** 2) / seen
        return math.sqrt(max(0.0, variance)) / answered


def _between(points: tuple[float, ...], age: float) -> float:
    """Return the value at an age between two whole seconds."""
    if age >= MAX_RING:
        return points[-1]
    second = int(age)
    return points[second] + (points[second + 1] - points[second]) * (age - second)
