"""The time between two calls of a number: it rests, or waits until a call can be placed.

Meanwhile the number keeps its slot and stays in flight; its entry says that no call is up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from ctidialer.dialer.life.caller import Caller
from ctidialer.dialer.life.clearance import before_further
from ctidialer.dialer.life.errand import Errand
from ctidialer.dialer.life.number_in_hand import (
    NumberInHand,
    Progress,
    Suspended,
    Verdict,
    finished,
)
from ctidialer.dialer.life.pauses import Pauses
from ctidialer.dialer.life.ways import Ways
from ctidialer.glue import Gate
from ctidialer.rules.itinerary import after_wait

HOLD_INTERVAL = 1.0
"""Seconds until a further call that could not be placed is tried again."""

MAX_WAIT_FOR_LINE = 30.0
"""Seconds for which a further call waits for a line, counted from when it was due."""

CLOSED = "no further call: the task is closed, switched off or gone"
NO_LINE_CAME = "no further call: no line is free in the groups that are left"


@define(eq=False)
class Journey:
    """A number between its claim and its end.

    ``due`` is when its rest is over and its next call may be placed (unix seconds).  ``is_noted``
    is whether its entry in flight says that no call is up, ``is_answered`` whether its last call
    was heard to be answered while it was up, ``is_careful`` whether it was placed at a lower rate
    after refusals.
    """

    errand: Errand
    number: NumberInHand
    progress: Progress
    due: float
    is_noted: bool = False
    is_answered: bool = False
    is_careful: bool = False

    @property
    def entry(self) -> bytes:
        """The entry, as it was taken."""
        return self.errand.claim.entry


class Between:
    """Lets numbers wait until their next call may be placed.

    ``ready`` is open while calls can be placed; after ``end`` no further call is placed.
    """

    def __init__(self, clock: IReactorTime, caller: Caller, ways: Ways, ready: Gate) -> None:
        self._clock = clock
        self._caller = caller
        self._ways = ways
        self._ready = ready
        self._pauses = Pauses()

    @property
    def ended(self) -> bool:
        """Whether ``end`` was called: no further call is placed."""
        return self._pauses.ended

    @property
    def is_open(self) -> bool:
        """Whether calls can be placed just now."""
        return self._ready.is_open and not self.ended

    def end(self) -> None:
        """Let nobody wait any more."""
        self._pauses.end()

    async def rest(self, journey: Journey) -> None:
        """Wait until the next call is due."""
        await self._pause(journey, self._until_due)

    async def hold(self, journey: Journey) -> None:
        """Wait after a call that could not be placed: a little, and until the node is ready."""
        await self._pause(journey, self._until_ready)

    async def until_it_may(self, journey: Journey) -> Verdict | None:
        """Wait until a further call can be placed; return None, or how the number ends without it.

        It waits while the node is drained or not ready, while its task is paused, and while no
        line is free.  The number stays in flight; its entry says that no call is up.
        """
        errand = journey.errand
        while True:
            if self.ended:
                await self._note_resting(journey)
                return Suspended()
            if not errand.may_dial():
                return finished(journey.progress, CLOSED)
            barred = before_further(journey.number, journey.progress, self._clock.seconds())
            if barred is not None:
                return barred
            if errand.held() or not self._ready.is_open:
                await self.hold(journey)
            elif not self._has_line(journey):
                if not await self._line_comes(journey):
                    return finished(journey.progress, NO_LINE_CAME)
            elif errand.starts() or await self._turn_comes(journey):
                return None

    def _has_line(self, journey: Journey) -> bool:
        return self._ways.is_free(journey.progress.itinerary, self._clock.seconds())

    async def _turn_comes(self, journey: Journey) -> bool:
        """Wait for the rates; return whether the call may be placed then.

        If its task, the node or the lines do not allow the call by then, the turn is given up: a
        later call does no harm.
        """
        has_come = await self._pause(journey, self._until_turn)
        errand = journey.errand
        is_open = self.is_open and errand.may_dial() and not errand.held()
        return has_come is True and is_open and self._has_line(journey)

    async def _line_comes(self, journey: Journey) -> bool:
        """Wait for a line; return False if there is no further group to try.

        After a redial that has waited in vain, the number waits for the next group in the same way.
        """
        has_come = await self._pause(journey, self._until_line)
        if has_come is not False:
            return True  # a line came; None: the daemon stops, which the caller finds out
        following = after_wait(journey.progress.itinerary)
        if following is None:
            return False
        journey.progress = Progress(following, journey.progress.attempts)
        journey.due = self._clock.seconds()
        return True

    async def _pause(self, journey: Journey, pause: Callable[[Journey], Deferred[Any]]) -> Any:
        """Pause between two calls; its task counts the number as waiting meanwhile."""
        await self._note_resting(journey)
        journey.errand.waits(journey.due)
        try:
            return await self._pauses.wait(pause(journey))
        finally:
            journey.errand.goes_on()

    def _until_due(self, journey: Journey) -> Deferred[None]:
        return deferLater(self._clock, max(0.0, journey.due - self._clock.seconds()))

    def _until_turn(self, journey: Journey) -> Deferred[bool]:
        return journey.errand.turn()

    def _until_line(self, journey: Journey) -> Deferred[bool]:
        return self._ways.wait(journey.progress.itinerary, journey.due + MAX_WAIT_FOR_LINE)

    def _until_ready(self, journey: Journey) -> Deferred[None]:
        """Return a pause that lasts until the node is ready again; the number is due after it."""
        return deferLater(self._clock, HOLD_INTERVAL).addCallback(self._held, journey)

    def _held(self, _: None, journey: Journey) -> Deferred[None]:
        return self._ready.passed().addCallback(self._due_now, journey)

    def _due_now(self, _: None, journey: Journey) -> None:
        journey.due = self._clock.seconds()

    async def _note_resting(self, journey: Journey) -> None:
        if not journey.is_noted:
            journey.is_noted = True
            await self._caller.note_resting(journey.number, journey.progress)
