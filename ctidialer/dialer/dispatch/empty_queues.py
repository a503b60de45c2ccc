"""Looks whether numbers have come into queues that were empty, many queues with one question.

A claim for each would cost the daemon a few per cent of its time for every ten tasks that wait for
numbers, twenty times a second.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import islice

from twisted.logger import Logger
from twisted.python.failure import Failure

from ctidialer.dialer.dispatch.task_runs import TaskRun
from ctidialer.store.errors import StoreError
from ctidialer.store.reading import Reading

QUEUES_PER_LOOK = 1000
"""Queues asked for at once: two thirds of a millisecond of Redis' time.  With more than so many
open tasks that wait for numbers they take turns, a thousand with every look."""


class EmptyQueues:
    """Asks Redis for the queues of tasks that ran out of numbers.

    ``refilled`` is handed the runs whose queues hold something again.
    """

    log = Logger()

    def __init__(self, store: Reading, refilled: Callable[[Sequence[TaskRun]], None]) -> None:
        self._store = store
        self._refilled = refilled
        self._looking = False
        self._turn = 0

    def look(self, waiting: Collection[TaskRun]) -> None:
        """Look at the queues of these runs, but for those that are held.

        Nothing while a look is under way.
        """
        if self._looking or not waiting:
            return
        start = self._turn if self._turn < len(waiting) else 0
        asked = [run for run in islice(waiting, start, start + QUEUES_PER_LOOK) if not run.held]
        self._turn = start + QUEUES_PER_LOOK
        if not asked:
            return
        self._looking = True
        looking = self._store.filled([run.task.number_queue for run in asked])
        looking.addCallback(self._seen, asked).addErrback(self._failed).addBoth(self._looked)

    def _seen(self, filled: Sequence[int], asked: Sequence[TaskRun]) -> None:
        self._refilled([asked[position] for position in filled])

    def _failed(self, failure: Failure) -> None:
        if not failure.check(StoreError):  # that Redis is away is said by others
            self.log.failure("Looking at the empty queues failed", failure)

    def _looked(self, _: None) -> None:
        self._looking = False
