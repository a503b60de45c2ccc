"""What a person orders for numbers that wait or are queued: to end them, or to queue them anew.

None of this needs the lease of a host: each step is whole, and takes only what is there.  A step
whose answer was lost may have been done; it is not repeated here, since the same entry may stand in
a queue more than once.  Who orders it again goes on with what is left.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from ctidialer.contract import keys
from ctidialer.contract.task import Side
from ctidialer.contract.waiting import Carried, decode_carried
from ctidialer.store.connection import Argument, Reply
from ctidialer.store.errors import StoreError
from ctidialer.store.lease import refusal_of
from ctidialer.store.link import Link
from ctidialer.store.oversize import MAX_CLAIM_BYTES
from ctidialer.store.reading import flags
from ctidialer.store.replication import Replication
from ctidialer.store.scripts import CANCEL, HEAD, UNWAIT, Script
from ctidialer.store.waiting import Waiting

PUSH_BEHIND = {Side.LEFT: "RPUSH", Side.RIGHT: "LPUSH"}
"""The command that puts an entry behind all others of a queue, by the end it is taken from."""


@frozen
class WaitingNumber:
    """A number that waits: due at ``due`` (unix seconds); ``member`` is how it stands in Redis.

    ``carried`` None = nobody of us has written it; ``entry`` is then all of it.
    """

    member: bytes
    due: float
    carried: Carried | None
    entry: bytes


@frozen
class RecordKeys:
    """Where records go: the stream of ``host``, about ``max_records`` of them, a list and a
    channel; empty = nowhere."""

    host: str
    max_records: int
    list: str = ""
    channel: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The keys that get each record."""
        return tuple(filter(None, (keys.records(self.host), self.list)))


class WaitingOrders:
    """Carries such orders out; every method raises StoreError.

    What is written counts as done when ``replicas`` have it (`Replication`).
    """

    def __init__(self, link: Link, records: RecordKeys, replicas: int = 0) -> None:
        self._link = link
        self._records = records
        self._replication = Replication(link, replicas)

    async def waiting(self, where: Waiting, first: int, many: int) -> list[WaitingNumber]:
        """Return numbers that wait in a place, by due time, from the ``first`` on (0; a negative
        one counts from the end)."""
        reply = await self._link.call("ZRANGE", where.key, first, first + many - 1, "WITHSCORES")
        assert isinstance(reply, list)
        pairs = zip(reply[::2], reply[1::2], strict=True)
        return [
            _waiting_number(member, float(due))
            for member, due in pairs
            if isinstance(member, bytes) and isinstance(due, bytes)
        ]

    async def head(self, queue: str, many: int) -> list[bytes]:
        """Return the first entries of a queue: at most ``many``, and one if they are large."""
        reply = await self._run(HEAD, (queue,), (many, MAX_CLAIM_BYTES))
        assert isinstance(reply, list)
        return [entry for entry in reply if isinstance(entry, bytes)]

    async def cancel(self, queue: str, ends: Sequence[tuple[bytes, bytes]]) -> int:
        """End the first entries of a queue, given in its order with their records.

        Returns how many: up to the first that does not stand at the head any more.
        """
        names = (queue, *self._records.names)
        pairs = [part for pair in ends for part in pair]
        run = self._run(CANCEL, names, (*self._how, *pairs))
        reply = await self._replication.surely(run)
        assert isinstance(reply, int)
        return reply

    async def end_waiting(
        self,
        where: Waiting,
        ends: Sequence[tuple[bytes, bytes]],
        queue: str = "",
        side: Side = Side.LEFT,
    ) -> list[bool]:
        """End the waiting of members, given with their records; say which of them waited.

        ``queue`` gets their entries as new ones, behind all others; empty = none does.  ``side`` is
        the end from which it is taken.
        """
        names = (*where.names, *self._records.names)
        place = len(names) + 1 if queue else 0
        pairs = [part for pair in ends for part in pair]
        arguments = (*self._how, where.field, place, PUSH_BEHIND[side], *pairs)
        run = self._run(UNWAIT, (*names, queue) if queue else names, arguments)
        return flags(await self._replication.surely(run))

    @property
    def _how(self) -> tuple[Argument, Argument]:
        return self._records.max_records, self._records.channel

    async def _run(
        self, script: Script, names: Sequence[str], arguments: Sequence[Argument]
    ) -> Reply:
        try:
            return await self._link.run(script, names, arguments)
        except StoreError as error:
            raise refusal_of(error, names, arguments) from None


def _waiting_number(member: bytes, due: float) -> WaitingNumber:
    text, separator, entry = member.partition(b"\n")
    try:
        carried = decode_carried(text) if separator else None
    except ValueError:
        carried = None
    return WaitingNumber(member, due, carried, entry if carried else member)
