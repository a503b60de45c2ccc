"""The last ten minutes, second by second: what the dashboard's charts begin with."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable

from ctidialer.nodes.daemon import Totals
from ctidialer.web.documents import HistoryPage, SampleEntry
from ctidialer.web.routes import get

KEPT_SECONDS = 600


class History:
    """Takes a sample of running totals whenever it is told to, and keeps the last ones.

    ``totals`` gives the present ones; ``lag`` is in seconds.
    """

    def __init__(self, totals: Callable[[], Totals], lag: Callable[[], float]) -> None:
        self._totals = totals
        self._lag = lag
        self._before = totals()
        self._samples: deque[SampleEntry] = deque(maxlen=KEPT_SECONDS)

    def take(self, now: float) -> SampleEntry:
        """Take the sample of the second that ends ``now`` (unix seconds)."""
        totals, before = self._totals(), self._before
        sample = SampleEntry(
            at=round(now, 3),
            started=totals.placed - before.placed,
            calls=totals.calls,
            outcomes=dict(Counter(totals.outcomes) - Counter(before.outcomes)),
            lag_ms=round(self._lag() * 1000, 3),
        )
        self._before = totals
        self._samples.append(sample)
        return sample

    @get("/api/history", "The last ten minutes, second by second")
    async def page(self) -> HistoryPage:
        """Return all samples, the oldest first."""
        return HistoryPage(1, KEPT_SECONDS, list(self._samples))
