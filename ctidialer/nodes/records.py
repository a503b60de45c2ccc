"""The stream of records, page by page and as it grows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence

from attrs import frozen
from twisted.internet.task import deferLater

from ctidialer.contract.faults import ContractError
from ctidialer.contract.record import Outcome, Record
from ctidialer.contract.record_document import decode_record
from ctidialer.store.connection import Argument, Reply, ResponseError
from ctidialer.store.errors import StoreError, StoreUnavailable, WrongType
from ctidialer.store.link import Link

PAGE_SIZE = 1000
BLOCK_MILLISECONDS = 2000
"""Milliseconds for which Redis may wait with an answer; well below the deadline of the link."""

RETRY_INTERVAL = 0.5
"""Seconds before Redis is asked again when it did not answer."""

BEGINNING = "0-0"
FIELD = b"record"

MAX_CLOCK_ERROR = 3600.0
"""Seconds by which the clocks of Redis, whose time is in the ids, and of a daemon may differ."""


@frozen
class RecordEntry:
    """One entry of the stream: its JSON as it stands, and its record; None = it is not a record."""

    id: str
    raw: bytes
    record: Record | None
    problem: str = ""


@frozen
class WantedRecords:
    """Which records are asked for; a field with its default asks for all.

    ``number`` is a part of the number; ``since`` (included) and ``until`` (excluded) are unix
    seconds, for the end of the record.
    """

    task: str | None = None
    outcomes: frozenset[Outcome] = frozenset()
    number: str = ""
    since: float | None = None
    until: float | None = None

    def fits(self, entry: RecordEntry) -> bool:
        """Say whether an entry is asked for; one that is not a record only if all are."""
        record = entry.record
        if record is None:
            return self == WantedRecords()
        return (
            self.task in (None, record.task)
            and (not self.outcomes or record.outcome in self.outcomes)
            and self.number in (record.number or "")
            and (self.since is None or record.ended_at >= self.since)
            and (self.until is None or record.ended_at < self.until)
        )

    @property
    def begin(self) -> str:
        """The id after which such records stand: a record is written after its number's end."""
        if self.since is None:
            return BEGINNING
        return f"{max(0, int((self.since - MAX_CLOCK_ERROR) * 1000))}-0"


ALL = WantedRecords()


class RecordStream:
    """The records of one node that are ``wanted``."""

    def __init__(self, link: Link, key: str, wanted: WantedRecords = ALL) -> None:
        self._link = link
        self._key = key
        self._wanted = wanted
        self.last_seen = wanted.begin

    async def all(self) -> AsyncIterator[RecordEntry]:
        """Yield the records there are, from the one after ``last_seen``, oldest first."""
        while True:
            reply = await self._read("XRANGE", f"({self.last_seen}", "+")
            page = _entries(reply)
            if not page:
                return
            for entry in self._seen(page):
                yield entry

    async def before(self, entry_id: str | None) -> list[RecordEntry]:
        """Return the PAGE_SIZE entries before this one (None: the last ones), the newest first."""
        end = "+" if entry_id is None else f"({entry_id}"
        return _entries(await self._read("XREVRANGE", end, "-"))

    async def those(self, ids: Sequence[str]) -> list[RecordEntry]:
        """Return the entries of these ids that are still there."""
        asked = [("XRANGE", self._key, one, one) for one in ids]
        found: list[RecordEntry] = []
        for reply in await self._link.series(*asked):
            if isinstance(reply, ResponseError):
                raise translated(StoreError(str(reply)), self._key)
            found += _entries(reply)
        return found

    async def skip_to_last(self, count: int) -> None:
        """Move ``last_seen`` so that ``count`` of the records are left to come."""
        before = "+"
        begin = f"({self.last_seen}"
        while True:
            reply = await self._read("XREVRANGE", before, begin)
            page = _entries(reply)
            for entry in page:
                if count == 0:
                    self.last_seen = entry.id
                    return
                count -= self._wanted.fits(entry)
            if len(page) < PAGE_SIZE:
                return
            before = f"({page[-1].id}"

    async def _read(self, command: str, begin: str, end: str) -> Reply:
        return await self._call(command, self._key, begin, end, "COUNT", PAGE_SIZE)

    async def _call(self, *arguments: Argument) -> Reply:
        try:
            return await self._link.call(*arguments)
        except StoreError as error:
            raise translated(error, self._key) from error

    def _seen(self, page: list[RecordEntry]) -> list[RecordEntry]:
        if page:
            self.last_seen = page[-1].id
        return self.fitting(page)

    def fitting(self, page: list[RecordEntry]) -> list[RecordEntry]:
        """Return the entries that are asked for."""
        return [entry for entry in page if self._wanted.fits(entry)]


