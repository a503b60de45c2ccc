"""From where numbers of a task are taken: first those that waited and are due, then its queues."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define, field, frozen

from ctidialer.contract.record import Kind
from ctidialer.contract.task import Task
from ctidialer.dialer.dispatch.due_watch import DueWatch
from ctidialer.store.errors import StoreError
from ctidialer.store.in_flight import Claimed
from ctidialer.store.store import Store
from ctidialer.store.waiting import Waiting


@frozen
class TakenNumber:
    """A number that was claimed; ``queue`` is the list it came from, None = it had waited."""

    claim: Claimed
    queue: str | None


@define
class Haul:
    """What one claim has brought: ``problem`` says why a source could not be taken from.

    ``is_empty``: the queues had no more; None = they were not asked.
    """

    wanted: int
    taken: list[TakenNumber] = field(factory=list)
    is_empty: bool | None = None
    problem: StoreError | None = None

    @property
    def room(self) -> int:
        """How many more are wanted."""
        return self.wanted - len(self.taken)


class Sources:
    """Claims numbers for tasks.

    What was claimed before a source failed is not lost: it is in hand, whatever becomes of the
    others.
    """

    def __init__(self, store: Store, due: DueWatch) -> None:
        self._store = store
        self._due = due

    def has_due(self, task: Task) -> bool:
        """Whether numbers of this task that waited are due."""
        return self._due.has_due(Kind.QUEUE, task.name)

    async def claim(self, task: Task, count: int) -> Haul:
        """Take up to ``count`` numbers; raises StoreError if the first source fails."""
        haul = Haul(count)
        try:
            for where in self._due.due(Kind.QUEUE, task.name):
                await self._claim_waiting(haul, where, task)
            for queue in self._queues(haul, task):
                claims = await self._store.claim(queue, task.queue_side, haul.room, task=task.name)
                haul.is_empty = len(claims) < haul.room
                haul.taken += [TakenNumber(claim, queue) for claim in claims]
        except StoreError as error:
            if not haul.taken:
                raise
            haul.problem = error
        return haul

    async def _claim_waiting(self, haul: Haul, where: Waiting, task: Task) -> None:
        if not haul.room:
            return
        claims = await self._store.claim_waiting(where, haul.room, task.name)
        if len(claims) < haul.room:
            self._due.emptied(where)
        haul.taken += [TakenNumber(claim, None) for claim in claims]

    def _queues(self, haul: Haul, task: Task) -> Iterator[str]:
        """Yield the queues as long as numbers are wanted: the first that has any is taken from."""
        for queue in task.queues:
            if haul.room:
                yield queue
