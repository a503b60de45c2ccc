"""The last records of a task, over all hosts that may have dialed it."""

from __future__ import annotations

from collections.abc import Sequence

from ctidialer.contract.record import Kind
from ctidialer.contract.record_summary import RecordSummary, summary_of
from ctidialer.nodes.record_pages import RecordPages, raw_of
from ctidialer.store.link import Link

MAX_PAGES = 10
"""Pages of each host's records that are looked through: the task may have few of them."""


async def recent_records(
    link: Link, names: Sequence[str], task: str, many: int
) -> list[RecordSummary]:
    """Return at least ``many`` of the last records of a task, if there are so many.

    ``names``: the streams.  Raises StoreError.
    """
    found: list[RecordSummary] = []
    for name in names:
        own: list[RecordSummary] = []
        pages = 0
        async for page in RecordPages(link, name).newest_first():
            summaries = (summary_of(raw_of(entry)) for entry in page)
            own += [
                one
                for one in summaries
                if one is not None and one.kind is Kind.QUEUE and one.name == task
            ]
            pages += 1
            if len(own) >= many or pages >= MAX_PAGES:
                break
        found += own
    return found
