"""Ends the flight of entries: with their records, or to wait for their next call."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from ctidialer.contract.waiting import Carried, encode_carried
from ctidialer.store.batch import Batch
from ctidialer.store.connection import Argument
from ctidialer.store.errors import StoreError
from ctidialer.store.lease import Lease
from ctidialer.store.leaving import Leaving, said_of
from ctidialer.store.reading import flags
from ctidialer.store.scripts import SETTLE, SETTLE_AND_LEAVE, WAIT, WAIT_AND_LEAVE, Script
from ctidialer.store.waiting import Waiting

Settlement = tuple[str, bytes, bool, str]
Wait = tuple[str, bytes, float, bytes, str]


class Ending:
    """Batches what ends in one turn of the reactor.

    ``record_keys`` are the stream and, if there is one, the list that get each record.  ``leaving``
    has the places that the calls of these numbers leave: they are left in the same step.
    """

    def __init__(
        self,
        lease: Lease,
        in_flight_key: str,
        record_keys: Sequence[str],
        max_records: int,
        record_channel: str,
        clock: IReactorTime,
        leaving: Leaving,
    ) -> None:
        self._leaving = leaving
        self._lease = lease
        self._in_flight_key = in_flight_key
        self._record_keys = record_keys
        self._how: tuple[Argument, Argument] = (max_records, record_channel)
        self._clock = clock
        self._settlements: dict[str, Batch[Settlement, bool]] = {}
        self._waits: dict[tuple[Waiting, str], Batch[Wait, bool]] = {}

    def settle(
        self, entry_id: str, record: bytes, is_apart: bool, dnc_add: tuple[str, str] | None
    ) -> Deferred[bool]:
        """As `Store.settle`."""
        dnc, number = dnc_add or ("", "")
        batch = self._settlements.get(dnc)
        if batch is None:
            send = partial(self._send_settlements, dnc)
            batch = self._settlements[dnc] = Batch(self._clock, send, _size)
        return batch.add((entry_id, record, is_apart, number))

    def wait(
        self,
        entry_id: str,
        where: Waiting,
        carried: Carried,
        due: float,
        record: bytes,
        dnc_add: tuple[str, str] | None,
    ) -> Deferred[bool]:
        """As `Store.wait`."""
        if not math.isfinite(due):
            raise ValueError(f"no time: {due}")
        dnc, number = dnc_add or ("", "")
        batch = self._waits.get((where, dnc))
        if batch is None:
            send = partial(self._send_waits, where, dnc)
            batch = self._waits[where, dnc] = Batch(self._clock, send, _size)
        return batch.add((entry_id, record, due, encode_carried(carried), number))

    async def _send_settlements(self, dnc: str, records: Sequence[Settlement]) -> list[bool]:
        apart = "".join([f"{entry_id} " for entry_id, _, is_apart, _ in records if is_apart])
        threes = [part for one, record, _, number in records for part in (one, record, number)]
        names, place = self._names((), dnc)
        scripts = SETTLE, SETTLE_AND_LEAVE
        return await self._end(scripts, records, names, (*self._how, apart, place), threes)

    async def _send_waits(self, where: Waiting, dnc: str, waits: Sequence[Wait]) -> list[bool]:
        fives = [
            part
            for entry_id, record, due, carried, number in waits
            for part in (entry_id, repr(float(due)), carried, record, number)
        ]
        names, place = self._names(where.names, dnc)
        how = (*self._how, where.field, place)
        return await self._end((WAIT, WAIT_AND_LEAVE), waits, names, how, fives)

    async def _end(
        self,
        scripts: tuple[Script, Script],
        ends: Sequence[Settlement] | Sequence[Wait],
        names: Sequence[str],
        how: Sequence[Argument],
        arguments: Sequence[Argument],
    ) -> list[bool]:
        """Run the first script, or the second one if their calls leave places; these go alone if
        it fails."""
        leaves = self._leaving.ride(one[0] for one in ends)
        if not leaves:
            return flags(await self._lease.run(scripts[0], names, (*how, b"", *arguments)))
        try:
            said = said_of(leaves)
            reply = await self._lease.run(scripts[1], names, (*how, said, *arguments))
        except StoreError:
            self._leaving.go_alone(leaves)
            raise
        assert isinstance(reply, list)
        ended, left = reply
        self._leaving.rode(leaves, left)
        return flags(ended)

    def _names(self, where: Sequence[str], dnc: str) -> tuple[Sequence[str], int]:
        """Return the keys behind the lease, and the place of ``dnc`` among all; 0 = none."""
        names = (self._in_flight_key, *where, *self._record_keys)
        return ((*names, dnc), len(names) + 2) if dnc else (names, 0)


def _size(item: tuple[str, bytes, *tuple[object, ...]]) -> int:
    """Return the bytes of an entry's record."""
    return len(item[1])
