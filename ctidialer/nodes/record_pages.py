"""A stream of records, page by page, undecoded: for sums over very many of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ctidialer.nodes.records import FIELD, WantedRecords, translated
from ctidialer.store.connection import Argument, Reply
from ctidialer.store.errors import StoreError
from ctidialer.store.link import Link

PAGE_SIZE = 1000
"""Entries asked for at once: they keep Redis busy for a millisecond or two."""


class RecordPages:
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

    async def newest_first(self) -> AsyncIterator[list[Reply]]:
        """Yield all entries, the last ones first."""
        end = b"+"
        while True:
            page = await self._call("XREVRANGE", self._name, end, "-", "COUNT", PAGE_SIZE)
            assert isinstance(page, list)
            yield page
            if len(page) < PAGE_SIZE:
                return
            end = b"(" + _id(page[-1])

    async def _call(self, *arguments: Argument) -> Reply:
        try:
            return await self._link.call(*arguments)
        except StoreError as error:
            raise translated(error, self._name) from error


def _id(entry: Reply) -> bytes:
    assert isinstance(entry, list)
    assert isinstance(entry[0], bytes)
    return entry[0]


def raw_of(entry: Reply) -> bytes:
    """Return the JSON of an entry; empty = it has none."""
    assert isinstance(entry, list)
    named = entry[1]
    assert isinstance(named, list)
    if named[0] == FIELD:
        raw = named[1]
    else:
        raw = dict(zip(named[::2], named[1::2], strict=True)).get(FIELD)
    return raw if isinstance(raw, bytes) else b""
