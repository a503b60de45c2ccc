"""One call of a number: the originate is sent only after its UUID was noted in Redis."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from uuid import uuid4

from attrs import frozen
from twisted.python.failure import Failure

from ctidialer.contract.problems import Problem
from ctidialer.contract.variables import REQUESTED_UUID, merge_variables
from ctidialer.dialer.life.calls import Calls, NotSent, SwitchPort
from ctidialer.dialer.life.number_in_hand import NumberInHand, Progress
from ctidialer.dialer.life.story import Stories
from ctidialer.esl.errors import EslError
from ctidialer.rules.attempt import Attempt
from ctidialer.rules.originate import Call, Part, Uncarriable, originate_command
from ctidialer.rules.routing import Choice
from ctidialer.store.errors import StoreError
from ctidialer.store.in_flight import NO_CALL, Dialing
from ctidialer.store.store import Store


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
    ) -> None:
        self._node = node
        self._stories = stories
        self._store = store
        self._switch = switch
        self._calls = calls
        self._requested: set[str] = set()

    async def call(
        self,
        number: NumberInHand,
        progress: Progress,
        choice: Choice,
        now: float,
        sent: Callable[[], None],
        answered: Callable[[], None],
    ) -> Attempt:
        """Note the call in Redis, place it, and return it when it has ended.

        ``sent`` is called when the originate is about to be sent, ``answered`` when the callee
        answers.  Raises NotSent or StoreError if the call was certainly not sent, Uncarriable if
        it cannot be written as a command.
        """
        uuid = await self._uuid(number, progress)
        try:
            command = originate_command(self._as_call(number, choice, uuid))
            line = choice.line.name if choice.line else None
            attempt = Attempt(uuid, line, choice.group, dialed_at=now)
            await self._note(number, progress, attempt)
            sent()
            heard = partial(self._answered, number.claim.id, uuid, answered)
            wanted = number.after_call.names
            story = self._stories.of(number, len(progress.attempts) + 1)
            if story is not None:
                story.dialing(attempt, _variables(number, choice))
            return await self._calls.place(attempt, command, heard, wanted, story)
        finally:
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
        heard = partial(self._answered, entry_id, under_way.uuid, answered)
        wanted = number.after_call.names if number else ()
        story = self._stories.of(number, count)
        return await self._calls.adopt(under_way, heard, wanted, story)

    async def note_resting(self, number: NumberInHand, progress: Progress) -> None:
        """Note that no call of this number is up, so that a restart does not look for one."""
        last = progress.attempts[-1]
        count = len(progress.attempts)
        resting = Dialing(NO_CALL, last.line, last.line_group, count, progress.encode())
        with suppress(StoreError):
            await self._store.note_dialing(number.claim.id, resting)

    def _answered(self, entry_id: str, uuid: str, answered: Callable[[], None], at: float) -> None:
        """Note the answer in Redis, so that the next daemon knows of it if this one dies."""
        answered()
        noting = self._store.note_answered(entry_id, uuid, at)
        noting.addErrback(_redis_is_away)

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
        """Return the UUID of the next call: the producer's own for the first, if it is free."""
        requested = number.requested_uuid
        if requested is None or progress.attempts:
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


def _variables(number: NumberInHand, choice: Choice) -> dict[str, str]:
    line_variables = choice.line.variables if choice.line else {}
    return merge_variables(number.variables, line_variables)


def _redis_is_away(failure: Failure) -> None:
    """Say nothing: others log that Redis is away, and the record will have the answer."""
    failure.trap(StoreError)
