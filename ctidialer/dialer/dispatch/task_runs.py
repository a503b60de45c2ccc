"""The tasks of this node and which of them may start calls right now.

Pure bookkeeping over :mod:`ctidialer.rules`: no Redis, no FreeSWITCH, no reactor.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping

from attrs import define, field

from ctidialer.contract.task import Task
from ctidialer.rules.calling_hours import Opening, opening
from ctidialer.rules.pacing import Pace

CLOCK_JUMP = 5.0
"""Seconds by which the clock may move between two looks before everything is worked out anew."""


@define(eq=False)
class TaskRun:
    """One task of this node: its present text, and the calls it has.

    ``calls`` counts the numbers in hand, from the claim to the hang-up of the last call; ``asked``
    those of a claim that is under way.  ``withdrawn`` is whether the task is no more, or no longer
    valid: the calls it has go on, and count again should it come back.  ``paused`` is whether an
    operator wants no new call of it.  ``queue_is_empty`` and ``queue_problem`` are what came of the
    last claim.
    """

    task: Task
    opening: Opening
    calls: int = 0
    asked: int = 0
    pace: Pace = field(factory=Pace)
    withdrawn: bool = False
    paused: bool = False
    queue_is_empty: bool = False
    queue_problem: str = ""

    @property
    def dialing(self) -> bool:
        """Whether new calls may start, as far as the task itself says."""
        return not self.withdrawn and self.task.enabled and self.opening.open

    @property
    def held(self) -> bool:
        """Whether no call may start for now, neither a first one nor a further one of a number."""
        return self.paused or self.task.limit == 0


class TaskRuns:
    """Every task of this node; the few that are open are found without looking at the rest, and
    those of them that wait for numbers without looking at those that have some.
    """

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self._runs: dict[str, TaskRun] = {}
        self._with_numbers: dict[str, TaskRun] = {}  # the open ones, as far as is known
        self._without_numbers: dict[str, TaskRun] = {}  # the other open ones
        self._paused: frozenset[str] = frozenset()
        self._changes: list[tuple[float, str]] = []
        self._awaited: dict[str, float] = {}
        self._looked_at = 0.0

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[TaskRun]:
        return iter(list(self._runs.values()))

    def get(self, name: str) -> TaskRun | None:
        """Return the run of the task of this name, None where there is none."""
        return self._runs.get(name)

    def update(self, tasks: Mapping[str, Task], names: Iterable[str], now: float) -> None:
        """The tasks of these names were changed, added or removed."""
        for name in names:
            task = tasks.get(name)
            if task is None:
                self._withdraw(name)
            else:
                self._put(task, now)

    def pause(self, names: Iterable[str]) -> None:
        """An operator wants no new calls of the tasks of these names, and of no others."""
        before, self._paused = self._paused, frozenset(names)
        for name in before ^ self._paused:
            run = self._runs.get(name)
            if run is not None:
                run.paused = name in self._paused

    def dialing(self, now: float) -> list[TaskRun]:
        """Return the runs whose task may start calls at ``now`` (unix seconds).

        Those are left out whose queue was empty when it was looked at last: see `waiting`.
        """
        if not 0 <= now - self._looked_at <= CLOCK_JUMP:
            self._changes, self._awaited = [], {}
            self._look_again(list(self._runs), now)
        self._looked_at = now
        due = set()
        while self._changes and self._changes[0][0] <= now:
            moment, name = heapq.heappop(self._changes)
            due.add(name)
            if self._awaited.get(name) == moment:
                del self._awaited[name]
        self._look_again(due, now)
        return list(self._with_numbers.values())

    @property
    def waiting(self) -> Collection[TaskRun]:
        """The runs whose task may start calls, but had no numbers: as `dialing` left them."""
        return self._without_numbers.values()

    def queue_seen(self, run: TaskRun, is_empty: bool) -> None:
        """The queue of this run was looked at."""
        if run.queue_is_empty is not is_empty:
            run.queue_is_empty = is_empty
            if self._runs.get(run.task.name) is run:
                self._sort(run)

    def left(self, run: TaskRun) -> None:
        """A slot of this run has come free: a task that is no more is forgotten with its last."""
        if run.withdrawn and not run.calls and self._runs.get(run.task.name) is run:
            del self._runs[run.task.name]

    def _put(self, task: Task, now: float) -> None:
        run = self._runs.get(task.name)
        if run is None:
            run = self._runs[task.name] = TaskRun(task, opening(task.hours, self._zone, now))
        if run.task.number_queue != task.number_queue:
            run.queue_is_empty, run.queue_problem = False, ""
        run.task, run.withdrawn, run.paused = task, False, task.name in self._paused
        self._look(run, now)

    def _withdraw(self, name: str) -> None:
        run = self._runs.get(name)
        if run is None:
            return
        run.withdrawn = True
        self._sort(run)
        if not run.calls:
            del self._runs[name]

    def _look_again(self, names: Iterable[str], now: float) -> None:
        for name in names:
            run = self._runs.get(name)
            if run is not None and not run.withdrawn:
                self._look(run, now)

    def _look(self, run: TaskRun, now: float) -> None:
        run.opening = opening(run.task.hours, self._zone, now)
        self._sort(run)
        self._await_change(run.task.name, run.opening.changes_at)

    def _sort(self, run: TaskRun) -> None:
        """Put a run with the open ones that have numbers, or that have none, or with neither."""
        for runs, belongs in (
            (self._with_numbers, run.dialing and not run.queue_is_empty),
            (self._without_numbers, run.dialing and run.queue_is_empty),
        ):
            if belongs:
                runs[run.task.name] = run
            else:
                runs.pop(run.task.name, None)

    def _await_change(self, name: str, moment: float | None) -> None:
        """Look again at ``moment``; an edit that leaves the hours as they are adds nothing."""
        if moment is not None and self._awaited.get(name) != moment:
            self._awaited[name] = moment
            heapq.heappush(self._changes, (moment, name))
