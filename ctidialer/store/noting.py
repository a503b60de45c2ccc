"""Notes in the entries in flight: which call is about to be placed, and that it was answered."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from ctidialer.store.batch import Batch
from ctidialer.store.connection import Reply
from ctidialer.store.errors import Denied, NotAllowed, NotInFlight, WrongType
from ctidialer.store.in_flight import Dialing, answer_note, dialing_line
from ctidialer.store.lease import Lease
from ctidialer.store.permit import Asked, Permit, asked, permit_arguments
from ctidialer.store.reading import flags
from ctidialer.store.scripts import NOTE, PERMIT, UNCOUNT

TALK = "talk "
"""What stands before the uuid of a conversation among the calls of a callee."""


class Noting:
    """Batches the notes of one turn of the reactor; those with a permit apart."""

    def __init__(self, lease: Lease, in_flight_key: str, clock: IReactorTime) -> None:
        self._lease = lease
        self._in_flight_key = in_flight_key
        self._notes: Batch[tuple[str, bytes], bool] = Batch(clock, self._send, _size)
        self._permitted: Batch[Asked, Reply] = Batch(clock, self._send_permitted, _size_of_asked)
        self._uncounted: Batch[tuple[str, str], bool] = Batch(clock, self._send_uncounted)

    def dialing(self, entry_id: str, dialing: Dialing, permit: Permit | None) -> Deferred[None]:
        """As `Store.note_dialing`."""
        line = dialing_line(dialing)
        if permit is None:
            noted = self._notes.add((entry_id, line))
        else:
            asking = self._permitted.add(asked(permit, entry_id, line))
            noted = asking.addCallback(_answered)
        return noted.addCallback(self._noted, entry_id)

    def answered(
        self, entry_id: str, uuid: str, answered_at: float, permit: Permit | None
    ) -> Deferred[bool]:
        """As `Store.note_answered`."""
        note = answer_note(uuid, answered_at)
        if permit is None or not permit.counts_talk:
            return self._notes.add((entry_id, note))
        asking = self._permitted.add(asked(permit, entry_id, note, is_answer=True))
        return asking.addCallback(_answered)

    def count_talk(self, permit: Permit, uuid: str) -> Deferred[bool]:
        """As `Store.count_talk`."""
        asking = self._permitted.add(asked(permit, "", answer_note(uuid, 0.0), is_answer=True))
        return asking.addCallback(_answered)

    def uncount(self, permit: Permit, uuid: str, is_talk: bool) -> Deferred[bool]:
        """As `Store.uncount` and `Store.uncount_talk`."""
        return self._uncounted.add((permit.cap_key, TALK + uuid if is_talk else uuid))

    def _noted(self, was_in_flight: bool, entry_id: str) -> None:
        if not was_in_flight:
            raise NotInFlight(entry_id)
        self._lease.check()

    async def _send(self, notes: Sequence[tuple[str, bytes]]) -> list[bool]:
        pairs = [part for note in notes for part in note]
        return flags(await self._lease.run(NOTE, (self._in_flight_key,), pairs))

    async def _send_permitted(self, calls: Sequence[Asked]) -> Sequence[Reply]:
        arguments = list(permit_arguments(calls))
        reply = await self._lease.run(PERMIT, (self._in_flight_key,), arguments)
        assert isinstance(reply, list)
        return reply

    async def _send_uncounted(self, members: Sequence[tuple[str, str]]) -> list[bool]:
        pairs = [part for pair in members for part in pair]
        return flags(await self._lease.run(UNCOUNT, (), pairs))


def _answered(reply: Reply) -> bool:
    """Return whether the note was written; raises Denied, WrongType or NotAllowed."""
    if not isinstance(reply, list):
        return reply == 1
    what, *said = (
        part.decode("utf-8", "backslashreplace") for part in reply if type(part) is bytes
    )
    if what == "dnc":
        raise Denied(said[0], said[1])
    if what == "until":
        raise Denied(None, until=float(said[0]))
    if what == "type":
        raise WrongType(*said)
    raise NotAllowed(*said)


def _size(item: tuple[str, bytes]) -> int:
    """Return the bytes of a note."""
    return len(item[1])


def _size_of_asked(call: Asked) -> int:
    return len(call.note)
