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
        """Return how many numbers of this task can be called at ``now``."""
        task = run.task
        room = min(
            at_most,
            task.limit - run.calls,
            brake.room(run.brake, now),
            pacing.room(run.pace, task.cps, now) - run.turns,
            for_queues(self.node_room(now), self._kept.node),
        )
        return self._on_lines(run, now, room) if room > 0 else 0

    def line_room(self, groups: Sequence[str], now: float, at_most: int) -> int:
        """Return how many calls the lines of these groups have room for, up to ``at_most``."""
        return self._lines.room(self._tables.routes, groups, now, at_most)

    def line_may_come(self, groups: Sequence[str], now: float) -> bool:
        """Say whether a line of these groups is free, or will be by itself or with a hang-up."""
        return self._lines.may_come_free(self._tables.routes, groups, now)

    def next_start(self, run: TaskRun, now: float) -> float:
        """Return the first moment from ``now`` on at which the paces let this task start a call."""
        moment = pacing.next_start(run.pace, run.cps, now)
        return max(now if moment is None else moment, self.limits.next_start(now))

    def further_room(self, run: Account | None, now: float) -> int:
        """Return how many further calls the rates allow at ``now``."""
        room = self.limits.rate(now)
        return room if run is None else min(room, pacing.room(run.pace, run.cps, now))

    def next_further(self, run: Account | None, now: float) -> float:
        """Return the first moment from ``now`` on at which the rates allow a further call."""
        moment = None if run is None else pacing.next_start(run.pace, run.cps, now)
        return max(now if moment is None else moment, self.limits.next_further(now))

    def load(self, now: float) -> NodeLoad:
        """Return the load and the limits of the node, for an explanation."""
        limits = self.limits
        return NodeLoad(
            calls=self.calls,
            max_calls=limits.max_calls,
            kept=self._kept.node,
            max_cps=limits.max_cps,
            next_start=limits.next_start(now),
            backpressure=limits.backpressure,
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
