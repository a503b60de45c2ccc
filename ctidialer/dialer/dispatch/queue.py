"""Queue dialing: numbers are taken from the lists of the open tasks and called.

A repeated tick looks at every open task; between two ticks a task is looked at again as soon as one
of its slots comes free.  The rules decide how many numbers to take; numbers stay in their list
until there is room to dial them.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from ctidialer.contract.callee import NO_CALLEE_RULES
from ctidialer.contract.record import Kind
from ctidialer.contract.task import Task
from ctidialer.dialer.dispatch.brakes import Brakes
from ctidialer.dialer.dispatch.due_watch import DueWatch
from ctidialer.dialer.dispatch.empty_queues import EmptyQueues
from ctidialer.dialer.dispatch.intake import Intake
from ctidialer.dialer.dispatch.queue_errand import OrphanErrand, QueueDesk, QueueErrand
from ctidialer.dialer.dispatch.slots import Slots
from ctidialer.dialer.dispatch.sources import Haul, Sources
from ctidialer.dialer.dispatch.task_runs import TaskRun, TaskRuns
from ctidialer.dialer.dispatch.turns import Turns
from ctidialer.dialer.life.errand import Errand
from ctidialer.glue import Complaints, Repeated, background
from ctidialer.rules import brake
from ctidialer.store.errors import StoreError
from ctidialer.store.in_flight import InFlight

MAX_CLAIM = 200
"""Numbers taken by one claim: with more, other clients of Redis would wait too long."""

MAX_CLAIMS = 100
"""Claims under way at once: with tens of thousands of them, the first numbers to come would wait
behind the other claims for seconds before they are called."""

MAX_LOOKS = 500
"""Tasks looked at in one turn of the reactor: they take some milliseconds."""

MIN_WAIT = 0.01
"""Least seconds between two looks at a task with a rate: if it is high, several starts share a
claim."""

MAX_AHEAD = 100
"""Numbers claimed at once where none of the last ones may be called yet: they are read, and put to
wait, within some milliseconds."""

AHEAD_INTERVAL = 0.02
"""Seconds between two such claims: so a list of which nobody may be called yet is put to wait with
5,000 numbers a second, and costs at most about half of the processor."""


class QueueDialer:
    """Keeps every open task at as many calls as it may have."""

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        number_pattern: re.Pattern[str],
        runs: TaskRuns,
        slots: Slots,
        intake: Intake,
        brakes: Brakes,
        due: DueWatch,
    ) -> None:
        self._clock = clock
        self._runs = runs
        self._slots = slots
        self._intake = intake
        turns = Turns(clock, slots)
        self._desk = QueueDesk(clock, number_pattern, slots, turns, brakes, self.wake, due)
        self._sources = Sources(intake.store, due)
        due.came[Kind.QUEUE] = self._numbers_are_due
        self._ticks = Repeated(clock, self.tick, self.log, "A look at the tasks")
        self._empty = EmptyQueues(intake.store, self._queues_seen)
        self._woken: dict[str, TaskRun] = {}
        self._waking: IDelayedCall | None = None
        self._in_line: dict[str, TaskRun] = {}
        self._claiming = 0
        self._node_paced: IDelayedCall | None = None
        self._paced: dict[str, IDelayedCall] = {}
        self._complaints = Complaints()

    def start(self, interval: float) -> None:
        """Begin to look at the tasks, every ``interval`` seconds."""
        self._ticks.start(interval, now=True)

    def stop(self) -> None:
        """Take no more numbers; those in hand go on."""
        self._ticks.stop()
        if self._waking is not None:
            self._waking.cancel()
            self._waking = None
        if self._node_paced is not None:
            self._node_paced.cancel()
            self._node_paced = None
        for timer in self._paced.values():
            timer.cancel()
        self._paced.clear()

    def tick(self) -> None:
        """Look at every open task once."""
        if self._intake.is_open:
            runs, unseen = self._runs.dialing(self._clock.seconds()), self._runs.unseen
            if unseen:
                # After the start tens of thousands are open, and most queues may be empty.
                self._empty.find_out(unseen)
                runs = [run for run in runs if run.queue_is_known]
            self._dispatch_fairly(runs)
            self._empty.look(self._runs.waiting)

    def errand_of(self, entry: InFlight) -> Errand:
        """Return what is to be done with an entry that an earlier daemon took."""
        run = self._runs.taken_up(entry.task or "", self._clock.seconds())
        if run is None:
            return OrphanErrand(self._desk, entry)
        queue = entry.key if entry.where is None else None
        return QueueErrand(self._desk, run, run.task, entry.claimed, queue)

    def _numbers_are_due(self, name: str) -> None:
        """Numbers of this task that waited are due: they go before those of its queues."""
        run = self._runs.get(name)
        if run is not None and self._intake.is_open and self._ticks.running:
            self._dispatch_fairly([run])

    def _queues_seen(self, runs: Sequence[TaskRun], filled: Sequence[TaskRun]) -> None:
        holding = {run.task.name for run in filled}
        for run in runs:
            if not run.asked:  # else a claim knows better
                self._runs.queue_seen(run, run.task.name not in holding)
        if self._intake.is_open and self._ticks.running:
            self._dispatch_fairly(filled)

    def _dispatch_fairly(self, runs: Iterable[TaskRun]) -> None:
        """Look at these tasks, after those for which the node had no room before.

        Without this order, one task with a long list would take all the room of the node.  Tasks
        for which there is no room now keep their place in line without a look: there can be
        thousands of them.
        """
        self._in_line.update((run.task.name, run) for run in runs)
        for name in list(islice(self._in_line, MAX_LOOKS)):
            now = self._clock.seconds()
            if self._claiming >= MAX_CLAIMS:
                break  # the next claim that is answered goes on with the line
            if self._slots.is_full(now):
                self._wake_when_node_may(now)
                break
            run = self._in_line.pop(name)
            try:
                self._dispatch(run, now)
            except Exception:  # noqa: BLE001 - one task must not keep the others from dialing
                self.log.failure("A look at task {task} failed", task=name)

    def _dispatch(self, run: TaskRun, now: float) -> None:
        if run.asked or run.held or not run.may_start(now):
            return
        if run.queue_is_empty and not self._sources.has_due(run.task):
            return
        if run.ahead and 0 < run.ahead_from - now <= AHEAD_INTERVAL:
            return  # a timer is set
        count = self._slots.room(run, now, MAX_CLAIM)
        if not count:
            self._wake_when_paced(run, now)
        else:
            claim = self._claim(run, run.task, count, max(count, run.ahead))
            background(claim, self.log, "A claim", task=run.task.name)

    def _wake_when_node_may(self, now: float) -> None:
        start = self._slots.limits.next_start(now)
        if start > now and self._node_paced is None and self._ticks.running:
            delay = max(start - now, MIN_WAIT)
            self._node_paced = self._clock.callLater(delay, self._node_paced_out)

    def _node_paced_out(self) -> None:
        self._node_paced = None
        if self._intake.is_open:
            self._dispatch_fairly(())

    def _wake_when_paced(self, run: TaskRun, now: float) -> None:
        """Look again as soon as the pace allows a start: the next tick may come too late."""
        start = self._slots.next_start(run, now)
        name = run.task.name
        if start > now and name not in self._paced and self._ticks.running:
            delay = max(start - now, MIN_WAIT)
            self._paced[name] = self._clock.callLater(delay, self._paced_out, run)

    def _paced_out(self, run: TaskRun) -> None:
        del self._paced[run.task.name]
        if self._intake.is_open:
            self._dispatch_fairly([run])

    async def _claim(self, run: TaskRun, task: Task, room: int, count: int) -> None:
        """Claim ``count`` numbers, more than there is ``room`` for if most of them have to wait."""
        self._claiming += 1
        self._slots.ask(run, room)
        try:
            haul = await self._sources.claim(task, count)
        except StoreError as error:
            self._complain(run, task, str(error))
            return
        finally:
            self._claiming -= 1
            self._slots.answered(run, room)
        self._claimed(run, task, haul)
        if run.task != task or run.held or not run.may_start(self._clock.seconds()):
            # It was edited or paused during the claim: its numbers go back and are taken again.
            self._intake.numbers.give_back([one.claim for one in haul.taken])
            return
        before = run.calls
        self._take_all(run, task, self._to_call(run, task, haul), room)
        if run.ahead:
            self._wake_for_more(run)
        elif not haul.room and run.calls > before:
            self.wake(run)  # if all of them went back at once, the next tick is soon enough
        elif self._in_line:
            self._look_soon()  # there is room that this task did not need

    def _wake_for_more(self, run: TaskRun) -> None:
        """Look again after a rest: nobody of the last claim may be called yet."""
        run.ahead_from = self._clock.seconds() + AHEAD_INTERVAL
        if run.task.name not in self._paced and self._ticks.running:
            timer = self._clock.callLater(AHEAD_INTERVAL, self._paced_out, run)
            self._paced[run.task.name] = timer

    def _claimed(self, run: TaskRun, task: Task, haul: Haul) -> None:
        if haul.problem is not None:
            self._complain(run, task, str(haul.problem))
            return
        self._complaints.over(task.name)
        run.queue_problem = ""
        if haul.is_empty is not None:
            self._runs.queue_seen(run, haul.is_empty)

    def _to_call(self, run: TaskRun, task: Task, haul: Haul) -> list[QueueErrand]:
        """Return the numbers that may be called now; the others end, or wait, without a slot."""
        errands = [QueueErrand(self._desk, run, task, one.claim, one.queue) for one in haul.taken]
        if task.callee is NO_CALLEE_RULES:
            return errands
        found = [one for one in errands if not self._is_put_aside(one)]
        are_all_aside = not haul.room and not found
        run.ahead = min(MAX_AHEAD, 2 * haul.wanted) if are_all_aside else 0
        return found

    def _is_put_aside(self, errand: QueueErrand) -> bool:
        barred = errand.barred()
        if barred is None:
            return False
        self._intake.numbers.divert(errand, *barred)
        return True

    def _take_all(self, run: TaskRun, task: Task, errands: list[QueueErrand], room: int) -> None:
        """Take numbers until the brake changes: malformed entries end while they are taken."""
        now, numbers = self._clock.seconds(), self._intake.numbers
        left = deque(errands[: min(room, brake.room(run.brake, now))])
        back = errands[len(left) :]
        if not left:
            numbers.give_back([one.claim for one in back])
            return
        run.brake = brake.tried(run.brake, now)
        self._slots.enter(run, len(left), now)
        was_on = run.brake.is_on
        while left and run.brake.is_on is was_on:
            numbers.take(left.popleft())
        if left:
            self._slots.leave(run, len(left))
        numbers.give_back([one.claim for one in (*left, *back)])

    def wake(self, run: TaskRun) -> None:
        """Look at this task again in the next turn of the reactor.

        So one claim fills all its slots that come free in this turn.
        """
        self._woken[run.task.name] = run
        self._look_soon()

    def _look_soon(self) -> None:
        if self._waking is None and self._ticks.running:
            self._waking = self._clock.callLater(0, self._look_at_woken)

    def _look_at_woken(self) -> None:
        self._waking = None
        woken, self._woken = self._woken, {}
        if self._intake.is_open:
            self._dispatch_fairly(woken.values())

    def _complain(self, run: TaskRun, task: Task, problem: str) -> None:
        """Log once, not with every tick, that the numbers of a task cannot be taken."""
        run.queue_problem = problem
        if self._complaints.is_news(problem, task.name):
            self.log.warn("No numbers for task {task}: {problem}", task=task.name, problem=problem)
