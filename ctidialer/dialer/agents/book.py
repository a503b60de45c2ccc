"""The documents of agents and of counts as they were read last, and what they mean."""

from __future__ import annotations

from collections.abc import Iterable

from twisted.logger import Logger

from ctidialer.contract import keys
from ctidialer.contract.agents import AgentCount, decode_agent, decode_agent_count
from ctidialer.contract.faults import ContractError, joined
from ctidialer.glue import Complaints
from ctidialer.rules import agents as rules
from ctidialer.rules.agents import AgentsNow, Seen


class AgentBook:
    """Agents and counts by name; a document that cannot be used is logged once, and counts as none.

    A document that has not changed is not decoded again.
    """

    log = Logger()

    def __init__(self) -> None:
        self._raw: dict[str, dict[str, bytes]] = {keys.AGENT: {}, keys.AGENT_COUNT: {}}
        self._agents: dict[str, Seen] = {}
        self._groups: dict[str, dict[str, None]] = {}
        self._counts: dict[str, AgentCount] = {}
        self._looked: float | None = None
        self._complaints = Complaints()

    def whole(self, table: str, documents: Iterable[tuple[str, bytes]], now: float) -> bool:
        """Take all documents of a table; say whether anything is new."""
        found = dict(documents)
        gone = self._raw[table].keys() - found.keys()
        changed = [self._take(table, name, None, now) for name in gone]
        changed += [self._take(table, name, raw, now) for name, raw in found.items()]
        return any(changed)

    def fields(self, table: str, documents: Iterable[tuple[str, bytes | None]], now: float) -> bool:
        """Take some documents of a table; say whether anything is new."""
        changed = [self._take(table, name, raw, now) for name, raw in documents]
        return any(changed)

    def looked(self, began: float) -> None:
        """Both tables were read whole, in a reading that began then."""
        self._looked = began

    def now(self, group: str, now: float) -> AgentsNow | None:
        """Return the agents of a group; None = neither table has any.

        Where both tables have the group, the agents count.
        """
        names = self._groups.get(group)
        if names:
            return rules.of_agents((self._agents[name] for name in names), now)
        count = self._counts.get(group)
        return None if count is None else rules.of_count(count, now)

    def _take(self, table: str, name: str, raw: bytes | None, now: float) -> bool:
        documents = self._raw[table]
        if documents.get(name) == raw:
            return False
        if raw is None:
            del documents[name]
        else:
            documents[name] = raw
        try:
            (self._take_agent if table == keys.AGENT else self._take_count)(name, raw, now)
            self._complaints.over((table, name))
        except ContractError as error:
            self._refuse(table, name, error)
        return True

    def _take_agent(self, name: str, raw: bytes | None, now: float) -> None:
        before = self._agents.pop(name, None)
        for group in () if before is None else before.agent.groups:
            del self._groups[group][name]
            if not self._groups[group]:
                del self._groups[group]
        if raw is None:
            return
        agent = decode_agent(name, raw)
        self._agents[name] = rules.seen(agent, before, self._looked, now)
        for group in agent.groups:
            self._groups.setdefault(group, {})[name] = None

    def _take_count(self, group: str, raw: bytes | None, now: float) -> None:
        self._counts.pop(group, None)
        if raw is not None:
            self._counts[group] = decode_agent_count(group, raw)

    def _refuse(self, table: str, name: str, error: ContractError) -> None:
        problem = joined(error.faults).en
        if self._complaints.is_news(problem, (table, name)):
            self.log.warn(
                "{name} in {table} cannot be used, and counts as no agent: {problem}",
                name=name,
                table=table,
                problem=problem,
            )
