"""What became of the numbers, summed up from the streams of records."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from ctidialer.contract.record_summary import RecordSummary, summary_of
from ctidialer.nodes.record_pages import RecordPages, raw_of
from ctidialer.rules.periods import Periods
from ctidialer.rules.results import Results
from ctidialer.rules.results_document import Stretch
from ctidialer.store.connection import Reply
from ctidialer.store.link import Link


@frozen
class WantedResults:
    """Whose numbers, and when they ended (unix seconds, ``until`` excluded); None = all."""

    task: str | None = None
    since: float | None = None
    until: float | None = None

    def fits(self, record: RecordSummary) -> bool:
        """Say whether a record is asked for."""
        return (
            self.task in (None, record.name)
            and (self.since is None or record.ended_at >= self.since)
            and (self.until is None or record.ended_at < self.until)
        )


async def read_results(
    link: Link, names: Sequence[str], max_records: int, wanted: WantedResults, periods: Periods
) -> tuple[Results, Stretch]:
    """Sum up the streams ``names``; return the sums, and what was read for them.

    The daemons keep about ``max_records`` of each stream.  Raises StoreError.
    """
    summing = _Summing(wanted, periods)
    firsts: list[float] = []
    trimmed: list[float] = []
    for name in names:
        stream = RecordPages(link, name)
        first = await stream.first_at()
        if first is not None:
            firsts.append(first)
            if first > (wanted.since or 0) and await stream.length() >= max_records:
                trimmed.append(first)
        async for page in stream.pages(wanted.since):
            summing.add(page)
    return summing.results, Stretch(
        since=wanted.since,
        until=wanted.until,
        first_at=max(trimmed) if trimmed else min(firsts, default=None),
        trimmed=bool(trimmed),
        unreadable=summing.unreadable,
    )


class _Summing:
    """Sums up pages of a stream; counts entries that are not records."""

    def __init__(self, wanted: WantedResults, periods: Periods) -> None:
        self.results = Results()
        self.unreadable = 0
        self._wanted = wanted
        self._periods = periods

    def add(self, page: list[Reply]) -> None:
        """Count the records of a page that are wanted."""
        fits, add, begin = self._wanted.fits, self.results.add, self._periods.begin
        for entry in page:
            record = summary_of(raw_of(entry))
            if record is None:
                self.unreadable += 1
            elif fits(record):
                add(record, begin(record.ended_at))
