"""How long an agent is busy with a call, from the bridge until he is free again: a hazard by age.

The hazard, the chance per second that a call of this age ends, is constant within each of ``BINS``
bins: ends seen there, divided by the seconds spent there.  Calls that still run count with their
seconds: without them the first minutes would know of short calls only, and too much would be
dialed.  Ages and times are seconds.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate, pairwise

from attrs import evolve, field, frozen

BINS = 48
FIRST_WIDTH = 5.0
GROWTH = 1.16
"""Each bin is so much wider than the one before it; all together they are some eleven hours."""

PRIOR_CALLS = 20.0
PRIOR_MEAN = 90.0
"""Before anything was seen: as if so many calls had been, exponential with this mean."""

PRIOR_WEIGHT = 2.0
"""So many calls that prior is worth where it is asked how far off the hazard may be."""

WIDTHS = tuple(FIRST_WIDTH * GROWTH**index for index in range(BINS))
EDGES = (0.0, *accumulate(WIDTHS))
"""``EDGES[k]`` to ``EDGES[k + 1]`` is bin ``k``; the last bin goes on for ever."""


def _bin(age: float) -> int:
    return bisect_right(EDGES, age, 1, BINS) - 1


def _prior_exposure() -> tuple[float, ...]:
    left = [math.exp(-edge / PRIOR_MEAN) for edge in EDGES]
    return tuple(PRIOR_CALLS * PRIOR_MEAN * (begin - end) for begin, end in pairwise(left))


@frozen
class HandleTimes:
    """What was seen: in each bin the calls that ended, and the seconds that calls spent there."""

    exposure: tuple[float, ...] = field(factory=_prior_exposure)
    ends: tuple[float, ...] = field(
        factory=lambda: tuple(seconds / PRIOR_MEAN for seconds in _prior_exposure())
    )

    def ended(self, age: float) -> HandleTimes:
        """An agent became free ``age`` seconds after the bridge."""
        age = max(0.0, age)
        ends = list(self.ends)
        ends[_bin(age)] += 1.0
        return evolve(self, ends=tuple(ends), exposure=self._exposed([age]))

    def faded(self, factor: float) -> HandleTimes:
        """Give what was seen so far less weight, as what was seen long ago deserves."""
        return HandleTimes(
            exposure=tuple(seconds * factor for seconds in self.exposure),
            ends=tuple(count * factor for count in self.ends),
        )

    def curve(self, running: Iterable[float]) -> HandleCurve:
        """Return the hazard; ``running`` are the ages of the calls that agents have now."""
        exposure = self._exposed(running)
        hazard = tuple(
            count / seconds if seconds > 0.0 else 1.0 / PRIOR_MEAN
            for count, seconds in zip(self.ends, exposure, strict=True)
        )
        steps = (rate * width for rate, width in zip(hazard, WIDTHS, strict=True))
        seen = max(PRIOR_WEIGHT, sum(self.ends) - (PRIOR_CALLS - PRIOR_WEIGHT))
        return HandleCurve(hazard=hazard, cumulated=(0.0, *accumulate(steps)), seen=seen)

    def _exposed(self, ages: Iterable[float]) -> tuple[float, ...]:
        """Return the exposure with the seconds of further calls."""
        exposure = list(self.exposure)
        beyond = [0] * BINS
        for age in ages:
            place = _bin(age)
            exposure[place] += age - EDGES[place]
            beyond[place] += 1
        whole = 0  # calls that went through a bin from one edge to the other
        for place in range(BINS - 1, -1, -1):
            exposure[place] += whole * WIDTHS[place]
            whole += beyond[place]
        return tuple(exposure)


@frozen
class HandleCurve:
    """The hazard in each bin, its integral H up to each edge; ``seen``: off how many calls."""

    hazard: tuple[float, ...]
    cumulated: tuple[float, ...]
    seen: float

    @property
    def doubt(self) -> float:
        """Return the standard deviation of the hazard as a share of it."""
        return 1.0 / math.sqrt(self.seen)

    def integral(self, age: float) -> float:
        """Return H(age): the hazard summed up from the bridge on."""
        place = _bin(age)
        return self.cumulated[place] + self.hazard[place] * (age - EDGES[place])

    def ends_within(self, age: float, seconds: float) -> float:
        """Return the chance that a call of this age is over ``seconds`` later."""
        return self.ends(age, (seconds,))[0]

    def ends(self, age: float, moments: tuple[float, ...]) -> tuple[float, ...]:
        """Return the same for several moments, each in seconds from now."""
        begin = self.integral(age)
        return tuple(-math.expm1(begin - self.integral(age + u)) for u in moments)

    @property
    def mean(self) -> float:
        """Return the mean handle time, in seconds."""
        total = 0.0
        for rate, begin, width in zip(self.hazard, self.cumulated, WIDTHS, strict=False):
            left = math.exp(-begin)
            total += left * (-math.expm1(-rate * width) / rate if rate > 0.0 else width)
        return total
