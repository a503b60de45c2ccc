"""The records in the stream, page by page, the newest first."""

from __future__ import annotations

import msgspec

from ctidialer.nodes.records import RecordEntry, RecordStream
from ctidialer.store.link import Link
from ctidialer.web.answers import Refusal
from ctidialer.web.documents import RecordPage
from ctidialer.web.node_api import NO_REDIS
from ctidialer.web.queries import ENTRY_ID, RecordQuery
from ctidialer.web.routes import get


class RecordsApi:
    """Answers from the stream ``key``."""

    def __init__(self, link: Link, key: str) -> None:
        self._link = link
        self._key = key

    @get("/api/records", "The records of this host, the newest first", others=NO_REDIS)
    async def page(self, query: RecordQuery) -> RecordPage:
        """Return the newest records, or those before an entry, that fit the query."""
        limit, before = query.limit, query.before or None
        if before is not None and not ENTRY_ID.fullmatch(before):
            raise Refusal(400, f"before must be the id of an entry, as 1-0, not {before[:40]!r}")
        found: list[msgspec.Raw] = []
        scanned = 0
        stream = RecordStream(self._link, self._key)
        while len(found) < limit and scanned < query.scan:
            entries = await stream.before(before)
            for entry in entries:
                before, scanned = entry.id, scanned + 1
                if fits(entry, query):
                    found.append(msgspec.Raw(entry.raw))
                if len(found) == limit:
                    break
            if not entries:
                before = None
                break
        return RecordPage(found, before)


def fits(entry: RecordEntry, query: RecordQuery) -> bool:
    """Say whether a record is of the task, outcome and number that are asked for."""
    record = entry.record
    if record is None:
        return False  # an entry that is not a record
    return (
        query.task in ("", record.task)
        and query.outcome in (None, record.outcome)
        and query.number in (record.number or "")
    )
