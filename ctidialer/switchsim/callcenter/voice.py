"""The events of mod_callcenter, header by header as they were recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ctidialer.switchsim.callcenter.tables import BOX, STANDBY, Agent, Member
from ctidialer.switchsim.templates import Source

if TYPE_CHECKING:
    from ctidialer.switchsim.call import Call

Headers = list[tuple[str, str]]

_FILE = "mod_callcenter.c"
_UPDATE, _OFFER = "cc_agent_update", "outbound_agent_thread_run"
_LINES = {
    "agent-add": ("cc_agent_add", 915),
    "agent-get": ("cc_agent_get", 970),
    "agent-status-change": (_UPDATE, 1043),
    "agent-state-change": (_UPDATE, 1067),
    "agent-contact-change": (_UPDATE, 1091),
    "members-count": ("cc_queue_count", 878),
    "member-queue-start": ("callcenter_function", 3113),
    "agent-offering": (_OFFER, 1717),
    "bridge-agent-start": (_OFFER, 1934),
    "bridge-agent-end": (_OFFER, 2062),
    "agent-max-no-answer": (_OFFER, 2176),
    "bridge-agent-fail": (_OFFER, 2200),
    "Terminated": (_OFFER, 2098),
    "Cancel": ("callcenter_function", 3274),
}


class Ear(Protocol):
    """Where events go: the switch."""

    def fire_module(self, source: Source, headers: Headers, call: Call | None) -> None:
        """Send ``callcenter::info``, with a channel's data where ``call`` is one."""


class Voice:
    """Says what happens in the queues."""

    def __init__(self, ear: Ear) -> None:
        self._ear = ear

    def _say(self, kind: str, headers: Headers, call: Call | None = None) -> None:
        self._ear.fire_module((_FILE, *_LINES[kind]), headers, call)

    def agent_added(self, agent: Agent) -> None:
        """An agent is new."""
        headers = [("CC-Agent", agent.name), ("CC-Agent-Type", agent.type)]
        self._say("agent-add", [*headers, ("CC-Action", "agent-add")])

    def agent_asked(self, name: str, key: str, value: str) -> None:
        """Somebody asked for an agent's status, state or uuid."""
        self._agent("agent-get", name, f"agent-{key}-get", key, value)

    def agent_changed(self, name: str, key: str, value: str) -> None:
        """An agent's status, state or contact is another one."""
        self._agent(f"agent-{key}-change", name, f"agent-{key}-change", key, value)

    def _agent(self, kind: str, name: str, action: str, key: str, value: str) -> None:
        header = "CC-Agent-UUID" if key == "uuid" else f"CC-Agent-{key.capitalize()}"
        self._say(kind, [("CC-Agent", name), ("CC-Action", action), (header, value)])

    def count(self, queue: str, members: int) -> None:
        """Say how many wait or are tried in a queue."""
        headers = [("CC-Queue", queue), ("CC-Action", "members-count")]
        headers += [("CC-Count", str(members)), ("CC-Selection", "Single-Queue")]
        self._say("members-count", headers)

    def joined(self, member: Member) -> None:
        """A call came into a queue."""
        headers = _head(member, "member-queue-start") + _who(member)
        self._say("member-queue-start", headers, member.call)

    def canceled(self, member: Member, now: int, reason: str) -> None:
        """A member left before anybody took him."""
        headers = _head(member, "member-queue-end")
        headers += _times(("Member-Leaving", now), ("Member-Joined", member.joined_epoch))
        headers += [("CC-Cause", "Cancel"), ("CC-Cancel-Reason", reason)]
        self._say("Cancel", headers + _who(member), member.call)

    def offering(self, agent: Agent, member: Member) -> None:
        """An agent is offered a call."""
        headers = _head(member, "agent-offering", agent.name)
        headers += [("CC-Agent-Type", agent.type), ("CC-Agent-System", BOX)]
        self._say("agent-offering", headers + _who(member) + _dnis(member))

    def bridging(self, agent: Agent, member: Member, leg: str, called: int, now: int) -> None:
        """An agent answered; he will be connected next."""
        headers = _head(member, "bridge-agent-start", agent.name)
        headers += [("CC-Agent-System", BOX), ("CC-Agent-UUID", leg)]
        headers += _times(("Agent-Called", called), ("Agent-Answered", now))
        headers += _times(("Member-Joined", member.joined_epoch))
        own = _leg(agent, member, leg)
        self._say("bridge-agent-start", own + headers + _who(member) + _dnis(member))

    def failed(self, agent: Agent, member: Member, called: int, now: int, cause: str) -> None:
        """An agent did not take a call."""
        headers = _head(member, "bridge-agent-fail")
        headers += [("CC-Hangup-Cause", cause), ("CC-Agent", agent.name), ("CC-Agent-System", BOX)]
        headers += _times(("Agent-Called", called), ("Agent-Aborted", now))
        headers += _who(member) + _times(("Member-Joined", member.joined_epoch))
        self._say("bridge-agent-fail", headers)

    def gave_up(self, agent: Agent, member: Member, status: str) -> None:
        """An agent did not answer too often, and gets another status."""
        headers = [("CC-Agent", agent.name), ("CC-Action", "agent-max-no-answer")]
        headers += [("CC-Agent-No-Answer-Count", str(agent.max_no_answer))]
        headers += [("CC-Agent-No-Answer-Status", status)]
        self._say("agent-max-no-answer", headers + _who(member)[:2])

    def unbridged(
        self, agent: Agent, member: Member, leg: str, called: int, answered: int, now: int
    ) -> None:
        """A call that an agent took is over: two events."""
        cause = ("CC-Hangup-Cause", "NONE" if agent.type.lower() == STANDBY else "SUCCESS")
        headers = [*_head(member, "bridge-agent-end"), cause]
        headers += [("CC-Agent", agent.name), ("CC-Agent-System", BOX), ("CC-Agent-UUID", leg)]
        headers += [("CC-Agent-Bridged", "true")]
        called_times = _times(("Agent-Called", called), ("Agent-Answered", answered))
        headers += called_times + _times(("Member-Joined", member.joined_epoch))
        headers += _times(("Bridge-Terminated", now)) + _who(member)
        self._say("bridge-agent-end", _leg(agent, member, leg) + headers)
        headers = [*_head(member, "member-queue-end"), cause]
        headers += [("CC-Cause", "Terminated"), ("CC-Agent", agent.name)]
        headers += [("CC-Agent-System", BOX), ("CC-Agent-UUID", leg), *called_times]
        headers += _times(("Member-Leaving", now), ("Member-Joined", member.joined_epoch))
        self._say("Terminated", headers + _who(member), member.call)


