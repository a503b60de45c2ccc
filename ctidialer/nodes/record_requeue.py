"""Numbers of given outcomes out of the records, put into a queue as new entries.

What counts is how a number ended last: one that was busy in the morning and answered at noon is no
busy one.  A number that stands in a queue of its task, is in flight or waits is left out: it is
going to be called already.  So an order that broke off can be given again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import islice

from attrs import frozen

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome, Record
from ctidialer.nodes.number_orders import BATCH_SIZE, Advance, Done, NumberOrders, OrderBroken
from ctidialer.nodes.number_owner import Owner
from ctidialer.nodes.order_records import number_reader
from ctidialer.nodes.queued_entries import queued_entries
from ctidialer.nodes.records import RecordEntry, RecordStream, RecordStreams, WantedRecords
from ctidialer.settings import Settings
from ctidialer.store.errors import StoreError, StoreUnavailable
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading
from ctidialer.store.replication import Replication
from ctidialer.store.waiting_orders import PUSH_BEHIND

NEVER_AGAIN = frozenset({Outcome.DNC})
"""Outcomes whose numbers are not called again: whoever opted out is left alone."""


@frozen
class WantedAgain:
    """Which numbers: those that ended last with one of these outcomes, within a time (unix
    seconds, ``until`` excluded; None = no bound)."""

    outcomes: frozenset[Outcome]
    since: float | None = None
    until: float | None = None

    def fits(self, record: Record) -> bool:
        """Say whether a last record is one of these; an entry that it cut off cannot be called."""
        return (
            record.outcome in self.outcomes
            and record.entry_length is None
            and (self.until is None or record.ended_at < self.until)
        )


class RecordRequeue:
    """Looks for such numbers in the records of ``hosts``, and puts them into ``queue``."""

    def __init__(
        self,
        link: Link,
        settings: Settings,
        owner: Owner,
        hosts: Sequence[str],
        queue: str,
        done: Done | None = None,
    ) -> None:
        self._link = link
        self._replication = Replication(link, settings.redis.wait_replicas)
        self._owner = owner
        self._hosts = hosts
        self._queue = queue
        self._read = number_reader(owner.kind, settings.node)
        self._waiting = NumberOrders(link, settings, owner)
        self._streams = RecordStreams(link, ())
        self._chosen: dict[str, tuple[str, str]] = {}
        self.left_out = 0
        """Numbers that are going to be called already, or have ended anew since they were found."""
        self.done = Done() if done is None else done

    @property
    def count(self) -> int:
        """How many numbers were found."""
        return len(self._chosen)

    async def look(self, wanted: WantedAgain, advance: Advance) -> None:
        """Look for the numbers; ``advance`` is told of records.  Raises StoreError."""
        of_owner = WantedRecords(task=self._owner.name, since=wanted.since)
        names = [keys.records(host) for host in self._hosts]
        self._streams = RecordStreams(self._link, names, of_owner)
        async for number, entry_id, record in self._last_records():
            advance(1)
            if wanted.fits(record):
                self._chosen[number] = (record.host, entry_id)
        await self._leave_out()

    async def push(self, advance: Advance) -> Done:
        """Put them into the queue; raises OrderBroken."""
        try:
            await self._leave_out()  # whoever was asked may have thought about it for an hour
            left = iter(self._chosen.values())
            while places := list(islice(left, BATCH_SIZE)):
                entries = await self._entries(places)
                if entries:
                    await self._push(entries)
                advance(len(places))
        except StoreError as error:
            raise OrderBroken(str(error)) from error
        return self.done

    async def _push(self, entries: Sequence[bytes]) -> None:
        try:
            push = self._link.call(PUSH_BEHIND[self._owner.side], self._queue, *entries)
            await self._replication.surely(push)
        except StoreUnavailable as error:
            self.done.unsure = len(entries) if error.may_have_been_executed else 0
            raise
        self.done.numbers += len(entries)

    async def _entries(self, places: Sequence[tuple[str, str]]) -> list[bytes]:
        """Return the entries of these records; of a stream that was trimmed some are gone."""
        found: dict[str, RecordEntry] = {}
        for host in {host for host, _ in places}:
            stream = RecordStream(self._link, keys.records(host))
            for one in await stream.those([entry_id for name, entry_id in places if name == host]):
                found[f"{host} {one.id}"] = one
        there = (found.get(f"{host} {entry_id}") for host, entry_id in places)
        return [one.record.entry for one in there if one is not None and one.record is not None]

    async def _leave_out(self) -> None:
        """Leave out what is going to be called already, or has ended anew since the look."""
        before = len(self._chosen)
        async for entry in self._called_anyway():
            self._chosen.pop(self._key(self._read(entry).number, entry), None)
        async for number, _, _ in self._last_records():
            self._chosen.pop(number, None)
        self.left_out += before - len(self._chosen)

    async def _last_records(self) -> AsyncIterator[tuple[str, str, Record]]:
        """Yield the last record of each try of the numbers, on from where it was read before.

        What was chosen before of a number is void then.
        """
        async for entry in self._streams.all():
            record = entry.record
            if record is not None and record.kind is self._owner.kind and record.is_final:
                number = self._key(record.number, record.entry)
                self._chosen.pop(number, None)
                yield number, entry.id, record

    async def _called_anyway(self) -> AsyncIterator[bytes]:
        """Yield the entries that are going to be called, in the order of their way."""
        for queue in dict.fromkeys((*self._owner.queues, self._queue)):
            async for page in queued_entries(self._link, queue, self._owner.side):
                for entry in page:
                    yield entry
        for host in self._hosts:
            for flying in await NodeReading(self._link, host).in_flight():
                if flying.kind is self._owner.kind and flying.task in (None, self._owner.name):
                    yield flying.entry
        async for listed in self._waiting.listed():
            yield listed.waiting.entry

    @staticmethod
    def _key(number: str | None, entry: bytes) -> str:
        """Return what tells a number from others: without one it is the whole entry."""
        return number or entry.decode("utf-8", "backslashreplace")
