"""What can be read from Redis without a lease: tables, queue lengths, entries in flight."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec
from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.logger import Logger

from ctidialer.contract import keys
from ctidialer.contract.record import Kind
from ctidialer.contract.waiting import WaitReason
from ctidialer.store.connection import Reply
from ctidialer.store.errors import WrongType
from ctidialer.store.in_flight import InFlight, decode_in_flight
from ctidialer.store.lease import describe_holder
from ctidialer.store.link import Link
from ctidialer.store.scripts import FILLED
from ctidialer.store.waiting import Waiting, counts, earliest

log = Logger()

LENGTH_OF = {Kind.QUEUE: "LLEN", Kind.SCHEDULE: "ZCARD"}


class NodeReading:
    """Reads what stands in Redis for ``host``.

    Every method fails with StoreUnavailable while Redis is away, and with WrongType if a key has
    the wrong type.
    """

    def __init__(self, link: Link, host: str) -> None:
        self._link = link
        self._in_flight_key = keys.in_flight(host)
        self._lease_key = keys.lease(host)
        self.unreadable = 0
        """Entries in flight that this version could not read when it read all of them last."""

    def read_table(self, key: str) -> Deferred[dict[str, bytes]]:
        """Return the hash ``key``; empty if there is none.

        In field names that are not UTF-8, escapes replace the bad bytes.
        """
        return Deferred.fromCoroutine(self._read_table(key))

    def read_field(self, key: str, field: str) -> Deferred[bytes | None]:
        """Return one field of the hash ``key``; None = there is none."""
        return Deferred.fromCoroutine(self._read_field(key, field))

    def queue_lengths(self, queues: Sequence[str | tuple[str, Kind]]) -> Deferred[dict[str, int]]:
        """Return the length of each list (or zset: ``(key, Kind.SCHEDULE)``), by key.

        A key of another type is left out.
        """
        return Deferred.fromCoroutine(self._queue_lengths(queues))

    async def list_lengths(self, queues: Sequence[str]) -> dict[str, int]:
        """Return the length of each list; raises WrongType if a key holds something else."""
        lengths = await self.queue_lengths(queues)
        for queue in queues:
            if queue not in lengths:
                kind = await self._link.call("TYPE", queue)
                found = kind.decode() if isinstance(kind, bytes) else "value of another type"
                raise WrongType(queue, found, "list")
        return lengths

    def filled(self, queues: Sequence[str]) -> Deferred[list[int]]:
        """Return the positions of the queues that are not empty."""
        return self._link.run(FILLED, (), (msgspec.json.encode(queues),)).addCallback(positions)

    def due_waiting(
        self, scopes: Sequence[str], now: float = math.inf
    ) -> Deferred[dict[Waiting, float]]:
        """Return when the next number of each place is due (unix seconds), up to ``now``."""
        return Deferred.fromCoroutine(self._due_waiting(scopes, now))

    def waiting_counts(
        self, scopes: Sequence[str]
    ) -> Deferred[dict[Waiting, dict[WaitReason, int]]]:
        """Return how many numbers wait in each place of these scopes, by reason."""
        return Deferred.fromCoroutine(self._waiting_counts(scopes))

    async def overdue(self, places: Sequence[Waiting], now: float) -> dict[Waiting, int]:
        """Return how many numbers are due in each place at ``now`` (unix seconds).

        A place that this user may not count is left out.
        """
        asked = [("ZCOUNT", where.key, "-inf", repr(now)) for where in places]
        answers = await self._link.series(*asked) if asked else []
        pairs = zip(places, answers, strict=True)
        return {where: count for where, count in pairs if isinstance(count, int)}

    def lease_holder(self) -> Deferred[str | None]:
        """Return a text about the daemon with this host's name; None = there is none."""
        return Deferred.fromCoroutine(self._read_holder())

    def in_flight(self) -> Deferred[list[InFlight]]:
        """Return all entries of this host that were taken and not settled, in the order of taking.

        A value that cannot be read is left where it is, and logged.
        """
        return Deferred.fromCoroutine(self._read_in_flight())

    async def look_up(self, entry_ids: Sequence[str]) -> list[InFlight]:
        """Return the entries of these ids that are still in flight."""
        if not entry_ids:
            return []
        values = await self._link.call("HMGET", self._in_flight_key, *entry_ids)
        assert isinstance(values, list)
        found = zip(entry_ids, values, strict=True)
        return self._decoded((one, value) for one, value in found if isinstance(value, bytes))

    async def _due_waiting(self, scopes: Sequence[str], now: float) -> dict[Waiting, float]:
        found: dict[Waiting, float] = {}
        for scope in dict.fromkeys(scopes):
            key, until = keys.waiting_next(scope), repr(float(now))
            pairs = await self._link.call("ZRANGEBYSCORE", key, "-inf", until, "WITHSCORES")
            found |= earliest(scope, named_values(pairs))
        return found

    async def _waiting_counts(self, scopes: Sequence[str]) -> dict[Waiting, dict[WaitReason, int]]:
        found: dict[Waiting, dict[WaitReason, int]] = {}
        for scope in dict.fromkeys(scopes):
            found |= counts(
                scope, named_values(await self._link.call("HGETALL", keys.waiting_count(scope)))
            )
        return found

    async def _read_holder(self) -> str | None:
        holder = await self._read_field(self._lease_key, "holder")
        return None if holder is None else describe_holder(holder)

    async def _read_table(self, key: str) -> dict[str, bytes]:
        return dict(named_values(await self._link.call("HGETALL", key)))

    async def _read_field(self, key: str, field: str) -> bytes | None:
        value = await self._link.call("HGET", key, field)
        return value if isinstance(value, bytes) else None

    async def _queue_lengths(self, queues: Sequence[str | tuple[str, Kind]]) -> dict[str, int]:
        named = [(one, Kind.QUEUE) if isinstance(one, str) else one for one in queues]
        asked = [self._length(LENGTH_OF[kind], key) for key, kind in named]
        try:
            lengths = await gatherResults(map(Deferred.fromCoroutine, asked), consumeErrors=True)
        except FirstError as error:
            error.subFailure.raiseException()  # what one of them failed with
        pairs = zip(named, lengths, strict=True)
        return {key: length for (key, _), length in pairs if length is not None}

    async def _length(self, command: str, key: str) -> int | None:
        try:
            length = await self._link.call(command, key)
        except WrongType:
            return None
        assert isinstance(length, int)
        return length

    async def _read_in_flight(self) -> list[InFlight]:
        values = named_values(await self._link.call("HGETALL", self._in_flight_key))
        entries = self._decoded(values)
        self.unreadable = len(values) - len(entries)
        return sorted(entries, key=lambda entry: entry.order)

    def _decoded(self, values: Iterable[tuple[str, bytes]]) -> list[InFlight]:
        entries = []
        for entry_id, value in values:
            try:
                entries.append(decode_in_flight(entry_id, value))
            except ValueError as error:
                log.error(
                    "The entry {id} in {key} cannot be read and stays there: {reason}",
                    id=entry_id,
                    key=self._in_flight_key,
                    reason=str(error),
                )
        return entries


def flags(reply: Reply) -> list[bool]:
    """Return a reply that is a list of 0 and 1."""
    assert isinstance(reply, list)
    return [flag == 1 for flag in reply]


def positions(reply: Reply) -> list[int]:
    """Return a reply that is a list of numbers."""
    assert isinstance(reply, list)
    return [position for position in reply if isinstance(position, int)]


def named_values(reply: Reply) -> list[tuple[str, bytes]]:
    """Return the pairs of a reply that is name, value, name, value, …"""
    assert isinstance(reply, list)
    pairs = zip(reply[::2], reply[1::2], strict=True)
    return [
        (name.decode("utf-8", "backslashreplace"), value)
        for name, value in pairs
        if isinstance(name, bytes) and isinstance(value, bytes)
    ]