class RecordStreams:
    """The records of several nodes in the order in which they were written."""

    def __init__(self, link: Link, names: Sequence[str], wanted: WantedRecords = ALL) -> None:
        self._link = link
        self._streams = {name: RecordStream(link, name, wanted) for name in names}

    @property
    def are_several(self) -> bool:
        """Whether these are the records of more than one node."""
        return len(self._streams) > 1

    async def skip_to_last(self, count: int) -> None:
        """Skip all but the last ``count`` records of each node."""
        for stream in self._streams.values():
            await stream.skip_to_last(count)

    async def all(self) -> AsyncIterator[RecordEntry]:
        """Yield the records there are, oldest first."""
        heads = [_Head(stream.all()) for stream in self._streams.values()]
        for head in heads:
            await head.move()
        while left := [head for head in heads if head.entry is not None]:
            first = min(left, key=_Head.order)
            assert first.entry is not None
            yield first.entry
            await first.move()

    async def as_written(self) -> AsyncIterator[RecordEntry]:
        """Yield the records that are written from now on, for ever; wait while Redis is away."""
        while True:
            places = [stream.last_seen for stream in self._streams.values()]
            asked: list[Argument] = [
                "COUNT",
                PAGE_SIZE,
                "BLOCK",
                BLOCK_MILLISECONDS,
                "STREAMS",
            ]
            try:
                reply = await self._link.call("XREAD", *asked, *self._streams, *places)
            except StoreUnavailable:
                await deferLater(self._link.clock, RETRY_INTERVAL)
                await self._link.when_up()
                continue
            except StoreError as error:
                raise translated(error, next(iter(self._streams))) from error
            for name, page in _pages_read(reply):
                stream = self._streams[name]
                stream.last_seen = page[-1].id
                for entry in stream.fitting(page):
                    yield entry


class _Head:
    """The first entry of a stream that was not taken yet, None = there is no more."""

    def __init__(self, entries: AsyncIterator[RecordEntry]) -> None:
        self._entries = entries
        self.entry: RecordEntry | None = None

    async def move(self) -> None:
        """Go on to the next entry."""
        self.entry = await anext(self._entries, None)

    def order(self) -> tuple[int, ...]:
        """Return when the entry was written."""
        assert self.entry is not None
        return tuple(int(part) for part in self.entry.id.split("-"))


def translated(error: StoreError, key: str) -> StoreError:
    """Return what Redis refused, in the words of the key where that holds another type."""
    if str(error).startswith("WRONGTYPE"):
        return WrongType(key, "value of another type", "stream")
    return error


def _pages_read(reply: Reply) -> Iterator[tuple[str, list[RecordEntry]]]:
    """Yield name and entries of each stream in the answer of XREAD; None = it waited in vain."""
    if reply is None:
        return
    assert isinstance(reply, list)
    for stream in reply:
        assert isinstance(stream, list)
        name, entries = stream
        assert isinstance(name, bytes)
        yield name.decode(), _entries(entries)


def _entries(reply: Reply) -> list[RecordEntry]:
    assert isinstance(reply, list)
    return [_entry(one) for one in reply]


def _entry(reply: Reply) -> RecordEntry:
    assert isinstance(reply, list)
    entry_id, named = reply
    assert isinstance(entry_id, bytes)
    assert isinstance(named, list)
    raw = dict(zip(named[::2], named[1::2], strict=True)).get(FIELD)
    if not isinstance(raw, bytes):
        return RecordEntry(entry_id.decode(), b"", None, "has no field 'record'")
    try:
        return RecordEntry(entry_id.decode(), raw, decode_record(raw))
    except ContractError as error:
        return RecordEntry(entry_id.decode(), raw, None, str(error))
