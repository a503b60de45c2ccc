"""A queue-dialing task (队列呼叫任务): docs/redis-contract.rst, as a value."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen

from ctidialer.contract.after_call import NOTHING_MORE, AfterCall

SECONDS_A_DAY = 86_400


class Side(enum.Enum):
    """The end of the number list from which numbers are taken."""

    LEFT = "left"
    RIGHT = "right"


@frozen
class Window:
    """A span of working hours on one day.

    ``begin`` (included) and ``end`` (excluded) are seconds since local midnight, 0 to 86,400;
    where ``begin > end`` the window runs past midnight and belongs to the day on which it began.
    ``weekday`` is 0 = Sunday … 6 = Saturday, None = any day.
    """

    begin: int
    end: int
    weekday: int | None = None


@frozen
class Span:
    """A span between two date-times: ``begin`` included, ``end`` excluded.

    Each is local without zone, or a moment in UTC.
    """

    begin: datetime
    end: datetime


@frozen
class CallingHours:
    """When a task may start calls; every time is local to ``timezone``.

    A date-time that has a zone (UTC) is that moment instead.
    ``timezone`` is an IANA name, None = the node's own.  ``start`` is included, ``stop`` excluded;
    None = unbounded.  ``windows`` empty = all day.  ``weekdays`` None = every day.
    """

    timezone: str | None = None
    start: datetime | None = None
    stop: datetime | None = None
    windows: tuple[Window, ...] = ()
    weekdays: frozenset[int] | None = None
    holidays: tuple[Span, ...] = ()


@frozen
class Destination:
    """Where an answered call goes."""

    extension: str
    dialplan: str = "XML"
    context: str = "default"


@frozen
class Task:
    """One valid task of this host: the host's document merged over the template's.

    ``limit``: calls at once on this host, 0 = paused.  ``cps``: call starts per second,
    None = no rate limit.  ``brake_after``: so many bad ends in a row hold it, 0 = never, None = as
    the settings say.  ``host_variables`` < ``template_variables`` (docs/redis-contract.rst).
    """

    name: str
    enabled: bool
    line_groups: tuple[str, ...]
    limit: int
    number_queue: str
    destination: Destination
    cps: float | None = None
    hours: CallingHours = CallingHours()
    queue_side: Side = Side.LEFT
    host_variables: Mapping[str, str] = field(factory=dict)
    template_variables: Mapping[str, str] = field(factory=dict)
    after_call: AfterCall = NOTHING_MORE
    brake_after: int | None = None
