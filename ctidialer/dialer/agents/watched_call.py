"""One call of a task that counts its agents: from its originate to its end.

::

    RINGING --answered--> WAITING --bridged--> CONNECTED
    WAITING --time over, abandon_extension--> ASIDE
    RINGING --given up--> ASIDE

A call that an earlier daemon placed and that was answered counts as connected: nobody knows better.
What it counts as is then decided by what its hang-up says.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

from attrs import frozen
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from ctidialer.contract.agent_dialing import AbandonFrom, AgentDialing
from ctidialer.contract.record import Outcome
from ctidialer.dialer.agents.pacer import TaskPacer
from ctidialer.dialer.life import channel_events
from ctidialer.dialer.life.number_in_hand import NumberInHand
from ctidialer.dialer.life.switch_port import SwitchPort
from ctidialer.esl.errors import EslError
from ctidialer.esl.events import Event
from ctidialer.glue import background
from ctidialer.rules import abandonment, verdict
from ctidialer.rules import attempt as rules
from ctidialer.rules.abandonment import GREETING_END, Judgement
from ctidialer.rules.attempt import Attempt, attempt_record

GREETING_INTERVAL = 0.5
MAX_GREETING = 6.0
"""Seconds between two questions for the end of a greeting, and for which it is asked for beyond
``abandon_time``: then the answer counts."""

PARTNER = "signal_bond"
"""The channel variable that names the leg with which a call is connected."""

RELEASED = "ORIGINATOR_CANCEL"


class Stage(enum.Enum):
    """How far a call has got."""

    RINGING = "ringing"
    WAITING = "waiting"
    CONNECTED = "connected"
    ASIDE = "aside"


@frozen(eq=False)
class WatchDesk:
    """What all watched calls share; ``news`` is called when one of them has got further, with its
    task's name."""

    clock: IReactorTime
    switch: SwitchPort
    news: Callable[[str, bool], None]


