"""Places for calls that are counted over several hosts: taken before a call, left after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from ctidialer.contract import keys
from ctidialer.contract.counted import Counted
from ctidialer.store.batch import Batch
from ctidialer.store.connection import Argument, Reply
from ctidialer.store.errors import NotAllowed, WrongType
from ctidialer.store.lease import Lease
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
class Seen:
    """How it stands with something that is counted: ``taken`` places, those included that are kept
    for hosts which have waited longer; ``start_in`` seconds this host may try for a start,
    one of ``hosts`` that share them."""

    taken: int
    start_in: float
    hosts: int = 1


@frozen
class Taken:
    """Whether the places of a call were taken.

    ``refused_by``: the position of the one that refuses, None = all are taken.  ``start_in``:
    seconds until the call may start; ``start``: that moment by Redis' clock, unix microseconds.
    ``noted``: whether the note was written; None = it was not to be, for the call does not start at
    once.  ``seen``: how it stands now with each.
    """

    refused_by: int | None
    start_in: float
    noted: bool | None
    seen: tuple[Seen, ...]
    start: int = 0


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
    """The places of ``host``.  All steps of one turn of the reactor go out together, in order.

    ``adopt_after``: seconds past the end of its lease after which the places of a host are free.
    Everything fails with StoreError: then a step may have been done or not.
    """

    def __init__(
        self,
        lease: Lease,
        in_flight_key: str,
        host: str,
        clock: IReactorTime,
        adopt_after: float,
    ) -> None:
        self._lease = lease
        self._in_flight_key = in_flight_key
        self._host = host
        self._adopt_after = adopt_after
        self.sweep_interval = min(MAX_SWEEP_INTERVAL, adopt_after / 5)
        """Seconds between two looks for places of hosts that are gone."""
        self._steps: Batch[_Step, Reply] = Batch(clock, self._send, _size)
        self._questions: Batch[tuple[Asking, Counted], Reply] = Batch(clock, self._ask)

    def take(self, name: str, counted: Sequence[Counted], note: Note = NO_NOTE) -> Deferred[Taken]:
        """Take a place of each for the call ``name``, or of none; if it may start at once, write
        ``note``."""
        step = self._steps.add(("take", name, tuple(counted), note))
        return step.addCallback(_taken).addCallback(self._checked)

    def leave(self, name: str, counted: Sequence[Counted]) -> Deferred[tuple[Seen, ...]]:
        """Give the places of the call ``name`` back."""
        step = self._steps.add(("leave", name, tuple(counted), NO_NOTE))
        return step.addCallback(_taken).addCallback(lambda taken: taken.seen)

    def give_back(self, start: int, counted: Sequence[Counted]) -> Deferred[tuple[Seen, ...]]:
        """Give a start back that no call has used (`Taken.start`)."""
        step = self._steps.add(("back", "", tuple(counted), ("", b"%d" % start)))
        return step.addCallback(_taken).addCallback(lambda taken: taken.seen)

    def ask(self, asking: Asking, counted: Counted) -> Deferred[Seen]:
        """Wait for a place, or wait no more; return how it stands."""
        return self._questions.add((asking, counted)).addCallback(_seen)

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
        arguments: list[Argument] = [self._host]
        for key, one in own.items():
            arguments += (key, len(one.names), len(one.doubtful), *one.names, *one.doubtful)
        reply = await self._lease.run(OWN_PLACES, (), arguments)
        assert isinstance(reply, list)
        return dict(zip(own, map(_righted, reply), strict=True))

    async def _send(self, steps: Sequence[_Step]) -> list[Reply]:
        arguments: list[Argument] = [self._host]
        for what, name, counted, note in steps:
            arguments += (what, name, *note, len(counted))
            for one in counted:
                arguments += (*_of(one), repr(one.rest))
        reply = await self._lease.run(PLACES, (self._in_flight_key,), arguments)
        return _parted(reply, [4 + 3 * len(counted) for _, _, counted, _ in steps])

    async def _ask(self, questions: Sequence[tuple[Asking, Counted]]) -> list[Reply]:
        arguments: list[Argument] = [self._host, keys.HOSTS, repr(self._adopt_after)]
        for asking, one in questions:
            arguments += (asking.value, *_of(one))
        reply = await self._lease.run(PLACE_QUEUE, (), arguments)
        return _parted(reply, [3] * len(questions))


def _of(one: Counted) -> tuple[Argument, ...]:
    return one.key, "" if one.count is None else one.count, repr(one.interval)


def _parted(reply: Reply, sizes: Sequence[int]) -> list[Reply]:
    """Divide an answer: each part has its size, or is one refusal."""
    assert isinstance(reply, list)
    parts: list[Reply] = []
    at = 0
    for size in sizes:
        if isinstance(reply[at], list):
            parts.append(reply[at])
            at += 1
        else:
            parts.append(reply[at : at + size])
            at += size
    return parts


def _taken(reply: Reply) -> Taken:
    """Read the answer to a step; raises WrongType or NotAllowed."""
    refused_by, start_in, noted, start, *seen = _numbers(reply)
    return Taken(
        refused_by - 1 if refused_by else None,
        start_in / 1e6,
        None if noted < 0 else noted == 1,
        tuple(map(Seen, seen[::3], (one / 1e6 for one in seen[1::3]), seen[2::3])),
        start,
    )


def _seen(reply: Reply) -> Seen:
    taken, start_in, hosts = _numbers(reply)
    return Seen(taken, start_in / 1e6, hosts)


def _numbers(reply: Reply) -> list[int]:
    assert isinstance(reply, list)
    if isinstance(reply[0], bytes):
        raise _refusal(reply)
    return [one for one in reply if isinstance(one, int)]


def _righted(reply: Reply) -> Righted:
    """Read what was set right; raises WrongType or NotAllowed."""
    assert isinstance(reply, list)
    wrong, *kept = reply
    if not isinstance(wrong, int):
        raise _refusal(reply)
    return Righted(wrong, tuple(name.decode() for name in kept if isinstance(name, bytes)))


def _refusal(reply: Sequence[Reply]) -> WrongType | NotAllowed:
    what, *said = (
        part.decode("utf-8", "backslashreplace") for part in reply if type(part) is bytes
    )
    return WrongType(*said) if what == "type" else NotAllowed(*said)


def _size(step: _Step) -> int:
    """Return the bytes of a step's note."""
    return len(step[3][1])
