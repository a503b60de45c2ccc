"""Gathers what `ctidialer.rules.explaining` needs to know of a task and of this node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from attrs import frozen

from ctidialer.contract import keys
from ctidialer.contract.control import Order
from ctidialer.contract.pacing import PacingStatus
from ctidialer.contract.record import Kind
from ctidialer.contract.status import Later
from ctidialer.contract.task import Task
from ctidialer.dialer.dispatch.lines import LineAccounts
from ctidialer.dialer.dispatch.slots import Slots
from ctidialer.dialer.dispatch.task_runs import TaskRun, TaskRuns
from ctidialer.dialer.readiness import Condition, Readiness
from ctidialer.dialer.recent_outcomes import NOTHING, RecentOutcomes
from ctidialer.rules.calling_hours import Opening, opening
from ctidialer.rules.explaining import explain
from ctidialer.rules.explanation import (
    Explanation,
    NodeFacts,
    Obstacle,
    TaskFacts,
)
from ctidialer.rules.node_facts import drain_obstacle
from ctidialer.rules.tables import Tables

PacingOf = Callable[[TaskRun, float], PacingStatus | None]
"""Returns how a task is paced by its agents; None = it counts none."""


class Sized(Protocol):
    """The calls that are up."""

    def __len__(self) -> int:
        """Return how many there are."""


LaterOf = Callable[[Kind, str], Later | None]
"""Returns what waits in Redis of a task, or of a schedule configuration."""


@frozen
class Troubles:
    """Sentences on why something is away or refuses; an empty one = nothing is known."""

    freeswitch: Callable[[], str]
    redis: Callable[[], str]
    writes: Callable[[], str] = str
    records: Callable[[], str] = str


class Explainer:
    """Explains why a task of this node is, or is not, dialing, by the daemon's own state."""

    def __init__(
        self,
        zone: str,
        tables: Tables,
        runs: TaskRuns,
        lines: LineAccounts,
        slots: Slots,
        readiness: Readiness,
        calls: Sized,
        troubles: Troubles,
        recent: RecentOutcomes,
        later: LaterOf = lambda kind, name: None,
        pacing_of: PacingOf = lambda run, now: None,
    ) -> None:
        self._zone = zone
        self._tables = tables
        self._runs = runs
        self._lines = lines
        self._slots = slots
        self._readiness = readiness
        self._calls = calls
        self._troubles = troubles
        self._recent = recent
        self.later = later
        self._pacing_of = pacing_of

    def explain(self, name: str, now: float) -> Explanation:
        """Return why the task ``name`` is, or is not, dialing at ``now`` (unix seconds)."""
        return explain(self.task_facts(name, now), self.node_facts(now))

    def explain_run(self, run: TaskRun, node: NodeFacts) -> Explanation:
        """Return the same for the task of ``run``; ``node``: the facts of this moment."""
        return explain(self._facts_of(run.task, run, node.now), node)

    def pacing(self, run: TaskRun, now: float) -> PacingStatus | None:
        """Return how the task of ``run`` is paced by its agents; None = it counts none."""
        return None if run.withdrawn else self._pacing_of(run, now)

    def node_facts(self, now: float) -> NodeFacts:
        """Return what keeps, or could keep, any task of this node from dialing."""
        is_read = Condition.TABLES not in self._readiness.missing
        routes, lines = self._tables.routes, self._lines
        return NodeFacts(
            now=now,
            zone=self._zone,
            routes=routes,
            states=lines.states,
            obstacles=tuple(self._obstacle(one) for one in self._readiness.missing),
            tables_read=is_read or bool(self._tables.tasks),
            load=self._slots.load(now),
            has_room=lambda groups: lines.room(routes, groups, now, 1) > 0,
        )

    def task_facts(self, name: str, now: float) -> TaskFacts:
        """Return what is known of one task."""
        task = self._tables.tasks.get(name)
        if task is None:
            return TaskFacts(faults=self._tables.faults.get((keys.TASK, name), ()))
        return self._facts_of(task, self._runs.get(name), now)

    def _facts_of(self, task: Task, run: TaskRun | None, now: float) -> TaskFacts:
        paused = self._tables.control.paused.get(task.name)
        if run is None:
            return TaskFacts(task, (), opening(task.hours, self._zone, now), paused)
        return TaskFacts(
            task=task,
            opening=self._opening(run, now),
            paused=paused,
            calls=run.calls,
            pace=run.pace,
            queue_is_empty=run.queue_is_empty,
            queue_problem=run.queue_problem,
            waiting=len(run.waiting),
            next_call=run.next_call(now),
            recent=self._recent.of(task.name) if run.queue_is_empty else NOTHING,
            brake=run.brake,
            later=self.later(Kind.QUEUE, task.name) if run.queue_is_empty else None,
            pacing=self._pacing_of(run, now),
            others=run.others,
            barred_until=run.barred_until,
        )

    def _opening(self, run: TaskRun, now: float) -> Opening:
        """Return the opening of a task; that of an open task is known already."""
        known = run.opening
        if known.open and (known.changes_at is None or now < known.changes_at):
            return known
        return opening(run.task.hours, self._zone, now)

    def _obstacle(self, condition: Condition) -> Obstacle:
        if condition is Condition.IN_SERVICE:
            return drain_obstacle(
                self._tables.control.drain or Order(), len(self._calls), self._zone
            )
        if condition is Condition.UNREADABLE:
            problem = "; ".join(self._tables.unreadable.values())
            return Obstacle(condition.reason, condition.form, {"problem": problem})
        trouble = self._trouble(condition)
        name = "problem" if condition in (Condition.WRITES, Condition.RECORDS) else "trouble"
        return Obstacle(condition.reason, condition.form, {name: trouble} if trouble else {})

    def _trouble(self, condition: Condition) -> str:
        told = {
            Condition.FREESWITCH: self._troubles.freeswitch,
            Condition.REDIS: self._troubles.redis,
            Condition.WRITES: self._troubles.writes,
            Condition.RECORDS: self._troubles.records,
        }
        return told[condition]() if condition in told else ""
