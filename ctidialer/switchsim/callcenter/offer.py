"""One member offered to one agent.

::

    RINGING --answered--> TALKING --either side hangs up--> OVER
    RINGING --not answered, refused, called off--> OVER
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall

from ctidialer.switchsim.callcenter.tables import (
    ACTIVE,
    ANSWERED,
    BOX,
    IDLE,
    IN_A_CALL,
    LOGGED_OUT,
    NO_ANSWER,
    OFFERING,
    ON_DEMAND,
    READY,
    RECEIVING,
    STAND_BY,
    STANDBY,
    TRYING,
    WAITING,
    Agent,
    Member,
)

if TYPE_CHECKING:
    from ctidialer.switchsim.callcenter.center import Callcenter

CALLED_OFF = "ORIGINATOR_CANCEL"
_NO_DELAY = frozenset({"LOSE_RACE", CALLED_OFF})
_BUSY = frozenset({"NORMAL_CIRCUIT_CONGESTION", "USER_BUSY"})
_NOT_REGISTERED_DELAY = 5

NOTICE_INTERVAL = 0.1
"""Seconds between the module's looks at an agent's leg: so late it notices that a call is over."""


class Stage(enum.Enum):
    """How far an offer has got."""

    RINGING = enum.auto()
    TALKING = enum.auto()
    OVER = enum.auto()


class Offer:
    """A member offered to an agent, from ``Receiving`` to ``Waiting``."""

    def __init__(self, center: Callcenter, agent: Agent, member: Member) -> None:
        self._center = center
        self._book = center.book
        self.agent = agent
        self.member = member
        self.leg = ""
        self._called = 0
        self._answered = 0
        self._stage = Stage.RINGING
        self._timer: IDelayedCall | None = None

    # Begin ---------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Offer the call."""
        agent, member = self.agent, self.member
        agent.offer = member.offer = self
        member.state, member.serving_agent, member.serving_system = TRYING, agent.name, BOX
        self._book.set_state(agent, RECEIVING)
        self._set_tiers(OFFERING, others=(READY, STAND_BY))
        self._book.voice.offering(agent, member)
        if agent.type.lower() == STANDBY:
            self._take_standing_leg()
        else:
            self._ring()

    def _take_standing_leg(self) -> None:
        if self._center.has_leg(self.agent.uuid):
            self.leg = self.agent.uuid
            self._answer()
            return
        self._book.set_status(self.agent, LOGGED_OUT)
        self.agent.uuid = ""
        if self._stage is Stage.RINGING:
            self._fail("NONE")

    def _ring(self) -> None:
        self._called = self._book.second()
        seconds, cause = self._center.work.answer(self.agent, self.member, self._center.age())
        self._timer = self._center.clock.callLater(seconds, self._rung, cause)

    def _rung(self, cause: str) -> None:
        if cause:
            self._fail(cause)
            return
        self.leg = self._center.open_leg(self)
        self._answer()

    # The call ------------------------------------------------------------------------------------

    def _answer(self) -> None:
        """Connect the two."""
        call, agent, member = self.member.call, self.agent, self.member
        if call is None:
            return
        self._stage = Stage.TALKING
        self._answered = self._book.second()
        self._book.voice.bridging(agent, member, self.leg, self._called, self._answered)
        self._center.log_bridged(member, agent)
        call.connect(self.leg, self._variables())
        member.state, member.bridge_epoch = ANSWERED, self._answered
        agent.uuid, agent.last_bridge_start = self.leg, self._answered
        agent.calls_answered += 1
        agent.no_answer_count = 0
        self._set_tiers(ACTIVE)
        self._book.set_state(agent, IN_A_CALL)
        self._book.queues[member.queue].calls_answered += 1
        self._center.tell_count(member.queue)
        seconds = self._center.work.handle_seconds(member, self._center.age())
        self._timer = self._center.clock.callLater(seconds, call.talked)

    def _variables(self) -> dict[str, str]:
        """Give what the module sets in the callee's channel."""
        return {
            "cc_agent_uuid": self.leg,
            "cc_cause": "answered",
            "signal_bond": self.leg,
            "last_bridge_to": self.leg,
            "cc_agent_bridged": "true",
            "cc_agent": self.agent.name,
            "cc_queue_answered_epoch": str(self._answered),
        }

    def member_gone(self) -> None:
        """The member's call ended, or went elsewhere."""
        if self._stage is Stage.RINGING:
            self._later(self._fail, CALLED_OFF)
        elif self._stage is Stage.TALKING and not self._center.agent_calls_stay:
            self._later(self._finish)
        else:
            self._stop_timer()

    def call_off(self) -> None:
        """The agent is no longer there for it: his telephone stops ringing."""
        if self._stage is Stage.RINGING and self._timer is not None:
            self._later(self._fail, CALLED_OFF)

    def leg_gone(self, cause: str) -> None:
        """The agent's leg was hung up."""
        if self._stage is Stage.TALKING:
            self._later(self._finish)
            if self.member.call is not None:
                self.member.call.hang_up(cause, "send_bye")

    def _later(self, action: Callable[..., None], *arguments: str) -> None:
        self._stop_timer()
        self._timer = self._center.clock.callLater(NOTICE_INTERVAL, action, *arguments)

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    # Its end -------------------------------------------------------------------------------------

    def _finish(self) -> None:
        now, agent, member = self._book.second(), self.agent, self.member
        self._stage = Stage.OVER
        self._book.voice.unbridged(agent, member, self.leg, self._called, self._answered, now)
        self._center.close_leg(self)
        agent.last_bridge_end = now
        agent.talk_time += now - agent.last_bridge_start
        self._center.forget(member, "Terminated")
        self._release(READY, IDLE if agent.status == ON_DEMAND else WAITING)

    def _fail(self, cause: str) -> None:
        now, agent, member = self._book.second(), self.agent, self.member
        self._stage = Stage.OVER
        if member.state == TRYING:
            member.state = WAITING
        member.serving_agent = member.serving_system = ""
        tier_state = self._punish(cause, now)
        self._book.voice.failed(agent, member, self._called, now, cause)
        self._release(tier_state, WAITING)
        self._center.dispatch_soon()

    def _punish(self, cause: str, now: int) -> str:
        """Leave the agent in peace for as long as his settings say; give his tier's state."""
        agent, delay, state = self.agent, 0, READY
        if cause in _BUSY:
            delay = agent.busy_delay_time
        elif cause == "CALL_REJECTED":
            delay = agent.reject_delay_time
        elif cause == "USER_NOT_REGISTERED":
            delay = _NOT_REGISTERED_DELAY
        elif cause not in _NO_DELAY:
            delay, state = agent.no_answer_delay_time, NO_ANSWER
            self._count_no_answer()
        if delay > 0:
            agent.ready_time = now + delay
        return state

    def _count_no_answer(self) -> None:
        agent = self.agent
        agent.no_answer_count += 1
        if 0 < agent.max_no_answer <= agent.no_answer_count:
            status = self._book.queues[self.member.queue].agent_no_answer_status
            self._book.voice.gave_up(agent, self.member, status)
            self._book.set_status(agent, status)

    def _release(self, tier_state: str, state: str) -> None:
        self.agent.offer = self.member.offer = None
        self._set_tiers(tier_state, others=(STAND_BY, READY))
        if self.agent.name not in self._center.stuck:
            self._book.set_state(self.agent, state)

    def _set_tiers(self, state: str, others: tuple[str, str] = ("", "")) -> None:
        """Set the agent's tier in this queue; in the others turn the first state to the second."""
        for tier in self._book.tiers:
            if tier.agent != self.agent.name:
                continue
            if tier.queue == self.member.queue:
                tier.state = state
            elif tier.state == others[0]:
                tier.state = others[1]
