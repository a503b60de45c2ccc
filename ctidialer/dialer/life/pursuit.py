"""The life of one number: line after line, until it is reached or its groups are exhausted.

There is one coroutine for each number.  :mod:`ctidialer.rules` decides what comes next; this module
does it, in the one order that loses nothing: choose a line, note the call's UUID in Redis, only
then send the originate, follow the call to its end.

A number ends only for reasons of its own.  If the node cannot place its first call, it goes back
where it was; if the node cannot place a further one, it waits, in flight and with its slot.
"""

from __future__ import annotations

from functools import partial

from twisted.internet.interfaces import IReactorTime

from ctidialer.contract.record import Outcome
from ctidialer.dialer.dispatch.shared_places import NoPlace
from ctidialer.dialer.life import clearance
from ctidialer.dialer.life.acceptance import Acceptance
from ctidialer.dialer.life.between import Between, Journey
from ctidialer.dialer.life.caller import Caller
from ctidialer.dialer.life.calls import NotSent, NotTaken
from ctidialer.dialer.life.errand import Errand
from ctidialer.dialer.life.number_in_hand import (
    CallResult,
    Ended,
    Finished,
    Held,
    NeverLeft,
    NotDialed,
    NumberInHand,
    Progress,
    Suspended,
    Verdict,
    finished,
)
from ctidialer.dialer.life.ways import Ways
from ctidialer.rules import attempt as rules
from ctidialer.rules.attempt import Attempt
from ctidialer.rules.itinerary import Itinerary, Redial, next_group
from ctidialer.rules.originate import Uncarriable
from ctidialer.rules.routing import Choice, NoLine
from ctidialer.rules.turned_away import MAX_TIMES
from ctidialer.store.errors import Denied, NotInFlight, StoreError

STOPPING = "this daemon is stopping"
NOT_READY = "no call can be placed just now"
REFUSED = "FreeSWITCH refuses calls (too many sessions, rate, or paused)"
NO_LINE = "no line is free"
MAX_LINES_TRIED = 20
"""Lines that are tried one after the other where the calls of other hosts leave no place."""


