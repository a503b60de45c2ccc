"""The time between two calls of a number: it rests, or waits for what is lacking.

Meanwhile the number stays in flight, noted as one of which no call is up, and keeps its slot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from ctidialer.dialer.life.caller import Caller
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
"""Seconds before a further call of a number is tried again where it could not be placed."""

MAX_WAIT_FOR_LINE = 30.0
"""Seconds for which a further call waits for a line, from when it was due."""

CLOSED = "no further call: the task is closed, switched off or gone"
NO_LINE_CAME = "no further call: no line is free in the groups that are left"


@define(eq=False)
class Journey:
    """A number on its way.

    ``due`` is when its next call may be placed, as far as the number itself is concerned (unix
    seconds); ``is_noted``: its entry in flight says that no call is up.
    """

    errand: Errand
    number: NumberInHand
    progress: Progress
    due: float
    is_noted: bool = False

    @property
    def entry(self) -> bytes:
        """The entry, as it was taken."""
        return self.errand.claim.entry


class Between:
    """Holds numbers until their next call may be placed.

    ``ready`` is open while calls can be placed; after ``end`` no further one is.
    """

    def __init__(self, clock: IReactorTime, caller: Caller, ways: Ways, ready: Gate) -> None:
        self._clock = clock
        self._caller = caller
        self._ways = ways
        self._ready = ready
        self._pauses = Pauses()

    @property
    def ended(self) -> bool:
        """Whether no further call is placed."""
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
        """Wait a little where a call could not be placed, and until the node is ready again."""
        await self._pause(journey, self._until_ready)

    async def until_it_may(self, journey: Journey) -> Verdict | None:
        """Wait until a further call can be placed: None, or how the number ends without it.

        While the node is drained or not ready, while the task is held, and while no line is free,
        the number stays in flight, noted as one of which no call is up.
        """
        errand = journey.errand
        while True:
            if self.ended:
                await self._note_resting(journey)
                return Suspended()
            if not errand.may_dial():
                return finished(journey.progress, CLOSED)
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

        A turn that comes when nothing else is as it was is given up: to call later is no harm.
        """
        has_come = await self._pause(journey, self._until_turn)
        errand = journey.errand
        is_open = self.is_open and errand.may_dial() and not errand.held()
        return has_come is True and is_open and self._has_line(journey)

    async def _line_comes(self, journey: Journey) -> bool:
        """Wait for a line; return whether there is still a way for the number.

        A redial that has waited in vain gives way to the next group, which is waited for likewise.
        """
        has_come = await self._pause(journey, self._until_line)
        if has_come is not False:
            return True  # or the daemon stops
        following = after_wait(journey.progress.itinerary)
        if following is None:
            return False
        journey.progress = Progress(following, journey.progress.attempts)
        journey.due = self._clock.seconds()
        return True

    async def _pause(self, journey: Journey, pause: Callable[[Journey], Deferred[Any]]) -> Any:
        """Pause between two calls, and let its task know of it."""
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
        """Return a pause after which the node is ready again; the number is due only then."""
        return deferLater(self._clock, HOLD_INTERVAL).addCallback(self._held, journey)

    def _held(self, _: None, journey: Journey) -> Deferred[None]:
        return self._ready.passed().addCallback(self._due_now, journey)

    def _due_now(self, _: None, journey: Journey) -> None:
        journey.due = self._clock.seconds()

    async def _note_resting(self, journey: Journey) -> None:
        if not journey.is_noted:
            journey.is_noted = True
            await self._caller.note_resting(journey.number, journey.progress)
