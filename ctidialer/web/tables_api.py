"""The JSON API: tasks and schedule configurations, as the daemon sees them."""

from __future__ import annotations

from time import time

from attrs import asdict
from twisted.internet.interfaces import IReactorTime

from ctidialer.contract import keys
from ctidialer.contract.pacing import PacingReport
from ctidialer.nodes.daemon import DaemonView, ScheduleNow, TaskNow
from ctidialer.nodes.doubts import Doubts
from ctidialer.nodes.orders import NodeOrders
from ctidialer.nodes.pacing import read_pacing
from ctidialer.nodes.queues import all_queues, numbers_in, queue_lengths
from ctidialer.nodes.schedules import WaitingMembers, read_waiting
from ctidialer.settings import Node
from ctidialer.store.errors import StoreError
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading
from ctidialer.web.answers import Asked, Refusal
from ctidialer.web.documents import (
    ScheduleEntry,
    ScheduleExplanation,
    SchedulePage,
    SchedulePaused,
    TaskEntry,
    TaskExplanation,
    TaskPage,
    TaskPaused,
    WarningEntry,
    WhyBody,
)
from ctidialer.web.node_api import NO_REDIS, order_of
from ctidialer.web.queries import ListOrder, Page, TaskQuery
from ctidialer.web.routes import get, post
from ctidialer.web.task_states import TaskStates, counted, worst_first

MAX_BUSY_LINES = 20
"""Lines with their reasons, of each task in a list."""

MAX_ALL_BUSY_LINES = 1000
NO_TASK = {404: "there is no such task"}
NO_CONFIG = {404: "there is no such configuration"}


def no_task(name: str, host: str) -> Refusal:
    """Say that a host has no task of this name."""
    return Refusal(404, f"there is no task {name[:80]!r} on {host}")


class TasksApi:
    """Answers for the tasks of this host."""

    def __init__(self, node: Node, daemon: DaemonView, link: Link, clock: IReactorTime) -> None:
        self._host = node.host
        self._daemon = daemon
        self._link = link
        self._states = TaskStates(daemon, clock)
        self._orders = NodeOrders(link, node.host)
        self._reading = NodeReading(link, node.host)

    @get("/api/tasks", "All tasks of this host, with their reasons")
    async def tasks(self, query: TaskQuery) -> TaskPage:
        """Return a page of the tasks, of those of one reason where one is asked for.

        How many have each reason is counted over all whose names fit.
        """
        states = await self._states.of(query.found_in(self._daemon.task_names()))
        names = worst_first(states) if query.order == ListOrder.WORST else list(states)
        if query.reason:
            names = [name for name in names if states[name].reason == query.reason]
        listed = self._daemon.tasks(names[query.part], MAX_BUSY_LINES)
        lengths = await self._queue_lengths(listed)
        doubts = self._daemon.doubts()
        entries = [_entry(task, lengths, doubts) for task in listed]
        return TaskPage(entries, len(names), counted(states))

    @get("/api/tasks/{task}/explain", "Why a task is, or is not, dialing now", others=NO_TASK)
    async def explain(self, task: str) -> TaskExplanation:
        """Say why one task is, or is not, dialing now."""
        if not (self._daemon.has_task(task) or self._daemon.has_calls(task)):
            raise no_task(task, self._host)
        (found,) = self._daemon.tasks([task], MAX_ALL_BUSY_LINES)
        warnings = _warnings(self._daemon.doubts(), keys.TASK, task)
        explained = asdict(found.explained, recurse=False)
        return TaskExplanation(task, self._host, **explained, warnings=warnings)

    @get(
        "/api/tasks/{task}/pacing",
        "How a task is paced by its agents, and what it has learnt",
        others={404: "there is no such task, or it counts no agents", **NO_REDIS},
    )
    async def pacing(self, task: str) -> PacingReport:
        """Return agents, calls on their way, abandoned calls and what was learnt."""
        if not self._daemon.has_task(task):
            raise no_task(task, self._host)
        found = await read_pacing(self._link, self._host, task)
        if found is None:
            raise Refusal(404, f"task {task[:80]!r} was not paced by its agents on any host")
        return found

    @post(
        "/api/tasks/{task}/pause",
        "Start no new call of a task on this host",
        others={**NO_TASK, **NO_REDIS},
    )
    async def pause(self, asked: Asked, task: str, body: WhyBody) -> TaskPaused:
        """Pause the new calls of a task."""
        self._check_known(task)
        changed = await self._orders.pause(task, order_of(asked, body))
        return TaskPaused(task, True, changed)

    @post("/api/tasks/{task}/resume", "Let a paused task go on", others={**NO_TASK, **NO_REDIS})
    async def resume(self, asked: Asked, task: str, body: WhyBody) -> TaskPaused:
        """Resume the new calls of a task."""
        self._check_known(task)
        changed = await self._orders.resume(task, order_of(asked, body))
        return TaskPaused(task, False, changed)

    def _check_known(self, task: str) -> None:
        if not self._daemon.has_task(task):
            raise no_task(task, self._host)

    async def _queue_lengths(self, listed: list[TaskNow]) -> dict[str, int]:
        try:
            return await self._reading.queue_lengths(all_queues(listed))
        except StoreError:
            return {}  # the tasks are told all the same


