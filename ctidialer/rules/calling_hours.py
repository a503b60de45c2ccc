"""When a task may start calls: start and stop, work hours, work week, holidays.

A local time means the first moment at which the clock of the zone shows it, or a later one.  So:

* if the clock is put forward, a time that is skipped means the moment of the change: a window
  inside the gap does not open that day, and one that reaches into it is cut;
* if the clock is put back, a time that comes twice means the first, for beginnings and ends alike:
  every window opens once, 02:15-02:45 in the first of the two hours, 02:00-03:00 for both of them.

A window belongs to the day on which it began: that day's weekday counts for it after midnight too.
A window whose ``begin`` equals its ``end`` is empty (a whole day is 0:00-24:00), so that a mistyped
window calls nobody at night.  A holiday closes every window.
"""

from __future__ import annotations

import enum
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from attrs import frozen
from dateutil import tz
from dateutil.rrule import DAILY, FR, MO, SA, SU, TH, TU, WE, rrule

from ctidialer.contract.hours import CallingHours, Span, Window

WHOLE_DAY = (Window(0, 86_400),)
DAYS_BACK = 2
DAYS_AHEAD = 21
"""Hours repeat weekly; the third week is for windows that fall into a skipped hour."""

_WEEK = (SU, MO, TU, WE, TH, FR, SA)  # as the contract numbers them

MAX_MOMENT = 253_000_000_000.0
"""Year 9987, near the end of Python's calendar: an opening after it counts as never."""

Moments = tuple[float, float]
"""From (included) to (excluded), unix seconds."""


class Closed(enum.Enum):
    """Why no call may start."""

    BEFORE_START = "it is before start_time"
    AFTER_STOP = "stop_time is past"
    OUTSIDE_HOURS = "it is outside the work hours"
    NOT_A_WORKING_DAY = "today is no day of work_week"
    HOLIDAY = "it is a holiday"


@frozen
class Opening:
    """Whether calls may start, and until when that holds.

    ``closed`` says why not, None = they may.  ``changes_at`` is the unix time at which ``open``
    changes next, None = never.  The reason may change before: for an explanation ask again.
    """

    open: bool
    closed: Closed | None = None
    changes_at: float | None = None


def opening(hours: CallingHours, node_zone: str, now: float) -> Opening:
    """Return whether calls may start at ``now`` (unix seconds), and when that changes.

    ``node_zone`` is the IANA name for hours without a zone of their own.  Raises
    ``zoneinfo.ZoneInfoNotFoundError`` for an unknown zone; documents with one are refused before.
    """
    calendar = _calendar(hours, hours.timezone or node_zone)
    closed = _why_closed(calendar, now)
    if closed is not None:
        return Opening(False, closed, _opens_at(calendar, now))
    return Opening(True, None, _closes_at(calendar, now))


def stops_at(hours: CallingHours, node_zone: str) -> float:
    """Return when the task stops for good (unix seconds); infinite = it does not."""
    if hours.stop is None:
        return math.inf
    return first_moment(ZoneInfo(hours.timezone or node_zone), hours.stop)


@frozen
class _Calendar:
    """Calling hours with every date-time as unix seconds; holidays in order and disjoint."""

    hours: CallingHours
    zone: ZoneInfo
    start: float
    stop: float
    holidays: tuple[Moments, ...]


def _calendar(hours: CallingHours, zone_name: str) -> _Calendar:
    zone = ZoneInfo(zone_name)
    start = -math.inf if hours.start is None else first_moment(zone, hours.start)
    stop = math.inf if hours.stop is None else first_moment(zone, hours.stop)
    return _Calendar(hours, zone, start, stop, _merged(zone, hours.holidays))


def _merged(zone: ZoneInfo, spans: tuple[Span, ...]) -> tuple[Moments, ...]:
    merged: list[Moments] = []
    for begin, end in sorted(
        (first_moment(zone, s.begin), first_moment(zone, s.end)) for s in spans
    ):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif begin < end:
            merged.append((begin, end))
    return tuple(merged)


def _why_closed(calendar: _Calendar, now: float) -> Closed | None:
    if now >= calendar.stop:
        return Closed.AFTER_STOP
    if now < calendar.start:
        return Closed.BEFORE_START
    if _holiday_end(calendar, now) is not None:
        return Closed.HOLIDAY
    if _working(calendar, now)[0]:
        return None
    weekdays = calendar.hours.weekdays
    today = datetime.fromtimestamp(now, calendar.zone).date()
    is_off = weekdays is not None and _weekday(today) not in weekdays
    return Closed.NOT_A_WORKING_DAY if is_off else Closed.OUTSIDE_HOURS


