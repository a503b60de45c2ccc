"""The state of this daemon as a value: the content of ``cti_dialer_status@<host>``.

Only tasks that are open or have numbers in hand are explained one by one; the others are counted,
so that ten thousand of them cost next to nothing.
"""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from attrs import evolve, frozen

from ctidialer.contract import keys
from ctidialer.contract.line import Line
from ctidialer.contract.record import Kind
from ctidialer.contract.status import VERSION, LineStatus, NodeStatus, ScheduleStatus, TaskStatus
from ctidialer.dialer.backlog_watch import BacklogWatch
from ctidialer.dialer.dispatch.lines import LineAccounts
from ctidialer.dialer.dispatch.schedule_runs import ScheduleRuns
from ctidialer.dialer.dispatch.shared_watch import SharedWatch
from ctidialer.dialer.dispatch.task_runs import TaskRun, TaskRuns
from ctidialer.dialer.explainer import Explainer
from ctidialer.dialer.gateway_watch import GatewayWatch
from ctidialer.dialer.life.calls import Calls
from ctidialer.dialer.life.closing import Closing
from ctidialer.dialer.life.numbers import Numbers
from ctidialer.dialer.readiness import Readiness
from ctidialer.esl.switch import Switch
from ctidialer.rules.explaining import CLOSED
from ctidialer.rules.explanation import NodeFacts
from ctidialer.rules.line_reasons import FREE, REMOVED, Why
from ctidialer.rules.line_state import LineState
from ctidialer.rules.node_facts import as_explained, as_missing
from ctidialer.rules.reasons import Reason
from ctidialer.rules.routing import FALLBACK, GATEWAY_ACCOUNT, way_free_at, why_not
from ctidialer.rules.tables import Tables
from ctidialer.settings import Node
from ctidialer.version import program_version

MAX_TASKS = 500
MAX_LINES = 1000
MAX_SCHEDULES = 500
"""Tasks, lines and schedule configurations that are listed; further ones are left out."""

MAX_BUSY_LINES = 2000
MIN_BUSY_LINES = 5
"""Lines with their reasons: at most for all tasks without a free line together, and at least for
each of them."""

SHOWN_FIRST = (
    "never_left",
    "out_of_use",
    "taken_out",
    "trial_under_way",
    "malformed",
    "full",
    "full_elsewhere",
    "gateway_busy",
    "resting",
    "paced",
    "paced_elsewhere",
    REMOVED,
    FREE,
)


