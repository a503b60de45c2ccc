"""Queue dialing: numbers are taken from the lists of the open tasks and called.

A LoopingCall looks at every open task; between its ticks a task is looked at again as soon as one
of its slots comes free.  How many numbers to take is decided by the rules; numbers stay in their
list until there is room to dial them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from ctidialer.contract.number_document import decode_number
from ctidialer.contract.record import Kind
from ctidialer.contract.task import Destination, Task
from ctidialer.contract.variables import merge_variables, requested_uuid
from ctidialer.dialer.dispatch.empty_queues import EmptyQueues
from ctidialer.dialer.dispatch.lines import LineAccounts
from ctidialer.dialer.dispatch.node_limits import NodeLimits
from ctidialer.dialer.dispatch.task_runs import TaskRun, TaskRuns
from ctidialer.dialer.gate import Gate
from ctidialer.dialer.life.closing import Closing
from ctidialer.dialer.life.number_in_hand import (
    Finished,
    NotDialed,
    NumberInHand,
    Progress,
    Verdict,
)
from ctidialer.dialer.life.numbers import Errand, Numbers, Reading
from ctidialer.rules import pacing
from ctidialer.rules.itinerary import Itinerary
from ctidialer.rules.tables import Tables
from ctidialer.store.errors import StoreError
from ctidialer.store.in_flight import Claimed, InFlight
from ctidialer.store.store import Store

AT_MOST = 200
"""Numbers taken by one claim: more would keep everybody else's commands to Redis waiting."""

SHORTEST_WAIT = 0.01
"""Seconds between two looks at a paced task: at a high rate several starts share a claim."""


