"""The last ten minutes, second by second: what the dashboard's charts begin with."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any

from attrs import asdict, field, frozen

SECONDS = 600


@frozen
class Sample:
    """One second: calls ``started`` and numbers ended in it, ``calls`` up at its end.

    ``at`` is unix seconds, ``lag_ms`` by how much the event loop was late.
    """

    at: float
    started: int
    calls: int
    outcomes: Mapping[str, int] = field(factory=dict)
    lag_ms: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return this as JSON data."""
        return asdict(self)


class History:
    """Takes a sample of running totals whenever it is told to, and keeps the last ones.

    ``started``, ``calls`` and ``outcomes`` give the present totals; ``lag`` is in seconds.
    """

    def __init__(
        self,
        started: Callable[[], int],
        calls: Callable[[], int],
        outcomes: Callable[[], Mapping[str, int]],
        lag: Callable[[], float],
    ) -> None:
        self._started = started
        self._calls = calls
        self._outcomes = outcomes
        self._lag = lag
        self._started_before = started()
        self._outcomes_before = Counter(outcomes())
        self._samples: deque[Sample] = deque(maxlen=SECONDS)

    def take(self, now: float) -> Sample:
        """Take the sample of the second that ends ``now`` (unix seconds)."""
        started, outcomes = self._started(), Counter(self._outcomes())
        sample = Sample(
            at=round(now, 3),
            started=started - self._started_before,
            calls=self._calls(),
            outcomes=dict(outcomes - self._outcomes_before),
            lag_ms=round(self._lag() * 1000, 3),
        )
        self._started_before, self._outcomes_before = started, outcomes
        self._samples.append(sample)
        return sample

    def as_json(self) -> dict[str, Any]:
        """Return all samples as JSON data, the oldest first."""
        samples = [sample.as_json() for sample in self._samples]
        return {"step": 1, "seconds": SECONDS, "samples": samples}
