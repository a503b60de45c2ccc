"""The stream of records, page by page and as it grows."""

from __future__ import annotations

from collections.abc import AsyncIterator

from attrs import frozen
from twisted.internet.task import deferLater

from ctidialer.contract.faults import ContractError
from ctidialer.contract.record import Record
from ctidialer.contract.record_document import decode_record
from ctidialer.store.connection import Argument, Reply
from ctidialer.store.errors import StoreError, StoreUnavailable, WrongType
from ctidialer.store.link import Link

PAGE = 1000
BLOCK = 2000
"""Milliseconds for which Redis holds an answer back; well below the deadline of the link."""

PAUSE = 0.5
"""Seconds before Redis is asked again when it did not answer."""

BEGINNING = "0-0"
FIELD = b"record"


@frozen
class Entry:
    """One entry of the stream: its JSON as it stands, and the record, None = it is none."""

    id: str
    raw: bytes
    record: Record | None
    problem: str = ""

    def is_of(self, task: str | None) -> bool:
        """Whether this is a record of ``task`` (or schedule configuration); None = any is."""
        return task is None or (self.record is not None and self.record.task == task)


class RecordStream:
    """The records of one node; with ``task``, of this task or schedule configuration alone."""

    def __init__(self, link: Link, key: str, task: str | None = None) -> None:
        self._link = link
        self._key = key
        self._task = task
        self.last_seen = BEGINNING

    async def all(self) -> AsyncIterator[Entry]:
        """Yield the records there are, from the one after ``last_seen``, oldest first."""
        while True:
            reply = await self._read("XRANGE", f"({self.last_seen}", "+")
            page = _entries(reply)
            if not page:
                return
            for entry in self._seen(page):
                yield entry

    async def before(self, entry_id: str | None) -> list[Entry]:
        """Return the PAGE entries before this one (None: the last ones), the newest first."""
        end = "+" if entry_id is None else f"({entry_id}"
        return _entries(await self._read("XREVRANGE", end, "-"))

    async def skip_to_last(self, count: int) -> None:
        """Move ``last_seen`` so that ``count`` records (of this task) are left to come."""
        before = "+"
        while True:
            reply = await self._read("XREVRANGE", before, "-")
            page = _entries(reply)
            for entry in page:
                if count == 0:
                    self.last_seen = entry.id
                    return
                count -= entry.is_of(self._task)
            if len(page) < PAGE:
                return
            before = f"({page[-1].id}"

    async def as_written(self) -> AsyncIterator[Entry]:
        """Yield the records after ``last_seen``, for ever; wait while Redis is away."""
        while True:
            try:
                reply = await self._call(
                    *("XREAD", "COUNT", PAGE, "BLOCK", BLOCK, "STREAMS", self._key, self.last_seen)
                )
            except StoreUnavailable:
                await deferLater(self._link.clock, PAUSE)
                await self._link.when_up()
                continue
            for entry in self._seen(_entries_read(reply)):
                yield entry

    async def _read(self, command: str, begin: str, end: str) -> Reply:
        return await self._call(command, self._key, begin, end, "COUNT", PAGE)

    async def _call(self, *arguments: Argument) -> Reply:
        try:
            return await self._link.call(*arguments)
        except StoreError as error:
            if str(error).startswith("WRONGTYPE"):
                raise WrongType(self._key, "value of another type", "stream") from None
            raise

    def _seen(self, page: list[Entry]) -> list[Entry]:
        if page:
            self.last_seen = page[-1].id
        return [entry for entry in page if entry.is_of(self._task)]


def _entries_read(reply: Reply) -> list[Entry]:
    """Return the entries in the answer of XREAD for one stream; None = it waited in vain."""
    if reply is None:
        return []
    assert isinstance(reply, list)
    stream = reply[0]
    assert isinstance(stream, list)
    return _entries(stream[1])


def _entries(reply: Reply) -> list[Entry]:
    assert isinstance(reply, list)
    return [_entry(one) for one in reply]


def _entry(reply: Reply) -> Entry:
    assert isinstance(reply, list)
    entry_id, named = reply
    assert isinstance(entry_id, bytes)
    assert isinstance(named, list)
    raw = dict(zip(named[::2], named[1::2], strict=True)).get(FIELD)
    if not isinstance(raw, bytes):
        return Entry(entry_id.decode(), b"", None, "has no field 'record'")
    try:
        return Entry(entry_id.decode(), raw, decode_record(raw))
    except ContractError as error:
        return Entry(entry_id.decode(), raw, None, str(error))
