"""Agents as a back end writes them (docs/agents.rst): one by one, or as counts of a group.

The keys stand under ``params`` or at the top; ``params`` counts where a key stands in both.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

from attrs import frozen

from ctidialer.contract import fields, known_keys
from ctidialer.contract.document import FaultList, Params, Place, read_json, shown
from ctidialer.contract.faults import Fault
from ctidialer.contract.known_keys import Ignored, Keys, doubtful, ignored_keys
from ctidialer.contract.problems import Problem
from ctidialer.contract.times import unix_time

MAX_COUNT = 1_000_000


class AgentState(enum.Enum):
    """What an agent does; only who is idle can take a call."""

    IDLE = "idle"
    RING = "ring"
    TALK = "talk"
    WRAP = "wrap"
    REST = "rest"
    OUT = "out"


@frozen
class Agent:
    """One agent of the table ``cti_agent``.

    ``since``: when the state changed, in unix seconds of the back end's clock; None = not known.
    """

    name: str
    groups: tuple[str, ...]
    state: AgentState
    since: float | None = None


@frozen
class AgentCount:
    """A group of the table ``cti_agent_count``: how many of its agents are free, and busy."""

    group: str
    free: int
    busy: int = 0


def decode_agent(name: str, raw: bytes) -> Agent:
    """Return the agent ``name`` from its JSON; raises ContractError with every fault.

    A ``time`` that cannot be read is none: see `agent_warnings`.
    """
    faults = FaultList()
    _, params = _read(raw, faults)
    agent = Agent(
        name=name,
        groups=params.required("group", _groups, ()),
        state=params.required("state", _state, AgentState.OUT),
        since=_since(params, FaultList()),
    )
    faults.settle()
    return agent


def decode_agent_count(group: str, raw: bytes) -> AgentCount:
    """Return the counts of ``group`` from their JSON; raises ContractError with every fault."""
    faults = FaultList()
    _, params = _read(raw, faults)
    count = AgentCount(
        group=group,
        free=params.required("free", _count, 0),
        busy=params.optional("busy", _count, 0),
    )
    faults.settle()
    return count


def agent_warnings(raw: bytes) -> tuple[Fault, ...]:
    """Return what is probably not meant in an agent; nothing is raised."""
    times = FaultList()
    _, params = _read(raw, FaultList())
    _since(params, times)
    return (*doubtful(keys_ignored_in_agent(raw)), *times.all())


def agent_count_warnings(raw: bytes) -> tuple[Fault, ...]:
    """Return what is probably not meant in the counts of a group; nothing is raised."""
    return tuple(doubtful(keys_ignored_in_agent_count(raw)))


def keys_ignored_in_agent(raw: bytes) -> Iterator[Ignored]:
    """Yield the keys of an agent that are ignored."""
    return _ignored(raw, known_keys.AGENT_DOCUMENT, known_keys.AGENT)


def keys_ignored_in_agent_count(raw: bytes) -> Iterator[Ignored]:
    """Yield the keys of the counts of a group that are ignored."""
    return _ignored(raw, known_keys.AGENT_COUNT_DOCUMENT, known_keys.AGENT_COUNT)


def _read(raw: bytes, faults: FaultList) -> tuple[Place, Params]:
    root = read_json(raw, faults)
    document = fields.members(root) or {}
    nested = document.get("params")
    inner = {} if nested is None else fields.members(nested) or {}
    home = root if nested is None else nested
    return root, Params(document | inner, home, complete=not root.faults)


def _ignored(raw: bytes, at_the_top: Keys, inside: Keys) -> Iterator[Ignored]:
    root, _ = _read(raw, FaultList())
    yield from ignored_keys(root, at_the_top)
    if isinstance(root.value, dict):
        yield from ignored_keys(root.member("params", root.value.get("params")), inside)


def _groups(node: Place) -> tuple[str, ...] | None:
    """Read the groups of an agent; spaces around a name do not count, as in no other table."""
    names = fields.some_texts(node)
    return None if names is None else tuple(dict.fromkeys(name.strip() for name in names))


def _state(node: Place) -> AgentState | None:
    written = fields.normalised(node.value).lower() if isinstance(node.value, str) else ""
    try:
        return AgentState(written)
    except ValueError:
        states = ", ".join(state.value for state in AgentState)
        node.fault(Problem.NO_AGENT_STATE.of(states=states, value=shown(node.value)))
        return None


def _since(params: Params, faults: FaultList) -> float | None:
    """Return the ``time``, whose faults are noted apart; 0 is none."""
    node = params.get("time")
    if node is None:
        return None
    return unix_time(Place(node.value, node.path, faults, node.key)) or None


def _count(node: Place) -> int | None:
    return fields.whole(node, 0, MAX_COUNT)
