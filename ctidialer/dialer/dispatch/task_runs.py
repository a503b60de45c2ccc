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

from ctidialer.contract.hours import CallingHours
from ctidialer.contract.task import Task
from ctidialer.dialer.dispatch.accounts import Account
from ctidialer.rules.brake import LOOSE, Brake
from ctidialer.rules.calling_hours import Closed, Opening, opening

RUNS_PER_SLICE = 500
"""Tasks that one look takes up, looks at again or returns, so that no look takes long: if there are
more, they take turns."""

MAX_HOURS_KNOWN = 10_000
"""Different calling hours whose present opening is remembered; beyond that all are forgotten."""

UNASKED = Opening(open=False)
"""The opening of a task that is switched off: its hours are not looked at."""


@define(eq=False)
class TaskRun(Account):
    """One task of this node: its present text, and its numbers in hand.

    ``withdrawn``: the task is gone or no longer valid; its calls go on, and count again if it comes
    back.  ``paused``: an operator wants no new call of it.  ``queue_is_empty`` and
    ``queue_problem`` are what the last claim or look found; ``queue_is_known``: somebody has looked
    at the queue.  ``brake`` stops its fresh numbers after too many bad ends.  ``ahead``: how many
    numbers are claimed at least, because those of the last claim may all not be called yet;
    not before ``ahead_from`` (unix seconds).
    """

    task: Task
    opening: Opening
    withdrawn: bool = False
    paused: bool = False
    queue_is_empty: bool = False
    queue_is_known: bool = False
    queue_problem: str = ""
    brake: Brake = LOOSE
    ahead: int = 0
    ahead_from: float = 0.0

    @property
    def dialing(self) -> bool:
        """Whether new calls may start, as far as the task itself says."""
        return not self.withdrawn and self.task.enabled and self.opening.open

    def may_start(self, now: float) -> bool:
        """Whether new calls may start at ``now``; right also before `TaskRuns.look` has found that
        the task has closed."""
        changes_at = self.opening.changes_at
        return self.dialing and (changes_at is None or now < changes_at)

    @property
    def held(self) -> bool:
        """Whether it is paused, or has limit 0: no call starts, no further one either."""
        return self.paused or self.task.limit == 0

    @property
    def cps(self) -> float | None:
        """The calls it may start per second; None = no limit of its own."""
        return self.task.cps


class TaskRuns:
    """The tasks of this node.

    The open ones are found without looking at the others, and the open ones that wait for numbers
    without looking at those that have some.  A task that is switched off gets a run only when a
    number of it is taken up, so thousands of them cost nothing.  ``changed`` is called with every
    run whose state may have changed.
    """

    def __init__(self, zone: str, changed: Callable[[TaskRun], None] = lambda run: None) -> None:
        self.zone = zone
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
        """Return the run of the task of this name; None = there is none."""
        return self._runs.get(name)

    def taken_up(self, name: str, now: float) -> TaskRun | None:
        """Return the run of a task, even of one that is switched off; None = there is no task."""
        task = self._tasks.get(name)
        if name not in self._runs and task is not None:
            self._put(task, now)
        return self._runs.get(name)

    def update(self, tasks: Mapping[str, Task], names: Iterable[str], now: float) -> None:
        """The tasks of these names were changed, added or removed; ``tasks`` has all tasks.

        An edit of a task that has a run is in force at once.  Of many new tasks, the first are
        taken up now and the others with the next looks.
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
        """Pause the tasks of these names, and no others."""
        before, self._paused = self._paused, frozenset(names)
        for name in before ^ self._paused:
            run = self._runs.get(name)
            if run is not None:
                run.paused = name in self._paused

    def look(self, now: float) -> None:
        """Find out which tasks have opened or closed by ``now`` (unix seconds).

        If the clock was put on, everything planned until then is due.  If it was put back, all
        tasks are looked at again.
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

        Tasks whose queue was empty at the last look are left out: see `waiting`.
        """
        self.look(now)
        open_ones = self._with_numbers
        start = self._turn if self._turn < len(open_ones) else 0
        self._turn = start + RUNS_PER_SLICE
        return list(islice(open_ones.values(), start, self._turn))

    @property
    def waiting(self) -> Collection[TaskRun]:
        """The runs whose task may start calls but had no numbers, as of the last `look`."""
        return self._without_numbers.values()

    @property
    def told(self) -> list[TaskRun]:
        """The runs that are open or have numbers in hand, as of the last `look`: they are reported.

        All other tasks are only counted: `closed` and `switched_off`.
        """
        return [
            *self._with_numbers.values(),
            *self._without_numbers.values(),
            *self._busy.values(),
        ]

    @property
    def closed(self) -> Mapping[Closed, int]:
        """How many tasks are switched on and closed, by the reason."""
        return self._counts

    @property
    def switched_off(self) -> int:
        """How many tasks are switched off and have no numbers in hand."""
        gone = sum(run.withdrawn for run in self._busy.values())
        known = len(self._with_numbers) + len(self._without_numbers) + len(self._busy) - gone
        return len(self._tasks) - known - len(self._closed) - len(self._new)

    @property
    def unseen(self) -> Collection[TaskRun]:
        """The open runs at whose queues nobody has looked yet; empty while there are so few open
        runs that they take no turns."""
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
        """A slot of this run was taken; after a restart its task may be closed."""
        if not run.dialing and self._runs.get(run.task.name) is run:
            self._sort(run)

    def left(self, run: TaskRun) -> None:
        """A slot of this run has come free: forget a task that is gone with its last."""
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
        if run.task.queues != task.queues:
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
        """Put a run into the collections that it belongs to now."""
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
        """Return the opening at ``now``; it is remembered until it changes."""
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
