"""The queues at work: members wait in order, the agent who has been idle longest is offered one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ctidialer.switchsim.callcenter.book import Book
from ctidialer.switchsim.callcenter.commands import CallcenterConfig, is_over
from ctidialer.switchsim.callcenter.offer import Offer
from ctidialer.switchsim.callcenter.tables import (
    ABANDONED,
    BOX,
    NO_ANSWER,
    READY,
    STANDBY,
    TRYING,
    WAITING,
    Agent,
    Member,
    Tier,
)
from ctidialer.switchsim.callcenter.voice import Ear, Voice
from ctidialer.switchsim.callcenter.work import Work

if TYPE_CHECKING:
    from ctidialer.switchsim.call import Call

DISPATCH_INTERVAL = 0.1
"""Seconds between two looks at the members, as in mod_callcenter."""

_APPLICATION = re.compile(r"(?:^&|^|,)callcenter[:(]([^,)']+)")
_UNTAKEN = "BREAK_OUT"


class Floor(Ear, Protocol):
    """The switch, as the queues see it."""

    started_at: float

    @property
    def clock(self) -> IReactorTime:
        """Time passes here."""

    def now(self) -> float:
        """Give unix seconds."""

    def new_uuid(self) -> str:
        """Give a fresh random UUID."""

    def has_call(self, uuid: str) -> bool:
        """Say whether there is a call."""

    def log_queue(self, kind: str, call: Call, queue: str, **more: str) -> None:
        """Log what becomes of a call in a queue."""


class Callcenter:
    """All queues of one switch; ``extensions`` leads to queues by their names.

    Faults: agents whose names are in ``stuck`` keep their state when a call is over; the next
    ``members_stay`` members stay listed when their call has ended; while ``agent_calls_stay`` the
    agent's leg stays up when the callee has hung up, until ``uuid_kill`` ends it.
    """

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self.book = Book(Voice(floor), floor.now)
        self.book.status_changed = self._agent_left
        self.config = CallcenterConfig(self.book, self._tidy)
        self.extensions: dict[str, str] = {}
        self.work = Work()
        self.legs: dict[str, Agent] = {}
        self.stuck: set[str] = set()
        self.members_stay = 0
        self.agent_calls_stay = False
        self._due: IDelayedCall | None = None

    @property
    def clock(self) -> IReactorTime:
        """Time passes here."""
        return self._floor.clock

    def age(self) -> float:
        """Give how many seconds the switch has run."""
        return self._floor.now() - self._floor.started_at

    def queue_of(self, extension: str) -> str:
        """Give the queue to which an extension leads, empty where it leads elsewhere."""
        if not self.book.queues:
            return ""
        if extension in self.extensions:
            return self.extensions[extension]
        found = _APPLICATION.search(extension)
        return found[1].strip() if found and found[1].strip() in self.book.queues else ""

    def end_faults(self) -> None:
        """Behave again."""
        self.stuck.clear()
        self.members_stay, self.agent_calls_stay = 0, False

    # Legs of agents ------------------------------------------------------------------------------

    def add_standing_leg(self, agent: Agent) -> None:
        """Let an agent hold the line, so that calls can be put through to him at once."""
        agent.uuid = self._floor.new_uuid()
        self.legs[agent.uuid] = agent

    def has_leg(self, uuid: str) -> bool:
        """Say whether an agent's call is up, one of this module's or an ordinary one."""
        return uuid in self.legs or self._floor.has_call(uuid)

    def open_leg(self, offer: Offer) -> str:
        """Give the UUID of the call that a callback agent has just taken."""
        uuid = self._floor.new_uuid()
        self.legs[uuid] = offer.agent
        return uuid

    def close_leg(self, offer: Offer) -> None:
        """A call is over: that of a callback agent ends, a standing one stays."""
        if offer.agent.type.lower() != STANDBY:
            self.legs.pop(offer.leg, None)
            offer.agent.uuid = ""

    def kill_leg(self, uuid: str, cause: str) -> bool:
        """Hang up an agent's leg; False where it is none."""
        agent = self.legs.pop(uuid, None)
        if agent is not None and agent.offer is not None and agent.offer.leg == uuid:
            agent.offer.leg_gone(cause)
        return agent is not None

    def kill_legs(self, having: dict[str, str], cause: str) -> None:
        """Hang up the agents' legs that have all these variables."""
        for uuid, agent in list(self.legs.items()):
            offer = agent.offer
            variables = {"cc_side": "agent", "cc_agent": agent.name, "cc_agent_type": agent.type}
            if offer is not None and offer.leg == uuid:
                variables["cc_queue"] = offer.member.queue
            if having.items() <= variables.items():
                self.kill_leg(uuid, cause)

    # Members -------------------------------------------------------------------------------------

    def join(self, call: Call, queue: str) -> Member:
        """Put a call into a queue; the call keeps the member and gives it back to `leave`."""
        now, name = self.book.second(), "Outbound Call"
        answered = int(call.fields[b"answered"]) // 1_000_000
        uuid = self._floor.new_uuid()
        member = Member(
            queue, BOX, uuid, call.uuid, call.request.number, name, answered, now, call=call
        )
        call.set_variables(
            cc_side="member",
            cc_member_uuid=uuid,
            cc_queue_joined_epoch=str(now),
            cc_queue=queue,
        )
        self.book.voice.joined(member)
        self._tidy()
        self.book.members[uuid] = member
        self._floor.log_queue("queued", call, queue)
        self.tell_count(queue)
        self.dispatch_soon()
        return member

    def leave(self, member: Member) -> None:
        """A member's call has ended or goes elsewhere; a connected one's agent notices later."""
        if member.state in (WAITING, TRYING):
            self._cancel(member)
        if member.offer is not None:
            member.offer.member_gone()

    def _cancel(self, member: Member) -> None:
        call, now = member.call, self.book.second()
        if call is None:
            return
        if self.members_stay > 0:
            self.members_stay -= 1
        else:
            member.state, member.abandoned_epoch = ABANDONED, now
            member.session_uuid = ""
        self.book.voice.canceled(member, now, _UNTAKEN)
        call.set_variables(
            cc_queue_canceled_epoch=str(now), cc_cause="cancel", cc_cancel_reason=_UNTAKEN
        )
        self.book.queues[member.queue].calls_abandoned += 1
        self._floor.log_queue("left", call, member.queue, cause=_UNTAKEN)
        self.tell_count(member.queue)

    def forget(self, member: Member, cause: str) -> None:
        """Take a member that was served off the list."""
        if member.call is not None:
            self._floor.log_queue("left", member.call, member.queue, cause=cause)
        if self.members_stay > 0:
            self.members_stay -= 1
        else:
            self.book.members.pop(member.uuid, None)

    def log_bridged(self, member: Member, agent: Agent) -> None:
        """Log that a call is connected to an agent."""
        if member.call is not None:
            self._floor.log_queue("bridged", member.call, member.queue, agent=agent.name)

    def tell_count(self, queue: str) -> None:
        """Tell how many members wait in a queue."""
        members = self.book.members.values()
        waiting = (one for one in members if one.queue == queue and one.state in (WAITING, TRYING))
        self.book.voice.count(queue, sum(1 for _ in waiting))

    def _tidy(self) -> None:
        """Forget those who left long ago."""
        now, members, queues = self.book.second(), self.book.members, self.book.queues
        for member in list(members.values()):
            if is_over(member, now, queues[member.queue].discard_abandoned_after):
                del members[member.uuid]

    # Who gets whom -------------------------------------------------------------------------------

    def dispatch_soon(self) -> None:
        """Look for agents at the next turn."""
        if self._due is None:
            self._due = self.clock.callLater(DISPATCH_INTERVAL, self._dispatch)

    def _dispatch(self) -> None:
        self._due = None
        waiting = [
            member
            for member in self.book.members.values()
            if member.state == WAITING and member.call is not None and not member.call.over
        ]
        free: dict[str, list[tuple[Agent, Tier]]] = {}
        for member in waiting:
            if member.queue not in free:
                free[member.queue] = self._free_agents(member.queue)
            agent = self._first_of(free[member.queue])
            if agent is not None:
                Offer(self, agent, member).begin()
        if waiting:
            self.dispatch_soon()

    def _free_agents(self, queue: str) -> list[tuple[Agent, Tier]]:
        """Give who may be offered a call, last in line first."""
        agents, now = self.book.agents, self.book.second()
        pairs = [(agents[tier.agent], tier) for tier in self.book.tiers_of(queue)]
        free = [
            (agent, tier)
            for agent, tier in pairs
            if tier.state in (READY, NO_ANSWER) and agent.may_be_called(now)
        ]
        free.sort(key=lambda pair: (pair[1].level, pair[0].last_bridge_end, pair[1].position))
        return free[::-1]

    def _first_of(self, free: list[tuple[Agent, Tier]]) -> Agent | None:
        """Take the next one who is still free: another queue's member may have got him."""
        while free:
            agent, _ = free.pop()
            if agent.may_be_called(self.book.second()):
                return agent
        return None

    def _agent_left(self, agent: Agent) -> None:
        if agent.offer is not None:
            agent.offer.call_off()