class WatchedCall:
    """Tells the pacer of its task how far the call has got, and what it counts as."""

    log = Logger()

    def __init__(
        self,
        desk: WatchDesk,
        pacer: TaskPacer,
        number: NumberInHand,
        dialing: AgentDialing,
        attempt: Attempt,
    ) -> None:
        self._desk = desk
        self._pacer = pacer
        self._number = number
        self._dialing = dialing
        self._uuid = attempt.uuid
        self._dialed_at = attempt.dialed_at
        self._answered_at = attempt.answered_at
        self._counted: Judgement | None = None
        self._waits_until = 0.0
        self._timer: IDelayedCall | None = None
        self._is_over = False
        self.rung_since: float | None = None
        self._stage = Stage.RINGING
        pacer.placed(self, attempt.dialed_at)
        if attempt.was_answered:
            self._stage = Stage.CONNECTED
            pacer.connected(self, attempt.answered_at or attempt.dialed_at)

    # --- part of CallWatch ---------------------------------------------------------------------

    def heard(self, event: Event, attempt: Attempt, at: float) -> None:
        """FreeSWITCH told of the call."""
        self._uuid = attempt.uuid
        if event.name == channel_events.ANSWER:
            self._safely(self._answered, attempt.answered_at or at)
        elif event.name == channel_events.BRIDGE:
            self._safely(self._bridged, attempt.bridged_at or at)
        elif event.name in (channel_events.PROGRESS, channel_events.PROGRESS_MEDIA):
            self.rung_since = self.rung_since or at

    def ended(self, attempt: Attempt) -> None:
        """The call is over."""
        self._safely(self._ended, attempt)

    def unsent(self) -> None:
        """The call was certainly not sent after all."""
        self.stop()
        self._pacer.left(self, self._now())

    def release(self) -> None:
        """Give the call up: it has rung long enough, and no agent will be free."""
        self._stage = Stage.ASIDE
        self._pacer.set_aside(self, self._now())
        self._pacer.released += 1
        background(self._give_up(), self.log, "Giving up a call")

    def stop(self) -> None:
        """Nothing is to be done any more, also when FreeSWITCH answers what it was asked."""
        self._is_over = True
        self._cancel()

    # --- what happens --------------------------------------------------------------------------

    def _answered(self, at: float) -> None:
        if self._stage is not Stage.RINGING:
            return
        self._stage, self._answered_at = Stage.WAITING, at
        self._pacer.answered(self, max(0.0, at - self._dialed_at), at)
        self._wait(at + self._dialing.abandon_time, self._time_is_over)
        self._news()

    def _bridged(self, at: float) -> None:
        if self._stage is Stage.CONNECTED:
            return
        if self._stage is Stage.RINGING:  # its answer was not heard
            self._answered(at)
        self._stage = Stage.CONNECTED
        self._pacer.connected(self, at)
        # Its time may be over without our knowing, or our timer was quicker than the news of it.
        in_time = at <= self._waits_until
        self._count(Judgement.REACHED if in_time else Judgement.ABANDONED)
        self._cancel()
        self._news()

    def _time_is_over(self) -> None:
        """No agent was there in time, unless the callee's greeting ended later."""
        self._timer = None
        if self._dialing.abandon_from is AbandonFrom.GREETING:
            background(self._ask_for_greeting(), self.log, "Asking for a greeting")
        else:
            self._abandon()

    async def _ask_for_greeting(self) -> None:
        said = await self._variable(GREETING_END)
        answered_at, now = self._answered_at or self._dialed_at, self._now()
        until = abandonment.waits_until(self._dialing, answered_at, {GREETING_END: said})
        if not self._is_waiting():
            return
        if until > now:
            self._wait(until, self._abandon)
        elif not said and now < answered_at + self._dialing.abandon_time + MAX_GREETING:
            self._wait(now + GREETING_INTERVAL, self._time_is_over)
        else:
            self._abandon()

    def _abandon(self) -> None:
        self._timer = None
        if not self._is_waiting():
            return
        self._count(Judgement.ABANDONED)
        if self._dialing.abandon_extension:
            background(self._transfer(), self.log, "Transferring an abandoned call")
        self._news(is_abandoned=True)

    async def _transfer(self) -> None:
        """Send the callee to ``abandon_extension``, unless an agent has him just now."""
        if await self._variable(PARTNER) or not self._is_waiting():
            return
        where = self._number.destination
        target = f"{self._dialing.abandon_extension} {where.dialplan} {where.context}"
        try:
            answer = await self._run(f"uuid_transfer {self._uuid} {target}")
        except EslError as error:
            answer = f"-ERR {error}"
        if not self._is_waiting():
            return
        if not answer.startswith("+OK"):
            self.log.warn(
                "Abandoned call {call_uuid} stays in its queue, FreeSWITCH does not transfer it to "
                "{extension}: {problem}",
                call_uuid=self._uuid,
                extension=self._dialing.abandon_extension,
                problem=answer.strip(),
            )
        else:
            self._stage = Stage.ASIDE
            self._pacer.set_aside(self, self._now())
            self._news()

    def _ended(self, attempt: Attempt) -> None:
        self.stop()
        record = attempt_record(attempt)
        how = verdict.of_call(self._number.after_call, attempt)
        if attempt.was_answered and self._stage is Stage.RINGING:
            at = attempt.answered_at or attempt.dialed_at
            self._pacer.answered(self, max(0.0, at - attempt.dialed_at), at)
        elif not attempt.was_answered:
            self._rang_out(attempt, how)
        final = abandonment.judged(self._dialing, record, how)
        if not (attempt.lost and self._counted):
            self._count(final)
        self._pacer.left(self, self._now())
        self._news()

    def _rang_out(self, attempt: Attempt, how: Outcome) -> None:
        if rules.never_left(attempt) is not None or rules.is_refusal(attempt):
            return  # no telephone rang
        cut_short = attempt.lost or self._stage is Stage.ASIDE or how is Outcome.FAILED
        ended_at = self._now() if attempt.ended_at is None else attempt.ended_at
        self._pacer.rang_out(max(0.0, ended_at - attempt.dialed_at), cut_short=cut_short)

    async def _give_up(self) -> None:
        """End the call; one that goes on ringing counts again, and is not given up once more."""
        try:
            answer = await self._run(f"uuid_kill {self._uuid} {RELEASED}")
        except EslError as error:
            answer = f"-ERR {error}"
        if answer.startswith("-") and self._stage is Stage.ASIDE and not self._is_over:
            self._stage, self.rung_since = Stage.RINGING, None
            self._pacer.placed(self, self._dialed_at)
            self.log.warn(
                "Call {call_uuid} goes on ringing, FreeSWITCH does not end it: {problem}",
                call_uuid=self._uuid,
                problem=answer.strip(),
            )

    # --- how ---------------------------------------------------------------------------------

    def _is_waiting(self) -> bool:
        """Say whether the call is up, and its callee waits for an agent."""
        return self._stage is Stage.WAITING and not self._is_over

    def _count(self, judgement: Judgement) -> None:
        """Count the call, in place of what it counted as before."""
        if judgement is not self._counted:
            self._pacer.counts(self._counted, judgement)
            self._counted = judgement

    def _news(self, *, is_abandoned: bool = False) -> None:
        self._desk.news(self._number.name, is_abandoned)

    def _now(self) -> float:
        return self._desk.clock.seconds()

    def _wait(self, until: float, then: Callable[[], None]) -> None:
        """Let the callee wait for an agent until then (unix seconds), which may be over."""
        self._cancel()
        self._waits_until = until
        if not self._is_over:
            delay = max(0.0, until - self._now())
            self._timer = self._desk.clock.callLater(delay, self._safely, then)

    def _cancel(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    async def _variable(self, name: str) -> str:
        """Return a variable of the channel; empty = it is not set, or nobody can say."""
        try:
            answer = (await self._run(f"uuid_getvar {self._uuid} {name}")).strip()
        except EslError:
            return ""
        return "" if answer == "_undef_" or answer.startswith("-") else answer

    async def _run(self, command: str) -> str:
        return await self._desk.switch.api(command)

    def _safely(self, do: Callable[..., None], *arguments: Any) -> None:
        try:
            do(*arguments)
        except Exception:  # noqa: BLE001 - a fault in the count must not end a number's life
            self.log.failure("A call could not be counted")
