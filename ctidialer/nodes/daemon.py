"""What a daemon shows of itself to its HTTP interface: values to read, and nothing to change.

The daemon implements `DaemonView` (``dialer/daemon_view.py``); ``tap.py`` hands it over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol

from attrs import frozen

from ctidialer.contract.pacing import PacingStatus
from ctidialer.contract.record import Record
from ctidialer.contract.status import (
    Explained,
    Later,
    LineStatus,
    Missing,
    NodeStatus,
    named_queues,
)
from ctidialer.nodes.doubts import Doubts
from ctidialer.nodes.schedules import WaitingMembers
from ctidialer.rules.attempt import Attempt
from ctidialer.rules.reasons import Condition


@frozen
class ConditionNow:
    """Whether one condition for dialing is met, and how often it was lost."""

    condition: Condition
    is_met: bool
    losses: int


@frozen
class Totals:
    """Calls placed and numbers ended since the daemon began, and the calls that are up now.

    ``lost_in_flight``: numbers that ended and were no longer in flight, so have no record.
    ``events_written`` and ``events_dropped``: those for the stream of events.  ``talks``: numbers
    that ended with a conversation, ``talk_seconds`` long together.
    """

    placed: int
    calls: int
    outcomes: Mapping[str, int]
    lost_in_flight: int = 0
    events_written: int = 0
    events_dropped: int = 0
    talks: int = 0
    talk_seconds: float = 0.0

    def since(self, before: Totals) -> Totals:
        """Return what was counted after ``before``; the calls are those that are up now."""
        return Totals(
            placed=self.placed - before.placed,
            calls=self.calls,
            outcomes=dict(Counter(self.outcomes) - Counter(before.outcomes)),
            lost_in_flight=self.lost_in_flight - before.lost_in_flight,
            events_written=self.events_written - before.events_written,
            events_dropped=self.events_dropped - before.events_dropped,
            talks=self.talks - before.talks,
            talk_seconds=round(self.talk_seconds - before.talk_seconds, 3),
        )


@frozen
class TaskNow:
    """One task as it is; ``limit`` 0 and an empty ``number_queue`` where it cannot be read.

    ``pacing``: how its agents are; None = it counts none.
    ``later``: its numbers that wait in Redis, None = none does.  ``further_queues``: lists that are
    looked at when ``number_queue`` is empty.
    """

    name: str
    calls: int
    limit: int
    cps: float | None
    number_queue: str
    paused: bool
    explained: Explained
    pacing: PacingStatus | None = None
    later: Later | None = None
    further_queues: tuple[str, ...] = ()

    @property
    def queues(self) -> tuple[str, ...]:
        """The lists of its numbers, in the order in which they are looked at."""
        return named_queues(self.number_queue, self.further_queues)


@frozen
class ScheduleNow:
    """One schedule configuration as it is; ``next_due`` is unix seconds, None = nothing waits.

    ``limit`` and ``cps`` None = it has none, or cannot be read.  ``later`` as in TaskNow.
    """

    name: str
    due: int
    next_due: float | None
    explained: Explained
    calls: int
    limit: int | None
    cps: float | None
    paused: bool
    later: Later | None = None


@frozen
class GroupNow:
    """One group of a task; ``exists`` false: its name is a fallback.  ``tiers``: names of lines."""

    name: str
    exists: bool
    enabled: bool
    redials: int
    tiers: tuple[tuple[str, ...], ...]


@frozen
class PlanNow:
    """What a task is to do; ``day`` and ``open`` are spans of unix seconds, of today in its
    ``timezone``."""

    limit: int
    cps: float | None
    queues: tuple[str, ...]
    timezone: str
    day: tuple[float, float]
    open: tuple[tuple[float, float], ...]
    groups: tuple[GroupNow, ...]


class JournalReader(Protocol):
    """Is told of calls and numbers after they have ended; it can change nothing."""

    def call_ended(self, attempt: Attempt) -> None:
        """A call has ended; one that FreeSWITCH refused (``is_refusal``) is told too."""

    def number_ended(self, record: Record) -> None:
        """The record of a number was written."""


class DaemonView(Protocol):
    """One daemon, read only.  Names are those of its tables; all answers are of this moment."""

    def status(self) -> NodeStatus:
        """Return the state that is published; calls in quick succession get the same one."""

    def encoded_status(self) -> bytes:
        """Return the same as JSON."""

    def is_ready(self) -> bool:
        """Whether calls can be placed."""

    def missing(self) -> tuple[Missing, ...]:
        """Return what keeps the node from dialing, the one that explains the others first."""

    def troubles(self) -> tuple[str, ...]:
        """Return sentences on what does not work although calls can be placed."""

    def conditions(self) -> tuple[ConditionNow, ...]:
        """Return all conditions."""

    def totals(self) -> Totals:
        """Return what is counted."""

    def task_names(self) -> list[str]:
        """Return the names of all tasks, in order: valid or not, or gone with calls still up."""

    def queues(self) -> list[str]:
        """Return the lists of numbers of all open tasks, each once."""

    def has_task(self, name: str) -> bool:
        """Whether the tables have a task of this name, valid or not."""

    def has_calls(self, name: str) -> bool:
        """Whether calls of a task are up; it may be gone from the tables."""

    def tasks(self, names: Iterable[str], most_lines: int) -> list[TaskNow]:
        """Return tasks, of each no more than so many busy lines."""

    def plan(self, name: str) -> PlanNow | None:
        """Return what a task is to do; None = there is no valid one of this name."""

    def line_names(self) -> list[str]:
        """Return the names of all lines, in order: also of those that are gone, with calls up."""

    def is_line(self, name: str) -> bool:
        """Whether calls can be placed by this name: a line, or a fallback; or it is taken out of
        use."""

    def lines(self, names: Iterable[str]) -> list[LineStatus]:
        """Return the states of lines."""

    def schedule_names(self) -> list[str]:
        """Return the names of all schedule configurations, in order, valid or not."""

    def schedules(
        self, names: Iterable[str], waiting: WaitingMembers, most_lines: int
    ) -> list[ScheduleNow]:
        """Return schedule configurations with what waits for them."""

    def dnc_lists(self) -> frozenset[str]:
        """Return the keys of all lists of numbers not to be called that its tables name."""

    def doubts(self) -> Doubts:
        """Return the warnings of the tables as they are now."""

    def add_reader(self, reader: JournalReader) -> None:
        """Tell ``reader`` of all that ends from now on."""
