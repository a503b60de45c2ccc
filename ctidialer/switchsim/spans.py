"""Durations that chance decides, as they are written in JSON.

``3.5``
    always so many seconds
``[1, 3]``
    evenly between the two
``{"mean": 60, "cv": 0.8}``
    lognormal; ``cv`` is the standard deviation divided by the mean
``{"quantiles": [5, 20, 60, 200]}``
    as measured: shortest, …, longest, in equal steps of probability
``{"steps": [[0, SPAN], [1800, SPAN]]}``
    from so many seconds after the start on this one: drift

"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import TypeGuard

from attrs import frozen

_NORMAL = NormalDist()


@frozen
class Lognormal:
    """A lognormal distribution by its mean (seconds) and coefficient of variation."""

    mean: float
    cv: float

    def at(self, chance: float) -> float:
        """Give the duration below which this share of them is."""
        variance = math.log(1 + self.cv**2)
        middle = math.log(self.mean) - variance / 2
        return math.exp(middle + math.sqrt(variance) * _NORMAL.inv_cdf(max(chance, 1e-9)))


@frozen
class Quantiles:
    """A distribution as measured; straight lines between its points."""

    points: tuple[float, ...]

    def at(self, chance: float) -> float:
        """Give the duration below which this share of them is."""
        place = chance * (len(self.points) - 1)
        below = min(int(place), len(self.points) - 2)
        part = place - below
        return self.points[below] * (1 - part) + self.points[below + 1] * part


@frozen
class Steps:
    """Another distribution from time to time."""

    steps: tuple[tuple[float, Span], ...]


Span = float | tuple[float, float] | Lognormal | Quantiles | Steps


def draw(span: Span, chance: Callable[[], float], age: float = 0.0) -> float:
    """Give a duration in seconds; ``age`` is how long the switch has run."""
    if isinstance(span, int | float):
        return float(span)
    if isinstance(span, tuple):
        return span[0] + (span[1] - span[0]) * chance()
    if isinstance(span, Steps):
        begun = [each for after, each in span.steps if after <= age]
        return draw(begun[-1] if begun else span.steps[0][1], chance, age)
    return span.at(chance())


def read_span(value: object, path: str) -> Span:
    """Read a duration from JSON data.  Raises ValueError."""
    if _is_number(value):
        return value
    if isinstance(value, list | tuple) and len(value) == 2 and all(map(_is_number, value)):
        return (float(value[0]), float(value[1]))
    if isinstance(value, dict) and len(value) <= 2:
        return _read_distribution(value, path)
    raise ValueError(f"{path}: {value!r} is no duration (a number, a pair, a distribution)")


def _read_distribution(value: dict[str, object], path: str) -> Span:
    mean, cv = value.get("mean"), value.get("cv", 0.8)
    if _is_number(mean) and _is_number(cv) and mean > 0 and cv > 0:
        return Lognormal(float(mean), float(cv))
    points, steps = value.get("quantiles"), value.get("steps")
    if isinstance(points, list) and len(points) > 1 and all(map(_is_number, points)):
        return Quantiles(tuple(sorted(points)))
    if isinstance(steps, list) and steps:
        return Steps(tuple(_read_step(one, f"{path}.steps[{at}]") for at, one in enumerate(steps)))
    raise ValueError(f"{path}: a distribution has mean and cv above 0, or quantiles, or steps")


def _read_step(value: object, path: str) -> tuple[float, Span]:
    if isinstance(value, list) and len(value) == 2 and _is_number(value[0]):
        return float(value[0]), read_span(value[1], path)
    raise ValueError(f"{path}: a step is [seconds, duration], not {value!r}")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
