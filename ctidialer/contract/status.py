"""What the daemon of a node says of itself: the JSON in ``cti_dialer_status@<host>``.

It is written every second and expires a few seconds later.  All times are unix seconds.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from attrs import field, frozen

from ctidialer.contract.control import Order
from ctidialer.contract.faults import Fault

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
class TaskStatus:
    """One task that is not plainly closed: switched on and inside its hours, or with calls.

    ``calls`` counts its numbers in hand, between two calls of a redial too.
    """

    name: str
    calls: int
    limit: int
    number_queue: str
    explained: Explained
    cps: float | None = None


@frozen
class ScheduleStatus:
    """One schedule configuration that has calls, or had some.

    ``calls`` counts its numbers in hand, ``waiting`` those of them of which no call is up, the next
    one at ``next_call``; ``next_start``: when its ``cps`` lets the next call start (unix seconds).
    """

    name: str
    calls: int
    waiting: int = 0
    next_call: float | None = None
    next_start: float | None = None


@frozen
class LineStatus:
    """A line that is in use, rests or is out of use; ``state`` is ``free`` or why it is not.

    ``count`` None = no limit, or (``state`` ``removed``) no longer in the tables.
    """

    name: str
    state: str
    calls: int
    count: int | None
    faults: int = 0
    until: float | None = None


@frozen
class NodeStatus:
    """The whole document.

    ``calls`` are those that FreeSWITCH was asked for and that are not over, ``numbers`` those in
    hand.  ``placed`` and ``outcomes`` count since ``started``; ``cps`` is the rate of the last few
    seconds.  ``refused_until``: FreeSWITCH refused calls, none is started before.  ``closed``
    counts the other tasks by reason.  ``line_states`` counts all lines by state, ``lines_in_use``
    those with calls.  Of many tasks or lines some are left out, ``…_left_out`` says how many.
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
