"""A node as seen from outside, and its JSON: for ``ctidialer status`` and ``/api/nodes``."""

from __future__ import annotations

from typing import Any

import msgspec
from attrs import asdict, frozen

from ctidialer.contract.status import TaskStatus
from ctidialer.nodes.queues import all_queues, numbers_in, queue_lengths
from ctidialer.nodes.reader import NodeReader
from ctidialer.nodes.report import NodeReport

MAX_LISTED = 100
"""Tasks of a node that are listed unless all are asked for."""

CLOSED_LAST = frozenset({"disabled", "after_stop", "before_start"})


@frozen
class NodeOverview:
    """A node, those of its tasks that are listed, and the lengths of their queues."""

    told: NodeReport
    tasks: tuple[TaskStatus, ...]
    tasks_left_out: int
    lengths: dict[str, int]
    scheduled: int

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON data."""
        told, drain = self.told, self.told.tables.control.drain
        said = msgspec.to_builtins(told.status) if told.is_alive else None
        return {
            "host": told.host,
            "daemon": told.daemon,
            "ready": told.is_ready,
            "drain": asdict(drain) if drain else None,
            "problems": told.problems(),
            "in_flight": told.in_flight,
            "scheduled": self.scheduled,
            "status": {**said, "tasks": None} if said else None,
            "tasks": [self._task_json(task) for task in self.tasks],
            "tasks_left_out": self.tasks_left_out,
        }

    def _task_json(self, task: TaskStatus) -> dict[str, Any]:
        queues = queue_lengths(task, self.lengths)
        return {
            "name": task.name,
            **msgspec.to_builtins(task.explained),
            "calls": task.calls,
            "limit": task.limit,
            "used": task.used,
            "cps": task.cps,
            "number_queue": task.number_queue,
            "queue_length": numbers_in(queues),
            "queues": [asdict(one) for one in queues],
            "later": msgspec.to_builtins(task.later),
            "paused": task.name in self.told.tables.control.paused,
        }


async def overview_of(nodes: NodeReader, host: str, is_all: bool, now: float) -> NodeOverview:
    """Return what is known of a node, with all its tasks or the first ``MAX_LISTED``."""
    told = await nodes.look_at(host)
    tasks = sorted((told.explain(name, now) for name in told.task_names()), key=_rank)
    listed = tuple(tasks if is_all else tasks[:MAX_LISTED])
    domain = told.status.domain if told.status else told.tables.domain
    return NodeOverview(
        told=told,
        tasks=listed,
        tasks_left_out=len(tasks) - len(listed),
        lengths=await nodes.queue_lengths(all_queues(listed)),
        scheduled=await nodes.scheduled(domain),
    )


def _rank(task: TaskStatus) -> tuple[bool, bool, str]:
    """Order: tasks with calls, then those that could have some, then those that are closed."""
    return (not task.calls, task.explained.reason in CLOSED_LAST, task.name)
