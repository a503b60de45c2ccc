"""The JSON API: what one task is to do, for people who look at it, and a change of its rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from ctidialer.contract.control import Order
from ctidialer.contract.faults import ContractError, Fault
from ctidialer.contract.status import LineStatus
from ctidialer.contract.task_editing import NotEditable, Setting
from ctidialer.nodes.daemon import DaemonView
from ctidialer.nodes.reader import NodeReader
from ctidialer.nodes.task_edits import SpoilsOthers, TaskEdits
from ctidialer.rules.calling_hours import Moments
from ctidialer.rules.task_editing import Target
from ctidialer.settings import Node
from ctidialer.store.link import Link
from ctidialer.web.answers import Asked, Refusal
from ctidialer.web.documents import WhyBody
from ctidialer.web.node_api import NO_REDIS, order_of
from ctidialer.web.routes import get, post

MAX_LINES = 1000
"""Lines of a task that are told; further ones are counted."""

NO_TASK = {404: "there is no such task, or it cannot be read"}


class GroupPlan(msgspec.Struct):
    """One line group of a task, in the order in which they are tried.

    ``exists`` false: the name is used as a fallback (``default_dialstring``).  ``tiers`` are lists
    of lines, the first preferred.
    """

    name: str
    exists: bool
    enabled: bool
    redials: int
    tiers: list[list[LineStatus]]


class TaskPlan(msgspec.Struct):
    """What one task is to do on this host.

    ``open``: from when to when calls may start today, in the task's ``timezone`` (unix seconds);
    ``day`` is when today begins and ends.  ``lines_left_out``: lines beyond 1,000 are not told.
    """

    task: str
    host: str
    limit: int
    cps: float | None
    queues: list[str]
    timezone: str
    day: Moments
    open: list[Moments]
    groups: list[GroupPlan]
    lines_left_out: int


class RatesBody(WhyBody):
    """What the task's document shall say; what is not given stays, ``cps`` 0 removes the rate."""

    limit: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None
    cps: Annotated[float, Meta(ge=0, le=100_000)] | None = None


class RatesChanged(msgspec.Struct):
    """What was changed, each as a sentence, and the hosts whose daemons were told."""

    task: str
    changes: list[str]
    hosts: list[str]


class TaskPlanApi:
    """Answers for the tasks of this host."""

    def __init__(self, node: Node, daemon: DaemonView, link: Link) -> None:
        self._host = node.host
        self._daemon = daemon
        self._edits = TaskEdits(link, NodeReader(link, node), node.host)

    @get("/api/tasks/{task}", "What a task is to do: hours of today, groups, lines", others=NO_TASK)
    async def plan(self, task: str) -> TaskPlan:
        """Return the hours of today, and the groups and lines in the order of their use."""
        found = self._daemon.plan(task)
        if found is None:
            raise self._no_task(task)
        left = MAX_LINES
        groups = []
        for group in found.groups:
            tiers = []
            for names in group.tiers:
                tiers.append(self._daemon.lines(names[: max(0, left)]))
                left -= len(names)
            groups.append(GroupPlan(group.name, group.exists, group.enabled, group.redials, tiers))
        return TaskPlan(
            task,
            self._host,
            found.limit,
            found.cps,
            list(found.queues),
            found.timezone,
            found.day,
            list(found.open),
            groups,
            max(0, -left),
        )

    @post(
        "/api/tasks/{task}/rates",
        "Change limit and cps in the task's document, where they stand",
        others={**NO_TASK, 409: "the task would be invalid with them", **NO_REDIS},
    )
    async def change_rates(self, asked: Asked, task: str, body: RatesBody) -> RatesChanged:
        """Change limit or cps: valid or not at all, for all hosts that share the document."""
        if not self._daemon.has_task(task):
            raise self._no_task(task)
        settings = list(_settings(body))
        if not settings:
            raise Refusal(400, "say a limit, a cps, or both")
        return await self._changed(task, settings, order_of(asked, body))

    async def _changed(self, task: str, settings: Sequence[Setting], order: Order) -> RatesChanged:
        try:
            done = await self._edits.change(task, settings, Target.WHERE_IT_STANDS, order)
        except NotEditable as error:
            raise Refusal(409, str(error)) from None
        except (ContractError, SpoilsOthers) as error:
            raise Refusal(409, _refusal(error.faults)) from None
        return RatesChanged(task, [one.told() for one in done.edit.changes], list(done.told))

    def _no_task(self, name: str) -> Refusal:
        return Refusal(404, f"there is no task {name[:80]!r} that can be read on {self._host}")


def _settings(body: RatesBody) -> Sequence[Setting]:
    found = []
    if body.limit is not None:
        found.append(Setting(("params", "limit"), msgspec.json.encode(body.limit)))
    if body.cps is not None:
        value = msgspec.json.encode(body.cps) if body.cps else None
        found.append(Setting(("params", "cps"), value))
    return found


def _refusal(faults: Sequence[Fault]) -> str:
    said = "; ".join(f"{fault.path} {fault.problem}" for fault in faults)
    return f"nothing was changed, the task would be invalid: {said}"
