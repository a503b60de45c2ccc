"""Queues, agents and how they work, as a JSON file or the command line describes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from attrs import Factory, evolve, frozen

from ctidialer.switchsim.callcenter.book import Refused
from ctidialer.switchsim.callcenter.center import Callcenter
from ctidialer.switchsim.callcenter.tables import AVAILABLE, STANDBY, Queue
from ctidialer.switchsim.callcenter.work import Work
from ctidialer.switchsim.spans import Span, read_span

DEFAULT_QUEUE = "sales@default"


class PlanError(ValueError):
    """A plan that cannot be read; the message names the JSON path."""


@frozen
class AgentPlan:
    """One agent.  ``queues`` empty = all of them."""

    name: str
    type: str = STANDBY
    queues: tuple[str, ...] = ()
    status: str = AVAILABLE
    wrap_up_time: int = 0
    max_no_answer: int = 0
    busy_delay_time: int = 0
    reject_delay_time: int = 0
    no_answer_delay_time: int = 0
    contact: str = ""
    level: int = 1
    position: int = 1


@frozen
class Plan:
    """What `install` puts into a switch.  ``work``: see `Work`."""

    queues: tuple[str, ...] = (DEFAULT_QUEUE,)
    agents: tuple[AgentPlan, ...] = ()
    extensions: dict[str, str] = Factory(dict)
    work: Work = Factory(Work)


def some_agents(
    count: int, queues: tuple[str, ...], wrap_up: int, kind: str = STANDBY
) -> tuple[AgentPlan, ...]:
    """Give ``agent1@default``, ``agent2@default``… who are available in these queues."""
    return tuple(
        AgentPlan(f"agent{at}@default", kind, queues, wrap_up_time=wrap_up, position=at)
        for at in range(1, count + 1)
    )


def install(plan: Plan, center: Callcenter) -> None:
    """Open the queues; the extensions that lead to a queue are its name, with and without domain.

    Raises PlanError.
    """
    center.work = plan.work
    for name in plan.queues:
        center.book.queues[name] = Queue(name)
        center.extensions |= {name: name, name.partition("@")[0]: name}
    center.extensions |= plan.extensions
    for at, agent in enumerate(plan.agents):
        try:
            _hire(agent, plan, center)
        except Refused as refusal:
            raise PlanError(f"$.agents[{at}] ({agent.name}): {refusal}") from None


def _hire(plan: AgentPlan, whole: Plan, center: Callcenter) -> None:
    book = center.book
    agent = book.add_agent(plan.name, plan.type)
    agent.wrap_up_time, agent.max_no_answer = plan.wrap_up_time, plan.max_no_answer
    agent.busy_delay_time, agent.reject_delay_time = plan.busy_delay_time, plan.reject_delay_time
    agent.no_answer_delay_time, agent.contact = plan.no_answer_delay_time, plan.contact
    if plan.type.lower() == STANDBY:
        center.add_standing_leg(agent)
    elif not plan.contact:
        agent.contact = f"user/{plan.name}"
    book.set_status(agent, plan.status)
    for queue in plan.queues or whole.queues:
        book.add_tier(queue, plan.name, plan.level, plan.position)


# Reading -----------------------------------------------------------------------------------------

_WORK_KEYS = ("handle_time", "ring", "no_answer", "ring_timeout", "seed")
_KEYS = ("queues", "agents", "wrap_up", "extensions", *_WORK_KEYS)


def read_plan(document: object) -> Plan:
    """Read a plan from JSON data; ``agents`` is a number, or a list.  Raises PlanError."""
    if not isinstance(document, dict):
        raise PlanError("$: must be an object")
    unknown = sorted(set(document) - set(_KEYS))
    if unknown:
        raise PlanError(f"$: unknown {unknown[0]!r}; known: {', '.join(_KEYS)}")
    queues = tuple(_texts(document.get("queues", [DEFAULT_QUEUE]), "$.queues"))
    extensions = document.get("extensions", {})
    if not isinstance(extensions, dict) or not set(extensions.values()) <= set(queues):
        raise PlanError("$.extensions: must be an object, extension to a name in $.queues")
    agents = document.get("agents", 0)
    if isinstance(agents, int):
        hired = some_agents(agents, queues, _whole(document.get("wrap_up", 0), "$.wrap_up"))
    else:
        hired = _agents(agents)
    return Plan(queues, hired, dict(extensions), read_work(document))


def read_plan_file(path: Path) -> Plan:
    """Read a plan file.  Raises PlanError with the file's name."""
    try:
        return read_plan(msgspec.json.decode(path.read_bytes()))
    except (OSError, msgspec.DecodeError, PlanError) as problem:
        raise PlanError(f"{path}: {problem}") from problem


def span_option(text: str, path: str) -> Span:
    """Read a duration from the command line: a number or JSON.  Raises PlanError."""
    try:
        value = msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, UnicodeEncodeError) as problem:
        raise PlanError(f"{path}: {text!r} is neither a number nor JSON: {problem}") from problem
    try:
        return read_span(value, path)
    except ValueError as problem:
        raise PlanError(str(problem)) from problem


def read_work(document: dict[str, Any], before: Work | None = None) -> Work:
    """Read how agents work; what is not named stays as ``before``.  Raises PlanError."""
    work = evolve(before or Work())
    work.seed = _whole(document.get("seed", work.seed), "$.seed")
    try:
        work.handle = read_span(document.get("handle_time", work.handle), "$.handle_time")
        work.ring = read_span(document.get("ring", work.ring), "$.ring")
    except ValueError as problem:
        raise PlanError(str(problem)) from None
    for name in ("no_answer", "ring_timeout"):
        value = document.get(name, getattr(work, name))
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise PlanError(f"$.{name}: must be a number, 0 or more")
        setattr(work, name, float(value))
    return work


def _agents(value: object) -> tuple[AgentPlan, ...]:
    try:
        return msgspec.convert(value, tuple[AgentPlan, ...])
    except msgspec.ValidationError as problem:
        raise PlanError(f"$.agents: {problem}") from None


def _texts(value: object, path: str) -> list[str]:
    if isinstance(value, list) and value and all(isinstance(one, str) and one for one in value):
        return value
    raise PlanError(f"{path}: must be a list of names")


def _whole(value: object, path: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise PlanError(f"{path}: must be a whole number, 0 or more")
