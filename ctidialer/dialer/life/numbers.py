"""The numbers in hand: each is followed from its claim to its record, or back to where it was."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ctidialer.contract.faults import ContractError
from ctidialer.contract.record import Kind, Outcome
from ctidialer.dialer.dispatch.node_limits import NodeLimits
from ctidialer.dialer.life.closing import Closing
from ctidialer.dialer.life.number_in_hand import (
    Finished,
    NotDialed,
    NumberInHand,
    Progress,
    Suspended,
    Verdict,
)
from ctidialer.dialer.life.pursuit import REFUSALS_IN_A_ROW, Pursuit
from ctidialer.rules.attempt import Attempt
from ctidialer.store.in_flight import Claimed

REMEMBERED_REFUSALS = 10_000

Reading = tuple[NumberInHand, Progress | Finished] | Finished
"""A number and how far it has got, or how it ends before it begins; what cannot be read is only
finished.
"""


@frozen
class Errand:
    """A number that was taken, and what to do at the turns of its life.

    ``read`` makes the number of the entry, says that it is finished before it began (expired), or
    raises ContractError.  ``may_dial`` is asked before
    every further call; as long as ``held`` says so, that call waits.  ``unplaced`` is told that the
    number was not dialed: it puts the entry back and returns None, or says how the number ends.
    ``freed`` is called as soon as the last call is over, before the record is written: the slot is
    free.
    """

    claim: Claimed
    kind: Kind
    name: str
    read: Callable[[], Reading]
    may_dial: Callable[[], bool]
    unplaced: Callable[[Claimed, NotDialed], Finished | None]
    freed: Callable[[Verdict], None]
    held: Callable[[], bool] = lambda: False


class Numbers:
    """Every number that this node has taken and not yet closed."""

    log = Logger()

    def __init__(
        self, clock: IReactorTime, pursuit: Pursuit, closing: Closing, limits: NodeLimits
    ) -> None:
        self._clock = clock
        self._pursuit = pursuit
        self._closing = closing
        self._limits = limits
        self._refused: OrderedDict[bytes, int] = OrderedDict()
        self._in_hand: set[str] = set()
        self.finished: Callable[[], None] = lambda: None
        """Called when a number is no longer in hand."""

    def __len__(self) -> int:
        return len(self._in_hand)

    def __contains__(self, entry_id: object) -> bool:
        return entry_id in self._in_hand

    def take(self, errand: Errand) -> None:
        """Call a number that was just taken; ``limits`` has counted it already."""
        self._live(self._follow(errand, self._reach(errand)), errand)

    def resume(self, errand: Errand, under_way: Attempt | None, progress: Progress) -> None:
        """Go on with a number that was in flight when this daemon, or the one before, stopped."""
        self._limits.calls += 1
        self._live(self._follow(errand, self._resume(errand, under_way, progress)), errand)

    def _live(self, life: Coroutine[Any, Any, None], errand: Errand) -> None:
        self._in_hand.add(errand.claim.id)
        living = Deferred.fromCoroutine(life)
        # Nothing is lost: the entry stays in flight, and the next start takes it up.
        living.addErrback(
            lambda failure: self.log.failure(
                "Number {entry_id} of {task} was abandoned",
                failure,
                entry_id=errand.claim.id,
                task=errand.name,
            )
        )
        living.addBoth(self._left, errand.claim.id)

    def _left(self, _: object, entry_id: str) -> None:
        self._in_hand.discard(entry_id)
        self.finished()

    async def _follow(
        self, errand: Errand, pursuit: Coroutine[Any, Any, tuple[NumberInHand | None, Verdict]]
    ) -> None:
        verdict: Verdict = Suspended()
        try:
            number, verdict = await pursuit
        finally:
            self._limits.calls -= 1
            errand.freed(verdict)
        await self._close(errand, number, verdict)

    async def _reach(self, errand: Errand) -> tuple[NumberInHand | None, Verdict]:
        reading = _read(errand)
        if isinstance(reading, Finished):
            return None, reading
        number, progress = reading
        if isinstance(progress, Finished):
            return number, progress
        return number, await self._pursuit.reach(number, progress, errand.may_dial, errand.held)

    async def _resume(
        self, errand: Errand, under_way: Attempt | None, progress: Progress
    ) -> tuple[NumberInHand | None, Verdict]:
        reading = _read(errand)
        if isinstance(reading, Finished):
            # What its entry means today does not matter: there was a call, and it is followed.
            return None, await self._pursuit.follow(progress, under_way)
        number, fresh = reading
        if isinstance(fresh, Finished):
            return number, await self._pursuit.follow(progress, under_way)
        if under_way is None:
            return number, await self._pursuit.reach(number, progress, errand.may_dial, errand.held)
        return number, await self._pursuit.resume(
            number, progress, under_way, errand.may_dial, errand.held
        )

    async def _close(self, errand: Errand, number: NumberInHand | None, verdict: Verdict) -> None:
        if isinstance(verdict, NotDialed):
            ended = self._unplaced(errand, verdict)
            if ended is None:
                return
            verdict = ended
        elif isinstance(verdict, Suspended):
            return
        else:
            self._taken_by_freeswitch(errand.claim, verdict)
        await self._closing.settle(
            errand.claim,
            errand.kind,
            errand.name,
            verdict,
            number=number.number if number else None,
            requested_uuid=number.requested_uuid if number else None,
        )

    def _unplaced(self, errand: Errand, verdict: NotDialed) -> Finished | None:
        if verdict.refused:
            self._limits.refused(self._clock.seconds())
            if self._refusals(errand.claim) >= REFUSALS_IN_A_ROW:
                reason = f"refused {REFUSALS_IN_A_ROW} times in a row: {verdict.reason}"
                return Finished(Outcome.FAILED, reason)
        return errand.unplaced(errand.claim, verdict)

    def _refusals(self, claim: Claimed) -> int:
        """Count one more refusal of this entry; it may have been claimed anew since the last."""
        count = self._refused.pop(claim.entry, 0) + 1
        if count < REFUSALS_IN_A_ROW:
            self._refused[claim.entry] = count
        if len(self._refused) > REMEMBERED_REFUSALS:
            self._refused.popitem(last=False)
        return count

    def _taken_by_freeswitch(self, claim: Claimed, verdict: Finished) -> None:
        if verdict.attempts:
            self._refused.pop(claim.entry, None)
            self._limits.accepted(verdict.attempts[-1].dialed_at)


def _read(errand: Errand) -> Reading:
    try:
        return errand.read()
    except ContractError as error:
        return Finished(Outcome.INVALID, str(error))
