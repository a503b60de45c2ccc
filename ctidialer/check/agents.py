"""What is wrong, or hardly meant, with the agents that a back end writes.

Pure: documents in, findings out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from attrs import frozen

from ctidialer.check.findings import Finding, Severity, findings
from ctidialer.check.node_tables import NodeTables
from ctidialer.check.sentences import Sentence
from ctidialer.contract import keys
from ctidialer.contract.agent_dialing import GROUP_SPELLINGS
from ctidialer.contract.agents import (
    Agent,
    agent_count_warnings,
    agent_warnings,
    decode_agent,
    decode_agent_count,
    keys_ignored_in_agent,
    keys_ignored_in_agent_count,
)
from ctidialer.contract.document import Place, shown
from ctidialer.contract.faults import ContractError
from ctidialer.contract.known_keys import Ignored
from ctidialer.contract.problems import Told
from ctidialer.rules.agents import MAX_AHEAD
from ctidialer.rules.tables import Documents


@frozen
class AgentTables:
    """Both tables as they were read, and for how many seconds the heart beats on.

    ``heart`` 0 = there is none, infinite = it never ends; ``domain`` is that of the keys.
    """

    domain: str
    agents: Documents
    counts: Documents
    heart: float

    def key(self, table: str) -> str:
        """Return the key of a table."""
        return keys.at(table, self.domain)


def check_agents(of: AgentTables, node: NodeTables, now: float) -> Iterator[Finding]:
    """Yield everything there is to say of the agents; ``now`` in unix seconds."""
    wanted = groups_wanted(node)
    yield from _of_agents(of, now)
    yield from _of_counts(of)
    groups = _groups(of)
    for name, (task, place) in wanted.items():
        if name not in groups and name not in of.counts:
            problem = Sentence.GROUP_WITHOUT_AGENTS.of(
                group=shown(name), agents=of.key(keys.AGENT), counts=of.key(keys.AGENT_COUNT)
            )
            key = place.key or node.key(keys.TASK)
            yield Finding.of(Severity.WARNING, key, task, place.path, problem)
    for name in groups & of.counts.keys():
        problem = Sentence.COUNTED_TWICE.of(key=of.key(keys.AGENT))
        yield Finding.of(Severity.WARNING, of.key(keys.AGENT_COUNT), name, "$", problem)
    if wanted or of.agents or of.counts:
        yield from _of_heart(of)


def groups_wanted(node: NodeTables) -> dict[str, tuple[str, Place]]:
    """Return the groups that tasks name, each with the first of these tasks, and the place."""
    wanted: dict[str, tuple[str, Place]] = {}
    for name, task in node.tables.tasks.items():
        group = None if task.agents is None else task.agents.group
        if group is not None and group not in wanted:
            params = node.task_params(name)
            places = (params.get(spelling) for spelling in GROUP_SPELLINGS)
            place = next((place for place in places if place is not None), params.home)
            wanted[group] = name, place
    return wanted


def _groups(of: AgentTables) -> set[str]:
    agents = (_agent(name, raw) for name, raw in of.agents.items())
    return {group for agent in agents if agent is not None for group in agent.groups}


def _agent(name: str, raw: bytes) -> Agent | None:
    try:
        return decode_agent(name, raw)
    except ContractError:
        return None


def _of_agents(of: AgentTables, now: float) -> Iterator[Finding]:
    key = of.key(keys.AGENT)
    for name, raw in of.agents.items():
        try:
            agent = decode_agent(name, raw)
        except ContractError as error:
            yield from findings(Severity.FAULT, key, name, error.faults)
        else:
            yield from _of_time(key, agent, now)
        yield from findings(Severity.WARNING, key, name, agent_warnings(raw))
        yield from _ignored(key, name, keys_ignored_in_agent(raw))


def _of_time(key: str, agent: Agent, now: float) -> Iterator[Finding]:
    if agent.since is not None and agent.since > now + MAX_AHEAD:
        problem = Sentence.AGENT_AHEAD.of(seconds=f"{agent.since - now:.0f}")
        yield Finding.of(Severity.WARNING, key, agent.name, "$", problem)


def _of_counts(of: AgentTables) -> Iterator[Finding]:
    key = of.key(keys.AGENT_COUNT)
    for name, raw in of.counts.items():
        try:
            decode_agent_count(name, raw)
        except ContractError as error:
            yield from findings(Severity.FAULT, key, name, error.faults)
        yield from findings(Severity.WARNING, key, name, agent_count_warnings(raw))
        yield from _ignored(key, name, keys_ignored_in_agent_count(raw))


def _ignored(key: str, name: str, ignored: Iterable[Ignored]) -> Iterator[Finding]:
    faults = (one.fault for one in ignored if not one.doubtful)
    return findings(Severity.NOTICE, key, name, faults)


def _of_heart(of: AgentTables) -> Iterator[Finding]:
    problem: Told | None = None
    if of.heart <= 0:
        problem = Sentence.NO_HEART.of()
    elif math.isinf(of.heart):
        problem = Sentence.HEART_WITHOUT_END.of()
    if problem is not None:
        yield Finding.of(Severity.WARNING, of.key(keys.AGENT_HEART), "", "$", problem)
