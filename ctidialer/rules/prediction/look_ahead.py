"""What is foreseen for the next half minute: callees who will have answered, agents who are free.

For each moment ``u`` of ``HORIZONS`` both are sums of independent chances; their difference is
taken as normal, and ``overflow`` is how many callees are expected to find no agent in time.

That takes the chances as they were learnt.  What was learnt from few calls may be far off:
``worst_likely`` says how many callees would find no agent if it is.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable

from attrs import evolve, field, frozen

from ctidialer.rules.prediction.handle_time import HandleCurve
from ctidialer.rules.prediction.ringing import RingCurve

HORIZONS = (3, 6, 9, 12, 15, 18, 22, 27)
"""Seconds from now for which it is foreseen."""

SOON = (2, 4, 7)
"""Seconds for which it is foreseen whether a call that rings should be given up."""

EVER = 1000
"""Seconds in which every call that rings has come to its end."""

WORST_LIKELY = 3.0
"""Standard deviations by which what was learnt is off in the worst likely case."""

Chances = tuple[float, ...]

_ROOT_OF_TWO_PI = math.sqrt(2.0 * math.pi)
_ROOT_OF_TWO = math.sqrt(2.0)


@frozen
class Situation:
    """Where the calls of a task stand.

    ``free`` agents; ``busy``: for each other agent the seconds since he was given his call;
    ``ringing``: for each call on its way the seconds since it was placed; ``waiting`` callees have
    answered and have no agent yet.
    """

    free: int
    busy: tuple[float, ...] = ()
    ringing: tuple[float, ...] = ()
    waiting: int = 0

    @property
    def progressive(self) -> int:
        """Return the calls for which an agent is free now; negative = more are on their way."""
        return self.free - len(self.ringing) - self.waiting


@frozen(eq=False)
class Curves:
    """The curves as learnt, and the chances that were read off them, for each whole second of age.

    Made anew about once a second; ``grace`` is how long a callee may wait for his agent.
    """

    handle: HandleCurve
    ring: RingCurve
    grace: float
    new_call_chances: Chances = field(init=False)
    """That a call placed now is answered, for each of ``HORIZONS``, and for ever."""
    worst_answers: Chances = field(init=False)
    """How many times as many answers as foreseen are likely at worst, for each of ``HORIZONS``."""
    worst_frees: float = field(init=False)
    """The share of the agents foreseen to be free who may be all, in the worst likely case."""
    _frees: dict[tuple[int, tuple[int, ...]], Chances] = field(factory=dict, init=False)
    _answers: dict[tuple[int, tuple[int, ...]], Chances] = field(factory=dict, init=False)

    @new_call_chances.default
    def _new_call_chances(self) -> Chances:
        return self.ring.answers(0.0, (*HORIZONS, EVER))

    @worst_answers.default
    def _worst_answers(self) -> Chances:
        return tuple(1.0 + WORST_LIKELY * self.ring.doubt(u) for u in HORIZONS)

    @worst_frees.default
    def _worst_frees(self) -> float:
        return max(0.0, 1.0 - WORST_LIKELY * self.handle.doubt)

    def frees(self, age: int, horizons: tuple[int, ...]) -> Chances:
        """Return the chances that an agent is free again in time, for each horizon."""
        key = age, horizons
        if key not in self._frees:
            moments = tuple(u + self.grace for u in horizons)
            self._frees[key] = self.handle.ends(age + 0.5, moments)
        return self._frees[key]

    def answers(self, age: int, horizons: tuple[int, ...]) -> Chances:
        """Return the chances that a call is answered, for each horizon, and the one for ever."""
        key = age, horizons
        if key not in self._answers:
            self._answers[key] = self.ring.answers(age + 0.5, (*horizons, EVER))
        return self._answers[key]


@frozen
class Outlook:
    """What is foreseen, most of it for each horizon.

    ``surplus``: callees who wait, less the agents who are free now; ``calls`` ring.  Of these
    ``answered`` will have been answered, and ``freed`` busy agents will be free, on average;
    ``variances`` are of the two together.  ``answers``: expected of all calls in the end, those
    who wait included.
    """

    surplus: int
    calls: int
    answered: Chances
    freed: Chances
    variances: Chances
    answers: float

    def overflow(self) -> float:
        """Return how many callees are expected to find no agent, at the worst of the horizons."""
        return max(
            _excess(self.surplus + answered - freed, variance)
            for answered, freed, variance in zip(
                self.answered, self.freed, self.variances, strict=False
            )
        )

    def worst_likely(self, curves: Curves) -> float:
        """Return how many callees find no agent in the worst likely case: all calls are answered,
        or as many more than foreseen as can be, and few agents become free; for `HORIZONS`."""
        return self.surplus + max(
            min(self.calls, answered * factor) - freed * curves.worst_frees
            for answered, freed, factor in zip(
                self.answered, self.freed, curves.worst_answers, strict=False
            )
        )

    def with_calls(self, count: int, chances: Chances) -> Outlook:
        """Return the outlook with so many more calls; ``chances``: `Curves.new_call_chances`."""
        return evolve(
            self,
            calls=self.calls + count,
            answered=tuple(
                mean + count * p for mean, p in zip(self.answered, chances, strict=False)
            ),
            variances=tuple(
                variance + count * p * (1.0 - p)
                for variance, p in zip(self.variances, chances, strict=False)
            ),
            answers=self.answers + count * chances[-1],
        )


def outlook(situation: Situation, curves: Curves, horizons: tuple[int, ...] = HORIZONS) -> Outlook:
    """Return what is foreseen if no further call is placed."""
    answer_means, answer_variances = _sums(situation.ringing, curves.answers, horizons, EVER)
    free_means, free_variances = _sums(situation.busy, curves.frees, horizons)
    return Outlook(
        surplus=situation.waiting - situation.free,
        calls=len(situation.ringing),
        answered=tuple(answer_means[:-1]),
        freed=tuple(free_means),
        variances=tuple(
            answers + frees
            for answers, frees in zip(answer_variances, free_variances, strict=False)
        ),
        answers=situation.waiting + answer_means[-1],
    )


def _sums(
    ages: Iterable[float],
    chances: Callable[[int, tuple[int, ...]], Chances],
    horizons: tuple[int, ...],
    *further: int,
) -> tuple[list[float], list[float]]:
    """Return means and variances of how many of them come true, for each horizon."""
    size = len(horizons) + len(further)
    means, variances = [0.0] * size, [0.0] * size
    for age, count in Counter(map(int, ages)).items():
        for place, chance in enumerate(chances(age, horizons)):
            mean = count * chance
            means[place] += mean
            variances[place] += mean * (1.0 - chance)
    return means, variances


def _excess(mean: float, variance: float) -> float:
    """Return E[max(0, X)] of a normal X."""
    if variance <= 0.0:
        return max(0.0, mean)
    deviation = math.sqrt(variance)
    z = mean / deviation
    density = math.exp(-z * z / 2.0) / _ROOT_OF_TWO_PI
    return deviation * density + mean * (1.0 + math.erf(z / _ROOT_OF_TWO)) / 2.0


def most_calls(seen: Outlook, curves: Curves, risk: float, bearable: float, at_most: int) -> int:
    """Return how many calls may be placed so that overflow stays within ``risk`` of the answers,
    and in the worst likely case no more than ``bearable`` callees find no agent.

    The overflow bends upwards with the number of calls and what is allowed grows evenly: from the
    first number that is too many on, every one is.  So it is found by doubling and halving.
    """

    def is_allowed(count: int) -> bool:
        then = seen.with_calls(count, curves.new_call_chances)
        is_bearable = then.worst_likely(curves) <= bearable
        return is_bearable and then.overflow() <= risk * then.answers

    if at_most <= 0 or not is_allowed(1):
        return 0
    good, step = 1, 1
    while good < at_most and is_allowed(min(good + step, at_most)):
        good = min(good + step, at_most)
        step *= 2
    bad = min(good + step, at_most + 1)
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if is_allowed(middle) else (good, middle)
    return good