class Pursuit:
    """Reaches numbers: one call after another, as the rules say.

    After ``drain`` no further call is placed.
    """

    def __init__(
        self,
        clock: IReactorTime,
        caller: Caller,
        ways: Ways,
        acceptance: Acceptance,
        between: Between,
    ) -> None:
        self._clock = clock
        self._caller = caller
        self._ways = ways
        self._acceptance = acceptance
        self._between = between

    def drain(self) -> None:
        """Place no further call: numbers that wait for one go back, or stay in flight."""
        self._between.end()

    def settled(self, number: NumberInHand, end: Finished) -> None:
        """A try is over: a machine that answered was no conversation with the callee."""
        if end.outcome is Outcome.MACHINE and end.attempts:
            self._caller.no_talk(number, end.attempts[-1].uuid)

    def over(self, entry_id: str) -> None:
        """The number of an entry has its verdict: no call of it follows."""
        self._caller.over(entry_id)

    async def reach(self, errand: Errand, number: NumberInHand, progress: Progress) -> Verdict:
        """Call ``number`` until it is reached or given up; return how that ended.

        A number that was never dialed comes back as NotDialed, whatever the reason.
        """
        if not progress.attempts and not self._between.is_open:
            return NotDialed(STOPPING if self._between.ended else NOT_READY)
        if not progress.attempts:
            barred = clearance.before_first(number, self._clock.seconds())
            if barred is not None:
                errand.unspent()
                return barred
        return await self._go(Journey(errand, number, progress, self._clock.seconds()))

    async def resume(
        self, errand: Errand, number: NumberInHand, progress: Progress, under_way: Attempt | None
    ) -> Verdict:
        """Go on with a number after a restart.

        ``under_way`` is its call that was placed before; None = it was between two calls.
        """
        if under_way is None:
            return await self.reach(errand, number, progress)
        journey = Journey(errand, number, progress, self._clock.seconds())
        ended = await self._adopt(errand, progress, under_way, number)
        verdict = await self._after_call(journey, ended)
        return await self._go(journey) if verdict is None else verdict

    async def follow(
        self, errand: Errand, progress: Progress, under_way: Attempt | None
    ) -> Verdict:
        """Follow the call that is up to its end, and place no further one."""
        if under_way is None:
            return finished(progress)
        return _finished(await self._adopt(errand, progress, under_way, None))

    async def _go(self, journey: Journey) -> Verdict:
        while True:
            if journey.progress.attempts:
                end = await self._between.until_it_may(journey)
                if end is not None:
                    return end
            result = await self._call(journey)
            if isinstance(result, Ended):
                end = await self._after_call(journey, result)
            elif isinstance(result, NeverLeft):
                end = self._after_none(journey, result)
            elif isinstance(result, Held):
                end = await self._after_refusal(journey, result)
            else:
                return result
            if end is not None:
                return end

    # --- one call ----------------------------------------------------------------------------

    async def _adopt(
        self,
        errand: Errand,
        progress: Progress,
        under_way: Attempt,
        number: NumberInHand | None,
    ) -> Ended:
        """Follow a call that was placed before a restart; it takes its place on its line again."""
        choice = self._ways.adopt(under_way, self._clock.seconds())
        answered = partial(self._ways.answered, choice)
        count = len(progress.attempts) + 1
        attempt = await self._caller.adopt(errand.claim.id, number, count, under_way, answered)
        self._ways.leave(choice, attempt, self._clock.seconds())
        return Ended(attempt, under_way.group, progress)

    async def _call(self, journey: Journey) -> CallResult:
        """Place the next call and follow it to its end."""
        try:
            was_asked = await self._ways.look_up(journey.progress.itinerary)
        except StoreError as error:
            return Held(str(error))
        if was_asked and not self._between.is_open:
            return Held(NOT_READY)
        for _ in range(MAX_LINES_TRIED):
            now = self._clock.seconds()
            found = self._ways.take(journey.progress.itinerary, now)
            if isinstance(found, NoLine):
                return (
                    Held(NO_LINE, no_line=True)
                    if journey.progress.attempts
                    else NotDialed(NO_LINE, no_line=True)
                )
            try:
                return await self._place(journey, *found, now)
            except NoPlace as error:
                self._ways.withdraw(found[0])
                if error.of_task:
                    journey.errand.unspent()
                    return Held(str(error))
                # The line counts as full now: the next one is tried.
        return Held(NO_LINE, no_line=True)

    async def _place(
        self, journey: Journey, choice: Choice, itinerary: Itinerary, now: float
    ) -> CallResult:
        """Place a call that has its line; raises NoPlace."""
        progress = Progress(itinerary, journey.progress.attempts)
        try:
            attempt = await self._send(journey, progress, choice, now)
        except Uncarriable as error:
            self._ways.withdraw(choice)
            return _uncarriable(progress, error)
        except NotInFlight:
            self._ways.withdraw(choice)
            return Suspended()  # another daemon has taken it over, or closed it
        except Denied as error:
            self._ways.withdraw(choice)
            journey.errand.unspent()
            return clearance.denied(journey.number, progress, error)
        except NotTaken as error:
            return self._refused(journey, choice, error.uuid, str(error))
        except (NotSent, StoreError) as error:
            self._ways.withdraw(choice)
            return Held(str(error))
        except NoPlace:
            raise
        except Exception:  # a bug of ours: the number stays in flight, but its line comes free
            self._ways.withdraw(choice)
            raise
        return self._end(journey, progress, choice, attempt)

    async def _send(
        self, journey: Journey, progress: Progress, choice: Choice, now: float
    ) -> Attempt:
        journey.is_noted = journey.is_answered = False
        journey.is_careful = self._acceptance.is_careful(now)
        sent = partial(journey.errand.sent, now)
        answered = partial(self._answered, journey, choice, now)
        may_start = partial(self._may_go_on, journey)
        return await self._caller.call(
            journey.number, progress, choice, now, sent, answered, may_start
        )

    def _answered(self, journey: Journey, choice: Choice, placed_at: float) -> None:
        """The call is up: FreeSWITCH takes calls, however long this one lasts."""
        journey.is_answered = True
        self._ways.answered(choice)
        self._acceptance.accepted(journey.entry, choice, placed_at)

    def _end(
        self, journey: Journey, progress: Progress, choice: Choice, attempt: Attempt
    ) -> CallResult:
        """Return the result of a call that is over, and account for it on its line."""
        word = rules.never_left(attempt)
        if word is not None:
            self._caller.unsent(journey.number, attempt.uuid)
            return self._never_left(journey, progress, choice, word)
        if rules.is_refusal(attempt):
            self._caller.unsent(journey.number, attempt.uuid)
            return self._refused(journey, choice, attempt.uuid, REFUSED)
        self._ways.leave(choice, attempt, self._clock.seconds())
        if not journey.is_answered:
            self._acceptance.accepted(journey.entry, choice, attempt.dialed_at)
        return Ended(attempt, choice.group, progress)

    def _never_left(
        self, journey: Journey, progress: Progress, choice: Choice, word: str
    ) -> CallResult:
        reason = f"FreeSWITCH made no channel for its call through {choice.group}: {word}"
        now = self._clock.seconds()
        self._ways.never_left(choice, word, now)
        if self._acceptance.never_left(journey.entry, choice, now):
            return _given_up(journey, reason)
        return NeverLeft(reason, progress)

    def _refused(self, journey: Journey, choice: Choice, uuid: str, reason: str) -> CallResult:
        self._ways.withdraw(choice)  # no verdict on the line
        entry, was_careful = journey.entry, journey.is_careful
        if self._acceptance.refused(entry, choice, uuid, was_careful=was_careful):
            return _given_up(journey, reason)
        return Held(reason)

    # --- what follows it ---------------------------------------------------------------------

    async def _after_call(self, journey: Journey, ended: Ended) -> Verdict | None:
        """Let the number rest as its group says; None = its next call may be placed."""
        if ended.attempt.lost:
            return _finished(ended)  # the callee's phone may have rung: never again unasked
        step = self._ways.after(ended.progress.itinerary, ended.attempt)
        if step is None:
            return _finished(ended)
        journey.progress = Progress(step.itinerary, ended.with_attempt().attempts)
        journey.due = self._clock.seconds()
        if isinstance(step, Redial) and step.delay > 0:
            journey.due += step.delay
            await self._between.rest(journey)
        return None

    def _after_none(self, journey: Journey, none: NeverLeft) -> Verdict | None:
        """The call never left: try the next group; without one, wait for a line again.

        A number without any attempt does not wait: it goes back where it was.
        """
        itinerary = none.progress.itinerary
        following = next_group(itinerary)
        if not none.progress.attempts and (following is None or not self._may_begin(journey)):
            return NotDialed(none.reason, no_line=following is None)
        journey.progress = Progress(following or itinerary, none.progress.attempts)
        return None

    def _may_begin(self, journey: Journey) -> bool:
        return self._may_go_on(journey) and journey.errand.starts()

    def _may_go_on(self, journey: Journey) -> bool:
        errand = journey.errand
        return self._between.is_open and errand.may_dial() and not errand.held()

    async def _after_refusal(self, journey: Journey, held: Held) -> Verdict | None:
        """The call was not placed: the number goes back, or, after other calls, waits."""
        if not journey.progress.attempts:
            return NotDialed(held.reason)
        if not held.no_line:
            await self._between.hold(journey)
        return None


def _finished(ended: Ended) -> Finished:
    return finished(ended.with_attempt(), lost=ended.attempt.lost)


def _given_up(journey: Journey, reason: str) -> Finished:
    """Close a number that FreeSWITCH does not take although it takes others."""
    text = f"turned away {MAX_TIMES} times while other calls went out the same way: {reason}"
    if journey.progress.attempts:
        return finished(journey.progress, f"no further call: {text}")
    return Finished(Outcome.FAILED, text)


def _uncarriable(progress: Progress, error: Uncarriable) -> CallResult:
    if progress.attempts:
        return finished(progress, f"no further call: {error}")
    return Finished(Outcome.INVALID, str(error))