def _head(member: Member, action: str, agent: str = "") -> Headers:
    headers = [("CC-Queue", member.queue), ("CC-Action", action)]
    return headers + ([("CC-Agent", agent)] if agent else [])


def _who(member: Member) -> Headers:
    return [
        ("CC-Member-UUID", member.uuid),
        ("CC-Member-Session-UUID", member.call.uuid if member.call else member.session_uuid),
        ("CC-Member-CID-Name", member.cid_name),
        ("CC-Member-CID-Number", member.cid_number),
    ]


def _dnis(member: Member) -> Headers:
    """Give the number dialed before the dialplan; an application has none."""
    routed = member.call is not None and "extension" in member.call.tags
    return [("CC-Member-DNIS", member.cid_number)] if routed else []


def _times(*moments: tuple[str, int]) -> Headers:
    return [(f"CC-{name}-Time", str(moment)) for name, moment in moments]


def _leg(agent: Agent, member: Member, leg: str) -> Headers:
    """Give what is told of the agent's channel."""
    session = _who(member)[1][1]
    return [
        ("Channel-State", "CS_EXECUTE"),
        ("Channel-Call-State", "ACTIVE"),
        ("Channel-State-Number", "4"),
        ("Channel-Name", agent.contact or f"null/{agent.name}"),
        ("Unique-ID", leg),
        ("Call-Direction", "outbound"),
        ("Answer-State", "answered"),
        ("variable_cc_side", "agent"),
        ("variable_cc_queue", member.queue),
        ("variable_cc_agent", agent.name),
        ("variable_cc_agent_type", agent.type),
        ("variable_cc_member_uuid", member.uuid),
        ("variable_cc_member_session_uuid", session),
    ]
