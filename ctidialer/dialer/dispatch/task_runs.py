"""The tasks of this node and which of them may start calls right now.

Pure bookkeeping over :mod:`ctidialer.rules`: no Redis, no FreeSWITCH, no reactor.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice

from attrs import define

from ctidialer.contract.task import CallingHours, Task
from ctidialer.dialer.dispatch.accounts import Account
from ctidialer.rules.brake import LOOSE, Brake
from ctidialer.rules.calling_hours import Closed, Opening, opening

RUNS_PER_SLICE = 500
"""Tasks that are taken up, looked at again or handed out by one look, so that no look is long: with
more they take turns."""

MAX_HOURS_KNOWN = 10_000
"""Different calling hours whose present opening is remembered."""

UNASKED = Opening(open=False)
"""The opening of a task that is switched off: nobody needs to know it."""


@define(eq=False)
class TaskRun(Account):
    """One task of this node: its present text, and the calls it has.

    ``withdrawn`` is whether the task is no more, or no longer
    valid: the calls it has go on, and count again should it come back.  ``paused`` is whether an
    operator wants no new call of it.  ``queue_is_empty`` and ``queue_problem`` are what came of the
    last claim; ``queue_is_known``: whether anybody has looked at the queue.  ``brake`` holds its
    fresh numbers after too many bad ends.
    """

    task: Task
    opening: Opening
    withdrawn: bool = False
    paused: bool = False
    queue_is_empty: bool = False
    queue_is_known: bool = False
    queue_problem: str = ""
    brake: Brake = LOOSE

    @property
    def dialing(self) -> bool:
        """Whether new calls may start, as far as the task itself says."""
        return not self.withdrawn and self.task.enabled and self.opening.open

    def may_start(self, now: float) -> bool:
        """Whether new calls may start at ``now``, although nobody may have looked yet whether the
        task has closed."""
        changes_at = self.opening.changes_at
        return self.dialing and (changes_at is None or now < changes_at)

    @property
    def held(self) -> bool:
        """Whether no call may start for now, neither a first one nor a further one of a number."""
        return self.paused or self.task.limit == 0

    @property
    def cps(self) -> float | None:
        """The calls it may start a second, None = no limit of its own."""
        return self.task.cps


class TaskRuns:
    """The tasks of this node: the few that are open are found without looking at the rest, and
    those of them that wait for numbers without looking at those that have some.

    A task that is switched off has a run only while, or since, it has had calls: thousands of them
    cost nothing.  ``changed`` is told of every run whose state may be another one.
    """

    def __init__(self, zone: str, changed: Callable[[TaskRun], None] = lambda run: None) -> None:
        self._openings = _Openings(zone)
        self._changed = changed
        self._tasks: Mapping[str, Task] = {}
        self._runs: dict[str, TaskRun] = {}
        self._new: dict[str, None] = {}  # tasks that are switched on and have no run yet
        self._with_numbers: dict[str, TaskRun] = {}  # the open ones, as far as is known
        self._without_numbers: dict[str, TaskRun] = {}  # the other open ones
        self._unseen: dict[str, TaskRun] = {}  # open ones at whose queue nobody has looked
        self._busy: dict[str, TaskRun] = {}  # those that are not open, but have calls
        self._closed: dict[str, Closed] = {}  # the others that are switched on, and why not
        self._counts: Counter[Closed] = Counter()
        self._paused: frozenset[str] = frozenset()
        self._changes: list[tuple[float, str]] = []
        self._awaited: dict[str, float] = {}
        self._again: dict[str, None] = {}  # those that are to be looked at again
        self._looked_at = 0.0
        self._turn = 0

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[TaskRun]:
        return iter(list(self._runs.values()))

    def get(self, name: str) -> TaskRun | None:
        """Return the run of the task of this name, None where there is none."""
        return self._runs.get(name)

    def taken_up(self, name: str, now: float) -> TaskRun | None:
        """Return the run of a task, of one that is switched off too; None = there is no task."""
        task = self._tasks.get(name)
        if name not in self._runs and task is not None:
            self._put(task, now)
        return self._runs.get(name)

    def update(self, tasks: Mapping[str, Task], names: Iterable[str], now: float) -> None:
        """The tasks of these names were changed, added or removed; ``tasks`` are all there are.

        An edit of a task that has a run is in force at once; of many new ones some are taken up
        now, the others with the next looks.
        """
        self._tasks, self._looked_at = tasks, max(self._looked_at, now)
        for name in names:
            self._new.pop(name, None)
            task = tasks.get(name)
            if task is None:
                self._withdraw(name)
            elif name in self._runs:
                self._put(task, now)
            elif task.enabled:
                self._new[name] = None
        self._take_up(now)

    def pause(self, names: Iterable[str]) -> None:
        """An operator wants no new calls of the tasks of these names, and of no others."""
        before, self._paused = self._paused, frozenset(names)
        for name in before ^ self._paused:
            run = self._runs.get(name)
            if run is not None:
                run.paused = name in self._paused

    def look(self, now: float) -> None:
        """Find out which tasks have opened or closed by ``now`` (unix seconds).

        A clock that goes on by hours needs no more than one that goes on by a second: what was to
        happen until then is due.  When it was put back, all tasks are looked at again.
        """
        if now < self._looked_at:
            self._changes, self._awaited = [], {}
            self._again = dict.fromkeys(self._runs)
        self._looked_at = now
        self._take_up(now)
        while self._changes and self._changes[0][0] <= now and len(self._again) < RUNS_PER_SLICE:
            moment, name = heapq.heappop(self._changes)
            self._again[name] = None
            if self._awaited.get(name) == moment:
                del self._awaited[name]
        for name in _some(self._again):
            run = self._runs.get(name)
            if run is not None and not run.withdrawn:
                self._look(run, now)

    def dialing(self, now: float) -> list[TaskRun]:
        """Return runs whose task may start calls at ``now`` (unix seconds), in turns if many.

        Those are left out whose queue was empty when it was looked at last: see `waiting`.
        """
        self.look(now)
        open_ones = self._with_numbers
        start = self._turn if self._turn < len(open_ones) else 0
        self._turn = start + RUNS_PER_SLICE
        return list(islice(open_ones.values(), start, self._turn))

    @property
    def waiting(self) -> Collection[TaskRun]:
        """The runs whose task may start calls, but had no numbers: as `look` left them."""
        return self._without_numbers.values()

    @property
    def told(self) -> list[TaskRun]:
        """The runs of which there is something to tell: open, or with calls; as `look` left them.

        All other tasks are counted: `closed` and `switched_off`.
        """
        return [
            *self._with_numbers.values(),
            *self._without_numbers.values(),
            *self._busy.values(),
        ]

    @property
    def closed(self) -> Mapping[Closed, int]:
        """How many tasks are switched on and closed, by the reason as it was found."""
        return self._counts

    @property
    def switched_off(self) -> int:
        """How many tasks are switched off, and have no calls."""
        gone = sum(run.withdrawn for run in self._busy.values())
        known = len(self._with_numbers) + len(self._without_numbers) + len(self._busy) - gone
        return len(self._tasks) - known - len(self._closed) - len(self._new)

    @property
    def unseen(self) -> Collection[TaskRun]:
        """The open runs at whose queues nobody has looked, where there are so many open ones that
        they take turns."""
        return self._unseen.values() if len(self._with_numbers) > RUNS_PER_SLICE else ()

    def queue_seen(self, run: TaskRun, is_empty: bool) -> None:
        """The queue of this run was looked at."""
        run.queue_is_known = True
        self._unseen.pop(run.task.name, None)
        if run.queue_is_empty is not is_empty:
            run.queue_is_empty = is_empty
            if self._runs.get(run.task.name) is run:
                self._sort(run)

    def entered(self, run: TaskRun) -> None:
        """A slot of this run was taken, which may be of a task that is closed: after a restart."""
        if not run.dialing and self._runs.get(run.task.name) is run:
            self._sort(run)

    def left(self, run: TaskRun) -> None:
        """A slot of this run has come free: a task that is no more is forgotten with its last."""
        if run.dialing or run.calls or self._runs.get(run.task.name) is not run:
            return
        self._sort(run)
        if run.withdrawn:
            self._forget(run)

    def _take_up(self, now: float) -> None:
        for name in _some(self._new):
            task = self._tasks.get(name)
            if task is not None:
                self._put(task, now)

    def _put(self, task: Task, now: float) -> None:
        run = self._runs.get(task.name)
        if run is None:
            run = self._runs[task.name] = TaskRun(task, UNASKED)
        if run.task.number_queue != task.number_queue:
            run.queue_is_empty, run.queue_is_known, run.queue_problem = False, False, ""
        run.task, run.withdrawn, run.paused = task, False, task.name in self._paused
        self._look(run, now)

    def _withdraw(self, name: str) -> None:
        run = self._runs.get(name)
        if run is None:
            return
        run.withdrawn = True
        self._sort(run)
        if not run.calls:
            self._forget(run)

    def _forget(self, run: TaskRun) -> None:
        del self._runs[run.task.name]
        self._busy.pop(run.task.name, None)

    def _look(self, run: TaskRun, now: float) -> None:
        run.opening = self._openings.at(run.task.hours, now) if run.task.enabled else UNASKED
        self._sort(run)
        self._await_change(run.task.name, run.opening.changes_at)

    def _sort(self, run: TaskRun) -> None:
        """Put a run with those whose lot it shares now."""
        name, is_open = run.task.name, run.dialing
        is_busy = not is_open and (run.withdrawn or run.calls > 0)
        for runs, belongs in (
            (self._with_numbers, is_open and not run.queue_is_empty),
            (self._without_numbers, is_open and run.queue_is_empty),
            (self._unseen, is_open and not run.queue_is_known),
            (self._busy, is_busy),
        ):
            if belongs:
                runs[name] = run
            else:
                runs.pop(name, None)
        self._count(name, None if is_open or is_busy else run.opening.closed)
        self._changed(run)

    def _count(self, name: str, closed: Closed | None) -> None:
        before = self._closed.pop(name, None)
        if before is not None:
            self._counts[before] -= 1
        if closed is not None:
            self._closed[name] = closed
            self._counts[closed] += 1

    def _await_change(self, name: str, moment: float | None) -> None:
        """Look again at ``moment``; an edit that leaves the hours as they are adds nothing."""
        if moment is not None and self._awaited.get(name) != moment:
            self._awaited[name] = moment
            heapq.heappush(self._changes, (moment, name))


class _Openings:
    """The opening of calling hours, worked out once for all tasks that have the same ones."""

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self._known: dict[CallingHours, tuple[float, Opening]] = {}

    def at(self, hours: CallingHours, now: float) -> Opening:
        """Return the opening; it holds from the moment of which it was asked until it changes."""
        since, known = self._known.get(hours, (math.inf, UNASKED))
        if since <= now and (known.changes_at is None or now < known.changes_at):
            return known
        if len(self._known) >= MAX_HOURS_KNOWN:
            self._known.clear()
        found = opening(hours, self._zone, now)
        self._known[hours] = now, found
        return found


def _some(names: dict[str, None]) -> list[str]:
    """Take the first names out, as many as one look has time for."""
    taken = list(islice(names, RUNS_PER_SLICE))
    for name in taken:
        del names[name]
    return taken