def _opens_at(calendar: _Calendar, now: float) -> float | None:
    """Return the first moment from ``now`` on at which calls may start; None = never.

    Each turn of the loop goes to the end of what is in the way: a holiday takes about two turns.
    """
    moment: float | None = max(now, calendar.start)
    while moment is not None and moment < min(calendar.stop, MAX_MOMENT):
        end = _holiday_end(calendar, moment)
        if end is not None:
            moment = end
            continue
        is_open, changes_at = _working(calendar, moment)
        if is_open:
            return moment
        moment = changes_at
    return None


def _closes_at(calendar: _Calendar, now: float) -> float | None:
    _, hours_end = _working(calendar, now)
    ends = [calendar.stop, math.inf if hours_end is None else hours_end]
    following = bisect_right(calendar.holidays, (now, math.inf))
    ends += [begin for begin, _ in calendar.holidays[following : following + 1]]
    return min(ends) if min(ends) < math.inf else None


def _holiday_end(calendar: _Calendar, now: float) -> float | None:
    """Return the end of the holiday at ``now``; None = there is none."""
    at = bisect_right(calendar.holidays, (now, math.inf)) - 1
    if at < 0 or now >= calendar.holidays[at][1]:
        return None
    return calendar.holidays[at][1]


def _working(calendar: _Calendar, now: float) -> tuple[bool, float | None]:
    """Return whether ``now`` is in a work hour of a working weekday, and when that changes."""
    hours = calendar.hours
    if not hours.windows and (hours.weekdays is None or len(hours.weekdays) == 7):
        return True, None
    until = None
    for begin, end in _work_hours(calendar, now):
        if end <= now:
            continue
        if begin > (now if until is None else until):
            return (False, begin) if until is None else (True, until)
        until = end if until is None else max(until, end)
    return until is not None, None


def _work_hours(calendar: _Calendar, now: float) -> Iterator[Moments]:
    """Yield the work hours around ``now`` and for three weeks after it, by their beginnings."""
    today = datetime.fromtimestamp(now, calendar.zone).date()
    windows = sorted(calendar.hours.windows or WHOLE_DAY, key=lambda window: window.begin)
    for day in _working_days(today, calendar.hours.weekdays):
        for window in windows:
            if window.weekday in (None, _weekday(day)):
                begin, end = _bounds(calendar.zone, window, day)
                if begin < end:
                    yield begin, end


@lru_cache(maxsize=1024)
def _working_days(today: date, weekdays: frozenset[int] | None) -> tuple[date, ...]:
    """Return the days around ``today`` that fall on ``weekdays``; None = on any."""
    if weekdays is not None and not weekdays:
        return ()
    days = rrule(
        DAILY,
        dtstart=datetime.combine(today, time()) - timedelta(days=DAYS_BACK),
        until=datetime.combine(today, time()) + timedelta(days=DAYS_AHEAD),
        byweekday=None if weekdays is None else [_WEEK[weekday] for weekday in weekdays],
    )
    return tuple(day.date() for day in days)


def _bounds(zone: ZoneInfo, window: Window, day: date) -> Moments:
    midnight = datetime.combine(day, time())
    past_midnight = timedelta(days=1 if window.begin > window.end else 0)
    begin = midnight + timedelta(seconds=window.begin)
    end = midnight + timedelta(seconds=window.end) + past_midnight
    return first_moment(zone, begin), first_moment(zone, end)


def _weekday(day: date) -> int:
    """Return 0 = Sunday … 6 = Saturday."""
    return day.isoweekday() % 7


@lru_cache(maxsize=8192)
def first_moment(zone: ZoneInfo, local: datetime) -> float:
    """Return the first moment (unix seconds) at which the zone's clock shows ``local`` or later.

    A date-time that has a zone of its own is that moment.
    """
    if local.tzinfo is not None:
        return local.timestamp()
    first = local.replace(tzinfo=zone, fold=0)
    if first.utcoffset() == tz.enfold(first).utcoffset() or tz.datetime_exists(first):
        return first.timestamp()  # an ordinary time, or the first of two
    return _end_of_gap(zone, local).timestamp()


def _end_of_gap(zone: ZoneInfo, local: datetime) -> datetime:
    """Return the first time that the zone's clock shows after ``local``, which it skips."""
    skipped = local.replace(tzinfo=zone)
    length = tz.resolve_imaginary(skipped) - skipped
    seconds = range(math.ceil(length.total_seconds()) + 1)
    ahead = bisect_left(seconds, True, key=lambda s: tz.datetime_exists(skipped + timedelta(0, s)))
    return skipped + timedelta(seconds=ahead)
