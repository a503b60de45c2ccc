"""How many agents could take a call now, by what a back end writes (docs/agents.rst)."""

from __future__ import annotations

import enum
from collections.abc import Iterable

from attrs import frozen

from ctidialer.contract.agents import Agent, AgentCount, AgentState
from ctidialer.contract.said import Said, Values, filled

MAX_BUSY_AGE = 12 * 3600.0
"""Seconds after which nobody believes that it is still the same call."""

MAX_AHEAD = 1.0
"""Seconds by which a time may be in the future, because seconds are rounded."""


class NoAgents(enum.Enum):
    """Why nobody knows of an agent who could take a call: a row has a sentence in each language."""

    def of(self, **values: str) -> Said:
        """Return the sentence for one case."""
        shown: Values = values
        return Said(filled(self.value.en, shown), filled(self.value.zh, shown))

    NOT_ASKED = Said("the agents of {name} are asked for", "正在查询 {name} 的坐席")
    NO_HEART = Said(
        "the back end does not say that its agents are up to date: there is no {key}",
        "后台没有表明坐席状态是最新的：没有 {key}",
    )
    NO_MEMBER = Said("no agent in {key} is in group {name}", "{key} 中没有坐席属于组 {name}")
    UNREADABLE = Said("the agents cannot be read: {problem}", "无法读取坐席：{problem}")
    REDIS_AWAY = Said("Redis is away: {problem}", "Redis 不可用：{problem}")
    FREESWITCH_AWAY = Said("FreeSWITCH is away: {problem}", "FreeSWITCH 不可用：{problem}")
    NO_ANSWER = Said(
        "FreeSWITCH has not told the agents of queue {name} for {seconds} s[: {problem}]",
        "FreeSWITCH 已有 {seconds} 秒没有给出队列 {name} 的坐席[：{problem}]",
    )
    NO_QUEUE = Said("mod_callcenter has no queue {name}", "mod_callcenter 没有队列 {name}")
    NO_TIER = Said(
        "no agent has a tier in queue {name} of mod_callcenter",
        "mod_callcenter 的队列 {name} 中没有坐席（tier）",
    )


@frozen
class AgentsNow:
    """The agents of one queue or group at one moment.

    ``free`` could take a call now.  ``busy``: of those who talk or are in wrap-up, the seconds
    since each was connected; ``busy_unknown`` are those of whom nobody knows since when.
    ``ringing`` are being offered a call.  ``problem`` is why there are none, or why they are not
    known; then all counts are 0.

    For people: ``talking``, ``wrap_up``, ``away`` (on a break, or cannot be reached), ``stale``
    (in a state in which nobody can be for so long).  ``as_of``: when this was told, unix seconds.
    """

    free: int = 0
    busy: tuple[float, ...] = ()
    busy_unknown: int = 0
    ringing: int = 0
    talking: int = 0
    wrap_up: int = 0
    away: int = 0
    stale: int = 0
    problem: Said | None = None
    as_of: float = 0.0

    @property
    def at_work(self) -> int:
        """How many take calls: free, ringing, talking or in wrap-up."""
        return self.free + self.ringing + len(self.busy) + self.busy_unknown


@frozen
class Seen:
    """An agent as this node has seen him, by its own clock in unix seconds.

    ``since``: when his state changed; ``bridged``: when his call began, while he talks or is in
    wrap-up; None = not known.
    """

    agent: Agent
    since: float | None = None
    bridged: float | None = None


def seen(agent: Agent, before: Seen | None, looked: float | None, now: float) -> Seen:
    """Return an agent as he is seen ``now``, after ``before`` (None = he was not there).

    ``looked`` is when he was looked at last, None = never.  A change that came between two looks
    was not before the first, nor after the second, whatever the back end's clock says.
    """
    if before is not None and before.agent == agent:
        return before
    is_same = before is not None and before.agent.state is agent.state
    if is_same and before is not None and before.agent.since == agent.since:
        return Seen(agent, before.since, before.bridged)
    since = _believed(agent.since, now)
    if looked is not None:
        since = now if since is None else max(since, looked)
    return Seen(agent, since, _bridged(agent.state, since, before))


def of_agents(agents: Iterable[Seen], now: float) -> AgentsNow:
    """Return the agents of one group."""
    count = dict.fromkeys(AgentState, 0)
    busy: list[float] = []
    for one in agents:
        state = one.agent.state
        count[state] += 1
        is_busy = state in (AgentState.TALK, AgentState.WRAP)
        if is_busy and one.bridged is not None and now - one.bridged <= MAX_BUSY_AGE:
            busy.append(max(0.0, now - one.bridged))
    talking, wrap_up = count[AgentState.TALK], count[AgentState.WRAP]
    return AgentsNow(
        free=count[AgentState.IDLE],
        busy=tuple(busy),
        busy_unknown=talking + wrap_up - len(busy),
        ringing=count[AgentState.RING],
        talking=talking,
        wrap_up=wrap_up,
        away=count[AgentState.REST],
        as_of=now,
    )


def of_count(count: AgentCount, now: float) -> AgentsNow:
    """Return the agents of a group of which only the counts are known."""
    return AgentsNow(free=count.free, busy_unknown=count.busy, talking=count.busy, as_of=now)


def none_because(problem: Said, now: float) -> AgentsNow:
    """Return that no agents are known, and why."""
    return AgentsNow(problem=problem, as_of=now)


def _believed(since: float | None, now: float) -> float | None:
    """Return a time that can be true: one in the future, or of long ago, says nothing."""
    if since is None or since > now + MAX_AHEAD or since < now - MAX_BUSY_AGE:
        return None
    return min(since, now)


def _bridged(state: AgentState, since: float | None, before: Seen | None) -> float | None:
    if state is AgentState.TALK:
        return since
    if state is AgentState.WRAP and before is not None and before.agent.state is AgentState.TALK:
        return before.bridged
    return None
