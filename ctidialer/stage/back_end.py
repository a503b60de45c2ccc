"""What a back end does with Redis: it writes tables and numbers, and sees how far the node is."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from attrs import frozen

from ctidialer.contract import keys
from ctidialer.store.connection import Reply

BATCH_SIZE = 1000
"""Fields or entries that are written with one command."""

SendCommand = Callable[..., Awaitable[Reply]]
"""Sends one command to Redis."""

TableDocuments = Mapping[str, Mapping[str, object]]
"""Documents by name, by key; a text is written as it is, all else as JSON."""


@frozen
class StageProgress:
    """How many numbers stand in their lists and the schedule, are in flight, have a record, and
    how many wait to be called (again)."""

    queued: int
    in_flight: int
    recorded: int
    waiting: int = 0


@frozen
class BackEnd:
    """The back end of the node ``host``."""

    call: SendCommand
    host: str

    async def write_tables(self, tables: TableDocuments) -> None:
        """Write documents into hashes, many with one command."""
        for key, documents in tables.items():
            parts = [part for name, one in documents.items() for part in (name, _raw(one))]
            for start in range(0, len(parts), 2 * BATCH_SIZE):
                await self.call("HSET", key, *parts[start : start + 2 * BATCH_SIZE])

    async def push(self, queue: str, entries: Iterable[str | bytes]) -> None:
        """Append entries to a list, many with one command."""
        waiting = list(entries)
        for start in range(0, len(waiting), BATCH_SIZE):
            await self.call("RPUSH", queue, *waiting[start : start + BATCH_SIZE])

    async def publish(self, table: str, name: str | None = None, suffix: str = "all") -> None:
        """Publish that a table, or one field of it, has changed."""
        message = {"type": "config_change", "table": table, **({"key": name} if name else {})}
        await self.call("PUBLISH", keys.at(keys.CHANGE_CHANNEL, suffix), json.dumps(message))

    async def length(self, command: str, key: str) -> int:
        """Return what LLEN, XLEN, ZCARD or HLEN says."""
        length = await self.call(command, key)
        if not isinstance(length, int):
            raise TypeError(f"{command} {key} was answered with {length!r}")
        return length

    async def recorded(self) -> int:
        """Return how many records stand in the stream."""
        return await self.length("XLEN", keys.records(self.host))

    async def progress(self, queues: Sequence[str], schedule: str = "") -> StageProgress:
        """Return how far the node is with the numbers of ``queues`` and a ``schedule`` (keys)."""
        queued = [await self.length("LLEN", queue) for queue in queues]
        if schedule:
            queued.append(await self.length("ZCARD", schedule))
        in_flight = await self.length("HLEN", keys.in_flight(self.host))
        waiting = await self.waiting()
        return StageProgress(sum(queued), in_flight, await self.recorded(), waiting)

    async def waiting(self) -> int:
        """Return how many numbers wait, of tasks of the template and of this host."""
        scopes = dict.fromkeys((keys.TEMPLATE, self.host))
        counts = [await self.call("HVALS", keys.waiting_count(scope)) for scope in scopes]
        return sum(
            int(one)
            for some in counts
            if isinstance(some, list)
            for one in some
            if isinstance(one, bytes)
        )


def _raw(document: object) -> str | bytes:
    return document if isinstance(document, str | bytes) else json.dumps(document)
