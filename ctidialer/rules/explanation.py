"""Why a task is, or is not, dialing: the facts, and the reason that `explaining` makes of them."""

from __future__ import annotations

from collections.abc import Callable

from attrs import field, frozen

from ctidialer.contract.control import Order
from ctidialer.contract.faults import Fault
from ctidialer.contract.pacing import PacingStatus
from ctidialer.contract.status import Later
from ctidialer.contract.task import Task
from ctidialer.rules.backpressure import Backpressure
from ctidialer.rules.brake import LOOSE, Brake
from ctidialer.rules.calling_hours import Opening
from ctidialer.rules.line_sentences import lines_said
from ctidialer.rules.pacing import Pace
from ctidialer.rules.reasons import NO_VALUES
from ctidialer.rules.reasons import Reason as Reason
from ctidialer.rules.routing import LineBusy, Routes, States
from ctidialer.rules.words import Language, Values

OPEN = Opening(True)
NO_START = Pace()
NO_REFUSAL = Backpressure()

MIN_ALARMING = 10
"""Numbers that must have ended badly before an explanation mentions them."""


@frozen
class Explanation:
    """The reason, and what its sentence is made of.

    ``changes_at`` is the unix time at which the reason goes by itself, None = not by the clock
    alone.  ``form`` and ``values`` are for `Reason.sentence`.  ``faults`` go with INVALID,
    ``lines`` (each with its own reason) with NO_FREE_LINE.
    """

    reason: Reason
    changes_at: float | None = None
    faults: tuple[Fault, ...] = ()
    lines: tuple[LineBusy, ...] = ()
    form: str = ""
    values: Values = NO_VALUES

    @property
    def text(self) -> str:
        """The sentence in English."""
        return self.in_("en")

    def in_(self, language: Language) -> str:
        """Return the sentence in a language."""
        values = self.values
        if self.lines:
            lines = [(busy.name, busy.why.sentence(busy.values, language)) for busy in self.lines]
            values = {**values, "lines": lines_said(lines, language)}
        return self.reason.sentence(self.form, values, language)


@frozen
class Recent:
    """How the last numbers of a task ended: ``bad`` of them failed or were invalid."""

    ended: int = 0
    bad: int = 0

    @property
    def is_bad(self) -> bool:
        """Whether somebody should look at them."""
        return self.bad >= MIN_ALARMING and 2 * self.bad >= self.ended


@frozen
class TaskFacts:
    """What is known of one task.

    ``task`` None = there is none of this name, or (with ``faults``) it cannot be used; ``opening``
    goes with ``task``.  ``calls`` counts its numbers in hand, ``waiting`` those of them that wait
    for a further call; ``next_call``: when the first of these is due (unix seconds).
    ``queue_is_empty``: the last claim found fewer numbers than there was room for;
    ``queue_problem``: it failed, and why.  ``recent`` is how its last numbers ended.
    ``later``: its numbers that wait in Redis.
    ``pacing``: how its agents are; None = it counts none.  ``others``: places of its limit that
    other hosts have; ``barred_until``: before then (unix seconds) they let it start no call.
    """

    task: Task | None = None
    faults: tuple[Fault, ...] = ()
    opening: Opening = OPEN
    paused: Order | None = None
    calls: int = 0
    pace: Pace = NO_START
    queue_is_empty: bool = False
    queue_problem: str = ""
    waiting: int = 0
    next_call: float | None = None
    recent: Recent = Recent()
    brake: Brake = LOOSE
    later: Later | None = None
    pacing: PacingStatus | None = None
    others: int = 0
    barred_until: float = 0.0

    @property
    def up(self) -> int:
        """Return the calls that are up: numbers in hand that do not wait for a further call."""
        return max(0, self.calls - self.waiting)


@frozen
class Obstacle:
    """Something that keeps the whole node from starting calls.

    ``said``: the English sentence of a daemon of another version, which is not in our table.
    """

    reason: Reason
    form: str = ""
    values: Values = NO_VALUES
    said: str = ""

    @property
    def text(self) -> str:
        """The sentence in English."""
        return self.in_("en")

    def in_(self, language: Language) -> str:
        """Return the sentence in a language."""
        return self.said or self.reason.sentence(self.form, self.values, language)


@frozen
class NodeLoad:
    """What the node does, and may do, over all tasks (0 = no limit).

    ``calls`` counts the numbers in hand; ``kept`` slots are kept free for scheduled numbers.
    ``next_start``: when ``max_cps`` lets the next call start (unix seconds).  ``is_paused``:
    FreeSWITCH refuses calls because somebody has paused it.  ``slowed_to``: the calls per second
    to which its refusals lower the rate just now (0 = to none).
    """

    calls: int = 0
    max_calls: int = 0
    kept: int = 0
    max_cps: float = 0.0
    next_start: float = 0.0
    backpressure: Backpressure = NO_REFUSAL
    slowed_to: float = 0.0
    is_paused: bool = False


@frozen
class NodeFacts:
    """What is known of the node at ``now`` (unix seconds); ``zone`` is its own time zone.

    ``tables_read``: the tables are known, so that a task that is not in them does not exist.
    """

    now: float
    zone: str
    routes: Routes
    states: States = field(factory=dict)
    obstacles: tuple[Obstacle, ...] = ()
    tables_read: bool = True
    load: NodeLoad = NodeLoad()
    has_room: Callable[[tuple[str, ...]], bool] | None = field(default=None, eq=False)
    """Whether a line of these groups is free, where that is known without looking at each."""
    ways: dict[tuple[str, ...], Explanation | None] = field(
        factory=dict, init=False, eq=False, repr=False
    )
    """NO_FREE_LINE by line groups, or None, as far as it was asked for: many tasks share theirs."""
