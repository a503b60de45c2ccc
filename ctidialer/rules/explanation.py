"""Why a task is, or is not, dialing: the facts, and the reason that `explaining` makes of them."""

from __future__ import annotations

import enum

from attrs import field, frozen

from ctidialer.contract.control import Order
from ctidialer.contract.faults import Fault
from ctidialer.contract.task import Task
from ctidialer.rules.backpressure import Backpressure
from ctidialer.rules.calling_hours import Opening
from ctidialer.rules.pacing import Pace
from ctidialer.rules.routing import LineBusy, Routes, States

OPEN = Opening(True)
NO_START = Pace()
NO_REFUSAL = Backpressure()


class Reason(enum.Enum):
    """The one reason for the present state, for programs; the first that applies is given."""

    UNKNOWN_TASK = "unknown_task"
    INVALID = "invalid"
    DISABLED = "disabled"
    AFTER_STOP = "after_stop"
    BEFORE_START = "before_start"
    HOLIDAY = "holiday"
    NOT_A_WORKING_DAY = "not_a_working_day"
    OUTSIDE_HOURS = "outside_hours"
    PAUSED = "paused"
    LIMIT_ZERO = "limit_zero"
    NO_DAEMON = "no_daemon"
    DRAINING = "draining"
    DRAINED = "drained"
    REDIS_AWAY = "redis_away"
    LEASE_LOST = "lease_lost"
    FREESWITCH_AWAY = "freeswitch_away"
    STARTING = "starting"
    RECORDS_REFUSED = "records_refused"
    FREESWITCH_PAUSED = "freeswitch_paused"
    FREESWITCH_REFUSING = "freeswitch_refusing"
    LIMIT_REACHED = "limit_reached"
    QUEUE_UNUSABLE = "queue_unusable"
    NODE_LIMIT = "node_limit"
    NO_FREE_LINE = "no_free_line"
    QUEUE_EMPTY = "queue_empty"
    PACED = "paced"
    DIALING = "dialing"


@frozen
class Explanation:
    """The reason, and a sentence for people.

    ``changes_at`` is the unix time at which the reason goes by itself, None = not by the clock
    alone.  ``faults`` go with INVALID, ``lines`` (each with its own reason) with NO_FREE_LINE.
    """

    reason: Reason
    text: str
    changes_at: float | None = None
    faults: tuple[Fault, ...] = ()
    lines: tuple[LineBusy, ...] = ()


@frozen
class TaskFacts:
    """What is known of one task.

    ``task`` None = there is none of this name, or (with ``faults``) it cannot be used; ``opening``
    goes with ``task``.  ``calls`` counts its numbers in hand.  ``queue_is_empty``: the last claim
    found fewer numbers than there was room for; ``queue_problem``: it failed, and why.
    """

    task: Task | None = None
    faults: tuple[Fault, ...] = ()
    opening: Opening = OPEN
    paused: Order | None = None
    calls: int = 0
    pace: Pace = NO_START
    queue_is_empty: bool = False
    queue_problem: str = ""


@frozen
class Obstacle:
    """Something that keeps the whole node from starting calls."""

    reason: Reason
    text: str


@frozen
class NodeLoad:
    """What the node does, and may do, over all tasks (0 = no limit).

    ``kept`` calls are kept free for scheduled numbers.  ``next_start``: when ``max_cps`` lets the
    next call start (unix seconds).  ``is_paused``: FreeSWITCH refuses calls because somebody has
    paused it.
    """

    calls: int = 0
    max_calls: int = 0
    kept: int = 0
    max_cps: float = 0.0
    next_start: float = 0.0
    backpressure: Backpressure = NO_REFUSAL
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
    ways: dict[tuple[str, ...], Explanation | None] = field(
        factory=dict, init=False, eq=False, repr=False
    )
    """NO_FREE_LINE by line groups, or None, as far as it was asked for: many tasks share theirs."""
