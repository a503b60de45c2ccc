"""Takes over the numbers in flight of a host that is gone for good (docs/care.rst).

The lease of that host is taken first, in one step with the look whether a daemon has it: so none is
alive, and one that comes back meanwhile finds itself displaced.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, FirstError, gatherResults

from ctidialer.contract import keys
from ctidialer.contract.faults import EntryError
from ctidialer.contract.number_document import decode_number
from ctidialer.contract.record import Kind, Outcome, Record
from ctidialer.contract.record_document import encode_record
from ctidialer.contract.schedule_document import config_named, decode_scheduled_number
from ctidialer.contract.variables import requested_uuid
from ctidialer.nodes.left_over import LeftOver, left_over
from ctidialer.rules import attempt as rules
from ctidialer.rules.attempt import attempt_record
from ctidialer.rules.progress import Finished, Progress, finished
from ctidialer.settings import Settings
from ctidialer.store.errors import NotAllowed, NotReturned
from ctidialer.store.in_flight import InFlight
from ctidialer.store.link import Link
from ctidialer.store.store import Store

PER_STEP = 100
"""Numbers that are ended between two renewals of the lease."""

StillUp = Callable[[Sequence[str]], Awaitable[Collection[str]]]
"""Says which of these calls (UUIDs) FreeSWITCH still has."""


@define
class Adopted:
    """What became of the numbers in flight.

    ``given_back``: certainly not called, so they are back where they were.  ``ended``: by outcome.
    ``up``: of these FreeSWITCH has a call, so they stay in flight.  ``refused``: why some that go
    back stay in flight.  ``waiting``: numbers of tasks of that host alone that wait to be called.
    ``unreadable``: entries that this version cannot read, which are left alone.
    """

    host: str
    given_back: int = 0
    ended: Counter[Outcome] = field(factory=Counter)
    up: int = 0
    refused: str = ""
    waiting: int = 0
    unreadable: int = 0

    @property
    def total(self) -> int:
        """How many numbers were found."""
        return self.given_back + self.ended.total() + self.up


@frozen
class _Known:
    """What could be read of an entry: its number, and the UUID that its producer asked for."""

    number: str | None = None
    requested_uuid: str | None = None


class Adoption:
    """Takes over what the host ``host`` has left; ``by`` says who does it, for messages.

    ``settings`` are those of who adopts: where records go besides the stream of that host.
    ``still_up`` asks the FreeSWITCH of that host; None = it cannot be asked.
    """

    def __init__(
        self, link: Link, settings: Settings, host: str, by: str, still_up: StillUp | None = None
    ) -> None:
        records = settings.records
        self._link = link
        self._host = host
        self._pattern = re.compile(settings.node.number_pattern)
        self._clock = link.clock
        self._still_up = still_up
        self._store = Store(
            link,
            host,
            f"adoption by {by}",
            records.max_records,
            records.list,
            records.channel,
            lease=settings.node.lease,
            max_entry=settings.node.max_entry,
            wait_replicas=settings.redis.wait_replicas,
        )

    async def run(self) -> Adopted:
        """Take over everything; done again, it goes on with what is left.

        Raises LeaseHeld if a daemon of that host is alive, or is being adopted; LeaseLost or
        another StoreError if it could not be finished.
        """
        await self._store.acquire_lease()
        adopted = None
        try:
            adopted = await self._take_over()
        finally:
            await self._store.release_lease()
            if adopted is not None and not adopted.up:
                await self._free_places()
        return adopted

    async def _free_places(self) -> None:
        """Let no call of that host count any more on what hosts share: it is gone for long."""
        with suppress(NotAllowed):
            await self._link.call("ZADD", keys.HOSTS, "0", self._host)

    async def _take_over(self) -> Adopted:
        adopted = Adopted(self._host)
        untouched: list[str] = []
        called: list[tuple[InFlight, LeftOver]] = []
        entries = await self._store.in_flight()
        adopted.unreadable = self._store.unreadable
        for entry in entries:
            left = None if entry.dialing is None else left_over(entry, entry.dialing)
            if left is None or left.never_called:
                untouched.append(entry.id)
            else:
                called.append((entry, left))
        try:
            adopted.given_back = await self._store.give_back(untouched)
        except NotReturned as error:
            adopted.given_back = len(untouched) - len(error.entry_ids)
            adopted.refused = str(error)
        for first in range(0, len(called), PER_STEP):
            await self._store.renew_lease()
            await self._end(called[first : first + PER_STEP], adopted)
        counts = await self._store.waiting_counts([self._host])
        adopted.waiting = sum(sum(by_reason.values()) for by_reason in counts.values())
        return adopted

    async def _end(self, called: Sequence[tuple[InFlight, LeftOver]], adopted: Adopted) -> None:
        up, now = await self._up([left for _, left in called]), self._clock.seconds()
        outcomes: list[Outcome] = []
        writing: list[Deferred[bool]] = []
        for entry, left in called:
            if left.under_way is not None and left.under_way.uuid in up:
                adopted.up += 1
                continue
            end = _end_of(left, now)
            outcomes.append(end.outcome)
            writing.append(self._settle(entry, end))
        try:
            written = await gatherResults(writing, consumeErrors=True)
        except FirstError as error:
            error.subFailure.raiseException()
        for outcome, is_written in zip(outcomes, written, strict=True):
            adopted.ended[outcome] += is_written

    async def _up(self, called: Sequence[LeftOver]) -> frozenset[str]:
        """Return which calls FreeSWITCH has."""
        calls = [left.under_way.uuid for left in called if left.under_way is not None]
        return frozenset(await self._still_up(calls) if self._still_up and calls else ())

    def _settle(self, entry: InFlight, end: Finished) -> Deferred[bool]:
        record = self._record(entry, end)
        return self._store.settle(entry.id, record, is_apart=entry.length is not None)

    def _record(self, entry: InFlight, end: Finished) -> bytes:
        known, carried = self._known(entry), entry.carried
        return encode_record(
            Record(
                id=entry.id,
                kind=entry.kind,
                task=_name(entry),
                number=known.number,
                entry=entry.entry,
                outcome=end.outcome,
                taken_at=entry.taken_at if carried is None else carried.taken_at,
                ended_at=self._clock.seconds(),
                host=self._host,
                attempts=end.attempts,
                requested_uuid=known.requested_uuid,
                reason=end.reason,
                entry_length=entry.length,
                entry_id="" if carried is None else carried.entry_id,
                try_number=1 if carried is None else carried.tried + 1,
            )
        )

    def _known(self, entry: InFlight) -> _Known:
        decode = decode_number if entry.kind is Kind.QUEUE else decode_scheduled_number
        try:
            found = decode(entry.entry, self._pattern)
        except EntryError as error:
            return _Known(error.number, error.requested_uuid)
        return _Known(found.number, requested_uuid(found.variables))


def _name(entry: InFlight) -> str | None:
    """Return the task, or the schedule configuration, of an entry."""
    if entry.where is not None:
        return entry.where.name
    return entry.task if entry.kind is Kind.QUEUE else config_named(entry.entry)


def _end_of(left: LeftOver, now: float) -> Finished:
    """Return how a number ends that was called: by its last call, of which nothing more is known
    than what was noted."""
    if left.under_way is None:  # between two calls, and the last one has ended
        return finished(left.progress)
    last = attempt_record(rules.gone(left.under_way, now))
    attempts = (*left.progress.attempts, last)
    return finished(Progress(left.progress.itinerary, attempts), lost=True)
