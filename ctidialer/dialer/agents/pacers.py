"""The pacers of this node: one for each task that names agents, or that judges its calls.

A node without such tasks has none, and no timer runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ctidialer.contract import keys
from ctidialer.contract.agent_dialing import AgentDialing
from ctidialer.contract.pacing import PacingStatus
from ctidialer.contract.record import Kind
from ctidialer.contract.task import Task
from ctidialer.dialer.agents.hearing import EventPort, Hearing
from ctidialer.dialer.agents.memory import TaskMemory
from ctidialer.dialer.agents.paced_task import PacedTask
from ctidialer.dialer.agents.pacer import TaskPacer
from ctidialer.dialer.agents.pacing_news import PacingNews
from ctidialer.dialer.agents.roster import Roster
from ctidialer.dialer.agents.sharing import (
    PACES_FOR,
    calls_of_others,
    permit_of,
    shares,
    together,
)
from ctidialer.dialer.agents.watched_call import WatchDesk, WatchedCall
from ctidialer.dialer.dispatch.task_runs import TaskRun, TaskRuns
from ctidialer.dialer.life.number_in_hand import NumberInHand
from ctidialer.esl.subscription import More
from ctidialer.glue import Complaints, Repeated, background
from ctidialer.rules.abandon_period import period_start
from ctidialer.rules.agents import AgentsNow
from ctidialer.rules.attempt import Attempt
from ctidialer.store.errors import StoreError
from ctidialer.store.pacing import PacingStore

LOOK_INTERVAL = 1.0
"""Seconds between two looks at a task of which nothing is heard."""

MAX_SHARED = 1000
"""Calls that are divided among hosts in one second."""

MAX_RELEASED = 20
"""Calls of a task that are given up in one look."""


class Pacers:
    """Says how many calls tasks with agents may place, and watches their calls.

    ``always_heard``: events that somebody else hears anyway.  ``wake`` is called with a task that
    may place more calls now.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        zone: str,
        switch: EventPort,
        roster: Roster,
        runs: TaskRuns,
        store: PacingStore,
        host: str,
        scope_of: Callable[[str], str],
        always_heard: Iterable[More] = (),
    ) -> None:
        self._clock = clock
        self._zone = zone
        self._roster = roster
        self._runs = runs
        self._store = store
        self._host = host
        self._scope_of = scope_of
        self._hearing = Hearing(switch, always_heard)
        self._tasks: dict[str, Task] = {}
        self._paced: dict[tuple[Kind, str], PacedTask] = {}
        self._desk = WatchDesk(clock, switch, self._news)
        self._complaints = Complaints()
        self._pacing_news = PacingNews()
        self._looks = Repeated(clock, self._look, self.log, "A look at the agents")
        self.wake: Callable[[TaskRun], None] = lambda run: None
        roster.changed = self._agents_changed

    # --- which tasks -------------------------------------------------------------------------

    def update(self, tasks: Mapping[str, Task], names: Iterable[str]) -> None:
        """The tasks of these names were changed, added or removed."""
        for name in names:
            task = tasks.get(name)
            if task is not None and task.agents is not None and task.enabled:
                self._tasks[name] = task
            else:
                self._tasks.pop(name, None)

    def updated(self) -> None:
        """All changes are in force: look at them now, not in a second."""
        if self._tasks and not self._looks.running:
            self._looks.start(LOOK_INTERVAL)
        if self._looks.running:
            self._look()

    def stop(self) -> None:
        """Look no more; write what was learnt last."""
        self._looks.stop()
        now = self._clock.seconds()
        for (kind, name), paced in list(self._paced.items()):
            self._forget(kind, name, now)
            for call in paced.calls:
                call.stop()

    def _of(self, kind: Kind, name: str, dialing: AgentDialing) -> PacedTask:
        """Return the pacer of a task; an edit of the task is in force at once."""
        found = self._paced.get((kind, name))
        if found is None:
            found = self._paced[kind, name] = PacedTask(TaskPacer(dialing))
        scope = self._scope_of(name) if kind is Kind.QUEUE else None
        if scope is not None and (found.memory is None or found.memory.scope != scope):
            found.stands(TaskMemory(self._store, self._host, scope, name))
        if found.pacer.dialing.group != dialing.group:
            found.is_ready = False  # nobody has said yet who paces for these agents
        found.pacer.dialing = dialing
        return found

    # --- what the dispatch and the calls ask ---------------------------------------------------

    def room(self, run: TaskRun, now: float, at_most: int, itself: int = 0) -> int:
        """Return how many more calls this task may place; ``itself``: so many of its numbers in
        hand are those that it is asked for."""
        dialing = run.task.agents
        if dialing is None or not dialing.is_paced:
            return at_most
        paced = self._of(Kind.QUEUE, run.task.name, dialing)
        if not paced.may_decide(now):
            return 0
        agents = self._roster.now(dialing, now)
        return paced.pacer.room(agents, self._pending(run, paced.pacer) - itself, now, at_most)

    def watch_for(
        self, number: NumberInHand, dialing: AgentDialing, attempt: Attempt
    ) -> WatchedCall:
        """Return who watches a call: see `ctidialer.dialer.life.listening.WatchFor`."""
        paced = self._paced.get((number.kind, number.name))
        if paced is None:
            paced = self._of(number.kind, number.name, dialing)
        call = WatchedCall(self._desk, paced.pacer, number, dialing, attempt)
        paced.calls[call] = None
        self._hear()
        if not self._looks.running:
            self._looks.start(LOOK_INTERVAL)
        return call

    def status(self, run: TaskRun, now: float) -> PacingStatus | None:
        """Return how a task is paced; None = it has no agents, and judges nothing."""
        dialing = run.task.agents
        if dialing is None:
            return None
        return self._status(self._of(Kind.QUEUE, run.task.name, dialing), run, now)

    # --- what happens --------------------------------------------------------------------------

    def _news(self, task: str, is_abandoned: bool) -> None:
        """A call of this task has got further: perhaps more may be placed."""
        run = self._runs.get(task)
        if run is not None and run.task.agents is not None and run.task.agents.is_paced:
            self.wake(run)
        paced = self._paced.get((Kind.QUEUE, task))
        if is_abandoned and paced is not None and run is not None:
            self._write(paced, run, self._clock.seconds(), surely=True)

    def _agents_changed(self) -> None:
        for name in self._tasks:
            run = self._runs.get(name)
            if run is not None and run.dialing:
                self.wake(run)

    def _look(self) -> None:
        """A second has passed."""
        now = self._clock.seconds()
        active = {run.task.name: run for run in self._active()}
        self._watch_agents(active.values())
        for name, run in active.items():
            try:
                self._look_at(name, run, now)
            except Exception:  # noqa: BLE001 - one task must not keep the others from being paced
                self.log.failure("A look at the agents of task {task} failed", task=name)
        for (kind, name), paced in list(self._paced.items()):
            paced.calls = {call: None for call in paced.calls if paced.pacer.has(call)}
            if not paced.calls and (kind is not Kind.QUEUE or name not in active):
                self._forget(kind, name, now)
        self._hear()
        if not self._tasks and not self._paced:
            self._looks.stop()

    def _look_at(self, name: str, run: TaskRun, now: float) -> None:
        dialing, hours = run.task.agents, run.task.hours
        if dialing is None:
            return
        paced = self._of(Kind.QUEUE, name, dialing)
        pacer = paced.pacer
        begun = period_start(dialing.abandon_period, hours.start, hours.timezone or self._zone, now)
        pacer.begins_period(begun)
        agents = self._roster.now(dialing, now)
        pacer.look(agents, now)
        self._pacing_news.tell(run.task.name, pacer, agents)
        self._release(paced, run, agents, now)
        self._write(paced, run, now)
        if run.dialing and dialing.is_paced:
            self.wake(run)

    def _release(self, paced: PacedTask, run: TaskRun, agents: AgentsNow, now: float) -> None:
        for _ in range(MAX_RELEASED):
            rung = paced.rung()
            pending = self._pending(run, paced.pacer)
            call = paced.pacer.to_release(agents, pending, now, rung) if rung else None
            if not isinstance(call, WatchedCall):
                return
            call.release()

    def _forget(self, kind: Kind, name: str, now: float) -> None:
        """A task is closed and has no calls: write what it has learnt."""
        paced = self._paced.pop((kind, name))
        run = self._runs.get(name) if kind is Kind.QUEUE else None
        if run is not None and paced.memory is not None and paced.is_ready:
            paced.memory.is_last = True
            self._write(paced, run, now, surely=True)

    def _active(self) -> list[TaskRun]:
        """Return the tasks with agents that are open, or have calls."""
        runs = map(self._runs.get, self._tasks)
        return [run for run in runs if run is not None and (run.dialing or run.calls > 0)]

    def _watch_agents(self, runs: Iterable[TaskRun]) -> None:
        """Ask for the agents of these tasks only; those of others cost nothing."""
        named = [run.task.agents for run in runs]
        self._roster.watch(
            {one.queue for one in named if one is not None and one.queue is not None},
            {one.group for one in named if one is not None and one.group is not None},
        )

    def _hear(self) -> None:
        """Hear the events that the calls of now need, and no others."""
        paced = self._paced.values()
        self._hearing.want(
            judging=bool(self._active()) or any(one.calls for one in paced),
            releasing=any(one.pacer.dialing.ring_release for one in paced),
        )

    # --- how ---------------------------------------------------------------------------------

    def _pending(self, run: TaskRun, pacer: TaskPacer) -> int:
        """Return how many numbers are claimed or in hand, and about to be called."""
        return max(0, run.asked + run.calls - len(run.waiting) - pacer.up)

    def _status(self, paced: PacedTask, run: TaskRun, now: float) -> PacingStatus:
        agents = self._roster.now(paced.pacer.dialing, now)
        return paced.pacer.status(agents, self._pending(run, paced.pacer), now)

    def _write(self, paced: PacedTask, run: TaskRun, now: float, *, surely: bool = False) -> None:
        """Write what is new; ``surely``: after a write that is under way, too."""
        if paced.memory is None or not paced.pacer.period_start:
            return  # before the first look it is not known which period is counted
        if paced.is_writing:
            paced.is_owed = paced.is_owed or surely
            return
        paced.is_writing = True
        background(self._exchange(paced, run, now), self.log, "Writing the pacing")

    async def _share(self, paced: PacedTask, memory: TaskMemory, run: TaskRun, now: float) -> bool:
        """Write and read, and divide the calls among the hosts that dial for the same agents.

        Return False if the task was edited meanwhile, so that it says nothing of what is now.
        """
        pacer, group = paced.pacer, paced.pacer.dialing.group
        is_shared = group is not None and memory.scope == keys.TEMPLATE
        calls = paced.calls_now(_wants(run), now) if is_shared else None
        kept = await memory.exchange(pacer, self._status(paced, run, now), now, calls)
        is_as_it_was = memory is paced.memory and group == pacer.dialing.group
        if not is_shared or not is_as_it_was:
            paced.paces_alone()
            return is_as_it_was
        others = calls_of_others(kept, self._host)
        pacer.other_calls, pacer.granted = together(others, now), 0
        if not kept.is_pacer(self._host):
            paced.takes(permit_of(kept, self._host))
            return True
        paced.paces(now + PACES_FOR)
        pacer.granted = paced.given.open(others)
        if others:
            agents, pending = self._roster.now(pacer.dialing, now), self._pending(run, pacer)
            wants = {host: one.wants for host, one in others.items()} | {self._host: _wants(run)}
            given = shares(pacer.room(agents, pending, now, MAX_SHARED), wants)
            del given[self._host]
            pacer.granted += sum(given.values())
            paced.given.give(given, now)
            await memory.permit(given, now)
        return True

    async def _exchange(self, paced: PacedTask, run: TaskRun, now: float) -> None:
        memory, name = paced.memory, run.task.name
        assert memory is not None
        was_ready = paced.is_ready
        try:
            paced.is_ready = await self._share(paced, memory, run, now)
            self._complaints.over(name)
        except StoreError as error:
            if self._complaints.is_news(str(error), name):
                self.log.warn(
                    "The pacing of task {task} cannot be written: {problem}",
                    task=name,
                    problem=str(error),
                )
        finally:
            paced.is_writing = False
        if paced.is_ready and not was_ready:
            self.wake(run)
        if paced.is_owed:
            paced.is_owed = False
            self._write(paced, run, self._clock.seconds())


def _wants(run: TaskRun) -> int:
    """Return how many more calls a task could place, as far as its limit and its queue go."""
    is_able = run.dialing and not run.held and not run.queue_is_empty
    return max(0, run.task.limit - run.calls) if is_able else 0
