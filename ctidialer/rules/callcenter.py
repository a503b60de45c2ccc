"""What mod_callcenter of FreeSWITCH says of its agents (docs/agents.rst).

All moments are unix seconds of FreeSWITCH's clock, which writes whole ones.
"""

from __future__ import annotations

import enum
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import attrs
from attrs import frozen

from ctidialer.rules.agents import MAX_BUSY_AGE, AgentsNow

COLUMNS = frozenset(
    {"name", "status", "state", "last_bridge_start", "last_bridge_end", "wrap_up_time"}
)
"""Without these a list says nothing; every version of mod_callcenter has them."""

AVAILABLE = frozenset({"available", "available (on demand)"})
ON_BREAK = "on break"
WAITING, IN_A_CALL = "waiting", "in a queue call"
RECEIVING = "receiving"
OFFERED = frozenset({RECEIVING, "reserved"})
STANDBY = "uuid-standby"

STATUS_CHANGE, STATE_CHANGE = "agent-status-change", "agent-state-change"

MAX_OFFER = 90.0
"""Seconds after which an agent who is being offered a call is stuck; mod_callcenter rings 60."""

CONTACT = "contact"

_WHOLE = re.compile("[0-9]{1,15}")


class NoList(ValueError):
    """What FreeSWITCH answered is no list; the message is its answer, or what is missing."""


@frozen
class CallcenterAgent:
    """One agent as mod_callcenter lists him; ``status`` and ``state`` in small letters.

    ``in_state_since``: since when he is in a state of ``OFFERED``, as far as anybody has seen.
    """

    name: str
    status: str
    state: str
    last_bridge_start: int = 0
    last_bridge_end: int = 0
    wrap_up_time: int = 0
    ready_time: int = 0
    in_state_since: float = 0.0
    has_no_call: bool = False
    """Whether an agent whose own call must stay up (``uuid-standby``) has none."""
    external_calls: int = 0

    @property
    def free_at(self) -> int:
        """The first second in which he is offered a call, once he is waiting.

        mod_callcenter wants the end of the last call to be *more* than the wrap-up time ago.
        """
        after_call = self.last_bridge_end + self.wrap_up_time + 1 if self.last_bridge_end else 0
        return max(after_call, self.ready_time)


class Doing(enum.Enum):
    """What an agent does; ``CALLING`` is on a call that did not come from a queue."""

    FREE = enum.auto()
    RINGING = enum.auto()
    TALKING = enum.auto()
    CALLING = enum.auto()
    WRAP_UP = enum.auto()
    AWAY = enum.auto()
    STALE = enum.auto()
    OUT = enum.auto()


def read_list(text: str, now: float) -> dict[str, CallcenterAgent]:
    """Return the agents in the answer to ``callcenter_config queue list agents <queue>``.

    A row has more bars than the header has if there are some in a contact.  A row that cannot be
    read is passed over.  Raises NoList.
    """
    header, *rows = text.split("\n")
    if header.startswith("+OK"):
        return {}
    columns = header.split("|")
    if not columns or not COLUMNS.issubset(columns):
        raise NoList(header.strip() or "an empty answer")
    agents = (_agent(_values(columns, row), now) for row in rows if "|" in row)
    return {agent.name: agent for agent in agents if agent is not None}


def has_queue(text: str, name: str) -> bool:
    """Say whether ``callcenter_config queue list`` names a queue."""
    return any(row.partition("|")[0] == name for row in text.split("\n")[1:])


def after_event(agent: CallcenterAgent, action: str, value: str, now: float) -> CallcenterAgent:
    """Return an agent after an event told of his new status or state."""
    if action == STATUS_CHANGE:
        return attrs.evolve(agent, status=value.lower())
    state = value.lower()
    if action != STATE_CHANGE or state == agent.state:
        return agent
    if state == IN_A_CALL:
        return attrs.evolve(agent, state=state, last_bridge_start=int(now))
    if agent.state == IN_A_CALL:
        return attrs.evolve(agent, state=state, last_bridge_end=int(now), in_state_since=now)
    return attrs.evolve(agent, state=state, in_state_since=now)


