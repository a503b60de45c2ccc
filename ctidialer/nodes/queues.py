"""The lists of a task's numbers, and how many each has: for people, JSON and metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from attrs import frozen


class HasQueues(Protocol):
    """A task, as far as its lists go: numbers are taken from the first that holds any."""

    @property
    def queues(self) -> tuple[str, ...]:
        """The keys of the lists; empty = it names none."""


@frozen
class QueueLength:
    """One list of a task; ``length`` None = the key is no list, or cannot be read just now."""

    queue: str
    length: int | None


def all_queues(tasks: Iterable[HasQueues]) -> list[str]:
    """Return every list of these tasks once, in order."""
    return sorted({queue for task in tasks for queue in task.queues})


def queue_lengths(task: HasQueues, lengths: Mapping[str, int]) -> tuple[QueueLength, ...]:
    """Return the lists of a task; ``lengths`` leaves out what is no list."""
    return tuple(QueueLength(queue, lengths.get(queue)) for queue in task.queues)


def numbers_in(queues: Sequence[QueueLength]) -> int | None:
    """Return how many numbers stand in all lists together; None = none of them can be read."""
    known = [one.length for one in queues if one.length is not None]
    return sum(known) if known else None