class SchedulesApi:
    """Answers for the schedule configurations of this host's domain."""

    def __init__(self, node: Node, daemon: DaemonView, link: Link) -> None:
        self._host = node.host
        self._domain = node.domain
        self._daemon = daemon
        self._link = link
        self._orders = NodeOrders(link, node.host)

    @get(
        "/api/schedules",
        "All schedule configurations, with their reasons and what waits",
        others=NO_REDIS,
    )
    async def schedules(self, query: Page) -> SchedulePage:
        """Return a page of the schedule configurations."""
        names = query.found_in(self._daemon.schedule_names())
        waiting = await self._waiting()
        listed = self._daemon.schedules(names[query.part], waiting, MAX_BUSY_LINES)
        doubts = self._daemon.doubts()
        entries = [_schedule_entry(one, doubts) for one in listed]
        return SchedulePage(entries, len(names), waiting.all_due, waiting.scheduled)

    @get(
        "/api/schedules/{config}/explain",
        "Why the numbers of a schedule configuration are, or are not, called now",
        others={**NO_CONFIG, **NO_REDIS},
    )
    async def explain(self, config: str) -> ScheduleExplanation:
        """Say why the numbers of one configuration are, or are not, called now."""
        self._check_known(config)
        waiting = await self._waiting()
        (found,) = self._daemon.schedules([config], waiting, MAX_ALL_BUSY_LINES)
        return ScheduleExplanation(
            config,
            self._host,
            due=found.due,
            next_due=found.next_due,
            all_due=waiting.all_due,
            scheduled=waiting.scheduled,
            warnings=_warnings(self._daemon.doubts(), keys.SCHEDULE_CONFIG, config),
            **asdict(found.explained, recurse=False),
        )

    @post(
        "/api/schedules/{config}/pause",
        "Start no new call of a schedule configuration on this host",
        others={**NO_CONFIG, **NO_REDIS},
    )
    async def pause(self, asked: Asked, config: str, body: WhyBody) -> SchedulePaused:
        """Pause the new calls of a configuration."""
        self._check_known(config)
        changed = await self._orders.pause(config, order_of(asked, body), is_schedule=True)
        return SchedulePaused(config, True, changed)

    @post(
        "/api/schedules/{config}/resume",
        "Let a paused schedule configuration go on",
        others={**NO_CONFIG, **NO_REDIS},
    )
    async def resume(self, asked: Asked, config: str, body: WhyBody) -> SchedulePaused:
        """Let a configuration go on."""
        self._check_known(config)
        changed = await self._orders.resume(config, order_of(asked, body), is_schedule=True)
        return SchedulePaused(config, False, changed)

    def _check_known(self, config: str) -> None:
        if config not in self._daemon.schedule_names():
            shown = f"there is no schedule configuration {config[:80]!r} in {self._domain}"
            raise Refusal(404, shown)

    async def _waiting(self) -> WaitingMembers:
        return await read_waiting(self._link, self._domain, time())


def _entry(task: TaskNow, lengths: dict[str, int], doubts: Doubts) -> TaskEntry:
    queues = queue_lengths(task, lengths)
    return TaskEntry(
        name=task.name,
        calls=task.calls,
        limit=task.limit,
        cps=task.cps,
        number_queue=task.number_queue,
        queue_length=numbers_in(queues),
        queues=queues,
        paused=task.paused,
        explained=task.explained,
        pacing=task.pacing,
        later=task.later,
        warnings=_warnings(doubts, keys.TASK, task.name),
    )


def _schedule_entry(one: ScheduleNow, doubts: Doubts) -> ScheduleEntry:
    warnings = _warnings(doubts, keys.SCHEDULE_CONFIG, one.name)
    return ScheduleEntry(**asdict(one, recurse=False), warnings=warnings)


def _warnings(doubts: Doubts, table: str, name: str) -> list[WarningEntry]:
    return [WarningEntry(**one.as_json()) for one in doubts.about(table, name)]
