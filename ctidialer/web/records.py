"""The records in the stream, page by page, the newest first."""

from __future__ import annotations

import re

import msgspec

from ctidialer.contract.record import Outcome
from ctidialer.nodes.records import Entry, RecordStream
from ctidialer.store.link import Link
from ctidialer.web.answers import Answer, Asked, Refusal, json_answer
from ctidialer.web.documents import RecordPage

MOST = 1000
MOST_SCANNED = 20_000
"""Entries looked at for one page; ``next`` goes on behind them."""

_ENTRY_ID = re.compile(r"[0-9]{1,20}-[0-9]{1,20}")


class Records:
    """Answers from the stream ``key``."""

    def __init__(self, link: Link, key: str) -> None:
        self._link = link
        self._key = key

    async def page(self, asked: Asked) -> Answer:
        """Return the newest records, or those before an entry, that fit the query."""
        limit = asked.number("limit", 50, MOST)
        before = asked.query.get("before") or None
        if before is not None and not _is_entry_id(before):
            raise Refusal(400, f"before must be the id of an entry, as 1-0, not {before[:40]!r}")
        _check_outcome(asked)
        found: list[msgspec.Raw] = []
        scanned = 0
        stream = RecordStream(self._link, self._key)
        while len(found) < limit and scanned < MOST_SCANNED:
            entries = await stream.before(before)
            for entry in entries:
                before, scanned = entry.id, scanned + 1
                if fits(entry, asked):
                    found.append(msgspec.Raw(entry.raw))
                if len(found) == limit:
                    break
            if not entries:
                before = None
                break
        return json_answer(RecordPage(found, before))


def fits(entry: Entry, asked: Asked) -> bool:
    """Say whether a record is of the task, outcome and number that are asked for."""
    record = entry.record
    if record is None:
        return False  # something else stands in the stream
    wanted = asked.query
    return (
        wanted.get("task", "") in ("", record.task)
        and wanted.get("outcome", "") in ("", record.outcome.value)
        and wanted.get("number", "") in (record.number or "")
    )


def _is_entry_id(text: str) -> bool:
    return bool(_ENTRY_ID.fullmatch(text)) and all(int(part) < 2**64 for part in text.split("-"))


def _check_outcome(asked: Asked) -> None:
    outcomes = [outcome.value for outcome in Outcome]
    if asked.query.get("outcome", "") not in ("", *outcomes):
        raise Refusal(400, f"outcome must be one of {', '.join(outcomes)}")
