"""One call of a number: the originate is sent only after its UUID was noted in Redis."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from uuid import uuid4

from attrs import frozen
from msgspec.structs import replace
from twisted.python.failure import Failure

from ctidialer.contract.problems import Problem
from ctidialer.contract.variables import REQUESTED_UUID, merge_variables
from ctidialer.dialer.dispatch.shared_places import SharedPlaces, no_note
from ctidialer.dialer.life import clearance
from ctidialer.dialer.life.calls import Calls, NotSent
from ctidialer.dialer.life.counting import Counting
from ctidialer.dialer.life.listening import CallWatch, WatchFor, both, nobody
from ctidialer.dialer.life.number_in_hand import NumberInHand, Progress
from ctidialer.dialer.life.story import Stories
from ctidialer.dialer.life.switch_port import SwitchPort
from ctidialer.esl.errors import EslError
from ctidialer.rules.attempt import Attempt
from ctidialer.rules.originate import Call, Part, Uncarriable, originate_command
from ctidialer.rules.routing import Choice
from ctidialer.store.errors import NotInFlight, StoreError
from ctidialer.store.in_flight import NO_CALL, Dialing, Place, dialing_line
from ctidialer.store.permit import Permit
from ctidialer.store.places import Note
from ctidialer.store.store import Store

MAX_NOTE_AGE = 0.25
"""Seconds that a call may wait for its turn after its note.  After more it is noted again: the
rules of its callee are then looked at once more, and the call counts from when it is placed."""


@frozen
class CallDefaults:
    """What every call of this node has in common."""

    host: str
    originate_timeout: int


class Caller:
    """Places calls and follows them to their end."""

    def __init__(
        self,
        node: CallDefaults,
        store: Store,
        switch: SwitchPort,
        calls: Calls,
        stories: Stories,
        places: SharedPlaces,
        watch_for: WatchFor = nobody,
    ) -> None:
        """``watch_for`` returns who watches a call because its task counts agents."""
        self._places = places
        self._node = node
        self._watch_for = watch_for
        self._stories = stories
        self._store = store
        self._switch = switch
        self._calls = calls
        self._requested: set[str] = set()
        self._counting = Counting()

    async def call(
        self,
        number: NumberInHand,
        progress: Progress,
        choice: Choice,
        now: float,
        sent: Callable[[], None],
        answered: Callable[[], None],
        may_start: Callable[[], bool] = lambda: True,
    ) -> Attempt:
        """Note the call in Redis, place it, and return it when it has ended.

        ``sent`` is called when the originate is about to be sent, ``answered`` when the callee
        answers; ``may_start`` is asked after a wait for the rates of all hosts.  Raises NotSent or
        StoreError if the call was certainly not sent, Denied if the rules of its callee do not
        allow it now, NoPlace if the calls of all hosts leave no place, Uncarriable if it cannot be
        written as a command.
        """
        uuid = await self._uuid(number, progress)
        was_placed = False
        try:
            command = originate_command(self._as_call(number, choice, uuid))
            line = choice.line.name if choice.line else None
            attempt = Attempt(uuid, line, choice.group, dialed_at=now)
            permit = clearance.permit(number)
            if self._places.counts(number.kind, number.name, choice.line):
                attempt = await self._begin(number, progress, choice, attempt, may_start)
            else:
                await self._note(number, progress, attempt, permit)
            was_placed = True
            sent()
            heard = partial(self._answered, number.claim.id, uuid, permit, answered)
            story = self._stories.of(number, len(progress.attempts) + 1)
            if story is not None:
                story.dialing(attempt, _variables(number, choice))
            watch = self._watch(number, attempt)
            try:
                listener = both(story, watch)
                return await self._calls.place(attempt, command, heard, number.wanted, listener)
            except NotSent:
                was_placed = False
                self.unsent(number, uuid)
                if watch is not None:
                    watch.unsent()
                raise
        finally:
            self._places.left(number.claim.id, was_placed=was_placed)
            self._requested.discard(uuid)

    async def adopt(
        self,
        entry_id: str,
        number: NumberInHand | None,
        count: int,
        under_way: Attempt,
        answered: Callable[[], None],
    ) -> Attempt:
        """Follow the ``count``-th call of an entry, placed before a restart, to its end.

        ``number`` None = the entry cannot be read any more: no channel variables are read.
        """
        permit = clearance.permit(number) if number else None
        heard = partial(self._answered, entry_id, under_way.uuid, permit, answered)
        wanted = number.wanted if number else ()
        watch = self._watch(number, under_way) if number else None
        listener = both(self._stories.of(number, count), watch)
        try:
            return await self._calls.adopt(under_way, heard, wanted, listener)
        finally:
            self._places.left(entry_id, was_placed=True)

    def over(self, entry_id: str) -> None:
        """The number of an entry is over: no call of it follows."""
        self._places.over(entry_id)

    def _watch(self, number: NumberInHand, attempt: Attempt) -> CallWatch | None:
        return None if number.agents is None else self._watch_for(number, number.agents, attempt)

    async def note_resting(self, number: NumberInHand, progress: Progress) -> None:
        """Note that no call of this number is up, so that a restart does not look for one."""
        last = progress.attempts[-1]
        count = len(progress.attempts)
        resting = Dialing(NO_CALL, last.line, last.line_group, count, progress.encode())
        with suppress(StoreError):
            await self._store.note_dialing(number.claim.id, resting)

    def unsent(self, number: NumberInHand, uuid: str) -> None:
        """A call that was noted was certainly not sent: it does not count for its callee."""
        permit = clearance.permit(number)
        if permit is not None and permit.caps:
            self._counting.change(partial(self._store.uncount, permit, uuid))

    def no_talk(self, number: NumberInHand, uuid: str) -> None:
        """A machine has answered this call: it does not count as a conversation."""
        permit = clearance.permit(number)
        if permit is not None and permit.counts_talk:
            self._counting.change(partial(self._store.uncount_talk, permit, uuid))

    def _answered(
        self,
        entry_id: str,
        uuid: str,
        permit: Permit | None,
        answered: Callable[[], None],
        at: float,
    ) -> None:
        """Note the answer in Redis, so that the next daemon knows of it if this one dies."""
        answered()
        noting = self._store.note_answered(entry_id, uuid, at, permit)
        if permit is not None and permit.counts_talk:
            noting.addErrback(self._counting.owe, partial(self._store.count_talk, permit, uuid))
        else:
            noting.addErrback(_redis_is_away)

    async def _begin(
        self,
        number: NumberInHand,
        progress: Progress,
        choice: Choice,
        attempt: Attempt,
        may_start: Callable[[], bool],
    ) -> Attempt:
        """Take the places that the call has over all hosts, and note it: if it starts at once, and
        nothing else is looked at, in the same step."""
        entry_id, permit = number.claim.id, clearance.permit(number)

        def note(place: Place | None) -> Note:
            return entry_id, dialing_line(_dialing(progress, attempt, place))

        taken = await self._places.take(
            entry_id,
            number.kind,
            number.name,
            choice.line,
            note if permit is None else no_note,
        )
        if taken.noted is not None:
            if not taken.noted:
                raise NotInFlight(entry_id)
            await self._places.in_turn(entry_id)
            return attempt
        if taken.start_in > 0:
            if not may_start():
                raise NotSent("its task, or this node, places no call any more")
            attempt = replace(attempt, dialed_at=attempt.dialed_at + taken.start_in)
        await self._note(number, progress, attempt, permit)
        waited = await self._in_turn(number, attempt.uuid)
        if permit is not None and waited > MAX_NOTE_AGE:
            await self._note(number, progress, attempt, permit)
        return attempt

    async def _in_turn(self, number: NumberInHand, uuid: str) -> float:
        """Wait for the turn of a call that was noted; raises StoreError if it may not be sent."""
        try:
            return await self._places.in_turn(number.claim.id)
        except StoreError:
            self.unsent(number, uuid)
            raise

    async def _note(
        self,
        number: NumberInHand,
        progress: Progress,
        attempt: Attempt,
        permit: Permit | None,
    ) -> None:
        if permit is not None:
            await self._counting.pay()
        try:
            dialing = _dialing(progress, attempt, self._places.place_of(number.claim.id))
            await self._store.note_dialing(number.claim.id, dialing, permit)
        except StoreError:
            self.unsent(number, attempt.uuid)  # the note may be there; no call follows it
            raise

    def _as_call(self, number: NumberInHand, choice: Choice, uuid: str) -> Call:
        return Call(
            uuid=uuid,
            dialstring=choice.dialstring,
            number=number.number,
            group=choice.group,
            destination=number.destination,
            host=self._node.host,
            variables=_variables(number, choice),
            line=choice.line.name if choice.line else None,
            task=number.name,
            originate_timeout=self._node.originate_timeout,
        )

    async def _uuid(self, number: NumberInHand, progress: Progress) -> str:
        """Return the UUID of the next call: of the very first the producer's own, if free."""
        requested = number.requested_uuid
        if requested is None or progress.attempts or number.claim.is_tried:
            return str(uuid4())
        if not REQUESTED_UUID.fullmatch(requested):
            raise Uncarriable(Part.UUID, Problem.UNFIT_ORIGINATION_UUID.of())
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


def _dialing(progress: Progress, attempt: Attempt, place: Place | None) -> Dialing:
    """Return what is noted of the next call before it is placed; ``place`` as `Dialing.place`."""
    return Dialing(
        attempt.uuid,
        attempt.line,
        attempt.group,
        attempt=len(progress.attempts) + 1,
        progress=Progress(progress.itinerary, progress.attempts, attempt.dialed_at).encode(),
        place=place,
    )


def _variables(number: NumberInHand, choice: Choice) -> dict[str, str]:
    line_variables = choice.line.variables if choice.line else {}
    return merge_variables(number.variables, line_variables)


def _redis_is_away(failure: Failure) -> None:
    """Say nothing: others log that Redis is away, and the record will have the answer."""
    failure.trap(StoreError)
