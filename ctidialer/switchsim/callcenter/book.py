"""The tables of mod_callcenter kept, and changed as ``callcenter_config`` changes them."""

from __future__ import annotations

from collections.abc import Callable

from ctidialer.switchsim.callcenter.tables import (
    AVAILABLE,
    READY,
    RECEIVING,
    STATES,
    STATUSES,
    TIER_STATES,
    TYPES,
    Agent,
    Member,
    Queue,
    Tier,
)
from ctidialer.switchsim.callcenter.voice import Voice

_NUMBERS = frozenset(
    {
        "ready_time",
        "reject_delay_time",
        "busy_delay_time",
        "no_answer_delay_time",
        "max_no_answer",
        "wrap_up_time",
    }
)


class Refused(Exception):
    """mod_callcenter refuses; the message is what stands behind ``-ERR``."""


class Book:
    """Agents by name, queues by name, tiers, and members by their own UUID in the order they came.

    ``now`` gives unix seconds.  ``status_changed`` is called when somebody sets an agent's status.
    """

    def __init__(self, voice: Voice, now: Callable[[], float]) -> None:
        self.voice = voice
        self._now = now
        self.agents: dict[str, Agent] = {}
        self.queues: dict[str, Queue] = {}
        self.tiers: list[Tier] = []
        self.members: dict[str, Member] = {}
        self.status_changed: Callable[[Agent], None] = lambda agent: None

    def second(self) -> int:
        """Give the whole unix second."""
        return int(self._now())

    # Agents --------------------------------------------------------------------------------------

    def add_agent(self, name: str, kind: str) -> Agent:
        """Add an agent, logged out."""
        if kind.lower() not in TYPES:
            raise Refused("Agent type invalid!")
        if name in self.agents:
            raise Refused("Agent already exist!")
        agent = self.agents[name] = Agent(name, type=kind)
        self.voice.agent_added(agent)
        return agent

    def delete_agent(self, name: str) -> None:
        """Forget an agent and his tiers; harmless where there is none."""
        self.agents.pop(name, None)
        self.tiers = [tier for tier in self.tiers if tier.agent != name]

    def set_agent(self, key: str, name: str, value: str) -> None:
        """Change one value of an agent."""
        agent = self.agents.get(name)
        if agent is None:
            raise Refused("Agent not found!")
        key = key.lower()
        if key == "status":
            self.set_status(agent, value)
        elif key == "state":
            self.set_state(agent, _one_of(value, STATES, "Invalid Agent State!"))
        elif key in ("uuid", "contact"):
            setattr(agent, key, value)
            if key == "contact":
                self.voice.agent_changed(name, key, value)
        elif key == "type":
            agent.type = _one_of(value, TYPES, "Invalid Agent Type!")
        elif key in _NUMBERS:
            setattr(agent, key, number(value))
        else:
            raise Refused("Invalid Agent Update KEY!")

    def set_status(self, agent: Agent, status: str) -> None:
        """Give an agent a status, and tell; a new day begins for one who becomes available."""
        status = _one_of(status, STATUSES, "Invalid Agent Status!")
        if status != AVAILABLE:
            agent.last_status_change = self.second()
        elif agent.status != AVAILABLE:
            agent.last_status_change = self.second()
            agent.talk_time = agent.calls_answered = agent.no_answer_count = 0
        agent.status = status
        if status != AVAILABLE:
            self.status_changed(agent)
        self.voice.agent_changed(agent.name, "status", status)

    def set_state(self, agent: Agent, state: str) -> None:
        """Give an agent a state, and tell."""
        agent.state = state
        if state == RECEIVING:
            agent.last_offered_call = self.second()
        self.voice.agent_changed(agent.name, "state", state)

    def ask_agent(self, key: str, name: str) -> str:
        """Give an agent's status, state or uuid; mod_callcenter tells everybody of the question."""
        agent = self.agents.get(name)
        if agent is None:
            raise Refused("Agent not found!")
        if key.lower() not in ("status", "state", "uuid"):
            raise Refused("Invalid Agent Update KEY!")
        value = str(getattr(agent, key.lower()))
        self.voice.agent_asked(name, key, value)
        return value

    # Tiers ---------------------------------------------------------------------------------------

    def add_tier(self, queue: str, agent: str, level: int = 1, position: int = 1) -> Tier:
        """Let an agent work in a queue."""
        if queue not in self.queues:
            raise Refused("Queue not found!")
        if agent not in self.agents:
            raise Refused("Agent not found!")
        if self._tier(queue, agent) is not None:
            raise Refused("Tier already exist!")
        tier = Tier(queue, agent, READY, level, position)
        self.tiers.append(tier)
        return tier

    def set_tier(self, key: str, queue: str, agent: str, value: str) -> None:
        """Change a tier's state, level or position."""
        tier = self._tier(queue, agent)
        if tier is None:
            raise Refused("Unknown Error!")
        if key.lower() == "state":
            tier.state = _one_of(value, TIER_STATES, "Invalid Tier State!")
        elif key.lower() in ("level", "position"):
            setattr(tier, key.lower(), number(value))
        else:
            raise Refused("Invalid Tier Update KEY!")

    def delete_tier(self, queue: str, agent: str) -> None:
        """Take an agent out of a queue; harmless where he is not in it."""
        self.tiers = [one for one in self.tiers if (one.queue, one.agent) != (queue, agent)]

    def _tier(self, queue: str, agent: str) -> Tier | None:
        found = (one for one in self.tiers if (one.queue, one.agent) == (queue, agent))
        return next(found, None)

    def tiers_of(self, queue: str) -> list[Tier]:
        """Give a queue's tiers, in the order in which they were added."""
        return [tier for tier in self.tiers if tier.queue == queue]

    def agents_of(self, queue: str) -> list[Agent]:
        """Give a queue's agents."""
        return [self.agents[tier.agent] for tier in self.tiers_of(queue)]


def _one_of(value: str, known: tuple[str, ...], refusal: str) -> str:
    """Give a word as mod_callcenter writes it; it takes any case, and keeps what was given."""
    if value.lower() not in (word.lower() for word in known):
        raise Refused(refusal)
    return value


def number(text: str) -> int:
    """Read a number as C's ``atoi`` does."""
    digits = text.strip().lstrip("+-")
    end = next((at for at, letter in enumerate(digits) if not letter.isdigit()), len(digits))
    value = int(digits[:end] or 0)
    return -value if text.strip().startswith("-") else value