@frozen(eq=False)
class NodeView:
    """All parts of a daemon that its state is read from."""

    node: Node
    tables: Tables
    runs: TaskRuns
    schedules: ScheduleRuns
    lines: LineAccounts
    calls: Calls
    numbers: Numbers
    closing: Closing
    readiness: Readiness
    switch: Switch
    explainer: Explainer
    dashboard: str = ""
    unreadable: Callable[[], int] = int
    backlog: BacklogWatch | None = None
    gateways: GatewayWatch | None = None
    shared: SharedWatch | None = None

    def status(self, now: float, started: float, cps: float) -> NodeStatus:
        """Return the state at ``now``; ``started``: when this daemon began (unix seconds)."""
        node, facts = self.node, self.explainer.node_facts(now)
        pressure = facts.load.backpressure
        detailed, closed = self._sorted_runs(now)
        lines = sorted(self._used_lines(now), key=lambda line: SHOWN_FIRST.index(line.state))
        return NodeStatus(
            version=VERSION,
            program=program_version(),
            host=node.host,
            domain=node.domain,
            timezone=node.timezone,
            hostname=socket.gethostname(),
            pid=os.getpid(),
            started=started,
            at=now,
            ready=self.readiness.gate.is_open,
            missing=tuple(as_missing(one) for one in facts.obstacles),
            drain=self.tables.control.drain,
            freeswitch_up=self.switch.up,
            freeswitch_trouble=self.switch.trouble,
            calls=len(self.calls),
            numbers=len(self.numbers),
            max_calls=node.max_calls,
            max_cps=node.max_cps,
            cps=cps,
            placed=self.calls.placed,
            unwritten=self.closing.unwritten,
            unreadable=self.unreadable(),
            refused_until=pressure.until if pressure.holds(now) else None,
            outcomes={outcome.value: count for outcome, count in self.closing.outcomes.items()},
            task_count=len(detailed) + sum(closed.values()),
            tasks=self._tasks(detailed[:MAX_TASKS], facts),
            tasks_left_out=max(0, len(detailed) - MAX_TASKS),
            closed=closed,
            line_count=len(self.tables.routes.lines),
            lines_in_use=sum(line.calls > 0 for line in lines),
            lines=tuple(lines[:MAX_LINES]),
            lines_left_out=max(0, len(lines) - MAX_LINES),
            line_states=self._line_states(lines),
            schedules=tuple(
                self.with_later(one) for one in self.schedules.told(now, MAX_SCHEDULES)
            ),
            dashboard=self.dashboard,
            backlog=self.backlog.found if self.backlog else None,
            gateways=self.gateways.found if self.gateways else {},
            shared=self.shared.found if self.shared else (),
            shared_left_out=self.shared.left_out if self.shared else 0,
        )

    def with_later(self, told: ScheduleStatus) -> ScheduleStatus:
        """Return what is told of a configuration, with its numbers that wait in Redis."""
        later = self.explainer.later(Kind.SCHEDULE, told.name)
        return told if later is None else evolve(told, later=later)

    def line(self, name: str, now: float) -> LineStatus:
        """Return the state of one line at ``now``, even if it was never used."""
        return self._line(name, self.lines.states.get(name, LineState()), now)

    def _sorted_runs(self, now: float) -> tuple[list[TaskRun], dict[str, int]]:
        """Return the runs to be told one by one, and count the others by their reason."""
        self.runs.look(now)  # the daemon itself does not look while it cannot dial
        counts = {
            **{CLOSED[closed]: count for closed, count in self.runs.closed.items()},
            Reason.DISABLED: self.runs.switched_off,
            Reason.INVALID: sum(table == keys.TASK for table, _ in self.tables.faults),
        }
        return self.runs.told, {why.value: count for why, count in counts.items() if count}

    def _tasks(self, runs: list[TaskRun], facts: NodeFacts) -> tuple[TaskStatus, ...]:
        most_lines = MAX_BUSY_LINES // max(1, len(runs))
        return tuple(self._task(run, facts, max(MIN_BUSY_LINES, most_lines)) for run in runs)

    def _task(self, run: TaskRun, facts: NodeFacts, most_lines: int) -> TaskStatus:
        explainer, task = self.explainer, run.task
        if run.withdrawn:
            found = explainer.explain(task.name, facts.now)
        else:
            found = explainer.explain_run(run, facts)
        return TaskStatus(
            name=task.name,
            calls=run.calls,
            limit=task.limit,
            number_queue=task.number_queue,
            further_queues=task.further_queues,
            explained=as_explained(found, most_lines),
            cps=task.cps,
            pacing=explainer.pacing(run, facts.now),
            later=explainer.later(Kind.QUEUE, task.name),
            used=self._used("task", task.name),
        )

    def _used(self, what: str, name: str) -> int | None:
        """Return the calls of all hosts, where they are counted."""
        return self.shared.used(what, name) if self.shared else None

    def _used_lines(self, now: float) -> Iterator[LineStatus]:
        states = self.lines.states
        malformed = (name for table, name in self.tables.faults if table == keys.LINE)
        for name in malformed:
            if name not in states:
                yield self.line(name, now)
        for name, state in states.items():
            if name.startswith(GATEWAY_ACCOUNT):
                continue
            if self._is_fallback(name):
                if state.out_of_use or state.taken_out:
                    yield self._told(name, FALLBACK, state, now)
                continue
            told = self._line(name, state, now)
            if told.calls or told.state not in (FREE, REMOVED):
                yield told

    def _line(self, name: str, state: LineState, now: float) -> LineStatus:
        line = self.tables.routes.lines.get(name)
        if line is None and (self.lines.is_taken_out(name) or self._may_be_dialed(name)):
            line = FALLBACK
        if line is None:
            return LineStatus(name, REMOVED, state.calls, None, state.faults)
        return self._told(name, line, state, now)

    def _told(self, name: str, line: Line, state: LineState, now: float) -> LineStatus:
        routes, states = self.tables.routes, self.lines.states
        why = why_not(routes, states, name, line, now)
        word, until, off = FREE, None, None
        if why is not None:
            word, until = why.value, way_free_at(routes, states, name, line, now)
        if why is Why.TAKEN_OUT:
            off = self.tables.control.lines_off.get(name)
        used = self._used("line", name)
        return LineStatus(name, word, state.calls, line.count, state.faults, until, used, off)

    def _is_fallback(self, name: str) -> bool:
        if name in self.tables.routes.lines:
            return False
        return self.lines.is_fallback(name) or self.lines.is_taken_out(name)

    def _may_be_dialed(self, name: str) -> bool:
        """Say whether a name that is no line is dialed by the default dial string."""
        was_line = name in self.lines.states and not self.lines.is_fallback(name)
        return not was_line and self.tables.is_line(name)

    def _line_states(self, used: list[LineStatus]) -> Mapping[str, int]:
        states = Counter(line.state for line in used if line.state not in (FREE, REMOVED))
        return {FREE: len(self.tables.routes.lines) - states.total(), **states}
