"""``callcenter_config``: what it answers, word for word as recorded."""

from __future__ import annotations

from collections.abc import Callable

from ctidialer.switchsim.callcenter.book import Book, Refused, number
from ctidialer.switchsim.callcenter.tables import (
    ABANDONED,
    Agent,
    Member,
    listed,
    listed_members,
    listed_tiers,
)
from ctidialer.switchsim.resources import read_resource
from ctidialer.switchsim.tokens import separate

_OK = "+OK\n"
_INVALID = "-ERR Invalid!\n"
_SILENCE = "-ERR no reply\n"
"""What the Event Socket makes of a command that writes nothing."""


class CallcenterConfig:
    """The command, over a book; ``tidy`` is called before members are shown."""

    def __init__(self, book: Book, tidy: Callable[[], None]) -> None:
        self._book = book
        self._tidy = tidy
        self._commands: dict[tuple[str, str], tuple[int, Callable[[list[str]], str]]] = {
            ("agent", "add"): (2, self._agent_add),
            ("agent", "del"): (1, self._agent_del),
            ("agent", "set"): (3, self._agent_set),
            ("agent", "get"): (2, lambda words: book.ask_agent(words[0], words[1])),
            ("agent", "list"): (0, self._agent_list),
            ("tier", "add"): (2, self._tier_add),
            ("tier", "set"): (4, self._tier_set),
            ("tier", "del"): (2, self._tier_del),
            ("tier", "list"): (0, self._tier_list),
            ("queue", "load"): (1, self._queue_load),
            ("queue", "reload"): (1, self._queue_load),
            ("queue", "list"): (0, self._queue_list),
            ("queue", "count"): (0, self._queue_count),
        }

    def run(self, argument: str) -> str:
        """Answer the command."""
        if not argument:
            return read_resource("callcenter_usage.txt")
        words = separate(argument, " ", 8)
        if len(words) < 2:
            return _INVALID
        least, command = self._commands.get((words[0].lower(), words[1].lower()), (0, _say_nothing))
        if len(words) - 2 < least:
            return _INVALID
        try:
            return command(words[2:])
        except Refused as refusal:
            return f"-ERR {refusal}\n"

    # Agents --------------------------------------------------------------------------------------

    def _agent_add(self, words: list[str]) -> str:
        self._book.add_agent(words[0], words[1])
        return _OK

    def _agent_del(self, words: list[str]) -> str:
        self._book.delete_agent(words[0])
        return _OK

    def _agent_set(self, words: list[str]) -> str:
        self._book.set_agent(words[0], words[1], words[2])
        return _OK

    def _agent_list(self, words: list[str]) -> str:
        if len(words) > 1:
            return _INVALID
        agents = list(self._book.agents.values())
        return listed([agent for agent in agents if not words or agent.name == words[0]])

    # Tiers ---------------------------------------------------------------------------------------

    def _tier_add(self, words: list[str]) -> str:
        places = [number(word) for word in words[2:4] if word]
        self._book.add_tier(words[0], words[1], *places)
        return _OK

    def _tier_set(self, words: list[str]) -> str:
        self._book.set_tier(words[0], words[1], words[2], words[3])
        return _OK

    def _tier_del(self, words: list[str]) -> str:
        self._book.delete_tier(words[0], words[1])
        return _OK

    def _tier_list(self, words: list[str]) -> str:
        return listed_tiers(self._book.tiers)

    # Queues --------------------------------------------------------------------------------------

    def _queue_load(self, words: list[str]) -> str:
        return _OK if words[0] in self._book.queues else "-ERR Invalid Queue not found!\n"

    def _queue_list(self, words: list[str]) -> str:
        if not words:
            return listed(list(self._book.queues.values()), even_empty=True)
        what, queue = words[0].lower(), words[1] if len(words) > 1 else ""
        if what == "agents":
            return listed(self._agents(queue, words[2:]))
        if what == "members":
            self._tidy()
            return listed_members(self._members(queue), self._book.second())
        return listed(self._book.tiers_of(queue)) if what == "tiers" else _INVALID

    def _queue_count(self, words: list[str]) -> str:
        if not words:
            return f"{len(self._book.queues)}\n"
        what, queue = words[0].lower(), words[1] if len(words) > 1 else ""
        if what == "agents":
            return f"{len(self._agents(queue, words[2:]))}\n"
        if what == "members":
            self._tidy()
            return f"{len(self._members(queue))}\n" if queue else "0\n"
        return f"{len(self._book.tiers_of(queue))}\n" if what == "tiers" else _INVALID

    def _agents(self, queue: str, wanted: list[str]) -> list[Agent]:
        """Give a queue's agents, of one status and one state where these are given."""
        agents = self._book.agents_of(queue)
        if wanted:
            agents = [agent for agent in agents if agent.status == wanted[0]]
        if len(wanted) > 1:
            agents = [agent for agent in agents if agent.state == wanted[1]]
        return agents

    def _members(self, queue: str) -> list[Member]:
        return [one for one in self._book.members.values() if queue in ("", one.queue)]


def _say_nothing(words: list[str]) -> str:
    return _SILENCE


def is_over(member: Member, now: int, kept_for: int) -> bool:
    """Say whether an abandoned member is forgotten; ``kept_for`` in seconds."""
    return member.state == ABANDONED and member.abandoned_epoch + kept_for < now
