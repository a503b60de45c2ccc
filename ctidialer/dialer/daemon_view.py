"""This daemon as its HTTP interface sees it: `ctidialer.nodes.daemon` for the running parts."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve, frozen

from ctidialer.contract import keys
from ctidialer.contract.line import LineGroup
from ctidialer.contract.record import Kind
from ctidialer.contract.status import LineStatus, Missing, NodeStatus, ScheduleStatus
from ctidialer.dialer.dispatch.lines import LineAccounts
from ctidialer.dialer.event_stream import EventStream
from ctidialer.dialer.life.journal import Journal
from ctidialer.dialer.minutes import Talk
from ctidialer.dialer.node_view import NodeView
from ctidialer.dialer.status_report import StatusReport
from ctidialer.dialer.write_watch import WriteWatch
from ctidialer.nodes.daemon import (
    ConditionNow,
    GroupNow,
    JournalReader,
    PlanNow,
    ScheduleNow,
    TaskNow,
    Totals,
)
from ctidialer.nodes.doubts import Doubts
from ctidialer.nodes.schedules import WaitingMembers, schedule_facts, schedule_names
from ctidialer.rules.explaining import explain
from ctidialer.rules.explanation import NodeFacts
from ctidialer.rules.node_facts import as_explained, as_missing
from ctidialer.rules.open_spans import day_of, open_spans
from ctidialer.rules.reasons import Condition
from ctidialer.rules.routing import GATEWAY_ACCOUNT
from ctidialer.rules.schedule_explaining import explain_schedule


@frozen(eq=False)
class Daemon:
    """Implements DaemonView."""

    view: NodeView
    report: StatusReport
    journal: Journal
    writes: WriteWatch
    events: EventStream | None
    talk: Talk

    def status(self) -> NodeStatus:
        """Part of DaemonView."""
        return self.report.status()

    def encoded_status(self) -> bytes:
        """Part of DaemonView."""
        return self.report.encoded()

    def is_ready(self) -> bool:
        """Part of DaemonView."""
        return self.view.readiness.gate.is_open

    def missing(self) -> tuple[Missing, ...]:
        """Part of DaemonView."""
        return tuple(as_missing(one) for one in self._facts().obstacles)

    def troubles(self) -> tuple[str, ...]:
        """Part of DaemonView."""
        found = (self.writes.lesser, self.events.problem if self.events else "")
        return tuple(filter(None, found))

    def conditions(self) -> tuple[ConditionNow, ...]:
        """Part of DaemonView."""
        readiness = self.view.readiness
        missing = readiness.missing
        return tuple(
            ConditionNow(one, one not in missing, readiness.losses[one]) for one in Condition
        )

    def totals(self) -> Totals:
        """Part of DaemonView."""
        calls, closing = self.view.calls, self.view.closing
        outcomes = {outcome.value: count for outcome, count in closing.outcomes.items()}
        totals = Totals(
            calls.placed,
            len(calls),
            outcomes,
            closing.lost_in_flight,
            talks=self.talk.count,
            talk_seconds=self.talk.seconds,
        )
        if self.events is None:
            return totals
        return evolve(
            totals, events_written=self.events.written, events_dropped=self.events.dropped
        )

    def task_names(self) -> list[str]:
        """Part of DaemonView."""
        tables = self.view.tables
        invalid = (name for table, name in tables.faults if table == keys.TASK)
        return sorted({*tables.tasks, *invalid, *(run.task.name for run in self.view.runs)})

    def queues(self) -> list[str]:
        """Part of DaemonView."""
        runs = self.view.runs
        is_open = (*runs.dialing(self.report.now()), *runs.waiting)
        return sorted({queue for run in is_open for queue in run.task.queues})

    def has_task(self, name: str) -> bool:
        """Part of DaemonView."""
        tables = self.view.tables
        return name in tables.tasks or (keys.TASK, name) in tables.faults

    def has_calls(self, name: str) -> bool:
        """Part of DaemonView."""
        return self.view.runs.get(name) is not None

    def tasks(self, names: Iterable[str], most_lines: int) -> list[TaskNow]:
        """Part of DaemonView."""
        facts = self._facts()
        return [self._task(name, facts, most_lines) for name in names]

    def plan(self, name: str) -> PlanNow | None:
        """Part of DaemonView."""
        view = self.view
        task = view.tables.tasks.get(name)
        if task is None:
            return None
        zone = task.hours.timezone or view.node.timezone
        day = day_of(zone, self.report.now())
        groups = view.tables.routes.groups
        return PlanNow(
            task.limit,
            task.cps,
            task.queues,
            zone,
            day,
            open_spans(task.hours, view.node.timezone, day),
            tuple(_group(one, groups.get(one)) for one in task.line_groups),
        )

    def line_names(self) -> list[str]:
        """Part of DaemonView."""
        return sorted(self.view.tables.routes.lines.keys() | _used(self.view.lines))

    def is_line(self, name: str) -> bool:
        """Part of DaemonView."""
        return self.view.tables.is_line(name) or self.view.lines.is_taken_out(name)

    def lines(self, names: Iterable[str]) -> list[LineStatus]:
        """Part of DaemonView."""
        now = self.report.now()
        return [self.view.line(name, now) for name in names]

    def schedule_names(self) -> list[str]:
        """Part of DaemonView."""
        return schedule_names(self.view.tables)

    def schedules(
        self, names: Iterable[str], waiting: WaitingMembers, most_lines: int
    ) -> list[ScheduleNow]:
        """Part of DaemonView."""
        facts = self._facts()
        return [self._schedule(name, waiting, facts, most_lines) for name in names]

    def dnc_lists(self) -> frozenset[str]:
        """Part of DaemonView."""
        tables = self.view.tables
        rules = [
            *(task.callee for task in tables.tasks.values()),
            *(config.callee for config in tables.schedules.values()),
        ]
        named = {key for one in rules for key in (*one.dnc, one.dnc_add or "")}
        return frozenset(filter(None, named))

    def doubts(self) -> Doubts:
        """Part of DaemonView."""
        return Doubts(self.view.tables)

    def add_reader(self, reader: JournalReader) -> None:
        """Part of DaemonView."""
        self.journal.add_reader(reader)

    def _facts(self) -> NodeFacts:
        return self.view.explainer.node_facts(self.report.now())

    def _task(self, name: str, facts: NodeFacts, most_lines: int) -> TaskNow:
        view = self.view
        task, run = view.tables.tasks.get(name), view.runs.get(name)
        found = explain(view.explainer.task_facts(name, facts.now), facts)
        return TaskNow(
            name=name,
            calls=run.calls if run else 0,
            limit=task.limit if task else 0,
            cps=task.cps if task else None,
            number_queue=task.number_queue if task else "",
            further_queues=task.further_queues if task else (),
            paused=name in view.tables.control.paused,
            explained=as_explained(found, most_lines),
            pacing=view.explainer.pacing(run, facts.now) if run else None,
            later=view.explainer.later(Kind.QUEUE, name),
        )

    def _schedule(
        self, name: str, waiting: WaitingMembers, node: NodeFacts, most_lines: int
    ) -> ScheduleNow:
        run = self.view.schedules.get(name)
        told = self.view.with_later(run.told(node.now) if run else ScheduleStatus(name, 0))
        facts = schedule_facts(self.view.tables, name, waiting, told)
        return ScheduleNow(
            name=name,
            due=facts.due,
            next_due=facts.next_due,
            explained=as_explained(explain_schedule(facts, node), most_lines),
            calls=facts.calls,
            limit=facts.config.limit if facts.config else None,
            cps=facts.config.cps if facts.config else None,
            paused=facts.paused is not None,
            later=facts.later,
        )


def _group(name: str, group: LineGroup | None) -> GroupNow:
    if group is None:
        return GroupNow(name, False, True, 0, ())
    return GroupNow(name, True, group.enabled, group.redials, group.tiers)


def _used(lines: LineAccounts) -> set[str]:
    states = lines.states.items()
    names = {name for name, state in states if state.calls or state.taken_out}
    return {name for name in names if not name.startswith(GATEWAY_ACCOUNT)}
