"""The numbers in hand: each is followed from its claim to its record, or back to where it was."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any

from attrs import frozen
from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from ctidialer.contract.after_call import NOTHING_MORE, AfterCall
from ctidialer.contract.agent_dialing import AgentDialing
from ctidialer.contract.faults import ContractError, EntryError
from ctidialer.contract.record import Outcome
from ctidialer.dialer.life.again import after, later
from ctidialer.dialer.life.clearance import opted_out
from ctidialer.dialer.life.closing import Closing
from ctidialer.dialer.life.errand import Errand, GoesBack
from ctidialer.dialer.life.number_in_hand import (
    Finished,
    NotDialed,
    NumberInHand,
    Progress,
    Suspended,
    Verdict,
    Waits,
)
from ctidialer.dialer.life.pursuit import Pursuit
from ctidialer.dialer.life.ways import LookUp
from ctidialer.glue import background
from ctidialer.rules.attempt import Attempt
from ctidialer.rules.verdict import by_rule
from ctidialer.store.errors import StoreError
from ctidialer.store.in_flight import Claimed


@frozen
class Legible:
    """What could be read of an entry that cannot be dialed; None = not readable."""

    number: str | None = None
    requested_uuid: str | None = None
    after_call: AfterCall = NOTHING_MORE
    agents: AgentDialing | None = None


Known = NumberInHand | Legible
"""The number of an entry, or what could be read of it."""


@frozen
class Over:
    """How a number ends, or why it goes back, without a call."""

    known: Known
    end: Finished | NotDialed


class Numbers:
    """Every number that this node has taken and not yet closed."""

    log = Logger()

    def __init__(self, pursuit: Pursuit, closing: Closing, look_up: LookUp) -> None:
        self._pursuit = pursuit
        self._closing = closing
        self._look_up = look_up
        self._in_hand: set[str] = set()
        self.finished: Callable[[], None] = lambda: None
        """Called when a number is no longer in hand."""

    def __len__(self) -> int:
        return len(self._in_hand)

    def __contains__(self, entry_id: object) -> bool:
        return entry_id in self._in_hand

    def take(self, errand: Errand) -> None:
        """Call a number that was just taken; it has its slot already."""
        self._live(errand, self._reach(errand))

    def divert(self, errand: Errand, known: Known, end: Finished | Waits) -> None:
        """End a number that was just taken, or let it wait; it has no slot, and gets none."""
        closing = self._close(errand, known, end)
        background(closing, self.log, "Putting aside", entry_id=errand.claim.id)

    def give_back(self, claims: Iterable[Claimed]) -> None:
        """Put numbers back that were just taken and have no slot yet."""
        for claim in claims:
            self._closing.give_back(claim)

    def resume(self, errand: Errand, under_way: Attempt | None, progress: Progress) -> None:
        """Go on with a number that was in flight when this daemon, or the one before, stopped."""
        errand.resumed()
        self._live(errand, self._resume(errand, under_way, progress))

    def _live(self, errand: Errand, pursuit: Coroutine[Any, Any, tuple[Known, Verdict]]) -> None:
        self._in_hand.add(errand.claim.id)
        living = Deferred.fromCoroutine(self._follow(errand, pursuit))
        # Nothing is lost: the entry stays in flight, and the next start takes it up.
        living.addErrback(self._abandoned, errand)
        living.addBoth(self._left, errand.claim.id)

    def _left(self, _: object, entry_id: str) -> None:
        self._in_hand.discard(entry_id)
        self.finished()

    def _abandoned(self, failure: Failure, errand: Errand) -> None:
        self.log.failure(
            "Number {entry_id} of {task} was abandoned",
            failure,
            entry_id=errand.claim.id,
            task=errand.name,
        )

    async def _follow(
        self, errand: Errand, pursuit: Coroutine[Any, Any, tuple[Known, Verdict]]
    ) -> None:
        verdict: Verdict = Suspended()
        try:
            number, verdict = await pursuit
        finally:
            self._pursuit.over(errand.claim.id)
            errand.over(verdict)
        await self._close(errand, number, verdict)

    async def _reach(self, errand: Errand) -> tuple[Known, Verdict]:
        try:
            await self._look_up_for(errand)
        except StoreError as error:
            return Legible(), NotDialed(str(error))
        reading = _read(errand)
        if isinstance(reading, Over):
            return reading.known, reading.end
        number, progress = reading
        return number, await self._pursuit.reach(errand, number, progress)

    async def _resume(
        self, errand: Errand, under_way: Attempt | None, progress: Progress
    ) -> tuple[Known, Verdict]:
        with suppress(StoreError):
            await self._look_up_for(errand)
        reading = _read(errand)
        if isinstance(reading, Over):
            # The call was placed, so it is followed, even if its entry has expired or is invalid.
            return reading.known, await self._pursuit.follow(errand, progress, under_way)
        number, _ = reading
        return number, await self._pursuit.resume(errand, number, progress, under_way)

    async def _look_up_for(self, errand: Errand) -> None:
        unknown = errand.unknown()
        if unknown:
            await self._look_up(unknown)

    async def _close(self, errand: Errand, number: Known, verdict: Verdict) -> None:
        if isinstance(verdict, Suspended):
            return
        end = errand.unplaced(verdict) if isinstance(verdict, NotDialed) else verdict
        if isinstance(end, GoesBack):
            self._put_back(errand.claim, end)
        elif isinstance(end, Waits):
            again = later(errand, end, self._closing.now())
            await self._closing.wait(errand.claim, again, number.number)
        else:
            await self._settle(errand, number, end)

    def _put_back(self, claim: Claimed, back: GoesBack) -> None:
        if back.due is None:
            self._closing.give_back_soon(claim)
        else:
            self._closing.write_back(claim, back.due)

    async def _settle(self, errand: Errand, number: Known, end: Finished) -> None:
        end = _by_rule(number, end)
        again, dnc_add = None, None
        if isinstance(number, NumberInHand):
            self._pursuit.settled(number, end)
            dnc_add = opted_out(number, end)
            again = after(errand, number, end, self._closing.now())
        await self._closing.settle(
            errand.claim,
            errand.kind,
            errand.name,
            end,
            number=number.number,
            requested_uuid=number.requested_uuid,
            after_call=number.after_call,
            agents=number.agents,
            again=again,
            dnc_add=dnc_add,
        )


def _by_rule(number: Known, end: Finished) -> Finished:
    """Return how a number ended, with its task's rules asked."""
    outcome = by_rule(number.after_call, end.attempts, end.outcome)
    return end if outcome is end.outcome else replace(end, outcome=outcome)


def _read(errand: Errand) -> tuple[NumberInHand, Progress] | Over:
    if errand.claim.length is not None:
        problem = f"the entry has {errand.claim.length} bytes, more than node.max_entry allows"
        return Over(Legible(), Finished(Outcome.INVALID, problem))
    try:
        reading = errand.read()
    except EntryError as error:
        known = Legible(error.number, error.requested_uuid)
        return Over(known, Finished(Outcome.INVALID, str(error)))
    except ContractError as error:
        return Over(Legible(), Finished(Outcome.INVALID, str(error)))
    if isinstance(reading, Finished):
        return Over(Legible(), reading)
    number, progress = reading
    return (number, progress) if isinstance(progress, Progress) else Over(number, progress)
