"""Tells in the log what becomes of the tasks: opened, closed, switched off, out of numbers.

Changes are collected for a second and told together: a task that changes back meanwhile is no news,
and ten thousand that open at nine are one line.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import groupby

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ctidialer.contract.record import Kind, Outcome, Record
from ctidialer.dialer.dispatch.task_runs import TaskRun
from ctidialer.glue import Repeated
from ctidialer.rules.attempt import Attempt
from ctidialer.rules.explaining import explain_closed, local_time
from ctidialer.rules.task_news import DONE, NUMBERS, Change, State, tally

INTERVAL = 1.0

QUIET = 60.0
"""Seconds for which no more is said of a task's numbers coming and going."""

ONE_BY_ONE = 20
"""Changes of one second that are told one by one; of more only how many there are, and some."""

MOST_TALLIED = 10_000
"""Tasks whose ended numbers are counted: names are made up by back ends."""


class TaskNews:
    """Collects what changes, and tells it every second; a reader of the journal too."""

    log = Logger()

    def __init__(self, clock: IReactorTime, zone: str) -> None:
        self._clock = clock
        self._zone = zone
        self._changed: dict[str, TaskRun] = {}
        self._known: dict[str, State] = {}
        self._said_at: dict[str, float] = {}
        self._ended: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)
        self._looks = Repeated(clock, self.tell, self.log, "Telling of the tasks")

    def start(self) -> None:
        """Tell from now on."""
        self._looks.start(INTERVAL)

    def stop(self) -> None:
        """Tell what is known, and no more."""
        self._looks.stop()
        self.tell()

    def changed(self, run: TaskRun) -> None:
        """Something about a task may have changed."""
        self._changed[run.task.name] = run

    def call_ended(self, attempt: Attempt) -> None:
        """Part of JournalReader; numbers are counted, not calls."""

    def number_ended(self, record: Record) -> None:
        """Part of JournalReader."""
        if record.kind is not Kind.QUEUE or record.task is None:
            return
        if record.task in self._ended or len(self._ended) < MOST_TALLIED:
            self._ended[record.task][record.outcome] += 1

    def tell(self) -> None:
        """Tell of all that has changed since the last look."""
        now = self._clock.seconds()
        looked_at, self._changed = self._changed, {}
        changes = [self._change(run) for run in looked_at.values()]
        news = [one for one in changes if one.is_news and not self._is_put_off(one, looked_at, now)]
        for change in changes:
            if change.task not in self._changed:
                self._remember(change)
        for after, group in groupby(sorted(news, key=_state), key=_state):
            self._tell(after, list(group), now)

    def _change(self, run: TaskRun) -> Change:
        name, task = run.task.name, run.task
        return Change(
            name, self._known.get(name), _state_of(run), task.number_queue, self._until(run)
        )

    def _until(self, run: TaskRun) -> str:
        zone = run.task.hours.timezone or self._zone
        if run.opening.closed is not None:
            return explain_closed(run.opening, zone).text
        changes_at = run.opening.changes_at
        return "" if changes_at is None else f" until {local_time(changes_at, zone)}"

    def _is_put_off(self, change: Change, looked_at: dict[str, TaskRun], now: float) -> bool:
        """Say nothing yet of numbers that come and go; look again with the next tick."""
        comes_and_goes = change.before in NUMBERS and change.after in NUMBERS
        if not comes_and_goes or now - self._said_at.get(change.task, -QUIET) >= QUIET:
            return False
        self._changed.setdefault(change.task, looked_at[change.task])
        return True

    def _remember(self, change: Change) -> None:
        if change.after is State.GONE:
            self._known.pop(change.task, None)
            self._said_at.pop(change.task, None)
        else:
            self._known[change.task] = change.after

    def _tell(self, after: str, news: Sequence[Change], now: float) -> None:
        if len(news) > ONE_BY_ONE:
            some = ", ".join(change.task for change in news[:ONE_BY_ONE])
            self.log.info(
                "{count} tasks are {state} now: {some}…", count=len(news), state=after, some=some
            )
        for change in news:
            if change.after in NUMBERS:
                self._said_at[change.task] = now
            ended = self._ended.pop(change.task, None) if change.after in DONE else None
            if len(news) <= ONE_BY_ONE:
                self.log.info(
                    "Task {task} {what}",
                    task=change.task,
                    what="; ".join(filter(None, (change.sentence(), tally(ended or {})))),
                )


def _state_of(run: TaskRun) -> State:
    if run.withdrawn:
        return State.GONE
    if not run.task.enabled:
        return State.OFF
    if not run.opening.open:
        return State.CLOSED
    return State.EMPTY if run.queue_is_empty else State.OPEN


def _state(change: Change) -> str:
    return change.after.value
