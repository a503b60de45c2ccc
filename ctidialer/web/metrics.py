"""The metrics for Prometheus: calls and numbers are counted as they end, the rest when asked for.

The journal's reader runs for every call, so it does no more than look up a counter that it knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import floor
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ctidialer.contract.record import Record
from ctidialer.glue import Repeated
from ctidialer.nodes.daemon import DaemonView
from ctidialer.rules import attempt as rules
from ctidialer.rules.attempt import Attempt
from ctidialer.store.errors import StoreError
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading
from ctidialer.web.answers import Answer
from ctidialer.web.routes import get
from ctidialer.web.state_metrics import StateMetrics
from ctidialer.web.task_times import OTHER, CallTimes

log = Logger()

MAX_NAMES = 1000
"""Different sets of labels of one counter; further ones are counted as OTHER."""

MIN_LOOK_INTERVAL = 0.5
"""Seconds between two looks at how late the event loop is."""

ROUNDING = 0.001
"""Share of MIN_LOOK_INTERVAL by which a look may come too early, by rounding of floats."""

QUEUE_TIMEOUT = 0.5
"""Seconds to wait for the lengths of the queues."""

WAITS = (0.1, 0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120)
TALKS = (1, 3, 6, 10, 20, 30, 60, 120, 180, 300, 600, 1200, 1800, 3600)
LAGS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Metrics:
    """Counts what ``daemon`` does; ``lag`` is how late the event loop was last, in seconds."""

    content_type: str = CONTENT_TYPE_LATEST

    def __init__(self, daemon: DaemonView, link: Link, clock: IReactorTime) -> None:
        self.lag = 0.0
        self._daemon = daemon
        self._link = link
        self._clock = clock
        self._began = self._due = 0.0
        self._registry = CollectorRegistry()
        self._state = StateMetrics(daemon, clock)
        self._counted = Counted(self._registry)
        self._registry.register(self._state)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._looks = Repeated(clock, self._look, log, "A look at the event loop")

    def start(self) -> None:
        """Count from now on."""
        self._daemon.add_reader(self._counted)
        self._began = self._clock.seconds()
        self._due = self._began + MIN_LOOK_INTERVAL
        self._looks.start(MIN_LOOK_INTERVAL)

    def stop(self) -> None:
        """Look at the event loop no more."""
        self._looks.stop()

    @get("/metrics", "Everything that is counted, for Prometheus", content_type="text/plain")
    async def page(self) -> Answer:
        """Return everything, as Prometheus reads it."""
        return Answer(body=await self.render(), content_type=self.content_type)

    def render(self) -> Deferred[bytes]:
        """Return everything as Prometheus reads it; never fails.

        Lengths of queues that Redis does not tell at once are left out.
        """
        queues = self._state.open_queues()
        if not (queues and self._link.is_up):
            return succeed(self._rendered({}))
        lengths = NodeReading(self._link, self._daemon.status().host).queue_lengths(queues)
        lengths.addTimeout(QUEUE_TIMEOUT, self._clock, lambda result, timeout: {})
        lengths.addErrback(lambda failure: failure.trap(StoreError) and {})
        return lengths.addCallback(self._rendered)

    def _rendered(self, lengths: dict[str, int]) -> bytes:
        self._state.queue_lengths = lengths
        return bytes(generate_latest(self._registry))

    def _look(self) -> None:
        now = self._clock.seconds()
        # A clock that was set back shows no lag; one that was put on shows some, but only once.
        self.lag = max(0.0, now - self._due)
        self._due = self._next_look(now)
        self._counted.lag.observe(self.lag)

    def _next_look(self, now: float) -> float:
        """Return when the next look is due by LoopingCall's rule, however late this one was."""
        looks = (now - self._began) / MIN_LOOK_INTERVAL + ROUNDING
        return self._began + (floor(looks) + 1) * MIN_LOOK_INTERVAL


