"""The stream of records, read as the back ends read it."""

from __future__ import annotations

from ctidialer.contract.record import Record
from ctidialer.contract.record_document import decode_record
from ctidialer.store.link import Link

BATCH_SIZE = 1000


async def read_records(link: Link, stream: str) -> tuple[Record, ...]:
    """Return every record of a stream, oldest first."""
    records: list[Record] = []
    after = "-"
    while True:
        reply = await link.call("XRANGE", stream, after, "+", "COUNT", BATCH_SIZE)
        assert isinstance(reply, list)
        if not reply:
            return tuple(records)
        for entry in reply:
            assert isinstance(entry, list)
            entry_id, fields = entry
            assert isinstance(entry_id, bytes)
            assert isinstance(fields, list)
            assert isinstance(fields[1], bytes)
            records.append(decode_record(fields[1]))
            after = f"({entry_id.decode()}"