class QueueDialer:
    """Keeps every open task at as many calls as it may have.

    ``ready`` is open while calls can be placed and recorded.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        number_pattern: re.Pattern[str],
        tables: Tables,
        runs: TaskRuns,
        lines: LineAccounts,
        limits: NodeLimits,
        store: Store,
        numbers: Numbers,
        closing: Closing,
        ready: Gate,
    ) -> None:
        self._clock = clock
        self._number_pattern = number_pattern
        self._tables = tables
        self._runs = runs
        self._lines = lines
        self._limits = limits
        self._store = store
        self._numbers = numbers
        self._closing = closing
        self._ready = ready
        self._ticks = LoopingCall(self._tick)
        self._ticks.clock = clock
        self._empty = EmptyQueues(store, self._refilled)
        self._woken: dict[str, TaskRun] = {}
        self._waking: IDelayedCall | None = None
        self._turned_away: dict[str, TaskRun] = {}
        self._paced: dict[str, IDelayedCall] = {}
        self._complained: dict[str, str] = {}

    def start(self, interval: float) -> None:
        """Begin to look at the tasks, every ``interval`` seconds."""
        self._ticks.start(interval).addErrback(
            lambda failure: self.log.failure("Dispatching has stopped", failure)
        )

    def stop(self) -> None:
        """Take no more numbers; those in hand go on."""
        if self._ticks.running:
            self._ticks.stop()
        if self._waking is not None:
            self._waking.cancel()
            self._waking = None
        for timer in self._paced.values():
            timer.cancel()
        self._paced.clear()

    def tick(self) -> None:
        """Look at every open task once."""
        if self._ready.is_open:
            self._dispatch_fairly(self._runs.dialing(self._clock.seconds()))
            self._empty.look(self._runs.waiting)

    def errand(self, run: TaskRun, task: Task, claim: Claimed) -> Errand:
        """Return what is to be done with an entry that was taken for ``task``."""
        return Errand(
            claim=claim,
            kind=Kind.QUEUE,
            name=task.name,
            read=partial(self._read, run, task, claim),
            may_dial=lambda: run.dialing,
            held=lambda: run.held,
            unplaced=self._put_back,
            freed=partial(self._freed, run),
        )

    def errand_of(self, entry: InFlight) -> Errand:
        """Return what is to be done with an entry that an earlier daemon took."""
        run = self._runs.get(entry.task or "")
        if run is not None:
            run.calls += 1
            return self.errand(run, run.task, entry.claimed)
        return Errand(
            claim=entry.claimed,
            kind=Kind.QUEUE,
            name=entry.task or "",
            read=partial(self._read_orphan, entry),
            may_dial=lambda: False,
            unplaced=self._put_back,
            freed=lambda verdict: None,
        )

    def _tick(self) -> None:
        try:
            self.tick()
        except Exception:  # noqa: BLE001 - an exception would end the LoopingCall for good
            self.log.failure("A look at the tasks failed")

    def _refilled(self, runs: Sequence[TaskRun]) -> None:
        for run in runs:
            self._runs.queue_seen(run, is_empty=False)
        if self._ready.is_open and self._ticks.running:
            self._dispatch_fairly(runs)

    def _dispatch_fairly(self, runs: Iterable[TaskRun]) -> None:
        """Look at these tasks, after those that the node's own limits turned away before.

        Else one task with a long list, or with an empty one, would have all that the node may do.
        """
        before, self._turned_away = self._turned_away, {}
        for run in (*before.values(), *(run for run in runs if run.task.name not in before)):
            try:
                self._dispatch(run)
            except Exception:  # noqa: BLE001 - one task must not keep the others from dialing
                self.log.failure("A look at task {task} failed", task=run.task.name)

    def _dispatch(self, run: TaskRun) -> None:
        if run.asked or run.queue_is_empty or run.held or not run.dialing:
            return
        now = self._clock.seconds()
        if not self._limits.room(now):
            self._turned_away[run.task.name] = run
        count = self._room(run, now)
        if not count:
            self._wake_when_paced(run, now)
        else:
            claiming = Deferred.fromCoroutine(self._claim(run, run.task, count))
            claiming.addErrback(partial(self.log.failure, "A claim failed"))

    def _wake_when_paced(self, run: TaskRun, now: float) -> None:
        """Look again at the very moment the pace allows a start: ticks alone would come late."""
        start = max(
            pacing.next_start(run.pace, run.task.cps, now) or now, self._limits.next_start(now)
        )
        name = run.task.name
        if start > now and name not in self._paced and self._ticks.running:
            delay = max(start - now, SHORTEST_WAIT)
            self._paced[name] = self._clock.callLater(delay, self._paced_out, run)

    def _paced_out(self, run: TaskRun) -> None:
        del self._paced[run.task.name]
        if self._ready.is_open:
            self._dispatch_fairly([run])

    def _room(self, run: TaskRun, now: float) -> int:
        """Return how many numbers of this task can be called at ``now``."""
        task = run.task
        room = min(
            AT_MOST,
            task.limit - run.calls,
            pacing.room(run.pace, task.cps, now),
            self._limits.room(now),
        )
        if room <= 0:
            return 0
        return self._lines.room(self._tables.routes, task.line_groups, now, room)

    async def _claim(self, run: TaskRun, task: Task, count: int) -> None:
        run.asked = count
        self._limits.asked += count
        try:
            claims = await self._store.claim(
                task.number_queue, task.queue_side, count, task=task.name
            )
        except StoreError as error:
            self._complain(run, task, str(error))
            return
        finally:
            run.asked = 0
            self._limits.asked -= count
        self._complained.pop(task.name, None)
        self._runs.queue_seen(run, len(claims) < count)
        run.queue_problem = ""
        if run.task != task or run.held or not run.dialing:
            # It was edited or paused while its numbers were on their way: they are not dialed so.
            for claim in claims:
                self._closing.give_back(claim)
            return
        before = run.calls
        self._take_all(run, task, claims)
        if len(claims) == count and run.calls > before:
            self._wake(run)  # where all of them went back at once the next tick is soon enough
        elif self._turned_away:
            self._look_soon()  # there is room that this task did not need

    def _take_all(self, run: TaskRun, task: Task, claims: list[Claimed]) -> None:
        now = self._clock.seconds()
        run.calls += len(claims)
        run.pace = pacing.spent(run.pace, task.cps, len(claims), now)
        self._limits.taken(len(claims), now)
        for claim in claims:
            self._numbers.take(self.errand(run, task, claim))

    def _read(self, run: TaskRun, task: Task, claim: Claimed) -> Reading:
        entry = decode_number(claim.entry, self._number_pattern)
        number = NumberInHand(
            claim=claim,
            kind=Kind.QUEUE,
            name=task.name,
            number=entry.number,
            destination=task.destination,
            variables=merge_variables(
                entry.variables, task.host_variables, task.template_variables
            ),
            requested_uuid=requested_uuid(entry.variables),
            sent=partial(self._sent, run),
        )
        return number, Progress(Itinerary(groups=task.line_groups))

    def _sent(self, run: TaskRun, decided: float) -> None:
        now = self._clock.seconds()
        run.pace = pacing.sent(run.pace, decided, now)
        self._limits.sent(decided, now)

    def _read_orphan(self, entry: InFlight) -> Reading:
        """Read a number whose task is no more: its call is followed, and no other placed."""
        number = decode_number(entry.entry, self._number_pattern).number
        nowhere = Destination(extension="")
        in_hand = NumberInHand(entry.claimed, Kind.QUEUE, entry.task or "", number, nowhere)
        return in_hand, Progress(Itinerary(groups=()))

    def _put_back(self, claim: Claimed, _: NotDialed) -> Finished | None:
        self._closing.give_back(claim)
        return None

    def _freed(self, run: TaskRun, verdict: Verdict) -> None:
        self._runs.ended(run)
        if not isinstance(verdict, NotDialed):
            self._wake(run)  # a number that was not dialed is tried again with the next tick

    def _wake(self, run: TaskRun) -> None:
        """Look at this task again in the next turn of the reactor, with all others that are woken:
        the slots that come free together are filled by one claim."""
        self._woken[run.task.name] = run
        self._look_soon()

    def _look_soon(self) -> None:
        if self._waking is None and self._ticks.running:
            self._waking = self._clock.callLater(0, self._look_at_woken)

    def _look_at_woken(self) -> None:
        self._waking = None
        woken, self._woken = self._woken, {}
        if self._ready.is_open:
            self._dispatch_fairly(woken.values())

    def _complain(self, run: TaskRun, task: Task, problem: str) -> None:
        """Say once, not twenty times a second, that the numbers of a task cannot be taken."""
        run.queue_problem = problem
        if self._complained.get(task.name) != problem:
            self._complained[task.name] = problem
            self.log.warn("No numbers for task {task}: {problem}", task=task.name, problem=problem)
