"""Rule files: what ``compliance`` of a task adds to what the task says (docs/compliance.rst).

What the task leaves open, a file fills; where both speak, the stricter wins.  Hours are not merged:
those of the task and of each file must all be open.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from attrs import evolve, frozen

from ctidialer.contract import fields
from ctidialer.contract.agent_dialing import AbandonPeriod, AgentDialing, read_agents
from ctidialer.contract.callee import CalleeRules
from ctidialer.contract.callee_document import RULE_FILES, read_callee_rules
from ctidialer.contract.document import FaultList, read_json

FOLDER = "ctidialer.rules.rule_files"


@frozen
class RuleFile:
    """One file: what it demands, where that stands, and what it leaves out.

    ``read_on``: the day on which the sources were read (ISO).  ``agents`` None = it says nothing of
    abandoned calls.
    """

    name: str
    title: str
    read_on: str
    sources: tuple[str, ...]
    not_here: tuple[str, ...]
    extends: tuple[str, ...]
    callee: CalleeRules
    agents: AgentDialing | None


@cache
def rule_file(name: str) -> RuleFile:
    """Return the rule file of this name, one of `RULE_FILES`."""
    text = files(FOLDER).joinpath(f"{name}.toml").read_text("utf-8")
    document = tomllib.loads(text)
    rules = {key: value for key, value in document.items() if key not in _ABOUT}
    params, _ = fields.parts(read_json(json.dumps({"params": rules}).encode(), FaultList(), name))
    found = RuleFile(
        name=name,
        title=document["title"],
        read_on=document["read_on"].isoformat(),
        sources=tuple(document["sources"]),
        not_here=tuple(document["not_here"]),
        extends=tuple(document.get("extends", ())),
        callee=evolve(
            read_callee_rules(params), abandoned_rest=float(document.get("abandoned_rest", 0.0))
        ),
        agents=read_agents(params),
    )
    params.home.faults.settle()
    return found


_ABOUT = frozenset(("title", "read_on", "sources", "not_here", "extends", "abandoned_rest"))
"""What is no key of a task."""


def all_rule_files() -> tuple[RuleFile, ...]:
    """Return every rule file."""
    return tuple(rule_file(name) for name in RULE_FILES)


def obeying(rules: CalleeRules) -> CalleeRules:
    """Return what a task says of its callees, with all that its rule files add."""
    for one in _demanded(rules.compliance):
        rules = _stricter(rules, one.callee)
    return rules


def agents_obeying(agents: AgentDialing, names: Iterable[str]) -> AgentDialing:
    """Return what a task says of abandoned calls, no less strict than these rule files."""
    for one in _demanded(names):
        if one.agents is not None:
            agents = _stricter_agents(agents, one.agents)
    return agents


def _demanded(names: Iterable[str]) -> tuple[RuleFile, ...]:
    """Return the files of these names and those that they extend, each once."""
    found: dict[str, RuleFile] = {}
    for name in names:
        one = rule_file(name)
        found |= {**{base: rule_file(base) for base in one.extends}, name: one}
    return tuple(found.values())


def _stricter(own: CalleeRules, demanded: CalleeRules) -> CalleeRules:
    return evolve(
        own,
        hours=tuple(dict.fromkeys((*own.hours, *demanded.hours))),
        caps=tuple(dict.fromkeys((*own.caps, *demanded.caps))),
        abandoned_rest=max(own.abandoned_rest, demanded.abandoned_rest),
    )


def _stricter_agents(own: AgentDialing, demanded: AgentDialing) -> AgentDialing:
    """The lower rate brings its own period; of two equal ones the shorter period is stricter."""
    stricter = min((own, demanded), key=_laxity)
    return evolve(
        own,
        abandon_time=min(own.abandon_time, demanded.abandon_time),
        abandon_rate=stricter.abandon_rate,
        abandon_period=stricter.abandon_period,
        ring_min=max(own.ring_min, demanded.ring_min),
    )


def _laxity(agents: AgentDialing) -> tuple[float, bool]:
    return agents.abandon_rate, agents.abandon_period is AbandonPeriod.MONTH
