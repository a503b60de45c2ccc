"""Calling hours, as values: docs/redis-contract.rst."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

SECONDS_A_DAY = 86_400


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


ALL_HOURS = CallingHours()
"""Any time."""
