"""The slots: how many there are, who has them, and how many more may be taken.

Every number in hand takes one slot of the node and one of its task or schedule configuration, from
its claim until its last call is over.  Claims that are under way have asked for slots.  All of
these are counted here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ctidialer.dialer.dispatch.accounts import Account
from ctidialer.dialer.dispatch.lines import LineAccounts
from ctidialer.dialer.dispatch.node_limits import NodeLimits
from ctidialer.dialer.dispatch.task_runs import TaskRun, TaskRuns
from ctidialer.rules import brake, pacing
from ctidialer.rules.explanation import NodeLoad
from ctidialer.rules.sharing import NOTHING_KEPT, Kept, for_queues
from ctidialer.rules.tables import Tables

AGENTS_INTERVAL = 0.2
"""Seconds between two looks at whether the agents allow a further call."""

AgentRoom = Callable[[TaskRun, float, int, int], int]
"""How many calls the agents of a task allow: of the task, the time, the most that are wanted, and
how many of its numbers in hand are those that it is asked for."""

LacksLine = Callable[[Sequence[str]], None]
"""Told of line groups in which a number finds no line."""


def _as_many(run: TaskRun, now: float, at_most: int, itself: int) -> int:
    return at_most


class Slots:
    """The slots of this node, and of its tasks and schedule configurations.

    ``run`` None stands for a number that has neither task nor configuration.
    """

    def __init__(
        self, tables: Tables, lines: LineAccounts, limits: NodeLimits, runs: TaskRuns
    ) -> None:
        self._tables = tables
        self._lines = lines
        self._runs = runs
        self.limits = limits
        self.zone = runs.zone
        """The node's time zone (IANA)."""
        self.calls = 0
        """The numbers in hand."""
        self.asked = 0
        """The numbers that claims under way ask for."""
        self.started = 0
        """All numbers ever taken."""
        self._turns = 0
        """The further calls that wait for the rates."""
        self.finished: Callable[[], None] = lambda: None
        """Called when a claim has been answered."""
        self.agent_room: AgentRoom = _as_many
        """Asked for tasks that are paced by their agents, and for no others."""
        self.lacks_line: LacksLine = lambda groups: None
        self.lacks_limit: Callable[[TaskRun], None] = lambda run: None
        """Called when a number finds no line, or the limit of its task reached by other hosts."""
        self._kept: Kept = NOTHING_KEPT
        self._kept_groups: Sequence[str] = ()

    # --- what is free ---

    def node_room(self, now: float) -> int:
        """Return how many more numbers the node's limits allow at ``now``.

        The further calls of numbers in hand go first.
        """
        return self.limits.room(self.calls, self.asked, now, self._turns)

    def is_full(self, now: float) -> bool:
        """Whether the node leaves nothing to the queue tasks at ``now``."""
        return not for_queues(self.node_room(now), self._kept.node)

    def room(self, run: TaskRun, now: float, at_most: int) -> int:
        """Return how many numbers of this task can be called at ``now``.

        While Redis is asked for starts of its calls nobody knows for how many more there are some.
        """
        task = run.task
        if run.others and task.limit > run.calls >= task.limit - run.others:
            self.lacks_limit(run)
        room = min(
            at_most if now >= run.barred_until and not run.asking else 0,
            task.limit - run.calls - run.others,
            brake.room(run.brake, now),
            pacing.room(run.pace, task.cps, now) - run.turns,
            for_queues(self.node_room(now), self._kept.node),
        )
        if room > 0 and _is_paced(run):
            room = self.agent_room(run, now, room + run.turns, 0) - run.turns
        return self._on_lines(run, now, room) if room > 0 else 0

    def line_room(self, groups: Sequence[str], now: float, at_most: int) -> int:
        """Return how many calls the lines of these groups have room for, up to ``at_most``."""
        room = self._lines.room(self._tables.routes, groups, now, at_most)
        if not room and at_most > 0:
            self.lacks_line(groups)
        return room

    def line_may_come(self, groups: Sequence[str], now: float) -> bool:
        """Say whether a line of these groups is free, or will be by itself or with a hang-up."""
        return self._lines.may_come_free(self._tables.routes, groups, now)

    def has_taken_out(self, groups: Sequence[str]) -> bool:
        """Say whether operators have taken a line of these groups out of use."""
        return self._lines.has_taken_out(self._tables.routes, groups)

    def next_start(self, run: TaskRun, now: float) -> float:
        """Return the first moment from ``now`` on at which the paces let this task start a call."""
        moment = pacing.next_start(run.pace, run.cps, now)
        own = now if moment is None else moment
        return max(own, run.barred_until, self.limits.next_start(now))

    def further_room(self, run: Account | None, now: float, itself: int = 0) -> int:
        """Return how many further calls the rates, and the agents, allow at ``now``.

        ``itself``: so many of the numbers in hand ask for it and do not wait.
        """
        room = self.limits.rate(now)
        if run is not None:
            rate = pacing.room(run.pace, run.cps, now) if now >= run.barred_until else 0
            room = min(room, rate)
        if room > 0 and isinstance(run, TaskRun) and _is_paced(run):
            room = self.agent_room(run, now, room, itself)
        return room

    def next_further(self, run: Account | None, now: float) -> float:
        """Return the first moment from ``now`` on at which the rates allow a further call."""
        moment = None if run is None else pacing.next_start(run.pace, run.cps, now)
        if run is not None and run.barred_until > now:
            moment = max(moment or now, run.barred_until)
        if isinstance(run, TaskRun) and _is_paced(run):
            moment = max(moment or now, now + AGENTS_INTERVAL)
        return max(now if moment is None else moment, self.limits.next_further(now))

    def load(self, now: float) -> NodeLoad:
        """Return the load and the limits of the node, for an explanation."""
        limits = self.limits
        slowed_to = limits.slowed_to(now) or 0.0  # first: it takes in what is known by now
        return NodeLoad(
            calls=self.calls,
            max_calls=limits.max_calls,
            kept=self._kept.node,
            max_cps=limits.max_cps,
            next_start=limits.next_start(now),
            backpressure=limits.backpressure,
            slowed_to=slowed_to,
            is_paused=limits.is_paused,
        )

    # --- what is taken ---

    def keep(self, kept: Kept, groups: Sequence[str]) -> None:
        """Keep slots of the node, and places on the lines of these groups, from the queue tasks."""
        self._kept, self._kept_groups = kept, groups

    def ask(self, run: Account | None, count: int) -> None:
        """A claim of ``count`` numbers is under way."""
        self.asked += count
        if run is not None:
            run.asked += count

    def answered(self, run: Account | None, count: int) -> None:
        """The claim that asked for ``count`` numbers is over, whatever came of it."""
        self.ask(run, -count)
        self.finished()

    def enter(self, run: Account | None, count: int, now: float) -> None:
        """Count ``count`` numbers that were taken and are called now."""
        self.occupy(run, count)
        self.started += count
        self.limits.started(count, now)
        if run is not None:
            run.pace = pacing.spent(run.pace, run.cps, count, now)

    def occupy(self, run: Account | None, count: int = 1) -> None:
        """Give slots to ``count`` numbers; no start of a call is counted."""
        self.calls += count
        if run is not None:
            run.calls += count
        if isinstance(run, TaskRun):
            self._runs.entered(run)

    def start_further(self, run: Account | None, now: float) -> None:
        """A further call of a number in hand begins now: the rates count it like a first one."""
        self.limits.started(1, now)
        if run is not None:
            run.pace = pacing.spent(run.pace, run.cps, 1, now)

    def wait_for_turn(self, run: Account | None, count: int) -> None:
        """``count`` further calls more (or fewer) wait for the rates."""
        self._turns += count
        if run is not None:
            run.turns += count

    def leave(self, run: Account | None, count: int = 1) -> None:
        """The last call of a number is over (or ``count`` are not called): its slot is free."""
        self.calls -= count
        if run is not None:
            run.calls -= count
        if isinstance(run, TaskRun):
            self._runs.left(run)

    def unspent(self, run: Account | None, now: float) -> None:
        """A call that was counted is not placed after all: the rates allow another one."""
        self.limits.unspent(now)
        if run is not None:
            run.pace = pacing.unspent(run.pace, run.cps, now)

    def sent(self, run: Account | None, decided: float, now: float) -> None:
        """A call that was decided on at ``decided`` was sent at ``now``."""
        self.limits.sent(decided, now)
        if run is not None and run.cps is not None:
            run.pace = pacing.sent(run.pace, decided, now)

    def _on_lines(self, run: TaskRun, now: float, at_most: int) -> int:
        """Return the room on the task's lines; its numbers that wait for a line go first."""
        task, kept = run.task, self._kept.lines
        if kept and not self._lines.overlap(
            self._tables.routes, task.line_groups, self._kept_groups
        ):
            kept = 0
        kept += run.waiting_at(now)
        return for_queues(self.line_room(task.line_groups, now, at_most + kept), kept)


def _is_paced(run: TaskRun) -> bool:
    return run.task.agents is not None and run.task.agents.is_paced
