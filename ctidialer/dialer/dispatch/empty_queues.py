"""Finds out whether numbers have come into queues that were empty, many queues with one question.

A claim for each queue, twenty times a second, would cost the daemon a few per cent of its time for
every ten tasks that wait for numbers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import islice

from twisted.logger import Logger
from twisted.python.failure import Failure

from ctidialer.dialer.dispatch.task_runs import TaskRun
from ctidialer.store.errors import StoreError
from ctidialer.store.reading import NodeReading

QUEUES_PER_LOOK = 1000
"""Queues asked for at once: two thirds of a millisecond of Redis' time.  If more open tasks wait
for numbers, they take turns: so many with every look."""

QUEUES_TO_FIND_OUT = 5000
"""New queues that are asked for without a tick in between, QUEUES_PER_LOOK at a time."""


class EmptyQueues:
    """Asks Redis for the queues of tasks that ran out of numbers, or that nobody has looked at yet.

    ``seen`` is called with the runs whose queues were looked at, and those of them that have
    numbers.
    """

    log = Logger()

    def __init__(
        self, store: NodeReading, seen: Callable[[Sequence[TaskRun], Sequence[TaskRun]], None]
    ) -> None:
        self._store = store
        self._tell = seen
        self._looking = False
        self._turn = 0
        self._unknown: deque[TaskRun] = deque()

    def look(self, waiting: Collection[TaskRun]) -> None:
        """Look at the queues of these runs, without those that are paused.

        Does nothing while a look is under way.
        """
        if self._looking or not waiting:
            return
        start = self._turn if self._turn < len(waiting) else 0
        self._turn = start + QUEUES_PER_LOOK
        self._ask([run for run in islice(waiting, start, self._turn) if not run.held])

    def find_out(self, runs: Iterable[TaskRun]) -> None:
        """Look at the queues of the first QUEUES_TO_FIND_OUT of these runs; no tick is needed."""
        if not (self._looking or self._unknown):
            self._unknown = deque(islice(runs, QUEUES_TO_FIND_OUT))
            self._look_on()

    def _look_on(self) -> None:
        count = min(len(self._unknown), QUEUES_PER_LOOK)
        self._ask([self._unknown.popleft() for _ in range(count)])

    def _ask(self, asked: Sequence[TaskRun]) -> None:
        if not asked:
            return
        self._looking = True
        owners = [place for place, run in enumerate(asked) for _ in run.task.queues]
        looking = self._store.filled([queue for run in asked for queue in run.task.queues])
        looking.addCallback(lambda filled: dict.fromkeys(owners[one] for one in filled))
        looking.addCallback(self._seen, asked).addErrback(self._failed).addBoth(self._looked)

    def _seen(self, filled: Iterable[int], asked: Sequence[TaskRun]) -> None:
        self._tell(asked, [asked[position] for position in filled])

    def _failed(self, failure: Failure) -> None:
        self._unknown.clear()  # the next ticks ask again
        if not failure.check(StoreError):  # that Redis is away is said by others
            self.log.failure("Looking at the empty queues failed", failure)

    def _looked(self, _: None) -> None:
        self._looking = False
        self._look_on()
