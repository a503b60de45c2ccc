"""Reads from Redis what the nodes are doing: for the commands and the HTTP interface."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from time import time

from twisted.internet.task import deferLater

from ctidialer.contract import keys
from ctidialer.contract.record import Kind
from ctidialer.contract.status import CURRENT_WITHIN, TIME_TO_LIVE, NodeStatus, decode_status
from ctidialer.nodes.report import NodeReport
from ctidialer.rules.tables import Tables
from ctidialer.settings import Node
from ctidialer.store.connection import Reply
from ctidialer.store.errors import StoreError, WritesRefused, WrongType
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading

KEYS_PER_SCAN = 1000
"""Keys looked at by one SCAN."""

KEYS_OF_A_NODE = (keys.status, keys.lease, keys.in_flight, keys.control)

_ENTRY_ID = re.compile(r"(?<=.):[0-9a-f]{16}-[0-9]+-[0-9]+$")
"""Behind the host in the key of an entry that has one of its own."""

LOOK_INTERVAL = 0.1
FRESH_WITHIN = 2.5
"""Seconds to wait for a newer status; one is published every second."""


class NodeReader:
    """The nodes on one Redis; ``own`` is the node of the settings."""

    def __init__(self, link: Link, own: Node) -> None:
        self._link = link
        self._own = own

    async def hosts(self) -> list[str]:
        """Return the names of all nodes that have a key in Redis, and of our own."""
        return sorted({self._own.host, *await self._hosts_of(KEYS_OF_A_NODE)})

    async def known_hosts(self) -> list[str]:
        """Return the names of all nodes that have a key in Redis, or have written a record."""
        return sorted(await self._hosts_of((*KEYS_OF_A_NODE, keys.records)))

    async def abandoned_hosts(self) -> list[str]:
        """Return the names of the nodes that have numbers in flight, and no daemon now."""
        left = await self._hosts_of((keys.in_flight,))
        return sorted(left - await self._hosts_of((keys.lease,)))

    async def _hosts_of(self, kinds: Sequence[Callable[[str], str]]) -> set[str]:
        prefixes = tuple(kind("") for kind in kinds)
        names = [_ENTRY_ID.sub("", name) for name in await self._scan("cti_dialer_*")]
        return {
            name.removeprefix(one) for name in names for one in prefixes if name.startswith(one)
        }

    async def hosts_with_records(self) -> list[str]:
        """Return the names of all nodes that have written a record, and of our own."""
        return sorted({self._own.host, *await self.suffixes(keys.records(""))})

    async def suffixes(self, prefix: str) -> list[str]:
        """Return what stands behind ``prefix`` in the names of all keys that begin so."""
        return sorted(key.removeprefix(prefix) for key in await self._scan(f"{prefix}*"))

    async def look_at(self, host: str) -> NodeReport:
        """Return what Redis says of a node now."""
        return await self._told(host, await self.status(host))

    async def look_afresh(self, host: str, name: str) -> NodeReport:
        """Return what a node says of the task ``name`` after this moment, if it says anything.

        What was published before may be a second old, and so older than an order just given.
        """
        before = await self.status(host)
        told = await self._told(host, before)
        end = self._link.clock.seconds() + FRESH_WITHIN
        while told.daemon is not None and self._link.clock.seconds() < end:
            status = await self.status(host)
            if status is not None and (before is None or status.at != before.at):
                told = await self._told(host, status)
                if not told.is_unsaid(name, time()):
                    return told
            await deferLater(self._link.clock, LOOK_INTERVAL)
        return await self.look_at(host)

    async def status(self, host: str) -> NodeStatus | None:
        """Return what the daemon of a host said last; None = nothing that can be read."""
        try:
            raw = await self._link.call("GET", keys.status(host))
            return decode_status(raw) if isinstance(raw, bytes) else None
        except (ValueError, WrongType):
            return None

    async def _left(self, key: str) -> float | None:
        """Return in how many seconds a key vanishes, None = it does not, or is not there.

        By Redis' own clock: ours may differ from the daemon's.
        """
        left = await self._link.call("PTTL", key)
        return left / 1000 if isinstance(left, int) and left >= 0 else None

    async def queue_lengths(self, queues: list[str]) -> dict[str, int]:
        """Return the lengths of these lists, without those that are none."""
        return await NodeReading(self._link, self._own.host).queue_lengths(queues)

    async def scheduled(self, domain: str) -> int:
        """Return how many scheduled numbers a domain has."""
        key = keys.at(keys.SCHEDULE_NUMBER, domain)
        reading = NodeReading(self._link, self._own.host)
        return (await reading.queue_lengths([(key, Kind.SCHEDULE)])).get(key, 0)

    async def _told(self, host: str, status: NodeStatus | None) -> NodeReport:
        own, reading = self._own, NodeReading(self._link, host)
        domain = own.domain if host == own.host else host
        unreadable: list[str] = []
        tables = await self._tables(
            reading, host, status.domain if status else domain, unreadable.append
        )
        age = None if status is None else await self._age(host)
        is_current = age is not None and age <= CURRENT_WITHIN
        return NodeReport(
            host=host,
            zone=status.timezone if status else own.timezone,
            tables=tables,
            unreadable=tuple(unreadable),
            daemon=await self._daemon(reading),
            status=status if is_current else None,
            in_flight=await self._in_flight(host),
            silent="" if is_current else f"{CURRENT_WITHIN if age else TIME_TO_LIVE:g}",
            lapses_in=None if is_current else await self._left(keys.lease(host)),
            refused="" if is_current else await self._refused(host),
        )

    async def _daemon(self, reading: NodeReading) -> str | None:
        try:
            return await reading.lease_holder()
        except WrongType:
            return None

    async def _in_flight(self, host: str) -> int:
        """Return how many numbers a host has in flight; a key that holds none counts as empty, as
        one host's must not hide all others.  Its daemon says so, and ``ctidialer check``."""
        try:
            count = await self._link.call("HLEN", keys.in_flight(host))
        except WrongType:
            return 0
        return count if isinstance(count, int) else 0

    async def _refused(self, host: str) -> str:
        """Return why Redis takes no writes now; empty = it does, or this user may not try.

        The write that tries it deletes a field with an empty name: there is none, so nothing
        changes.
        """
        try:
            await self._link.call("HDEL", keys.control(host), "")
        except WritesRefused as error:
            return error.said
        except StoreError:
            pass
        return ""

    async def _age(self, host: str) -> float | None:
        """Return how long ago a status was published, in seconds; None = it has just vanished."""
        left = await self._left(keys.status(host))
        return None if left is None else TIME_TO_LIVE - left

    async def _tables(
        self, reading: NodeReading, host: str, domain: str, cannot_read: Callable[[str], None]
    ) -> Tables:
        tables = Tables(host, domain, self._own.default_dialstring)
        for key in tables.keys_of():
            try:
                tables.replace(key, await reading.read_table(key))
            except WrongType as error:
                cannot_read(str(error))  # no table, as for the daemon
        return tables

    async def _scan(self, pattern: str) -> list[str]:
        found: list[str] = []
        cursor: Reply = b"0"
        while True:
            assert isinstance(cursor, bytes)
            reply = await self._link.call("SCAN", cursor, "MATCH", pattern, "COUNT", KEYS_PER_SCAN)
            assert isinstance(reply, list)
            cursor, names = reply
            assert isinstance(names, list)
            found += [n.decode("utf-8", "backslashreplace") for n in names if isinstance(n, bytes)]
            if cursor == b"0":
                return found
