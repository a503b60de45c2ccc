"""Takes entries from lists and zsets, and puts them back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from attrs import frozen
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ctidialer.store.connection import Argument
from ctidialer.store.errors import NotAllowed, StoreUnavailable, WrongType
from ctidialer.store.in_flight import Claimed, Origin, decode_claimed, header
from ctidialer.store.lease import Lease
from ctidialer.store.oversize import MAX_CLAIM_BYTES, MAX_KEPT_BYTES
from ctidialer.store.reading import flags, named_values
from ctidialer.store.scripts import CLAIM, RETURN

log = Logger()

NamedMember = tuple[bytes, int | None]
"""A member of a zset and None; or, if it is too long to be called, no bytes and its place."""

LONG_INTERVAL = 5.0
"""Seconds for which a queue is left alone if its first entry is too long and the right to store it
apart is missing: Redis has to read the whole entry for each claim."""


@frozen
class _UnansweredClaim:
    """A claim whose answer was lost: it may have taken up to ``count`` entries."""

    number: int
    origin: Origin
    count: int


WriteBack = tuple[str, float | None]
"""The id of an entry that goes back, and when it is to be called (None = it goes to a queue)."""


class Taking:
    """Moves entries between their origins and the hash of those in flight.

    If the answer to a claim was lost, what it took goes back before anything else is done with its
    origin.
    """

    def __init__(
        self, lease: Lease, in_flight_key: str, max_entry: int, clock: IReactorTime
    ) -> None:
        self._clock = clock
        self._left_alone: dict[Origin, tuple[float, NotAllowed]] = {}
        self._lease = lease
        self._in_flight_key = in_flight_key
        self._max_entry = max_entry
        self._claims = 0
        self._unanswered: dict[int, _UnansweredClaim] = {}

    async def claim(
        self,
        origin: Origin,
        count: int,
        task: str | None,
        now: float,
        members: Sequence[NamedMember] = (),
    ) -> list[Claimed]:
        """Take up to ``count`` entries; ``now`` is the greatest score that is due.

        ``members``: if there are any, only these are taken from the zset.
        """
        if count < 1:
            return []
        self._look_at_pause(origin)
        await self._call_off_from(origin)
        self._claims += 1
        claim = _UnansweredClaim(self._claims, origin, count)
        try:
            reply = await self._lease.run(
                CLAIM,
                (self._in_flight_key, *origin.names),
                [*self._arguments(claim, task, now), *_named(members)],
            )
        except StoreUnavailable as error:
            if error.may_have_been_executed:
                self._unanswered[claim.number] = claim
            raise
        except CancelledError:
            self._unanswered[claim.number] = claim
            raise
        except NotAllowed as error:
            if error.command == "SET":
                self._left_alone[origin] = (self._clock.seconds() + LONG_INTERVAL, error)
            raise
        return list(_decoded(named_values(reply)))

    def _look_at_pause(self, origin: Origin) -> None:
        until, error = self._left_alone.get(origin, (0.0, None))
        if error is None:
            return
        if self._clock.seconds() < until <= self._clock.seconds() + LONG_INTERVAL:
            raise error
        del self._left_alone[origin]

    async def put_back(self, origin: Origin, entries: Sequence[WriteBack]) -> list[bool]:
        """Put entries (id, new score) back; the last of them will be the first of a list.

        Returns which of them were still in flight.
        """
        await self._call_off_from(origin)
        return await self._return(origin, entries, 0)

    async def call_off_all(self) -> None:
        """Put back what was taken by claims whose answers were lost."""
        for origin in {claim.origin: None for claim in self._unanswered.values()}:
            try:
                await self._call_off_from(origin)
            except (WrongType, NotAllowed) as error:
                # The lease is held all the same; the claim is called off once the key is mended.
                log.error("A claim cannot be undone: {reason}", reason=str(error))

    def _arguments(self, claim: _UnansweredClaim, task: str | None, now: float) -> list[Argument]:
        limits = (self._max_entry, MAX_CLAIM_BYTES, MAX_KEPT_BYTES)
        what = (claim.number, claim.count, claim.origin.end, repr(float(now)))
        return [*what, header(claim.origin, task), *limits, claim.origin.field]

    async def _call_off_from(self, origin: Origin) -> None:
        if self._unanswered:
            claims = self._unanswered.values()
            await self._call_off([claim for claim in claims if claim.origin == origin])

    async def _call_off(self, claims: Sequence[_UnansweredClaim]) -> None:
        """Give back what these claims took, the latest first, and see that they take no more."""
        for claim in reversed(claims):
            ids = [
                f"{self._lease.token}-{claim.number}-{index}"
                for index in reversed(range(claim.count))
            ]
            await self._return(claim.origin, [(one, None) for one in ids], claim.number)
            self._unanswered.pop(claim.number, None)

    async def _return(
        self, origin: Origin, entries: Sequence[WriteBack], called_off: int
    ) -> list[bool]:
        scores = [(one, "" if score is None else repr(float(score))) for one, score in entries]
        arguments = (called_off, origin.end, origin.field, *flat(scores))
        return flags(await self._lease.run(RETURN, (self._in_flight_key, *origin.names), arguments))


def _decoded(values: Iterable[tuple[str, bytes]]) -> Iterator[Claimed]:
    for entry_id, value in values:
        try:
            yield decode_claimed(entry_id, value)
        except ValueError as error:  # what it kept while it waited: nobody here has written that
            log.error(
                "The entry {id} cannot be read and stays in flight: {reason}",
                id=entry_id,
                reason=str(error),
            )


def _named(members: Sequence[NamedMember]) -> list[Argument]:
    return flat([(member, "" if place is None else place) for member, place in members])


def flat(pairs: Iterable[tuple[Argument, Argument]]) -> list[Argument]:
    """Return the parts of all pairs, one after the other."""
    return [part for pair in pairs for part in pair]
