"""Places for calls that are counted over several hosts: taken before a call, left after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from operator import attrgetter

from attrs import frozen
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime

from ctidialer.contract import keys
from ctidialer.contract.counted import Counted
from ctidialer.store.batch import Batch
from ctidialer.store.connection import Argument, Reply
from ctidialer.store.errors import StoreError
from ctidialer.store.lease import Lease
from ctidialer.store.leaving import Leaving
from ctidialer.store.place_answers import (
    SEEN_SIZE,
    Seen,
    Taken,
    read_parts,
    read_refusal,
    read_seen,
    read_taken,
)
from ctidialer.store.scripts import OWN_PLACES, PLACE_QUEUE, PLACES

ADOPT_AFTER = 300.0
"""Seconds past the end of its lease for which the places of a host stay taken."""

MAX_SWEEP_INTERVAL = 60.0
"""Most seconds between two looks of one host for places of hosts that are gone."""


class Asking(Enum):
    """What a host does that needs a place: see ``place_queue.lua``."""

    WAIT = "wait"
    SWEEP = "sweep"
    PASS = "pass"


@frozen
class Owned:
    """The calls that have a place; those of ``doubtful`` keep theirs, if they have one."""

    names: Sequence[str]
    doubtful: Sequence[str] = ()


@frozen
class Righted:
    """How many places were wrong, and which of the doubtful calls have one."""

    wrong: int
    kept: tuple[str, ...] = ()


Note = tuple[str, bytes]
"""The id of an entry in flight, and what to note in it."""

NO_NOTE: Note = ("", b"")
_Step = tuple[str, str, tuple[Counted, ...], Note]


class Places:
    """The places of the host whose lease this is.

    All steps of one turn of the reactor go out together, in order.
    ``adopt_after``: seconds past the end of its lease after which the places of a host are free.
    Everything fails with StoreError: then a step may have been done or not.
    """

    def __init__(
        self,
        lease: Lease,
        in_flight_key: str,
        clock: IReactorTime,
        adopt_after: float,
    ) -> None:
        self._lease = lease
        self._in_flight_key = in_flight_key
        self._adopt_after = adopt_after
        self.sweep_interval = min(MAX_SWEEP_INTERVAL, adopt_after / 5)
        """Seconds between two looks for places of hosts that are gone."""
        self.leaving = Leaving(clock, self._leave_alone)
        """What calls leave, until it goes with a record or alone."""
        self._steps: Batch[_Step, Reply] = Batch(clock, self._send, _size)
        self._questions: Batch[tuple[Asking, Counted], Reply] = Batch(clock, self._ask)

    def take(self, name: str, counted: Sequence[Counted], note: Note = NO_NOTE) -> Deferred[Taken]:
        """Take a place of each for the call ``name``, or of none; if it may start at once, write
        ``note``."""
        self.leaving.go()
        step = self._steps.add(("take", name, tuple(counted), note))
        return step.addCallback(read_taken).addCallback(self._checked)

    def leave(
        self, name: str, counted: Sequence[Counted], *, can_wait: bool = False
    ) -> Deferred[tuple[Seen, ...]]:
        """Give the places of the call ``name`` back: with its record, if that comes at once.

        ``can_wait``: nobody lacks them, so the next step for places is soon enough.
        """
        return self.leaving.add(name, counted, can_wait=can_wait)

    def give_back(self, start: int, counted: Sequence[Counted]) -> Deferred[tuple[Seen, ...]]:
        """Give a start back that no call has used (`Taken.start`)."""
        step = self._steps.add(("back", "", tuple(counted), ("", b"%d" % start)))
        return step.addCallback(read_taken).addCallback(attrgetter("seen"))

    def ask(self, asking: Asking, counted: Counted) -> Deferred[Seen]:
        """Wait for a place, or wait no more; return how it stands."""
        return self._questions.add((asking, counted)).addCallback(read_seen)

    def all_left(self) -> Deferred[None]:
        """Fire when what calls have left so far is free, or Redis has refused that."""
        if not self.leaving.is_any:
            return succeed(None)
        self.leaving.go()
        step = self._steps.add(("leave", "", (), NO_NOTE))  # the steps go in order
        return step.addErrback(lambda failure: failure.trap(StoreError)).addCallback(lambda _: None)

    def _leave_alone(
        self, names: Sequence[str], counted: tuple[Counted, ...]
    ) -> Deferred[tuple[Seen, ...]]:
        step = self._steps.add(("leave", "\n".join(names), counted, NO_NOTE))
        return step.addCallback(read_taken).addCallback(attrgetter("seen"))

    def check_lease(self) -> None:
        """Raise LeaseLost if another daemon may have this host's entries by now."""
        self._lease.check()

    def _checked(self, taken: Taken) -> Taken:
        """Return the answer; raises LeaseLost if another daemon may have the entry by now."""
        if taken.noted:
            self.check_lease()
        return taken

    async def set_right(self, own: Mapping[str, Owned]) -> dict[str, Righted]:
        """Make the places of this host those that ``own`` says, by key."""
        arguments: list[Argument] = []
        for key, one in own.items():
            arguments += (key, len(one.names), len(one.doubtful), *one.names, *one.doubtful)
        reply = await self._lease.run(OWN_PLACES, (), arguments)
        assert isinstance(reply, list)
        return dict(zip(own, map(_righted, reply), strict=True))

    async def _send(self, steps: Sequence[_Step]) -> list[Reply]:
        arguments: list[Argument] = []
        for what, name, counted, note in steps:
            arguments += (what, name, *note, len(counted))
            for one in counted:
                arguments += (*_of(one), repr(one.rest))
        reply = await self._lease.run(PLACES, (self._in_flight_key,), arguments)
        return read_parts(reply, [4 + SEEN_SIZE * len(counted) for _, _, counted, _ in steps])

    async def _ask(self, questions: Sequence[tuple[Asking, Counted]]) -> list[Reply]:
        arguments: list[Argument] = [keys.HOSTS, repr(self._adopt_after)]
        for asking, one in questions:
            arguments += (asking.value, *_of(one))
        reply = await self._lease.run(PLACE_QUEUE, (), arguments)
        return read_parts(reply, [SEEN_SIZE] * len(questions))


def _of(one: Counted) -> tuple[Argument, ...]:
    return one.key, "" if one.count is None else one.count, repr(one.interval)


def _righted(reply: Reply) -> Righted:
    """Read what was set right; raises WrongType or NotAllowed."""
    assert isinstance(reply, list)
    wrong, *kept = reply
    if not isinstance(wrong, int):
        raise read_refusal(reply)
    return Righted(wrong, tuple(name.decode() for name in kept if isinstance(name, bytes)))


def _size(step: _Step) -> int:
    """Return the bytes of a step's note."""
    return len(step[3][1])