def listed_after(listed: CallcenterAgent, before: CallcenterAgent | None) -> CallcenterAgent:
    """Return an agent of a new list; a list does not say since when he is in his state."""
    if before is None or before.state != listed.state:
        return listed
    return attrs.evolve(listed, in_state_since=before.in_state_since)


def of_agents(agents: Iterable[CallcenterAgent], now: float) -> AgentsNow:
    """Return the agents of one queue; those who are logged out are not counted."""
    count: Counter[Doing] = Counter()
    busy: list[float] = []
    for agent in agents:
        what = doing(agent, now)
        count[what] += 1
        if what in (Doing.TALKING, Doing.WRAP_UP):
            busy.append(max(0.0, now - agent.last_bridge_start))
    return AgentsNow(
        free=count[Doing.FREE],
        busy=tuple(busy),
        busy_unknown=count[Doing.CALLING],
        ringing=count[Doing.RINGING],
        talking=count[Doing.TALKING] + count[Doing.CALLING],
        wrap_up=count[Doing.WRAP_UP],
        away=count[Doing.AWAY],
        stale=count[Doing.STALE],
        as_of=now,
    )


def doing(agent: CallcenterAgent, now: float) -> Doing:
    """Return what an agent does.  Who gets no further call after this one does not count as busy:
    he is away, or logged out."""
    if agent.status not in AVAILABLE:
        return Doing.AWAY if agent.status == ON_BREAK else Doing.OUT
    if agent.has_no_call:
        return Doing.AWAY
    if agent.state == IN_A_CALL:
        is_old = now - agent.last_bridge_start > MAX_BUSY_AGE
        return Doing.STALE if is_old else Doing.TALKING
    if agent.state in OFFERED:
        return Doing.STALE if now - agent.in_state_since > MAX_OFFER else Doing.RINGING
    return _while_waiting(agent, now) if agent.state == WAITING else Doing.AWAY


def next_free(agents: Iterable[CallcenterAgent], now: float) -> float | None:
    """Return when the next agent becomes free of whom no event will tell; None = none does."""
    waiting = (one.free_at for one in agents if one.status in AVAILABLE and one.state == WAITING)
    return min((moment for moment in waiting if moment > now), default=None)


def _while_waiting(agent: CallcenterAgent, now: float) -> Doing:
    if agent.external_calls:
        return Doing.CALLING
    if now >= agent.free_at:
        return Doing.FREE
    return Doing.AWAY if agent.ready_time > now else Doing.WRAP_UP


def _values(columns: Sequence[str], row: str) -> dict[str, str]:
    values = row.split("|")
    extra = len(values) - len(columns)
    if extra > 0 and CONTACT in columns:
        at = columns.index(CONTACT)
        values[at : at + extra + 1] = ["|".join(values[at : at + extra + 1])]
    return dict(zip(columns, values, strict=False))


def _agent(values: Mapping[str, str], now: float) -> CallcenterAgent | None:
    if not values.keys() >= COLUMNS:
        return None
    last_offered = _number(values, "last_offered_call")
    return CallcenterAgent(
        name=values["name"],
        status=values["status"].lower(),
        state=values["state"].lower(),
        last_bridge_start=_number(values, "last_bridge_start"),
        last_bridge_end=_number(values, "last_bridge_end"),
        wrap_up_time=_number(values, "wrap_up_time"),
        ready_time=_number(values, "ready_time"),
        in_state_since=last_offered if values["state"].lower() == RECEIVING else now,
        has_no_call=values.get("type") == STANDBY and values.get("uuid") == "",
        external_calls=_number(values, "external_calls_count"),
    )


def _number(values: Mapping[str, str], column: str) -> int:
    text = values.get(column, "")
    return int(text) if _WHOLE.fullmatch(text) else 0