class Counted:
    """The counters and histograms; a reader of the journal."""

    def __init__(self, registry: CollectorRegistry) -> None:
        bounded = f"at most {MAX_NAMES} different ones, then {OTHER}"
        self.lag = Histogram(
            "ctidialer_event_loop_lag_seconds",
            "How late the event loop was, looked at twice a second.",
            buckets=LAGS,
            registry=registry,
        )
        self._calls = _Children(
            Counter(
                "ctidialer_calls",
                f"Calls that have ended, by line, cause and final SIP status ({bounded}).",
                ("line_group", "line", "cause", "sip_code", "answered"),
                registry=registry,
            ),
            names=frozenset({0, 1}),
        )
        self.numbers = _Children(
            Counter(
                "ctidialer_numbers",
                f"Numbers whose record was written ({bounded}).",
                ("kind", "task", "outcome"),
                registry=registry,
            ),
            names=frozenset({1}),
        )
        self.dialed = _Children(
            Counter(
                "ctidialer_dialed_numbers",
                f"Numbers of these that were called at least once ({bounded}).",
                ("kind", "task"),
                registry=registry,
            ),
            names=frozenset({1}),
        )
        self._times = CallTimes(registry)
        self._refused = Counter(
            "ctidialer_refused_calls",
            "Originates that FreeSWITCH refused under load; their numbers went back.",
            registry=registry,
        )
        self._progress = _seconds("progress", "From the originate to the ringing.", WAITS, registry)
        self._answer = _seconds("answer", "From the originate to the answer.", WAITS, registry)
        self._bill = _seconds("bill", "From the answer to the hang-up.", TALKS, registry)

    def call_ended(self, attempt: Attempt) -> None:
        """Part of JournalReader."""
        if rules.is_refusal(attempt):
            self._refused.inc()
            return
        answered_at, ended_at = attempt.answered_at, attempt.ended_at
        self._calls.inc(
            attempt.group,
            attempt.line or "",
            attempt.cause or "",
            str(attempt.sip_code or ""),
            "no" if answered_at is None else "yes",
        )
        if attempt.progress_at is not None:
            self._progress.observe(max(0.0, attempt.progress_at - attempt.dialed_at))
        if answered_at is not None:
            self._answer.observe(max(0.0, answered_at - attempt.dialed_at))
            if ended_at is not None:
                self._bill.observe(max(0.0, ended_at - answered_at))

    def number_ended(self, record: Record) -> None:
        """Part of JournalReader."""
        kind, task = record.kind.value, record.task or ""
        self.numbers.inc(kind, task, record.outcome.value)
        if record.attempts:
            self.dialed.inc(kind, task)
            self._times.observe(task, record.attempts)


class _Children:
    """The children of one counter by their labels, kept at hand.

    ``names`` are the places of the labels whose values back ends make up; the others have few.
    """

    def __init__(self, counter: Counter, names: frozenset[int]) -> None:
        self._counter = counter
        self._names = names
        self._inc: dict[tuple[str, ...], Callable[[], Any]] = {}

    def __len__(self) -> int:
        return len(self._inc)

    def inc(self, *labels: str) -> None:
        """Count one; beyond MAX_NAMES sets of labels all new names are OTHER."""
        inc = self._inc.get(labels)
        if inc is not None:
            inc()
        elif len(self._inc) < MAX_NAMES:
            self._inc[labels] = self._child(labels).inc
            self._inc[labels]()
        else:
            self._child(
                OTHER if at in self._names else label for at, label in enumerate(labels)
            ).inc()

    def _child(self, labels: Iterable[str]) -> Counter:
        return self._counter.labels(*(text.encode("utf-8", "replace").decode() for text in labels))


def _seconds(
    name: str, text: str, buckets: tuple[float, ...], registry: CollectorRegistry
) -> Histogram:
    return Histogram(f"ctidialer_{name}_seconds", text, buckets=buckets, registry=registry)
