"""What the daemon of a node says of itself: the JSON in ``cti_dialer_status@<host>``.

It is written every second and expires a few seconds later.  All times are unix seconds.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from attrs import field, frozen

from ctidialer.contract.backlog import Backlog
from ctidialer.contract.control import LineOff, Order
from ctidialer.contract.faults import Fault
from ctidialer.contract.pacing import PacingStatus
from ctidialer.contract.shared_use import SharedUse

VERSION = 1

TIME_TO_LIVE = 3.5
"""Seconds after which a status that is not renewed vanishes: two may be missed."""

CURRENT_WITHIN = 2.5
"""Seconds for which a status tells how it is; who has said nothing for longer may be gone."""


@frozen
class Missing:
    """One condition without which nothing is dialed; ``problem`` is for people.

    ``form`` and ``values`` are what ``problem`` is made of, so that it can be said in another
    language.
    """

    condition: str
    problem: str
    form: str = ""
    values: Mapping[str, str] = field(factory=dict)


@frozen
class BusyLine:
    """Why one line (or a whole group: the names are the same) takes no call.

    ``until``: when it could by itself, None = not by the clock alone.  ``values`` are what the
    sentence names, so that it can be said in another language.
    """

    name: str
    group: str
    why: str
    text: str
    until: float | None = None
    values: Mapping[str, str] = field(factory=dict)


@frozen
class Explained:
    """Why a task is, or is not, dialing: ``reason`` for programs, ``text`` for people.

    ``changes_at``: when the reason goes by itself, None = not by the clock alone.  ``form`` and
    ``values`` are what ``text`` is made of, so that it can be said in another language.
    """

    reason: str
    text: str
    changes_at: float | None = None
    faults: tuple[Fault, ...] = ()
    lines: tuple[BusyLine, ...] = ()
    lines_left_out: int = 0
    form: str = ""
    values: Mapping[str, str] = field(factory=dict)


@frozen
class Later:
    """Numbers that wait in Redis to be called later, by the reason (docs/waiting.rst).

    ``retry``: for another try; ``hours``: for their callee's hours; ``cap``: until ``callee_limit``
    allows a call.  ``next_due``: when the first of them is due (unix seconds).  ``overdue``: how
    many are due and not taken yet.
    """

    retry: int = 0
    hours: int = 0
    cap: int = 0
    next_due: float | None = None
    overdue: int = 0

    @property
    def total(self) -> int:
        """How many there are."""
        return self.retry + self.hours + self.cap

    def with_others(self, other: Later) -> Later:
        """Return those of both."""
        moments = [one for one in (self.next_due, other.next_due) if one is not None]
        return Later(
            self.retry + other.retry,
            self.hours + other.hours,
            self.cap + other.cap,
            min(moments, default=None),
            self.overdue + other.overdue,
        )


def named_queues(first: str, further: tuple[str, ...]) -> tuple[str, ...]:
    """Return the lists of a task; ``first`` empty = it names none."""
    return (first, *further) if first else ()


@frozen
class TaskStatus:
    """One task that is not plainly closed: switched on and inside its hours, or with calls.

    ``calls`` counts its numbers in hand, between two calls of a redial too.  ``later``: its numbers
    that wait in Redis, None = none does.
    ``pacing``: how its agents are, and what was counted of its calls; None = it counts none.
    ``further_queues``: lists that are looked at when ``number_queue`` is empty.  ``used``: numbers
    of all hosts that count for ``limit``, where it is counted over them.
    """

    name: str
    calls: int
    limit: int
    number_queue: str
    explained: Explained
    cps: float | None = None
    pacing: PacingStatus | None = None
    later: Later | None = None
    further_queues: tuple[str, ...] = ()
    used: int | None = None

    @property
    def queues(self) -> tuple[str, ...]:
        """The lists of its numbers, in the order in which they are looked at; empty = unknown."""
        return named_queues(self.number_queue, self.further_queues)


@frozen
class ScheduleStatus:
    """One schedule configuration that has calls, or had some.

    ``calls`` counts its numbers in hand, ``waiting`` those of them of which no call is up, the next
    one at ``next_call``; ``next_start``: when its ``cps`` lets the next call start (unix seconds).
    ``later``: its numbers that wait in Redis, None = none does.
    """

    name: str
    calls: int
    waiting: int = 0
    next_call: float | None = None
    next_start: float | None = None
    later: Later | None = None


@frozen
class LineStatus:
    """A line that is in use, rests or is out of use; ``state`` is ``free`` or why it is not.

    ``count`` None = no limit, or (``state`` ``removed``) no longer in the tables.  ``used``: calls
    of all hosts, where ``count`` is counted over them.  ``off``: the order that takes it out of use
    (``state`` ``taken_out``), None = there is none.
    """

    name: str
    state: str
    calls: int
    count: int | None
    faults: int = 0
    until: float | None = None
    used: int | None = None
    off: LineOff | None = None


@frozen
class NodeStatus:
    """The whole document.

    ``calls`` are those that FreeSWITCH was asked for and that are not over, ``numbers`` those in
    hand.  ``placed`` and ``outcomes`` count since ``started``; ``cps`` is the rate of the last few
    seconds.  ``refused_until``: FreeSWITCH refused calls, none is started before.  ``closed``
    counts the other tasks by reason.  ``line_states`` counts all lines by state, ``lines_in_use``
    those with calls.  Of many tasks or lines some are left out, ``…_left_out`` says how many.
    ``dashboard``: where browsers find this node's dashboard, empty = it does not say.
    ``unreadable``: entries in flight that this version cannot read, and leaves alone.  ``backlog``:
    None = Redis was not looked at yet.  ``gateways``: what FreeSWITCH says of those that the lines
    name: ``up``, ``down``, ``unknown`` (it has none of this name), ``untold``.
    ``shared``: what is counted over hosts, the fullest first.
    """

    version: int
    program: str
    host: str
    domain: str
    timezone: str
    hostname: str
    pid: int
    started: float
    at: float
    ready: bool
    missing: tuple[Missing, ...]
    drain: Order | None
    freeswitch_up: bool
    freeswitch_trouble: str | None
    calls: int
    numbers: int
    max_calls: int
    max_cps: float
    cps: float
    placed: int
    unwritten: int
    refused_until: float | None
    outcomes: Mapping[str, int] = field(factory=dict)
    task_count: int = 0
    tasks: tuple[TaskStatus, ...] = ()
    tasks_left_out: int = 0
    closed: Mapping[str, int] = field(factory=dict)
    line_count: int = 0
    lines_in_use: int = 0
    lines: tuple[LineStatus, ...] = ()
    lines_left_out: int = 0
    line_states: Mapping[str, int] = field(factory=dict)
    schedules: tuple[ScheduleStatus, ...] = ()
    dashboard: str = ""
    unreadable: int = 0
    backlog: Backlog | None = None
    gateways: Mapping[str, str] = field(factory=dict)
    shared: tuple[SharedUse, ...] = ()
    shared_left_out: int = 0


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(NodeStatus)


def encode_status(status: NodeStatus) -> bytes:
    """Return the status as it stands in Redis."""
    return _ENCODER.encode(status)


def decode_status(raw: bytes) -> NodeStatus:
    """Read what ``encode_status`` wrote; raises ValueError for anything else."""
    try:
        status = _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not the status of a daemon: {error}") from error
    if status.version != VERSION:
        raise ValueError(f"a status of another version: {status.version}")
    return status
