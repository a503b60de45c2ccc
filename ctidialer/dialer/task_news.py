"""Logs what becomes of the tasks: opened, closed, switched off, out of numbers.

Changes are collected for a second and logged together.  So a task that changes back meanwhile is
not logged, and ten thousand that open at nine make one line.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from itertools import groupby, islice

from attrs import evolve
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ctidialer.contract.record import Kind, Outcome, Record
from ctidialer.dialer.dispatch.task_runs import TaskRun
from ctidialer.glue import Repeated, forget_first
from ctidialer.rules.attempt import Attempt
from ctidialer.rules.explaining import explain_closed, local_time
from ctidialer.rules.task_news import DONE, NUMBERS, Change, TaskState, tally

LOOK_INTERVAL = 1.0

QUIET_INTERVAL = 60.0
"""Seconds for which nothing more is logged of a task whose numbers come and go."""

MAX_NAMED = 20
"""Changes of one second that are logged one by one; of more, the count and some names."""

TASKS_PER_LOOK = 5000
"""Tasks that are looked at each second; further ones wait for the next look."""

MAX_TALLIED = 10_000
"""Tasks whose ended numbers are counted; a bound, since back ends may make up ever new names."""


class TaskNews:
    """Collects what changes, and tells it every second; a reader of the journal too."""

    log = Logger()

    def __init__(self, clock: IReactorTime, zone: str) -> None:
        self._clock = clock
        self._zone = zone
        self._changed: dict[str, TaskRun] = {}
        self._known: dict[str, TaskState] = {}
        self._said_at: dict[str, float] = {}
        self._waiting: dict[str, TaskRun] = {}
        self._put_off: list[tuple[float, str]] = []
        self._ended: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)
        self._looks = Repeated(clock, self.tell, self.log, "Telling of the tasks")

    def start(self) -> None:
        """Tell from now on."""
        self._looks.start(LOOK_INTERVAL)

    def stop(self) -> None:
        """Tell what is known, and no more."""
        self._looks.stop()
        self.tell()
        self._tell_what_ended()

    def _tell_what_ended(self) -> None:
        """Log the numbers that have ended of the tasks still open: their count ends here."""
        most_first = sorted(self._ended.items(), key=lambda one: -one[1].total())
        for task, ended in most_first[:MAX_NAMED]:
            self.log.info("Task {task} until this stop: {what}", task=task, what=tally(ended))
        others = sum((ended for _, ended in most_first[MAX_NAMED:]), Counter[Outcome]())
        if others:
            self.log.info(
                "{count} more tasks until this stop: {what}",
                count=len(most_first) - MAX_NAMED,
                what=tally(others),
            )
        self._ended.clear()

    def changed(self, run: TaskRun) -> None:
        """Something about a task may have changed."""
        self._changed[run.task.name] = run
        if run.task.name in self._waiting:
            self._waiting[run.task.name] = run  # perhaps another one of the same name

    def call_ended(self, attempt: Attempt) -> None:
        """Part of JournalReader; numbers are counted, not calls."""

    def number_ended(self, record: Record) -> None:
        """Part of JournalReader."""
        if record.kind is not Kind.QUEUE or record.task is None:
            return
        self._ended[record.task][record.outcome] += 1
        forget_first(self._ended, MAX_TALLIED)  # of tasks that were deleted during their last call

    def tell(self) -> None:
        """Tell of all that has changed since the last look."""
        now = self._clock.seconds()
        while self._put_off and self._put_off[0][0] <= now:
            self._look_again(heappop(self._put_off)[1])
        looked_at = {
            name: self._changed.pop(name) for name in list(islice(self._changed, TASKS_PER_LOOK))
        }
        changes = [self._change(run) for run in looked_at.values()]
        news = []
        for change in changes:
            if self._is_to_wait(change, now):
                self._wait(change, looked_at[change.task])
                continue
            self._remember(change)
            if change.is_news:
                news.append(change)
        for after, group in groupby(sorted(news, key=_state), key=_state):
            self._tell(after, list(group), looked_at, now)

    def _change(self, run: TaskRun) -> Change:
        name, task = run.task.name, run.task
        return Change(name, self._known.get(name), _state_of(run), ", ".join(task.queues))

    def _until(self, run: TaskRun) -> str:
        zone = run.task.hours.timezone or self._zone
        if run.opening.closed is not None:
            return explain_closed(run.opening, zone).text
        changes_at = run.opening.changes_at
        return "" if changes_at is None else f" until {local_time(changes_at, zone)}"

    def _is_to_wait(self, change: Change, now: float) -> bool:
        """Whether a change is logged later: numbers that come and go again within a minute."""
        comes_and_goes = change.before in NUMBERS and change.after in NUMBERS
        is_recent = now - self._said_at.get(change.task, -math.inf) < QUIET_INTERVAL
        return change.is_news and comes_and_goes and is_recent

    def _wait(self, change: Change, run: TaskRun) -> None:
        """Look again when it may be logged, not every second: there can be tens of thousands."""
        if change.task not in self._waiting:
            self._waiting[change.task] = run
            heappush(self._put_off, (self._said_at[change.task] + QUIET_INTERVAL, change.task))

    def _look_again(self, name: str) -> None:
        run = self._waiting.pop(name)
        self._changed.setdefault(name, run)

    def _remember(self, change: Change) -> None:
        if change.after is TaskState.GONE:
            self._known.pop(change.task, None)
            self._said_at.pop(change.task, None)
        else:
            self._known[change.task] = change.after

    def _tell(
        self, after: str, news: Sequence[Change], runs: Mapping[str, TaskRun], now: float
    ) -> None:
        if len(news) > MAX_NAMED:
            some = ", ".join(change.task for change in news[:MAX_NAMED])
            self.log.info(
                "{count} tasks are {state} now: {some}…", count=len(news), state=after, some=some
            )
        for change in news:
            if change.after in NUMBERS:
                self._said_at[change.task] = now
            ended = self._ended.pop(change.task, None) if change.after in DONE else None
            if len(news) <= MAX_NAMED:
                sentence = evolve(change, until=self._until(runs[change.task])).sentence()
                self.log.info(
                    "Task {task} {what}",
                    task=change.task,
                    what="; ".join(filter(None, (sentence, tally(ended or {})))),
                )


def _state_of(run: TaskRun) -> TaskState:
    if run.withdrawn:
        return TaskState.GONE
    if not run.task.enabled:
        return TaskState.OFF
    if not run.opening.open:
        return TaskState.CLOSED
    return TaskState.EMPTY if run.queue_is_empty else TaskState.OPEN


def _state(change: Change) -> str:
    return change.after.value
