"""The brakes of the tasks (`ctidialer.rules.brake`): put on and let go, each with a log line.

They are not kept over a restart: a new daemon counts from zero.
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.logger import Logger

from ctidialer.contract.record import AttemptRecord, Outcome
from ctidialer.dialer.dispatch.task_runs import TaskRun, TaskRuns
from ctidialer.dialer.life.number_in_hand import Finished
from ctidialer.rules import brake as rules
from ctidialer.rules.abandonment import Judgement
from ctidialer.rules.brake import LOOSE, Brake, NumberEnd, shown_entry
from ctidialer.rules.routing import Routes, lines_of

BAD = (Outcome.FAILED, Outcome.INVALID)
EDITED = "the task, or one of its lines, was edited"
RESUMED = "it was resumed"
WENT_WELL = "a number went well"


class Brakes:
    """The brakes of all tasks; ``after`` is the count for tasks without one of their own."""

    log = Logger()

    def __init__(self, runs: TaskRuns, after: int) -> None:
        self._runs = runs
        self._after = after

    def number_ended(self, run: TaskRun, entry: bytes, end: Finished, now: float) -> None:
        """A number of this task has ended."""
        before, own = run.brake, run.task.brake_after
        judgement = rules.judgement(run.task, end.attempts, end.outcome)
        is_bad = end.outcome in BAD or judgement is Judgement.ABANDONED
        if before is LOOSE and not is_bad:
            return  # the quick way, for nearly all numbers
        limit = self._after if own is None else own
        after = rules.ended(before, _end(entry, end, judgement), limit, now)
        run.brake = after
        if after.lacks_agents and not before.lacks_agents:
            self._say_no_agents(run, after)
        elif after.is_on and not before.is_on:
            self._say_on(run, after)
        elif before.is_on and not after.is_on:
            self._say_off(run, WENT_WELL)

    def let_go(self, run: TaskRun | None, why: str) -> None:
        """Let the task dial again, and count its bad ends from zero."""
        if run is None:
            return
        before, run.brake = run.brake, LOOSE
        if before.is_on:
            self._say_off(run, why)

    def lines_edited(self, names: Iterable[str], routes: Routes) -> None:
        """Lines or line groups of these names were edited: let the tasks that use them go."""
        edited = frozenset(names)
        for run in self._runs:
            if run.brake.is_on and not edited.isdisjoint(_uses(run.task.line_groups, routes)):
                self.let_go(run, EDITED)

    def _say_on(self, run: TaskRun, brake: Brake) -> None:
        assert brake.outcome is not None
        common = "".join(f", {one}" for one in brake.common)
        self.log.warn(
            "Task {task} is braked: its last {count} numbers all ended as {outcome}{common}; the "
            "last one: {entry}. One number a minute is tried",
            task=run.task.name,
            count=brake.count,
            outcome=brake.outcome.value,
            common=common,
            entry=shown_entry(brake.entry),
        )

    def _say_no_agents(self, run: TaskRun, brake: Brake) -> None:
        self.log.warn(
            "Task {task} is braked: the last {count} who answered were all abandoned; the last "
            "one: {entry}. Does {extension} lead to its agents? One number a minute is tried",
            task=run.task.name,
            count=brake.count,
            entry=shown_entry(brake.entry),
            extension=run.task.destination.extension,
        )

    def _say_off(self, run: TaskRun, why: str) -> None:
        self.log.info("Task {task} is no longer braked: {why}", task=run.task.name, why=why)


def _uses(groups: tuple[str, ...], routes: Routes) -> set[str]:
    return {*groups, *lines_of(routes, groups)}


def _end(entry: bytes, end: Finished, judgement: Judgement) -> NumberEnd:
    rang = any(one.progress_at is not None for one in end.attempts)
    said = _said(end.attempts[-1]) if end.attempts else (end.reason,)
    return NumberEnd(end.outcome, rang, said, entry, judgement)


def _said(last: AttemptRecord) -> tuple[str, ...]:
    said = [f"line {last.line}" if last.line else f"fallback {last.line_group}"]
    if last.hangup_cause:
        said.append(last.hangup_cause)
    if last.sip_code:
        said.append(f"SIP {last.sip_code}")
    return tuple(said)
