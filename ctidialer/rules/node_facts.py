"""What is known of a node and its tasks without a daemon, and how an explanation is published."""

from __future__ import annotations

import sys

from ctidialer.contract import keys
from ctidialer.contract.control import Order
from ctidialer.contract.status import BusyLine, Explained
from ctidialer.rules.calling_hours import opening
from ctidialer.rules.explaining import by_whom
from ctidialer.rules.explanation import (
    Explanation,
    NodeFacts,
    NodeLoad,
    Obstacle,
    Reason,
    TaskFacts,
)
from ctidialer.rules.tables import Tables


def drain_obstacle(order: Order, calls: int, zone: str) -> Obstacle:
    """Return what a drain means to the tasks, while ``calls`` are still up."""
    text = f"this node is drained{by_whom(order, zone)}, until that is undone"
    if not calls:
        return Obstacle(Reason.DRAINED, text)
    return Obstacle(Reason.DRAINING, f"{text}; calls still up: {calls}")


def facts_from_tables(tables: Tables, name: str, zone: str, now: float) -> TaskFacts:
    """Return what can be known of a task without its daemon."""
    task = tables.tasks.get(name)
    if task is None:
        return TaskFacts(faults=tables.faults.get((keys.TASK, name), ()))
    paused = tables.control.paused.get(name)
    return TaskFacts(task, (), opening(task.hours, zone, now), paused)


def node_without_calls(
    tables: Tables, zone: str, now: float, obstacles: tuple[Obstacle, ...]
) -> NodeFacts:
    """Return the facts of a node as far as its tables tell them."""
    return NodeFacts(now, zone, tables.routes, obstacles=obstacles, load=NodeLoad())


def as_explained(found: Explanation, most_lines: int = sys.maxsize) -> Explained:
    """Return an explanation as it is published, with no more than so many lines."""
    lines = tuple(
        BusyLine(busy.name, busy.group, busy.why.name.lower(), busy.text, busy.until)
        for busy in found.lines[:most_lines]
    )
    left_out = len(found.lines) - len(lines)
    return Explained(
        found.reason.value, found.text, found.changes_at, found.faults, lines, left_out
    )
