"""The calls that are up: each is one attempt, followed from its originate to its end.

:mod:`ctidialer.rules.attempt` decides what an event means for an attempt; this module brings it
the events and answers of FreeSWITCH.  The Deferred of a call fires with the attempt once it has
ended, however long that takes and whatever breaks meanwhile: a call is remembered while FreeSWITCH
is away, and FreeSWITCH is asked for it when it is back.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from uuid import uuid4

from twisted.internet.defer import Deferred, DeferredList, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ctidialer.dialer.life import channel_events
from ctidialer.dialer.life.event_clock import EventClock
from ctidialer.dialer.life.journal import Journal
from ctidialer.dialer.life.listening import CallListener
from ctidialer.dialer.life.live_call import Answered, LiveCall
from ctidialer.dialer.life.switch_port import SwitchPort
from ctidialer.esl.errors import CommandRefused, ConnectionGone, EslError, UnsafeCommand
from ctidialer.esl.events import Event
from ctidialer.esl.jobs import JobResult
from ctidialer.rules import attempt as rules
from ctidialer.rules.attempt import LINGER_SECONDS, SEEMS_REFUSED_AFTER, Attempt

ASK_AGAIN_AFTER = 1.0
"""Seconds between two questions for a call that FreeSWITCH does not know."""

MAX_REMEMBERED = 1000
"""Channels without a call of ours whose events are remembered: see `Calls._remember`."""


class NotSent(Exception):
    """The originate certainly did not reach FreeSWITCH: the number may be dialed again."""


class NotTaken(NotSent):
    """FreeSWITCH does not take the command of a call: the user has no permission for it, say."""

    def __init__(self, reason: str, uuid: str) -> None:
        super().__init__(reason)
        self.uuid = uuid


Step = Callable[[LiveCall], Attempt]
"""What an event of a channel makes of its attempt."""


class Calls:
    """The live attempts of this node, by the UUID of their channel."""

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        switch: SwitchPort,
        journal: Journal,
        steady: Callable[[], float] | None = None,
    ) -> None:
        """``steady`` returns the seconds of a clock that nobody sets: it measures the calls."""
        self._clock = clock
        self._steady = steady or clock.seconds
        self._event_clock = EventClock(self._steady)
        self._switch = switch
        self._journal = journal
        self._live: dict[str, LiveCall] = {}
        self._strangers: OrderedDict[str, list[Step]] = OrderedDict()
        self._jobs = str(uuid4())  # begins our jobs' ids: every client hears of all jobs
        self.placed = 0
        """How many originates were sent, since this daemon began."""
        self.placing: Callable[[Attempt], None] = lambda attempt: None
        """Called when an originate is sent."""
        self.seems_refused: Callable[[Attempt], None] = lambda attempt: None
        """Called when FreeSWITCH seems to have turned a call away, before that is certain."""

    def __len__(self) -> int:
        return len(self._live)

    def __contains__(self, uuid: str) -> bool:
        return uuid in self._live

    def __iter__(self) -> Iterator[Attempt]:
        return iter([live.attempt for live in self._live.values()])

    def place(
        self,
        attempt: Attempt,
        command: str,
        answered: Answered = lambda at: None,
        wanted: Sequence[str] = (),
        listener: CallListener | None = None,
    ) -> Deferred[Attempt]:
        """Send ``originate <command>`` and follow the call.

        ``answered`` is called when the call is answered, unless it is over by then.  ``wanted``
        are the channel variables to read when it ends; ``listener`` is told of it meanwhile.

        The Deferred fires with the attempt when it has ended; it fails with NotSent, and only
        then, when the command certainly did not reach FreeSWITCH.
        """
        if attempt.uuid in self._live:
            return fail(NotSent(f"another call has the UUID {attempt.uuid}"))
        live = self._follow(attempt, answered, wanted, listener)
        live.job_id = f"{self._jobs}-{self.placed}"
        self.placed += 1
        self.placing(attempt)
        job = self._switch.background(live.job_id, f"originate {command}")
        job.addCallbacks(self._job_done, self._job_lost, callbackArgs=(live,), errbackArgs=(live,))
        job.addErrback(self._bug, live)
        return live.ended

    def adopt(
        self,
        attempt: Attempt,
        answered: Answered = lambda at: None,
        wanted: Sequence[str] = (),
        listener: CallListener | None = None,
    ) -> Deferred[Attempt]:
        """Follow a call that an earlier daemon placed (or may have placed).

        If two entries name one call, nobody can learn whose it is: the second one counts as lost.
        """
        if attempt.uuid in self._live:
            return succeed(rules.gone(attempt, self._clock.seconds()))
        return self._follow(attempt, answered, wanted, listener).ended

    def event(self, event: Event) -> None:
        """Take in one channel event; those of calls that are not ours change nothing."""
        happened_at = self._event_clock.moment(event)
        step = self._step(event, happened_at)
        if step is None:
            self._tell(event, happened_at)
            return
        uuid = event.get("Unique-ID") or ""
        live = self._live.get(uuid)
        if live is None:
            self._remember(uuid, step)
        else:
            self._advance(live, step(live))
            if live.listener is not None and not live.attempt.ended:
                live.listener.heard(event, live.attempt, live.at(happened_at))

    def _tell(self, event: Event, happened_at: float) -> None:
        """Pass an event on to who listens to its call; it changes no more than ``bridged_at``."""
        for uuid in channel_events.legs(event):
            live = self._live.get(uuid)
            if live is not None:
                at = live.at(happened_at)
                if event.name == channel_events.BRIDGE:
                    live.attempt = rules.bridged(live.attempt, at)
                if live.listener is not None:
                    live.listener.heard(event, live.attempt, at)
                return

    def unheard(self) -> None:
        """The connection for events broke: events of the calls may have been missed."""
        self._event_clock.forget()
        for live in self._live.values():
            live.attempt = rules.unheard(live.attempt)

    def ask(self, silent_for: float = 0.0) -> Deferred[None]:
        """Ask FreeSWITCH for each call of which nothing was heard for ``silent_for`` seconds.

        A call is gone if FreeSWITCH does not know it twice, a second apart.  Once is not enough: a
        job that was handed over a moment ago has no channel yet.
        """
        now = self._steady()
        silent = [live for live in self._live.values() if now - live.news_at >= silent_for]
        asked = DeferredList([Deferred.fromCoroutine(self._ask_for(live)) for live in silent])
        return asked.addCallback(lambda _: None)

    def _step(self, event: Event, happened_at: float) -> Step | None:
        if event.name == channel_events.ANSWER:
            return partial(_answered, happened_at)
        if event.name == channel_events.HANG_UP:
            return partial(_hung_up, event, happened_at)
        return None

    def _remember(self, uuid: str, step: Step) -> None:
        """Remember an event of an unknown UUID: a job's answer may still name it as ours."""
        self._strangers.setdefault(uuid, []).append(step)
        if len(self._strangers) > MAX_REMEMBERED:
            self._strangers.popitem(last=False)

    def _follow(
        self,
        attempt: Attempt,
        answered: Answered,
        wanted: Sequence[str],
        listener: CallListener | None,
    ) -> LiveCall:
        # A call dialed before a restart has been up for that long; a clock set back counts as 0.
        steady, up_for = self._steady(), self._clock.seconds() - attempt.dialed_at
        offset = attempt.dialed_at + max(0.0, up_for) - steady
        live = LiveCall(attempt, offset, steady, answered, wanted, listener)
        self._live[attempt.uuid] = live
        return live

    def _job_done(self, result: JobResult, live: LiveCall) -> None:
        live.job_id = None
        if not result.ok:
            self._job_failed(live, result.text)
            return
        before = live.attempt.uuid
        self._advance(live, rules.job_succeeded(live.attempt, result.text))
        if live.attempt.uuid != before and not live.attempt.ended:
            self._renamed(live, before)

    def _renamed(self, live: LiveCall, before: str) -> None:
        self.log.warn(
            "FreeSWITCH gave call {call_uuid} another UUID, {given}: the one asked for is in use",
            call_uuid=before,
            given=live.attempt.uuid,
        )
        self._live.pop(before, None)
        self._live[live.attempt.uuid] = live
        for step in self._strangers.pop(live.attempt.uuid, ()):
            self._advance(live, step(live))

    def _job_failed(self, live: LiveCall, text: str) -> None:
        now = live.at(self._steady())
        self._advance(live, rules.job_failed(live.attempt, text, now))
        if live.attempt.phase is rules.Phase.LINGERING:
            self._later(live, LINGER_SECONDS, self._lingered)
            self._later(live, SEEMS_REFUSED_AFTER, self._silent)

    def _later(
        self, live: LiveCall, seconds: float, then: Callable[[LiveCall], None]
    ) -> IDelayedCall:
        timer = self._clock.callLater(seconds, then, live)
        live.timers.append(timer)
        return timer

    def _silent(self, live: LiveCall) -> None:
        # In a busy turn the timer is first, and the event still lies in the socket.
        self._later(live, 0.0, self._silent_still)

    def _silent_still(self, live: LiveCall) -> None:
        if rules.seems_refused(live.attempt):
            self.seems_refused(live.attempt)

    def _lingered(self, live: LiveCall) -> None:
        self._advance(live, rules.lingered(live.attempt))

    def _job_lost(self, failure: Failure, live: LiveCall) -> None:
        live.job_id = None
        error = failure.value
        if live.attempt.ended:
            return  # the hang-up said all; the job was no longer waited for
        if isinstance(error, CommandRefused | UnsafeCommand):
            self.log.error(
                "FreeSWITCH is not to take the originate of {call_uuid}: {error}",
                call_uuid=live.attempt.uuid,
                error=error,
            )
            self.seems_refused(live.attempt)
            self._drop(live).errback(NotTaken(str(error), live.attempt.uuid))
        elif isinstance(error, ConnectionGone) and not error.may_have_been_executed:
            self._drop(live).errback(NotSent(str(error)))
        elif isinstance(error, EslError):
            self.log.info(
                "The originate of {call_uuid} may have been executed ({error}): it is asked for",
                call_uuid=live.attempt.uuid,
                error=error,
            )
        else:
            failure.raiseException()

    def _bug(self, failure: Failure, live: LiveCall) -> None:
        self.log.failure("Placing {call_uuid} failed", failure, call_uuid=live.attempt.uuid)

    def _advance(self, live: LiveCall, attempt: Attempt) -> None:
        is_answer = attempt.was_answered and not live.attempt.was_answered
        live.attempt = attempt
        live.news_at = self._steady()
        live.missed = 0
        if is_answer and not attempt.ended:
            live.answered(attempt.answered_at or live.news_at)
        if attempt.ended and self._live.get(attempt.uuid) is live:
            if live.listener is not None:
                live.listener.ended(attempt)
            self._journal.call_ended(attempt)
            self._drop(live).callback(attempt)

    def _drop(self, live: LiveCall) -> Deferred[Attempt]:
        del self._live[live.attempt.uuid]
        for timer in live.timers:
            if timer.active():
                timer.cancel()
        if live.job_id is not None:
            self._switch.forget(live.job_id)
        return live.ended

    async def _ask_for(self, live: LiveCall) -> None:
        uuid = live.attempt.uuid
        try:
            answer = await self._switch.api(f"uuid_exists {uuid}")
        except EslError:
            return  # FreeSWITCH is away again: everything is asked for when it is back
        if self._live.get(uuid) is not live:
            return  # it ended while we asked
        if answer.strip() == "true":
            live.news_at = self._steady()
            live.missed = 0
        elif answer.strip() == "false":
            self._missed(live)

    def _missed(self, live: LiveCall) -> None:
        if live.second_question is not None and live.second_question.active():
            return  # two answers at almost the same time count once
        live.missed += 1
        if live.missed == 1:
            live.second_question = self._later(live, ASK_AGAIN_AFTER, self._ask_again)
            return
        self.log.info("FreeSWITCH no longer knows call {call_uuid}", call_uuid=live.attempt.uuid)
        self._advance(live, rules.gone(live.attempt, live.at(self._steady())))

    def _ask_again(self, live: LiveCall) -> None:
        if live.missed and self._live.get(live.attempt.uuid) is live:
            Deferred.fromCoroutine(self._ask_for(live)).addErrback(self._bug, live)


def _answered(at: float, live: LiveCall) -> Attempt:
    return rules.answered(live.attempt, live.at(at))


def _hung_up(event: Event, at: float, live: LiveCall) -> Attempt:
    return rules.hung_up(live.attempt, channel_events.hang_up(event, live.at(at), live.wanted))
