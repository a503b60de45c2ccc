"""The life of one number: line after line, until it is reached or its groups are exhausted.

One coroutine a number.  What comes next is decided by :mod:`ctidialer.rules`; here it is done, in
the one order that loses nothing: choose a line, note the call's UUID in Redis, only then send the
originate, follow the call to its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from ctidialer.contract.record import Outcome
from ctidialer.dialer.life.caller import Caller
from ctidialer.dialer.life.calls import NotSent, NotTaken
from ctidialer.dialer.life.errand import Errand
from ctidialer.dialer.life.number_in_hand import (
    CallResult,
    Ended,
    Finished,
    Held,
    NotDialed,
    NumberInHand,
    Progress,
    Suspended,
    Verdict,
    finished,
)
from ctidialer.dialer.life.pauses import Pauses
from ctidialer.dialer.life.ways import Ways
from ctidialer.glue import Gate
from ctidialer.rules import attempt as rules
from ctidialer.rules.attempt import Attempt
from ctidialer.rules.itinerary import Redial
from ctidialer.rules.originate import Uncarriable
from ctidialer.rules.routing import Choice, NoLine
from ctidialer.store.errors import NotInFlight, StoreError

REFUSALS_IN_A_ROW = 5
"""After so many refusals in a row a number is given up, so that nothing loops for ever."""

STOPPING = "this daemon is stopping"
NOT_READY = "no call can be placed just now"

HOLD_PAUSE = 1.0
"""Seconds before a further call of a number is tried again where it could not be placed."""


class Pursuit:
    """Reaches numbers: one call after another, as the rules say.

    ``ready`` is open while calls can be placed; after ``drain`` no further call is.
    """

    def __init__(self, clock: IReactorTime, caller: Caller, ways: Ways, ready: Gate) -> None:
        self._clock = clock
        self._caller = caller
        self._ways = ways
        self._ready = ready
        self._pauses = Pauses()

    @property
    def draining(self) -> bool:
        """Whether no further call is placed."""
        return self._pauses.ended

    def drain(self) -> None:
        """Place no further call: numbers that wait for one go back, or stay in flight."""
        self._pauses.end()

    async def reach(self, errand: Errand, number: NumberInHand, progress: Progress) -> Verdict:
        """Call ``number`` until it is reached or given up; return how that ended.

        A number that was never dialed comes back as NotDialed, whatever the reason.
        """
        refusals = 0
        if not progress.attempts and (self.draining or not self._ready.is_open):
            return NotDialed(STOPPING if self.draining else NOT_READY)
        while not progress.attempts or await self._may_go_on(errand, number, progress):
            result = await self._call(errand, number, progress)
            if isinstance(result, Ended):
                further = await self._after(number, result)
                if further is None:
                    return self._finished(result)
                progress, refusals = further, 0
            elif isinstance(result, Held):
                refusals += result.refused
                if not progress.attempts:
                    return NotDialed(result.reason, refused=result.refused)
                if refusals == REFUSALS_IN_A_ROW:
                    return finished(progress, f"no further call: {result.reason}")
                await self._hold()
            else:
                return result
        if self.draining:
            await self._caller.note_resting(number, progress)
            return Suspended()
        return finished(progress, "no further call: the task has closed")

    async def resume(
        self, errand: Errand, number: NumberInHand, progress: Progress, under_way: Attempt | None
    ) -> Verdict:
        """Go on with a number whose call ``under_way`` was placed before a restart (None: it was
        between two calls)."""
        if under_way is None:
            return await self.reach(errand, number, progress)
        ended = await self._adopt(progress, under_way, number.after_call.names)
        further = await self._after(number, ended)
        if further is None:
            return self._finished(ended)
        return await self.reach(errand, number, further)

    async def follow(self, progress: Progress, under_way: Attempt | None) -> Verdict:
        """Follow the call that is up to its end, and place no further one."""
        if under_way is None:
            return finished(progress)
        return self._finished(await self._adopt(progress, under_way, ()))

    async def _adopt(self, progress: Progress, under_way: Attempt, wanted: Sequence[str]) -> Ended:
        """Follow a call that was placed before a restart; it has its place on its line."""
        choice = self._ways.adopt(under_way, self._clock.seconds())
        answered = partial(self._ways.answered, choice)
        attempt = await self._caller.adopt(under_way, answered, wanted)
        self._ways.leave(choice, attempt, self._clock.seconds())
        return Ended(attempt, under_way.group, progress)

    async def _call(self, errand: Errand, number: NumberInHand, progress: Progress) -> CallResult:
        """Place the next call and follow it to its end."""
        now = self._clock.seconds()
        found = self._ways.take(progress.itinerary, now)
        if isinstance(found, NoLine):
            return _without_line(progress)
        choice, itinerary = found
        progress = Progress(itinerary, progress.attempts)
        try:
            attempt = await self._send(errand, number, progress, choice, now)
        except Uncarriable as error:
            self._ways.withdraw(choice)
            return _uncarriable(progress, error)
        except NotInFlight:
            self._ways.withdraw(choice)
            return Suspended()  # another daemon has taken it over, or closed it
        except (NotSent, StoreError) as error:
            self._ways.withdraw(choice)
            return Held(str(error), refused=isinstance(error, NotTaken))
        except Exception:  # a fault of ours: the number stays in flight, its line must not
            self._ways.withdraw(choice)
            raise
        if rules.is_refusal(attempt):
            self._ways.withdraw(choice)  # no verdict on the line
            return Held("FreeSWITCH refuses calls (too many sessions, rate, or paused)", True)
        self._ways.leave(choice, attempt, self._clock.seconds())
        return Ended(attempt, choice.group, progress)

    async def _send(
        self, errand: Errand, number: NumberInHand, progress: Progress, choice: Choice, now: float
    ) -> Attempt:
        is_first = not progress.attempts
        return await self._caller.call(
            number,
            progress,
            choice,
            now,
            sent=partial(errand.sent, now) if is_first else _nothing,
            answered=partial(self._ways.answered, choice),
        )

    async def _after(self, number: NumberInHand, ended: Ended) -> Progress | None:
        """Return how far the number is when its next call may be placed; None = it is finished."""
        if ended.attempt.lost:
            return None  # the callee's phone may have rung: never again without knowing
        step = self._ways.after(ended.progress.itinerary, ended.attempt)
        if step is None:
            return None
        progress = Progress(step.itinerary, ended.with_attempt().attempts)
        if isinstance(step, Redial) and step.delay > 0:
            await self._caller.note_resting(number, progress)
            await self._pauses.wait(deferLater(self._clock, step.delay))
        return progress

    def _finished(self, ended: Ended) -> Finished:
        return finished(ended.with_attempt(), lost=ended.attempt.lost)

    async def _may_go_on(self, errand: Errand, number: NumberInHand, progress: Progress) -> bool:
        """Wait until a further call can be placed; return whether one may be.

        While the node is drained or not ready, and while the task is held, the number stays in
        flight, noted as one of which no call is up.
        """
        noted = False
        while (
            errand.may_dial() and not self.draining and (errand.held() or not self._ready.is_open)
        ):
            if not noted:
                noted = True
                await self._caller.note_resting(number, progress)
            await self._hold()
        return errand.may_dial() and not self.draining

    async def _hold(self) -> None:
        await self._pauses.wait(deferLater(self._clock, HOLD_PAUSE))
        await self._pauses.wait(self._ready.passed())


def _nothing() -> None:
    pass


def _without_line(progress: Progress) -> CallResult:
    if not progress.attempts:
        return NotDialed("no line is free", no_line=True)
    return finished(progress, "no further call: no line is free in the groups that are left")


def _uncarriable(progress: Progress, error: Uncarriable) -> CallResult:
    if progress.attempts:
        return finished(progress, f"no further call: {error}")
    return Finished(Outcome.INVALID, str(error))
