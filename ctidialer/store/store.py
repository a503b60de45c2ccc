"""What the dialer does in Redis: take, note, settle, give back.  Each is one atomic step.

Every method fails with StoreUnavailable while Redis is away.  Except for `Store.tell`, it may then
be called again with the same arguments: a step done twice has the effect of one.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ctidialer.contract import keys
from ctidialer.contract.task import Side
from ctidialer.store.batch import Batch
from ctidialer.store.connection import Argument, Reply
from ctidialer.store.due import DueLook, DueQuestion, look_at_due
from ctidialer.store.errors import (
    LeaseHeld,
    LeaseLost,
    NotAllowed,
    NotInFlight,
    NotReturned,
    StoreError,
    StoreUnavailable,
    WrongType,
)
from ctidialer.store.in_flight import (
    Claimed,
    Dialing,
    InFlight,
    Origin,
    answer_note,
    dialing_line,
)
from ctidialer.store.lease import Lease
from ctidialer.store.link import Link
from ctidialer.store.oversize import MAX_ENTRY, OversizeEntries
from ctidialer.store.reading import NodeReading, flags
from ctidialer.store.scripts import NOTE, SETTLE, STATUS, TELL, Script
from ctidialer.store.taking import NamedMember, Taking, flat

__all__ = [
    "Claimed",
    "Dialing",
    "InFlight",
    "LeaseHeld",
    "LeaseLost",
    "NotInFlight",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "WrongType",
]


log = Logger()

MAX_LOOKED_UP = 100
"""Entries in flight that are read at a time: 6 MB if all have the largest size."""


class Store(NodeReading):
    """The queues, the entries in flight, the records and the lease of one host.

    ``daemon_id`` is this daemon's name in messages.  ``max_records``: about how many the stream
    keeps.  ``record_list`` and ``record_channel``: where each record goes besides; empty = nowhere.
    ``lease`` is in seconds.  Entries above ``max_entry`` bytes are claimed apart (`Claimed`).
    """

    def __init__(
        self,
        link: Link,
        host: str,
        daemon_id: str,
        max_records: int,
        record_list: str = "",
        record_channel: str = "",
        *,
        lease: float = 15.0,
        max_entry: int = MAX_ENTRY,
    ) -> None:
        super().__init__(link, host)
        self._oversize = OversizeEntries(link, self._in_flight_key)
        self._lease = Lease(link, host, daemon_id, lease)
        self._status_key = keys.status(host)
        self._record_keys = tuple(filter(None, (keys.records(host), record_list)))
        self._max_records = max_records
        self._record_channel = record_channel
        self._max_entry = max_entry
        self._taking = Taking(self._lease, self._in_flight_key, max_entry, link.clock)
        self._notes: Batch[tuple[str, bytes], bool] = Batch(link.clock, self._send_notes, _size)
        self._settlements: Batch[tuple[str, bytes, bool], bool] = Batch(
            link.clock, self._send_settlements, _size
        )
        self._write_backs: Batch[tuple[str, float | None], bool] = Batch(
            link.clock, self._send_back
        )

    # --- the lease ---------------------------------------------------------------------------

    @property
    def token(self) -> str:
        """The beginning of the ids of all entries that this daemon takes."""
        return self._lease.token

    def on_refusal(self, refused: Callable[[StoreError], None]) -> None:
        """Call ``refused`` for each write that Redis does not take or does not allow."""
        self._lease.refused = refused

    @property
    def renewal_period(self) -> float:
        """Seconds between two renewals of the lease: a third of it."""
        return self._lease.renewal_period

    def acquire_lease(self) -> Deferred[None]:
        """Take this host's name; fails with LeaseHeld if another daemon has it.

        Also calls off claims whose answers were lost: what they took goes back.
        """
        return Deferred.fromCoroutine(self._acquire_lease())

    def renew_lease(self) -> Deferred[bool]:
        """Keep this host's name; fails with LeaseLost if another daemon has it.

        True = it had lapsed, nobody had taken it, and it was taken anew.  Calls off claims as
        ``acquire_lease`` does.
        """
        return Deferred.fromCoroutine(self._renew_lease())

    def release_lease(self) -> Deferred[None]:
        """Give this host's name free, unless it is another daemon's already."""
        return Deferred.fromCoroutine(self._lease.release())

    # --- taking ------------------------------------------------------------------------------

    def claim(self, queue: str, side: Side, count: int, *, task: str) -> Deferred[list[Claimed]]:
        """Take up to ``count`` entries from one end of the list ``queue``, in the queue's order.

        Large entries are fewer: about MAX_CLAIM_BYTES together, but at least one.  A claim that
        fails has taken nothing for good: if its answer was lost, what it may have taken goes back
        to the head of the queue before the next claim from it, or when the lease is renewed.  Fails
        with WrongType, NotAllowed, LeaseLost or StoreUnavailable.
        """
        return Deferred.fromCoroutine(self._taking.claim(Origin(queue, side), count, task, 0.0))

    def claim_due(self, key: str, count: int, now: float) -> Deferred[list[Claimed]]:
        """Take up to ``count`` members of the zset ``key`` due at ``now``, the earliest first.

        ``now`` in unix seconds.  The score is kept in the in-flight entry.  Fails as ``claim``.
        """
        return Deferred.fromCoroutine(self._taking.claim(Origin(key, None), count, None, now))

    def look_at_due(self, key: str, look: DueQuestion) -> Deferred[DueLook]:
        """Look at members of the zset ``key`` that are due, and take none.

        Fails with WrongType or StoreUnavailable, or with StoreError if it is not allowed.
        """
        return Deferred.fromCoroutine(look_at_due(self._link, key, look, self._max_entry))

    def claim_members(
        self, key: str, members: Sequence[NamedMember], now: float
    ) -> Deferred[list[Claimed]]:
        """Take those of these members of the zset ``key`` that are still there and due at ``now``.

        Otherwise as ``claim_due``.
        """
        origin, count = Origin(key, None), len(members)
        return Deferred.fromCoroutine(self._taking.claim(origin, count, None, now, members))

    # --- while it is in flight ---------------------------------------------------------------

    def note_dialing(self, entry_id: str, dialing: Dialing) -> Deferred[None]:
        """Write which call is about to be placed; it may be placed only after this has fired.

        Fails with NotInFlight if somebody has settled the entry or given it back, and with
        LeaseLost if the answer comes so late that another daemon may have the entry by now.
        """
        noting = self._notes.add((entry_id, dialing_line(dialing)))
        return noting.addCallback(self._noted, entry_id)

    def note_answered(self, entry_id: str, uuid: str, answered_at: float) -> Deferred[bool]:
        """Write that the call ``uuid``, which was noted before, was answered (unix seconds).

        All notes of one turn of the reactor go out together, those of `note_dialing` too.  The
        first answer counts.  False = the entry is no longer in flight, or names another call;
        nothing was written.
        """
        return self._notes.add((entry_id, answer_note(uuid, answered_at)))

    # --- the end -----------------------------------------------------------------------------

    def digest(self, claim: Claimed) -> Deferred[str | None]:
        """Return the SHA-256 of an entry of which only the beginning was read (`Claimed`).

        None = the whole entry is no longer there.
        """
        return self._oversize.digest(claim)

    def settle(self, entry_id: str, record: bytes, *, is_apart: bool = False) -> Deferred[bool]:
        """Write the record and end the flight of the entry, exactly once.

        ``is_apart``: the entry has a key of its own (`Claimed`).  False = it was no longer in
        flight, and nothing was written.
        """
        return self._settlements.add((entry_id, record, is_apart))

    def give_back(self, entry_ids: Sequence[str]) -> Deferred[int]:
        """Put entries back that were certainly not dialed.

        List entries go to the end of the list from which they were taken, in their old order,
        whatever the order of ``entry_ids``.  Members go to their zset with their score, unless the
        back end has put them there again meanwhile.  Returns how many were still in flight.  Fails
        with NotReturned if a key cannot take its entries: these stay in flight.
        """
        back = Deferred.fromCoroutine(self._send_back([(one, None) for one in entry_ids]))
        return back.addCallback(sum)

    def write_back(self, entry_id: str, score: float) -> Deferred[bool]:
        """Put a scheduled member back into its zset, to be called at ``score`` (unix seconds).

        False = it was no longer in flight, and nothing was written.
        """
        return self._write_backs.add((entry_id, score))

    def publish_status(self, document: bytes, ttl: float) -> Deferred[None]:
        """Publish what this daemon is doing (JSON); it vanishes after ``ttl`` seconds."""
        return Deferred.fromCoroutine(self._publish_status(document, ttl))

    def tell(self, stream: str, most: int, events: Sequence[bytes]) -> Deferred[None]:
        """Append events (JSON) to a stream that keeps about ``most`` of them.

        After a failure it must not be called again with the same events: they would stand there
        twice.

        Fails with LeaseLost, WrongType, NotAllowed or StoreUnavailable.
        """
        return Deferred.fromCoroutine(self._tell(stream, most, events))

    # -----------------------------------------------------------------------------------------

    async def _acquire_lease(self) -> None:
        await self._lease.acquire()
        await self._taking.call_off_all()

    async def _renew_lease(self) -> bool:
        begun = await self._lease.renew()
        await self._taking.call_off_all()
        return begun

    def _noted(self, was_in_flight: bool, entry_id: str) -> None:
        if not was_in_flight:
            raise NotInFlight(entry_id)
        self._lease.check()

    async def _send_notes(self, notes: Sequence[tuple[str, bytes]]) -> list[bool]:
        return flags(await self._run(NOTE, (), flat(notes)))

    async def _send_settlements(self, records: Sequence[tuple[str, bytes, bool]]) -> list[bool]:
        apart = "".join([f"{entry_id} " for entry_id, _, is_apart in records if is_apart])
        pairs = flat([(entry_id, record) for entry_id, record, _ in records])
        arguments = (self._max_records, self._record_channel, apart, *pairs)
        return flags(await self._run(SETTLE, self._record_keys, arguments))

    async def _send_back(self, entries: Sequence[tuple[str, float | None]]) -> list[bool]:
        """Return entries to where they came from; the answers are in the order of ``entries``."""
        scores = dict(entries)
        returned: set[str] = set()
        left: list[str] = []
        problem: StoreError | None = None
        for origin, ids in (await self._by_origin(list(scores))).items():
            try:
                flags = await self._taking.put_back(origin, [(one, scores[one]) for one in ids])
            except (WrongType, NotAllowed) as error:
                # Perhaps only this key is wrong: the entries of the others go back all the same.
                problem = problem or error
                left += ids
                continue
            returned.update(one for one, flag in zip(ids, flags, strict=True) if flag)
        if problem is not None:
            raise NotReturned(left, problem)
        return [one in returned for one, _ in entries]

    async def _by_origin(self, entry_ids: Sequence[str]) -> dict[Origin, list[str]]:
        """Return the ids still in flight, by where they came from, the latest first."""
        found: list[tuple[tuple[float, int, int], str, Origin]] = []
        for start in range(0, len(entry_ids), MAX_LOOKED_UP):
            entries = await self.look_up(entry_ids[start : start + MAX_LOOKED_UP])
            found += [(entry.order, entry.id, entry.origin) for entry in entries]
        by_origin: dict[Origin, list[str]] = {}
        for _, entry_id, origin in sorted(found, key=lambda one: one[0], reverse=True):
            by_origin.setdefault(origin, []).append(entry_id)
        return by_origin

    async def _tell(self, stream: str, most: int, events: Sequence[bytes]) -> None:
        await self._lease.run(TELL, (stream,), (most, *events))

    async def _publish_status(self, document: bytes, ttl: float) -> None:
        await self._lease.run(STATUS, (self._status_key,), (document, max(1, round(ttl * 1000))))

    def _run(
        self, script: Script, names: Sequence[str], arguments: Sequence[Argument]
    ) -> Coroutine[Deferred[Any], Any, Reply]:
        """Run a script that works on in-flight entries, under the lease."""
        return self._lease.run(script, (self._in_flight_key, *names), arguments)


def _size(item: tuple[str, bytes, *tuple[object, ...]]) -> int:
    """Return the bytes of an entry's note or record."""
    return len(item[1])
