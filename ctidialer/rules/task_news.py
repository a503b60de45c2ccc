"""What is logged of a task when its state changes."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from attrs import frozen

from ctidialer.contract.record import Outcome


class TaskState(enum.Enum):
    """The states of a task whose changes are logged."""

    GONE = "gone"
    OFF = "switched off"
    CLOSED = "closed"
    EMPTY = "open, without numbers"
    OPEN = "open"


NUMBERS = frozenset({TaskState.EMPTY, TaskState.OPEN})
"""A task may change between these two with every number that is pushed."""

DONE = frozenset({TaskState.GONE, TaskState.OFF, TaskState.CLOSED, TaskState.EMPTY})
"""When a task gets into one of these states, the numbers that ended while it was open are logged.
"""


@frozen
class Change:
    """A task, its state before (None = not known yet) and after, and what else is said of it.

    ``until`` says in words why it is closed and until when, or until when it is open; ``queue`` is
    the list of its numbers.
    """

    task: str
    before: TaskState | None
    after: TaskState
    queue: str = ""
    until: str = ""

    @property
    def is_news(self) -> bool:
        """Whether it is logged: at the start only the tasks that are open are."""
        if self.before is None:
            return self.after in NUMBERS
        return self.before is not self.after

    def sentence(self) -> str:
        """Return what the log says, to stand behind the task's name."""
        if self.after is TaskState.GONE:
            return "is no more, or malformed: no new call"
        if self.after is TaskState.OFF:
            return "is switched off"
        if self.after is TaskState.CLOSED:
            return f"is closed: {self.until}"
        if self.after is TaskState.EMPTY:
            ran_out = self.before is TaskState.OPEN
            found = "has no number left in" if ran_out else "is open, and finds no number in"
            return f"{found} {self.queue}"
        if self.before is TaskState.EMPTY:
            return f"has numbers in {self.queue} again"
        return f"is open{self.until}"


def tally(outcomes: Mapping[Outcome, int]) -> str:
    """Return how many numbers have ended, and how, the most frequent outcome first."""
    total = sum(outcomes.values())
    if not total:
        return ""
    ranked = sorted(outcomes.items(), key=lambda one: (-one[1], one[0].value))
    how = ", ".join(f"{count} {outcome.value}" for outcome, count in ranked)
    return f"{total} number{'s have' if total > 1 else ' has'} ended: {how}"
