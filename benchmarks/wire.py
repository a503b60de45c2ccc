"""What was on the wire and when, by the simulated switch's own log.

The switch notes each originate as it reads it and each end as it happens; its clock is the
machine's, as is that of whoever pushes numbers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

SECOND = 1.0


class Line(msgspec.Struct):
    """One line of the log, as far as it matters here; ``time`` in unix seconds.

    ``call`` joins an end with its originate.
    """

    type: str
    time: float
    call: int = 0
    number: str = ""
    variables: dict[str, str] = {}

    @property
    def task(self) -> str:
        """The task for which the call was placed."""
        return self.variables.get("cti_task_name", "")


class Wire:
    """Reads the log on: each look costs what has come since the last one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._decoder = msgspec.json.Decoder(Line)
        self.starts: list[Line] = []
        self.ends: list[Line] = []

    def look(self) -> list[Line]:
        """Take in what has come since the last look; return the originates among it."""
        with self._path.open("rb") as log:
            log.seek(self._read)
            octets = log.read()
        whole = octets[: octets.rfind(b"\n") + 1]
        self._read += len(whole)
        lines = [self._decoder.decode(line) for line in whole.splitlines()]
        starts = [line for line in lines if line.type == "originate"]
        self.starts += starts
        self.ends += [line for line in lines if line.type == "end"]
        return starts

    def starts_of(self, task: str) -> list[float]:
        """Return when the calls of a task were placed, in order."""
        return sorted(line.time for line in self.starts if line.task == task)

    def ends_of(self, task: str) -> list[float]:
        """Return when the calls of a task ended, in order."""
        calls = {line.call for line in self.starts if line.task == task}
        return sorted(line.time for line in self.ends if line.call in calls)


def most_in_a_second(times: Sequence[float]) -> int:
    """Return the most starts that any second holds, wherever it begins."""
    return max(
        (bisect_left(times, begin + SECOND) - index for index, begin in enumerate(times)), default=0
    )


def most_at_once(starts: Iterable[float], ends: Iterable[float]) -> int:
    """Return how many calls there were at once, at most; an end frees its place at once."""
    steps = sorted([*((time, 1) for time in starts), *((time, -1) for time in ends)])
    most = at_once = 0
    for _, step in steps:
        at_once += step
        most = max(most, at_once)
    return most


def quantiles(seconds: Iterable[float]) -> Mapping[str, float]:
    """Return p50, p99 and the greatest of durations, in milliseconds."""
    ordered = sorted(seconds)
    if not ordered:
        return {}
    at = {"p50": len(ordered) // 2, "p99": len(ordered) * 99 // 100, "max": len(ordered) - 1}
    return {name: round(ordered[index] * 1000, 2) for name, index in at.items()}
