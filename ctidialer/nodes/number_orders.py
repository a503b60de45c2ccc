"""Lists, ends and queues anew the numbers of a task, or of a schedule configuration.

All of it may be done beside a running daemon: each step takes only what is there, and what the
daemon has taken meanwhile is left alone.  First it is counted, then at most so many are worked off,
in batches.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from time import time
from typing import TypeVar

from attrs import define, frozen

from ctidialer.contract.control import Order
from ctidialer.contract.record import Kind
from ctidialer.contract.status import Later
from ctidialer.contract.waiting import WaitReason
from ctidialer.nodes.number_owner import Owner
from ctidialer.nodes.order_records import OrderRecords, number_reader
from ctidialer.nodes.waiting_counts import summed
from ctidialer.settings import Settings
from ctidialer.store.errors import NotReplicated, StoreError, StoreUnavailable
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading
from ctidialer.store.waiting import Waiting
from ctidialer.store.waiting_orders import RecordKeys, WaitingNumber, WaitingOrders

BATCH_SIZE = 500
"""Numbers that end in one step: Redis does nothing else for some milliseconds."""

PATIENCE = 10.0
"""Seconds for which Redis is waited for when it went in the middle of the work."""

Advance = Callable[[int], object]
"""Is told how many more numbers have been worked off."""

Item = TypeVar("Item")


@frozen
class Standing:
    """How many numbers of an owner wait, why, and how many stand in each of its queues.

    ``waiting`` counts the numbers themselves: ``later`` is what the daemons have counted.
    """

    waiting: int
    later: Later
    queued: Mapping[str, int]

    @property
    def in_queues(self) -> int:
        """How many stand in its queues."""
        return sum(self.queued.values())


@define
class Done:
    """What has been done of an order: ``unsure`` numbers may have been done, too: the answer was
    lost."""

    numbers: int = 0
    unsure: int = 0


class OrderBroken(Exception):
    """Redis failed in the middle of an order; the message is that of the StoreError."""


@frozen
class ListedNumber:
    """A number that waits, as it is listed: ``number`` None = none can be read in its entry."""

    waiting: WaitingNumber
    number: str | None

    @property
    def reason(self) -> WaitReason | None:
        """Why it waits; None = nobody knows."""
        return self.waiting.carried.reason if self.waiting.carried else None

    @property
    def try_number(self) -> int:
        """Which try it waits for, from 1."""
        return self.waiting.carried.tried + 1 if self.waiting.carried else 1

    @property
    def entry_id(self) -> str | None:
        """What its records have in common; None = nobody knows."""
        return self.waiting.carried.entry_id if self.waiting.carried else None


async def standing_of(link: Link, owner: Owner) -> Standing:
    """Count the numbers of an owner; raises StoreError."""
    reading, places = NodeReading(link, ""), owner.places
    scopes = [place.scope for place in places]
    due, counts = await reading.due_waiting(scopes), await reading.waiting_counts(scopes)
    there = {place: counts[place] for place in places if place in counts}
    later = summed(due, there).get((owner.kind, owner.name), Later())
    waiting = await reading.queue_lengths([(place.key, Kind.SCHEDULE) for place in places])
    return Standing(sum(waiting.values()), later, await reading.list_lengths(owner.queues))


class NumberOrders:
    """Carries out orders of a person for the numbers of ``owner``.

    The records go where those of the node of ``settings`` go.  ``done`` counts on.  What counts and
    lists raises StoreError, what does something OrderBroken.
    """

    def __init__(
        self, link: Link, settings: Settings, owner: Owner, done: Done | None = None
    ) -> None:
        self._link = link
        self._node = settings.node
        self._owner = owner
        self._read = number_reader(owner.kind, settings.node)
        to = settings.records
        names = RecordKeys(settings.node.host, to.max_records, to.list, to.channel)
        self._steps = WaitingOrders(link, names, settings.redis.wait_replicas)
        self.done = Done() if done is None else done

    async def standing(self) -> Standing:
        """Count the numbers."""
        return await standing_of(self._link, self._owner)

    async def listed(self, first: int = 0) -> AsyncIterator[ListedNumber]:
        """Yield the numbers that wait, of each place by due time, from the ``first`` on (0)."""
        reading = NodeReading(self._link, "")
        for place in self._owner.places:
            if first:
                count = sum((await reading.queue_lengths([(place.key, Kind.SCHEDULE)])).values())
                if first >= count:
                    first -= count
                    continue
            while page := await self._steps.waiting(place, first, BATCH_SIZE):
                for one in page:
                    yield ListedNumber(one, self._read(one.entry).number)
                first += len(page)
            first = 0

    async def cancel_waiting(self, most: int, order: Order, advance: Advance) -> Done:
        """End at most so many numbers that wait, those due first before others."""
        return await self._end_waiting(most, self._records(order, "canceled"), "", advance)

    async def requeue_waiting(self, most: int, queue: str, order: Order, advance: Advance) -> Done:
        """Put at most so many numbers that wait into a queue, as new entries."""
        records = self._records(order, f"put anew into {queue!r}")
        return await self._end_waiting(most, records, queue, advance)

    async def cancel_queued(self, most: Mapping[str, int], order: Order, advance: Advance) -> Done:
        """End at most so many numbers of each of these queues, from the left."""
        records = self._records(order, "canceled")
        for queue, count in most.items():

            async def read(many: int, queue: str = queue) -> Sequence[bytes]:
                return await self._steps.head(queue, many)

            async def end(entries: Sequence[bytes], queue: str = queue) -> int:
                now = time()
                ends = [(one, records.record(one, None, now)) for one in entries]
                return await self._steps.cancel(queue, ends)

            await self._work_off(count, read, end, advance)
        return self.done

    async def _end_waiting(
        self, most: int, records: OrderRecords, queue: str, advance: Advance
    ) -> Done:
        left = most
        for place in self._owner.places:
            read = partial(self._steps.waiting, place, 0)
            end = partial(self._end, place, records, queue)
            left -= await self._work_off(left, read, end, advance)
        return self.done

    async def _end(
        self, place: Waiting, records: OrderRecords, queue: str, some: Sequence[WaitingNumber]
    ) -> int:
        now = time()
        ends = [(one.member, records.record(one.entry, one.carried, now)) for one in some]
        return sum(await self._steps.end_waiting(place, ends, queue, self._owner.side))

    async def _work_off(
        self,
        most: int,
        read: Callable[[int], Awaitable[Sequence[Item]]],
        end: Callable[[Sequence[Item]], Awaitable[int]],
        advance: Advance,
    ) -> int:
        """End at most so many numbers of one place; return how many, for certain or not."""
        left = most
        while left > 0:
            try:
                found = await self._surely(partial(read, min(left, BATCH_SIZE)))
                if not found:
                    break
                count = await self._ended(found, end)
            except StoreError as error:
                raise OrderBroken(str(error)) from error
            left -= count
            advance(count)
        return most - left

    async def _ended(
        self, found: Sequence[Item], end: Callable[[Sequence[Item]], Awaitable[int]]
    ) -> int:
        """End numbers; those of a lost answer count as ended, so that never too many are.

        Raises NotReplicated where too few replicas have what was written.
        """
        try:
            count = await end(found)
        except StoreUnavailable as error:
            if not error.may_have_been_executed:
                raise
            self.done.unsure += len(found)
            if isinstance(error, NotReplicated):
                raise  # the rest would be written to a master that may be lost, too
            await self._link.when_up(PATIENCE)
            return len(found)
        self.done.numbers += count
        return count

    async def _surely(self, read: Callable[[], Awaitable[Item]]) -> Item:
        """Read; once more where Redis went away."""
        try:
            return await read()
        except StoreUnavailable:
            await self._link.when_up(PATIENCE)
            return await read()

    def _records(self, order: Order, what: str) -> OrderRecords:
        return OrderRecords(self._owner, self._node, self._read, order, what)
