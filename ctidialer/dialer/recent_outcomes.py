"""How the last numbers of each task ended: if most failed, an empty queue is no success."""

from __future__ import annotations

from collections import deque

from ctidialer.contract.record import Kind, Outcome, Record
from ctidialer.glue import forget_first
from ctidialer.rules.attempt import Attempt
from ctidialer.rules.explanation import Recent

MAX_OUTCOMES = 100
"""Numbers of one task that are remembered."""

MAX_TASKS = 10_000
"""Tasks whose numbers are remembered; a bound, since back ends may make up ever new names."""

NOTHING = Recent()
BAD = frozenset({Outcome.FAILED, Outcome.INVALID})


class RecentOutcomes:
    """A reader of the journal."""

    def __init__(self) -> None:
        self._of: dict[str, deque[bool]] = {}

    def call_ended(self, attempt: Attempt) -> None:
        """Part of JournalReader; numbers are looked at, not calls."""

    def number_ended(self, record: Record) -> None:
        """Part of JournalReader."""
        if record.kind is not Kind.QUEUE or record.task is None:
            return
        last = self._of.get(record.task)
        if last is None:
            last = self._of[record.task] = deque(maxlen=MAX_OUTCOMES)
            forget_first(self._of, MAX_TASKS)
        last.append(record.outcome in BAD)

    def of(self, task: str) -> Recent:
        """Return how the last numbers of a task ended."""
        last = self._of.get(task)
        return NOTHING if last is None else Recent(len(last), sum(last))
