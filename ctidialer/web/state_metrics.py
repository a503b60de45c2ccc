"""The state of the daemon as metrics, computed when they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from twisted.internet.interfaces import IReactorTime

from ctidialer.contract.record import Outcome
from ctidialer.contract.status import Later, NodeStatus
from ctidialer.nodes.daemon import DaemonView
from ctidialer.nodes.queues import all_queues
from ctidialer.rules.line_reasons import FAULTY_STATES
from ctidialer.rules.reasons import Condition
from ctidialer.web.backlog_metrics import backlog_metrics
from ctidialer.web.families import by, gauge, sendable, single

NOT_TOLD = "(other)"
"""The reason of the open tasks that are too many to be explained one by one."""


class StateMetrics(Collector):
    """Collects what ``daemon`` says of itself; ``queue_lengths`` is set before, by queue."""

    def __init__(self, daemon: DaemonView, clock: IReactorTime) -> None:
        self._daemon = daemon
        self._clock = clock
        self.queue_lengths: Mapping[str, int] = {}

    def open_queues(self) -> list[str]:
        """Return the queues whose lengths are metrics: those of the tasks listed in the status."""
        return all_queues(self._daemon.status().tasks)

    def describe(self) -> Iterable[Metric]:
        """Part of Collector: nothing is computed at the registration."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Part of Collector."""
        status = self._daemon.status()
        yield from self._node(status)
        yield from self._links()
        yield from self._tasks(status)
        yield from self._agents(status)
        yield from self._schedules(status)
        yield from self._lines(status)
        yield from backlog_metrics(status, self._clock.seconds())

    def _node(self, status: NodeStatus) -> Iterator[Metric]:
        labels = ("version", "host", "domain")
        build = ((status.program, status.host, status.domain), 1.0)
        yield gauge("build_info", "The version and the names of this node.", labels, [build])
        yield single("start_time_seconds", "When this daemon began, unix time.", status.started)
        yield single("ready", "1 while calls can be placed.", status.ready)
        yield gauge(
            "condition",
            "1 while a condition for placing calls is met.",
            ("condition",),
            [
                ((one.condition.name.lower(),), float(one.is_met))
                for one in self._daemon.conditions()
            ],
        )
        yield single("calls_in_progress", "Calls asked for and not over.", status.calls)
        yield single("numbers_in_hand", "Numbers taken and not yet closed.", status.numbers)
        yield single("unwritten_records", "Writes to Redis still to be done.", status.unwritten)
        yield CounterMetricFamily(
            "ctidialer_originates", "Originates sent to FreeSWITCH.", value=status.placed
        )
        totals = self._daemon.totals()
        yield CounterMetricFamily(
            "ctidialer_lost_in_flight",
            "Numbers that ended and were no longer in flight: they have no record.",
            value=totals.lost_in_flight,
        )
        yield CounterMetricFamily(
            "ctidialer_events_written",
            "Events written to the stream of records.events.",
            value=totals.events_written,
        )
        yield CounterMetricFamily(
            "ctidialer_events_dropped",
            "Events dropped because Redis did not take them, or not in time.",
            value=totals.events_dropped,
        )
        yield CounterMetricFamily(
            "ctidialer_unknown_outcomes",
            "Numbers that may have been called, and of which nobody knows how it ended.",
            value=status.outcomes.get(Outcome.UNKNOWN.value, 0),
        )
        yield single("max_calls", "Calls at once for the node, 0 = no limit.", status.max_calls)
        yield single("max_cps", "Starts a second for the node, 0 = no limit.", status.max_cps)
        until = status.refused_until
        left = 0.0 if until is None else max(0.0, until - self._clock.seconds())
        yield single(
            "refusal_pause_seconds", "What is left of the pause after FreeSWITCH refused.", left
        )

    def _links(self) -> Iterator[Metric]:
        now = {one.condition: one for one in self._daemon.conditions()}
        for name, condition in (("freeswitch", Condition.FREESWITCH), ("redis", Condition.REDIS)):
            up = now[condition].is_met
            who = "FreeSWITCH" if name == "freeswitch" else "Redis"
            yield single(f"{name}_up", f"1 while {who} is there.", up)
            yield CounterMetricFamily(
                f"ctidialer_{name}_disconnects",
                f"How often {who} went away.",
                value=now[condition].losses,
            )
        held = now[Condition.LEASE].is_met
        yield single("lease_held", "1 while this daemon holds its host's name.", held)

    def _tasks(self, status: NodeStatus) -> Iterator[Metric]:
        reasons = Counter(status.closed)
        reasons.update(task.explained.reason for task in status.tasks)
        if status.tasks_left_out:
            reasons[NOT_TOLD] += status.tasks_left_out
        told = "(of the tasks that are open or have calls, at most 500)"
        yield gauge("tasks", "Tasks by the reason of their state.", ("reason",), by(reasons))
        tasks = status.tasks
        of_task = ("task",)
        calls = [((sendable(task.name),), float(task.calls)) for task in tasks]
        yield gauge("task_calls", f"Numbers of a task in hand {told}.", of_task, calls)
        limits = [((sendable(task.name),), float(task.limit)) for task in tasks]
        yield gauge("task_limit", f"The limit of a task {told}.", of_task, limits)
        lengths = self.queue_lengths
        queues = [
            ((sendable(task.name), sendable(queue)), float(lengths[queue]))
            for task in tasks
            for queue in task.queues
            if queue in lengths
        ]
        yield gauge("queue_length", f"Numbers that wait {told}.", ("task", "queue"), queues)

        later = [(("queue", sendable(one.name)), one.later) for one in tasks if one.later]
        later += [(("schedule", sendable(o.name)), o.later) for o in status.schedules if o.later]
        yield from _waiting(later)

    def _agents(self, status: NodeStatus) -> Iterator[Metric]:
        paced = [(sendable(task.name), task.pacing) for task in status.tasks if task.pacing]
        states = [
            ((name, state), float(count))
            for name, now in paced
            for state, count in (
                ("free", now.free),
                ("ringing", now.agents_ringing),
                ("talking", now.talking),
                ("wrap_up", now.wrap_up),
                ("away", now.away),
                ("stale", now.stale),
            )
        ]
        yield gauge("agents", "Agents of a task by what they do.", ("task", "state"), states)
        stages = [
            ((name, stage), float(count))
            for name, now in paced
            for stage, count in (
                ("ringing", now.ringing),
                ("waiting", now.waiting),
                ("connected", now.connected),
            )
        ]
        text = "Calls of a task with agents, by how far they have got."
        yield gauge("agent_calls", text, ("task", "stage"), stages)
        of_task = ("task",)
        answered = [((name,), float(now.answered)) for name, now in paced]
        text = "Calls answered by people in the present period, over all hosts."
        yield gauge("period_answered", text, of_task, answered)
        abandoned = [((name,), float(now.abandoned)) for name, now in paced]
        yield gauge("period_abandoned", "Those of them that were abandoned.", of_task, abandoned)
        ceilings = [((name,), now.ceiling) for name, now in paced]
        yield gauge("abandon_ceiling", "The highest share of them, 0 to 1.", of_task, ceilings)

    def _schedules(self, status: NodeStatus) -> Iterator[Metric]:
        calls = [((sendable(one.name),), float(one.calls)) for one in status.schedules]
        yield gauge(
            "schedule_calls",
            "Numbers of a schedule configuration in hand (of those that have or had calls).",
            ("config",),
            calls,
        )

    def _lines(self, status: NodeStatus) -> Iterator[Metric]:
        states = status.line_states
        yield gauge("lines", "Lines by their state.", ("state",), by(states))
        told = "(of the lines that are in use or cannot be, at most 1000)"
        lines = status.lines
        calls = [((sendable(line.name),), float(line.calls)) for line in lines]
        yield gauge("line_calls", f"Calls on a line {told}.", ("line",), calls)
        out = [((sendable(line.name),), float(line.state in FAULTY_STATES)) for line in lines]
        yield gauge("line_out_of_use", f"1 while a line is out of use {told}.", ("line",), out)
        off = [((sendable(line.name),), float(line.off is not None)) for line in lines]
        text = f"1 while an operator has taken a line out of use {told}."
        yield gauge("line_taken_out", text, ("line",), off)


def _waiting(later: Sequence[tuple[tuple[str, str], Later]]) -> Iterator[Metric]:
    """Yield how many numbers wait in Redis, and until when, by kind and name."""
    counts = [
        ((*who, reason), float(count))
        for who, one in later
        for reason, count in (("retry", one.retry), ("hours", one.hours), ("cap", one.cap))
        if count
    ]
    text = "Numbers that wait in Redis to be called later, by the reason."
    yield gauge("waiting_numbers", text, ("kind", "task", "reason"), counts)
    due = [(who, one.next_due) for who, one in later if one.next_due is not None]
    yield gauge(
        "next_waiting_time", "When the next of them is due, unix time.", ("kind", "task"), due
    )
