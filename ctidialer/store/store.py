"""What the dialer does in Redis: take, note, settle, give back.  Each is one atomic step.

Every method fails with StoreUnavailable while Redis is away.  Except for `Store.tell`, it may then
be called again with the same arguments: a step done twice has the effect of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ctidialer.contract import call_event, keys
from ctidialer.contract.task import Side
from ctidialer.contract.waiting import Carried
from ctidialer.store.batch import Batch
from ctidialer.store.due import DueLook, DueQuestion, look_at_due
from ctidialer.store.ending import Ending
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
)
from ctidialer.store.lease import Lease
from ctidialer.store.link import Link
from ctidialer.store.noting import Noting
from ctidialer.store.oversize import MAX_ENTRY, OversizeEntries
from ctidialer.store.pacing import PacingStore
from ctidialer.store.permit import Permit
from ctidialer.store.places import ADOPT_AFTER, Places
from ctidialer.store.reading import NodeReading
from ctidialer.store.scripts import STATUS, TELL
from ctidialer.store.taking import NamedMember, Taking, WriteBack
from ctidialer.store.waiting import Waiting

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
    ``wait_replicas``: so many replicas have a step before it counts as done (`Replication`).
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
        adopt_after: float = ADOPT_AFTER,
        wait_replicas: int = 0,
    ) -> None:
        super().__init__(link, host)
        self._oversize = OversizeEntries(link, self._in_flight_key)
        self._lease = Lease(link, host, daemon_id, lease, replicas=wait_replicas)
        self.pacing = PacingStore(self._lease, host)
        self.places = Places(self._lease, self._in_flight_key, link.clock, adopt_after)
        self._status_key = keys.status(host)
        self._max_entry = max_entry
        self._taking = Taking(self._lease, self._in_flight_key, max_entry, link.clock)
        self._noting = Noting(self._lease, self._in_flight_key, link.clock)
        self._ending = Ending(
            self._lease,
            self._in_flight_key,
            tuple(filter(None, (keys.records(host), record_list))),
            max_records,
            record_channel,
            link.clock,
            self.places.leaving,
        )
        self._write_backs: Batch[WriteBack, bool] = Batch(link.clock, self._send_back)

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
        release = self._lease.release
        return self.places.all_left().addCallback(lambda _: Deferred.fromCoroutine(release()))

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

    def claim_waiting(
        self, where: Waiting, count: int, task: str | None
    ) -> Deferred[list[Claimed]]:
        """Take up to ``count`` of the numbers that wait there and are due by Redis' clock.

        The longest due come first.  ``task`` is its name, None for a schedule configuration.
        Otherwise as ``claim``.
        """
        return Deferred.fromCoroutine(self._taking.claim(Origin.of(where), count, task, 0.0))

    # --- while it is in flight ---------------------------------------------------------------

    def note_dialing(
        self, entry_id: str, dialing: Dialing, permit: Permit | None = None
    ) -> Deferred[None]:
        """Write which call is about to be placed; it may be placed only after this has fired.

        ``permit``: what is looked at, and counted, in the same step.  Fails with Denied (no
        StoreError) if that forbids the call, with WrongType or NotAllowed if it cannot be looked
        at; then nothing is noted.  Fails with NotInFlight if somebody has settled the entry or
        given it back, and with LeaseLost if the answer comes so late that another daemon may have
        the entry by now.
        """
        return self._noting.dialing(entry_id, dialing, permit)

    def note_answered(
        self, entry_id: str, uuid: str, answered_at: float, permit: Permit | None = None
    ) -> Deferred[bool]:
        """Write that the call ``uuid``, which was noted before, was answered (unix seconds).

        All notes of one turn of the reactor go out together, those of `note_dialing` too.  The
        first answer counts, also as a conversation for the caps of ``permit``.  False = the entry
        is no longer in flight, or names another call; nothing was written.
        """
        return self._noting.answered(entry_id, uuid, answered_at, permit)

    def uncount(self, permit: Permit, uuid: str) -> Deferred[bool]:
        """Take back that a call was counted: it was certainly not sent."""
        return self._noting.uncount(permit, uuid, is_talk=False)

    def count_talk(self, permit: Permit, uuid: str) -> Deferred[bool]:
        """Count a conversation whose answer could not be noted, whatever became of its entry."""
        return self._noting.count_talk(permit, uuid)

    def uncount_talk(self, permit: Permit, uuid: str) -> Deferred[bool]:
        """Take back that a conversation was counted: a machine had answered."""
        return self._noting.uncount(permit, uuid, is_talk=True)

    # --- the end -----------------------------------------------------------------------------

    def digest(self, claim: Claimed) -> Deferred[str | None]:
        """Return the SHA-256 of an entry read only in its beginning; None = it is gone."""
        return self._oversize.digest(claim)

    def settle(
        self,
        entry_id: str,
        record: bytes,
        *,
        is_apart: bool = False,
        dnc_add: tuple[str, str] | None = None,
    ) -> Deferred[bool]:
        """Write the record and end the flight of the entry, exactly once.

        ``is_apart``: the entry has a key of its own (`Claimed`).  ``dnc_add``: a list of numbers
        not to be called (set, or hash number -> reason), and the number that goes there as well.
        False = it was no longer in flight, and nothing was written.
        """
        return self._ending.settle(entry_id, record, is_apart, dnc_add)

    def wait(
        self,
        entry_id: str,
        where: Waiting,
        carried: Carried,
        due: float,
        record: bytes | None = None,
        *,
        dnc_add: tuple[str, str] | None = None,
    ) -> Deferred[bool]:
        """End the flight of the entry, and let it wait until ``due`` (unix seconds), exactly once.

        ``record``: that of a try which has ended; it is written in the same step.  ``dnc_add`` as
        in `settle`.  False = it was no longer in flight, and nothing was written.  Raises
        ValueError if ``due`` is no time.
        """
        return self._ending.wait(entry_id, where, carried, due, record or b"", dnc_add)

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

    def tell(
        self, stream: str, most: int, entries: Sequence[bytes], name: str = call_event.FIELD
    ) -> Deferred[None]:
        """Append entries (JSON, in a field ``name``) to a stream that keeps about ``most`` of them.

        After a failure it must not be called again with the same ones: they would stand there
        twice.

        Fails with LeaseLost, WrongType, NotAllowed or StoreUnavailable.
        """
        return Deferred.fromCoroutine(self._tell(stream, most, name, entries))

    # -----------------------------------------------------------------------------------------

    async def _acquire_lease(self) -> None:
        await self._lease.acquire()
        await self._taking.call_off_all()

    async def _renew_lease(self) -> bool:
        begun = await self._lease.renew()
        await self._taking.call_off_all()
        return begun

    async def _send_back(self, entries: Sequence[WriteBack]) -> list[bool]:
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

    async def _tell(self, stream: str, most: int, name: str, entries: Sequence[bytes]) -> None:
        await self._lease.run(TELL, (stream,), (most, name, *entries))

    async def _publish_status(self, document: bytes, ttl: float) -> None:
        await self._lease.run(STATUS, (self._status_key,), (document, max(1, round(ttl * 1000))))
