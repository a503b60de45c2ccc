"""Histograms by task, for Prometheus: counted in plain lists, since this runs for every call."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from ctidialer.contract.record import AttemptRecord

MAX_TASKS = 100
"""Tasks with histograms of their own; further ones are counted together as OTHER."""

OTHER = "(other)"

RINGS = (1, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60)
CONNECTS = (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60)
TALKS = (3, 10, 20, 30, 60, 120, 180, 300, 600, 1200, 1800)


class TaskTimes(Collector):
    """How long it took, in seconds, by task."""

    def __init__(
        self, name: str, text: str, bounds: tuple[float, ...], registry: CollectorRegistry
    ) -> None:
        self._name = name
        self._text = text
        self._bounds = bounds
        self._labels = [*(str(float(bound)) for bound in bounds), "+Inf"]
        # For each task how many fell between which bounds, and in the end the sum of all.
        self._counts: dict[str, list[float]] = {}
        registry.register(self)

    def observe(self, task: str, seconds: float) -> None:
        """Count one."""
        counts = self._counts.get(task)
        if counts is None:
            counts = self._new_counts(task)
        counts[bisect_left(self._bounds, seconds)] += 1
        counts[-1] += seconds

    def _new_counts(self, task: str) -> list[float]:
        name = task if len(self._counts) < MAX_TASKS else OTHER
        return self._counts.setdefault(name, [0.0] * (len(self._bounds) + 2))

    def describe(self) -> Iterable[Metric]:
        """Part of Collector: nothing is computed at the registration."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Part of Collector."""
        family = HistogramMetricFamily(self._name, self._text, labels=("task",))
        for task, counts in self._counts.items():
            label = task.encode("utf-8", "replace").decode()
            buckets = list(zip(self._labels, accumulate(counts[:-1]), strict=True))
            family.add_metric((label,), buckets, counts[-1])
        yield family


class CallTimes:
    """How long calls rang, took to connect to an agent, and were talked, by task."""

    def __init__(self, registry: CollectorRegistry) -> None:
        bounded = f"(at most {MAX_TASKS} tasks, then {OTHER})"
        self._ring = TaskTimes(
            "ctidialer_ring_seconds",
            f"From the ringing to the answer or the end, of each call that rang {bounded}.",
            RINGS,
            registry,
        )
        self._connect = TaskTimes(
            "ctidialer_connect_seconds",
            f"From the answer to the connection with an agent {bounded}.",
            CONNECTS,
            registry,
        )
        self._talk = TaskTimes(
            "ctidialer_talk_seconds",
            f"From the connection with an agent to the hang-up {bounded}.",
            TALKS,
            registry,
        )

    def observe(self, task: str, attempts: tuple[AttemptRecord, ...]) -> None:
        """Count the calls of one number, of which there is at least one."""
        for attempt in attempts:
            if attempt.progress_at is not None or attempt.answered_at is not None:
                ring = attempt.ring_seconds
                if ring is not None:
                    self._ring.observe(task, ring)
        last = attempts[-1]
        if last.bridged_at is None:
            return
        connect, talk = last.connect_seconds, last.talk_seconds
        if connect is not None:
            self._connect.observe(task, connect)
        if talk is not None:
            self._talk.observe(task, talk)
