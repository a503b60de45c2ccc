"""What became of the numbers, summed up from the streams of records."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from attrs import frozen

from ctidialer.contract.record_summary import RecordSummary, summary_of
from ctidialer.nodes.records import FIELD, WantedRecords, translated
from ctidialer.rules.periods import Periods
from ctidialer.rules.results import Results
from ctidialer.rules.results_document import Stretch
from ctidialer.store.connection import Argument, Reply
from ctidialer.store.errors import StoreError
from ctidialer.store.link import Link

PAGE_SIZE = 1000
"""Entries asked for at once: they keep Redis busy for a millisecond or two."""


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
        stream = _Stream(link, name)
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
            record = summary_of(_raw(entry))
            if record is None:
                self.unreadable += 1
            elif fits(record):
                add(record, begin(record.ended_at))


class _Stream:
    """One stream of records."""

    def __init__(self, link: Link, name: str) -> None:
        self._link = link
        self._name = name

    async def first_at(self) -> float | None:
        """Return when the oldest record was written, None = there is none."""
        page = await self._call("XRANGE", self._name, "-", "+", "COUNT", 1)
        assert isinstance(page, list)
        return int(_id(page[0]).partition(b"-")[0]) / 1000 if page else None

    async def length(self) -> int:
        """Return how many entries it has."""
        length = await self._call("XLEN", self._name)
        assert isinstance(length, int)
        return length

    async def pages(self, since: float | None) -> AsyncIterator[list[Reply]]:
        """Yield the entries whose records may have ended since then, oldest first."""
        begin = WantedRecords(since=since).begin.encode()
        while True:
            page = await self._call("XRANGE", self._name, b"(" + begin, "+", "COUNT", PAGE_SIZE)
            assert isinstance(page, list)
            yield page
            if len(page) < PAGE_SIZE:
                return
            begin = _id(page[-1])

    async def _call(self, *arguments: Argument) -> Reply:
        try:
            return await self._link.call(*arguments)
        except StoreError as error:
            raise translated(error, self._name) from error


def _id(entry: Reply) -> bytes:
    assert isinstance(entry, list)
    assert isinstance(entry[0], bytes)
    return entry[0]


def _raw(entry: Reply) -> bytes:
    """Return the JSON of an entry; empty = it has none."""
    assert isinstance(entry, list)
    named = entry[1]
    assert isinstance(named, list)
    if named[0] == FIELD:
        raw = named[1]
    else:
        raw = dict(zip(named[::2], named[1::2], strict=True)).get(FIELD)
    return raw if isinstance(raw, bytes) else b""
