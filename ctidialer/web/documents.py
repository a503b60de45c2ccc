"""The JSON documents of the API: what is sent, and what the OpenAPI description says of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ctidialer.contract.faults import Fault
from ctidialer.contract.pacing import PacingStatus
from ctidialer.contract.status import BusyLine, Explained, Later, LineStatus, Missing
from ctidialer.nodes.queues import QueueLength

MAX_WHY_LENGTH = 200


class Alive(msgspec.Struct):
    """The daemon answers."""

    alive: bool


class ReadyAnswer(msgspec.Struct):
    """Whether calls can be placed, and what is missing; ``troubles``: what does not work although
    they can."""

    ready: bool
    missing: tuple[Missing, ...]
    troubles: tuple[str, ...] = ()


class WarningEntry(msgspec.Struct):
    """What the document ``name`` at a Redis key hardly means; ``path`` is a JSON path in it."""

    key: str
    name: str
    path: str
    problem: str


class TaskEntry(msgspec.Struct):
    """One task of this host; ``queue_length`` null = no queue of it can be read just now.

    ``number_queue`` is the first of its ``queues``, ``queue_length`` the numbers in all of them.

    ``pacing`` null = it counts no agents.  ``later``: its numbers that wait in Redis, null = none
    does.  ``warnings`` are those of its document and of the groups and lines that it names, at most
    20.
    """

    name: str
    calls: int
    limit: int
    cps: float | None
    number_queue: str
    queue_length: int | None
    queues: tuple[QueueLength, ...]
    paused: bool
    explained: Explained
    pacing: PacingStatus | None
    later: Later | None
    warnings: list[WarningEntry]


class TaskPage(msgspec.Struct):
    """Some tasks; ``total`` is how many there are with this query.

    ``reasons`` counts the tasks by reason, the worst first, whichever reason is asked for.
    """

    tasks: list[TaskEntry]
    total: int
    reasons: dict[str, int]


class TaskExplanation(msgspec.Struct):
    """Why one task is, or is not, dialing now."""

    task: str
    host: str
    reason: str
    text: str
    changes_at: float | None
    faults: tuple[Fault, ...]
    lines: tuple[BusyLine, ...]
    lines_left_out: int
    form: str
    values: Mapping[str, str]
    warnings: list[WarningEntry]


class ScheduleEntry(msgspec.Struct):
    """One schedule configuration; ``due`` of its numbers are due, among the first 1000 of all.

    ``limit`` and ``cps`` null = it has none.
    """

    name: str
    due: int
    next_due: float | None
    explained: Explained
    calls: int
    limit: int | None
    cps: float | None
    paused: bool
    later: Later | None
    warnings: list[WarningEntry]


class SchedulePage(msgspec.Struct):
    """Some schedule configurations, by name; ``total`` is how many there are with this query.

    ``all_due`` numbers are due, and ``scheduled`` wait in all, of every configuration.
    """

    schedules: list[ScheduleEntry]
    total: int
    all_due: int
    scheduled: int


class ScheduleExplanation(msgspec.Struct):
    """Why the numbers of one schedule configuration are, or are not, called now."""

    config: str
    host: str
    reason: str
    text: str
    changes_at: float | None
    faults: tuple[Fault, ...]
    lines: tuple[BusyLine, ...]
    lines_left_out: int
    form: str
    values: Mapping[str, str]
    due: int
    next_due: float | None
    all_due: int
    scheduled: int
    warnings: list[WarningEntry]


class TaskPaused(msgspec.Struct):
    """Whether a task is paused; ``changed`` is whether this request has changed it."""

    task: str
    paused: bool
    changed: bool


class SchedulePaused(msgspec.Struct):
    """Whether a schedule configuration is paused; ``changed``: this request has changed it."""

    config: str
    paused: bool
    changed: bool


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """What is sent with a request: no other keys than these."""


class WhyBody(Body):
    """Why an operator orders something, for people; what cannot be printed becomes a blank."""

    why: Annotated[str, Meta(max_length=MAX_WHY_LENGTH)] = ""


class Token(Body):
    """The token of the settings ([http] token)."""

    token: str


class LinePage(msgspec.Struct):
    """Some lines, by name; ``total`` is how many there are with this query."""

    lines: list[LineStatus]
    total: int


class RecordPage(msgspec.Struct):
    """Some records, the newest first; ``next`` is what ``before`` has to be for older ones."""

    records: list[msgspec.Raw]
    next: str | None


class FindingEntry(msgspec.Struct):
    """One thing that is wrong, or hardly meant; ``severity`` is fault, warning or notice."""

    severity: str
    key: str
    name: str
    path: str
    problem: str


class CheckResult(msgspec.Struct):
    """What was found, and how much was looked at."""

    findings: list[FindingEntry]
    tasks: int
    lines: int
    line_groups: int
    schedule_configs: int
    numbers: int


class Drained(msgspec.Struct):
    """Whether the node is out of service; ``changed`` is whether it was not so before."""

    host: str
    drained: bool
    changed: bool


class NodePage(msgspec.Struct):
    """All nodes on this Redis, as ``ctidialer status --json`` shows them."""

    at: float
    nodes: list[dict[str, Any]]


class HostPage(msgspec.Struct):
    """All hosts on this Redis, as ``ctidialer status --all-hosts --json`` shows them."""

    at: float
    hosts: list[dict[str, Any]]
    total: dict[str, float]


class SampleEntry(msgspec.Struct):
    """What happened in one step: calls ``started``, numbers ended by outcome, conversations.

    ``at`` is its end (unix seconds).  ``calls``: how many were up then, or, of a step that is
    longer than a second, the most at once in it.  ``lag_ms``: by how much the event loop was late;
    0 where the step is longer than a second.
    """

    at: float
    started: int
    calls: int
    outcomes: Mapping[str, int]
    talks: int
    talk_seconds: float
    lag_ms: float = 0.0


class HistoryPage(msgspec.Struct):
    """What happened in the last ``seconds``, in steps of ``step`` seconds, the oldest first."""

    step: int
    seconds: int
    samples: list[SampleEntry]


class ErrorText(msgspec.Struct):
    """What is wrong with a request."""

    code: str
    message: str


class ErrorAnswer(msgspec.Struct):
    """Every answer that is none."""

    error: ErrorText
