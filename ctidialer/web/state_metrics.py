"""The state of the daemon as metrics, computed when they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from twisted.internet.interfaces import IReactorTime

from ctidialer.contract.status import NodeStatus
from ctidialer.nodes.daemon import DaemonView
from ctidialer.rules.line_reasons import Why
from ctidialer.rules.reasons import Condition

OUT_OF_USE = frozenset({Why.OUT_OF_USE.value, Why.NEVER_LEFT.value})

NOT_TOLD = "(other)"
"""The reason of the open tasks that are too many to be explained one by one."""

Samples = Iterable[tuple[tuple[str, ...], float]]


class StateMetrics(Collector):
    """Collects what ``daemon`` says of itself; ``queue_lengths`` is set before, by queue."""

    def __init__(self, daemon: DaemonView, clock: IReactorTime) -> None:
        self._daemon = daemon
        self._clock = clock
        self.queue_lengths: Mapping[str, int] = {}

    def open_queues(self) -> list[str]:
        """Return the queues whose lengths are metrics: those of the tasks listed in the status."""
        return sorted({task.number_queue for task in self._daemon.status().tasks} - {""})

    def describe(self) -> Iterable[Metric]:
        """Part of Collector: nothing is computed at the registration."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Part of Collector."""
        status = self._daemon.status()
        yield from self._node(status)
        yield from self._links()
        yield from self._tasks(status)
        yield from self._schedules(status)
        yield from self._lines(status)

    def _node(self, status: NodeStatus) -> Iterator[Metric]:
        labels = ("version", "host", "domain")
        build = ((status.program, status.host, status.domain), 1.0)
        yield _gauge("build_info", "The version and the names of this node.", labels, [build])
        yield _single("start_time_seconds", "When this daemon began, unix time.", status.started)
        yield _single("ready", "1 while calls can be placed.", status.ready)
        yield _gauge(
            "condition",
            "1 while a condition for placing calls is met.",
            ("condition",),
            [
                ((one.condition.name.lower(),), float(one.is_met))
                for one in self._daemon.conditions()
            ],
        )
        yield _single("calls_in_progress", "Calls asked for and not over.", status.calls)
        yield _single("numbers_in_hand", "Numbers taken and not yet closed.", status.numbers)
        yield _single("unwritten_records", "Writes to Redis still to be done.", status.unwritten)
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
        yield _single("max_calls", "Calls at once for the node, 0 = no limit.", status.max_calls)
        yield _single("max_cps", "Starts a second for the node, 0 = no limit.", status.max_cps)
        until = status.refused_until
        left = 0.0 if until is None else max(0.0, until - self._clock.seconds())
        yield _single(
            "refusal_pause_seconds", "What is left of the pause after FreeSWITCH refused.", left
        )

    def _links(self) -> Iterator[Metric]:
        now = {one.condition: one for one in self._daemon.conditions()}
        for name, condition in (("freeswitch", Condition.FREESWITCH), ("redis", Condition.REDIS)):
            up = now[condition].is_met
            who = "FreeSWITCH" if name == "freeswitch" else "Redis"
            yield _single(f"{name}_up", f"1 while {who} is there.", up)
            yield CounterMetricFamily(
                f"ctidialer_{name}_disconnects",
                f"How often {who} went away.",
                value=now[condition].losses,
            )
        held = now[Condition.LEASE].is_met
        yield _single("lease_held", "1 while this daemon holds its host's name.", held)

    def _tasks(self, status: NodeStatus) -> Iterator[Metric]:
        reasons = Counter(status.closed)
        reasons.update(task.explained.reason for task in status.tasks)
        if status.tasks_left_out:
            reasons[NOT_TOLD] += status.tasks_left_out
        told = "(of the tasks that are open or have calls, at most 500)"
        yield _gauge("tasks", "Tasks by the reason of their state.", ("reason",), _by(reasons))
        tasks = status.tasks
        of_task = ("task",)
        calls = [((_text(task.name),), float(task.calls)) for task in tasks]
        yield _gauge("task_calls", f"Numbers of a task in hand {told}.", of_task, calls)
        limits = [((_text(task.name),), float(task.limit)) for task in tasks]
        yield _gauge("task_limit", f"The limit of a task {told}.", of_task, limits)
        lengths = self.queue_lengths
        queues = [
            ((_text(task.name), _text(task.number_queue)), float(lengths[task.number_queue]))
            for task in tasks
            if task.number_queue in lengths
        ]
        yield _gauge("queue_length", f"Numbers that wait {told}.", ("task", "queue"), queues)

    def _schedules(self, status: NodeStatus) -> Iterator[Metric]:
        calls = [((_text(one.name),), float(one.calls)) for one in status.schedules]
        yield _gauge(
            "schedule_calls",
            "Numbers of a schedule configuration in hand (of those that have or had calls).",
            ("config",),
            calls,
        )

    def _lines(self, status: NodeStatus) -> Iterator[Metric]:
        states = status.line_states
        yield _gauge("lines", "Lines by their state.", ("state",), _by(states))
        told = "(of the lines that are in use or cannot be, at most 1000)"
        lines = status.lines
        calls = [((_text(line.name),), float(line.calls)) for line in lines]
        yield _gauge("line_calls", f"Calls on a line {told}.", ("line",), calls)
        out = [((_text(line.name),), float(line.state in OUT_OF_USE)) for line in lines]
        yield _gauge("line_out_of_use", f"1 while a line is out of use {told}.", ("line",), out)


def _gauge(name: str, text: str, labels: tuple[str, ...], samples: Samples) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"ctidialer_{name}", text, labels=labels)
    for values, number in samples:
        family.add_metric(list(values), number)
    return family


def _single(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"ctidialer_{name}", text, value=float(value))


def _by(counts: Mapping[str, int]) -> list[tuple[tuple[str, ...], float]]:
    return [((name,), float(count)) for name, count in sorted(counts.items())]


def _text(name: str) -> str:
    """Return a name as it can be sent: half a surrogate pair cannot."""
    return name.encode("utf-8", "replace").decode()
