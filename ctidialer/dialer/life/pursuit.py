"""The life of one number: line after line, until it is reached or its groups are exhausted.

One coroutine a number.  What comes next is decided by :mod:`ctidialer.rules`; here it is done, in
the one order that loses nothing: choose a line, note the call's UUID in Redis, only then send the
originate, follow the call to its end.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from uuid import uuid4

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from ctidialer.contract.line import Line
from ctidialer.contract.record import Outcome
from ctidialer.contract.variables import REQUESTED_UUID, merge_variables
from ctidialer.dialer.dispatch.lines import LineAccounts
from ctidialer.dialer.gate import Gate
from ctidialer.dialer.life.calls import Calls, NotSent, NotTaken, SwitchPort
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
from ctidialer.esl.errors import EslError
from ctidialer.rules import attempt as rules
from ctidialer.rules.attempt import Attempt
from ctidialer.rules.itinerary import NoFurtherCall, Redial, after_call, first_choice
from ctidialer.rules.originate import Call, Part, Uncarriable, originate_command
from ctidialer.rules.routing import Choice, NoLine
from ctidialer.rules.tables import Tables
from ctidialer.store.errors import NotInFlight, StoreError
from ctidialer.store.in_flight import NO_CALL, Dialing
from ctidialer.store.store import Store

REFUSALS_IN_A_ROW = 5
"""After so many refusals in a row a number is given up, so that nothing loops for ever."""

STOPPING = "this daemon is stopping"
NOT_READY = "no call can be placed just now"

HOLD_PAUSE = 1.0
"""Seconds before a further call of a number is tried again where it could not be placed."""


@frozen
class Node:
    """What every call of this node has in common."""

    host: str
    originate_timeout: int


class Pursuit:
    """Reaches numbers: one call after another, as the rules say.

    ``ready`` is open while calls can be placed; after ``drain`` no further call is.
    """

    def __init__(
        self,
        clock: IReactorTime,
        node: Node,
        store: Store,
        switch: SwitchPort,
        calls: Calls,
        lines: LineAccounts,
        tables: Tables,
        ready: Gate,
    ) -> None:
        self._clock = clock
        self._node = node
        self._store = store
        self._switch = switch
        self._calls = calls
        self._lines = lines
        self._tables = tables
        self._ready = ready
        self._requested: set[str] = set()
        self._pauses: set[Deferred[None]] = set()
        self.draining = False

    def drain(self) -> None:
        """Place no further call: numbers that wait for one go back, or stay in flight."""
        self.draining = True
        for pause in list(self._pauses):
            pause.cancel()

    async def reach(
        self,
        number: NumberInHand,
        progress: Progress,
        may_dial: Callable[[], bool],
        held: Callable[[], bool] = lambda: False,
    ) -> Verdict:
        """Call ``number`` until it is reached or given up; return how that ended.

        ``may_dial`` is asked before every call but the first: a task that has closed since starts
        no more.  While ``held`` says so (it is paused, say) the number waits.  A number that was
        never dialed comes back as NotDialed, whatever the reason.
        """
        refusals = 0
        if not progress.attempts and (self.draining or not self._ready.is_open):
            return NotDialed(STOPPING if self.draining else NOT_READY)
        while not progress.attempts or await self._may_go_on(number, progress, may_dial, held):
            result = await self._call(number, progress)
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
            await self._note_resting(number, progress)
            return Suspended()
        return finished(progress, "no further call: the task has closed")

    async def resume(
        self,
        number: NumberInHand,
        progress: Progress,
        under_way: Attempt,
        may_dial: Callable[[], bool],
        held: Callable[[], bool] = lambda: False,
    ) -> Verdict:
        """Go on with a number whose call ``under_way`` was placed before a restart."""
        ended = await self._adopt(progress, under_way)
        further = await self._after(number, ended)
        if further is None:
            return self._finished(ended)
        return await self.reach(number, further, may_dial, held)

    async def follow(self, progress: Progress, under_way: Attempt | None) -> Verdict:
        """Follow the call that is up to its end, and place no further one."""
        if under_way is None:
            return finished(progress)
        return self._finished(await self._adopt(progress, under_way))

    async def _adopt(self, progress: Progress, under_way: Attempt) -> Ended:
        """Follow a call that was placed before a restart; it has its place on its line."""
        line = self._tables.routes.lines.get(under_way.line or "")
        group = under_way.group
        self._lines.started(line, group, self._clock.seconds())
        attempt = await self._calls.adopt(under_way, partial(self._lines.answered, line, group))
        self._off_the_line(line, attempt)
        return Ended(attempt, under_way.group, progress)

    async def _call(self, number: NumberInHand, progress: Progress) -> CallResult:
        """Place the next call and follow it to its end."""
        now = self._clock.seconds()
        first = first_choice(self._tables.routes, self._lines.states, progress.itinerary, now)
        if isinstance(first, NoLine):
            return _without_line(progress)
        choice, itinerary = first
        progress = Progress(itinerary, progress.attempts)
        self._lines.started(choice.line, choice.group, now)
        try:
            attempt = await self._send(number, progress, choice)
        except Uncarriable as error:
            self._lines.withdrawn(choice.line, choice.group)
            return _uncarriable(progress, error)
        except NotInFlight:
            self._lines.withdrawn(choice.line, choice.group)
            return Suspended()  # another daemon has taken it over, or closed it
        except (NotSent, StoreError) as error:
            self._lines.withdrawn(choice.line, choice.group)
            return Held(str(error), refused=isinstance(error, NotTaken))
        except Exception:  # a fault of ours: the number stays in flight, its line must not
            self._lines.withdrawn(choice.line, choice.group)
            raise
        if rules.is_refusal(attempt):
            self._lines.withdrawn(choice.line, choice.group)  # no verdict on the line
            return Held("FreeSWITCH refuses calls (too many sessions, rate, or paused)", True)
        self._off_the_line(choice.line, attempt)
        return Ended(attempt, choice.group, progress)

    def _off_the_line(self, line: Line | None, attempt: Attempt) -> None:
        if attempt.lost and not attempt.was_answered:
            self._lines.withdrawn(line, attempt.group)  # how it ended is not known: no verdict
        else:
            now, end = self._clock.seconds(), rules.call_end(attempt)
            self._lines.ended(line, attempt.group, now, end)

    async def _send(self, number: NumberInHand, progress: Progress, choice: Choice) -> Attempt:
        """Note the call in Redis, then place it; the order is the whole point."""
        uuid = await self._uuid(number, progress)
        try:
            command = originate_command(self._as_call(number, choice, uuid))
            line = choice.line.name if choice.line else None
            attempt = Attempt(uuid, line, choice.group, dialed_at=self._clock.seconds())
            await self._note(number, progress, attempt)
            if not progress.attempts:
                number.sent(attempt.dialed_at)
            answered = partial(self._lines.answered, choice.line, choice.group)
            return await self._calls.place(attempt, command, answered)
        finally:
            self._requested.discard(uuid)

    async def _note(self, number: NumberInHand, progress: Progress, attempt: Attempt) -> None:
        dialing = Dialing(
            attempt.uuid,
            attempt.line,
            attempt.group,
            attempt=len(progress.attempts) + 1,
            progress=Progress(progress.itinerary, progress.attempts, attempt.dialed_at).encode(),
        )
        await self._store.note_dialing(number.claim.id, dialing)

    def _as_call(self, number: NumberInHand, choice: Choice, uuid: str) -> Call:
        line_variables = choice.line.variables if choice.line else {}
        return Call(
            uuid=uuid,
            dialstring=choice.dialstring,
            number=number.number,
            group=choice.group,
            destination=number.destination,
            host=self._node.host,
            variables=merge_variables(number.variables, line_variables),
            line=choice.line.name if choice.line else None,
            task=number.name,
            originate_timeout=self._node.originate_timeout,
        )

    async def _uuid(self, number: NumberInHand, progress: Progress) -> str:
        """Return the UUID of the next call: the producer's own for the first, if it is free."""
        requested = number.requested_uuid
        if requested is None or progress.attempts:
            return str(uuid4())
        if not REQUESTED_UUID.fullmatch(requested):
            raise Uncarriable(Part.UUID, "origination_uuid must be 1 to 64 of A-Z a-z 0-9 _ . : -")
        if requested in self._calls or requested in self._requested:
            return str(uuid4())
        self._requested.add(requested)
        if not await self._is_used(requested) and requested not in self._calls:
            return requested
        self._requested.discard(requested)
        return str(uuid4())

    async def _is_used(self, uuid: str) -> bool:
        try:
            return (await self._switch.api(f"uuid_exists {uuid}")).strip() == "true"
        except EslError as error:
            self._requested.discard(uuid)
            raise NotSent(str(error)) from error

    async def _after(self, number: NumberInHand, ended: Ended) -> Progress | None:
        """Return how far the number is when its next call may be placed; None = it is finished."""
        if ended.attempt.lost:
            return None  # the callee's phone may have rung: never again without knowing
        group = self._tables.routes.groups.get(ended.group)
        step = after_call(ended.progress.itinerary, group, rules.call_end(ended.attempt))
        if isinstance(step, NoFurtherCall):
            return None
        progress = Progress(step.itinerary, ended.with_attempt().attempts)
        if isinstance(step, Redial) and step.delay > 0:
            await self._note_resting(number, progress)
            await self._pause(deferLater(self._clock, step.delay))
        return progress

    def _finished(self, ended: Ended) -> Finished:
        return finished(ended.with_attempt(), lost=ended.attempt.lost)

    async def _note_resting(self, number: NumberInHand, progress: Progress) -> None:
        """Note that no call of this number is up, so that a restart does not look for one."""
        last = progress.attempts[-1]
        count = len(progress.attempts)
        resting = Dialing(NO_CALL, last.line, last.line_group, count, progress.encode())
        with suppress(StoreError):
            await self._store.note_dialing(number.claim.id, resting)

    async def _may_go_on(
        self,
        number: NumberInHand,
        progress: Progress,
        may_dial: Callable[[], bool],
        held: Callable[[], bool],
    ) -> bool:
        """Wait until a further call can be placed; return whether one may be.

        While the node is drained or not ready, and while the task is held, the number stays in
        flight, noted as one of which no call is up.
        """
        noted = False
        while may_dial() and not self.draining and (held() or not self._ready.is_open):
            if not noted:
                noted = True
                await self._note_resting(number, progress)
            await self._hold()
        return may_dial() and not self.draining

    async def _hold(self) -> None:
        await self._pause(deferLater(self._clock, HOLD_PAUSE))
        await self._pause(self._ready.passed())

    async def _pause(self, pause: Deferred[None]) -> None:
        """Wait for ``pause``, but not longer than until the drain begins."""
        self._pauses.add(pause)
        try:
            with suppress(CancelledError):
                if self.draining:
                    pause.cancel()
                await pause
        finally:
            self._pauses.discard(pause)


def _without_line(progress: Progress) -> CallResult:
    if not progress.attempts:
        return NotDialed("no line is free", no_line=True)
    return finished(progress, "no further call: no line is free in the groups that are left")


def _uncarriable(progress: Progress, error: Uncarriable) -> CallResult:
    if progress.attempts:
        return finished(progress, f"no further call: {error}")
    return Finished(Outcome.INVALID, str(error))
