"""When a task may call, as its document says it (docs/redis-contract.rst)."""

from __future__ import annotations

from datetime import datetime

from ctidialer.contract import fields, times
from ctidialer.contract.document import Params, Place
from ctidialer.contract.hours import CallingHours, Span, Window

WORK_HOUR_SPELLINGS = ("work_hour", "work_time")
_ANY_DAY = -1


def read_hours(params: Params) -> CallingHours:
    """Return the calling hours; empty lists restrict nothing, as if they were not there."""
    return CallingHours(
        timezone=params.optional("timezone", times.timezone, None),
        start=params.optional("start_time", times.moment, None),
        stop=params.optional("stop_time", times.moment, None),
        windows=params.optional("work_hour", read_windows, ()),
        weekdays=params.optional("work_week", read_weekdays, None),
        holidays=params.optional("holiday", read_holidays, ()),
    )


def rows(node: Place) -> list[Place]:
    """Return the entries of a ``work_hour`` or ``holiday`` without rows that a form left empty."""
    entries = [node] if isinstance(node.value, str) else fields.items(node)
    return [entry for entry in entries or () if not _is_left_empty(entry.value)]


def _is_left_empty(entry: object) -> bool:
    """Return whether nobody wrote a time in an entry.

    One without the keys of a time is not empty: it may have misspelt ones.
    """
    if not isinstance(entry, dict) or fields.is_configured(entry.get("begin")):
        return False
    if fields.is_configured(entry.get("end")) or not ("begin" in entry or "end" in entry):
        return False
    return str(entry.get("wday")).strip() in ("None", "", str(_ANY_DAY))


def read_windows(node: Place) -> tuple[Window, ...]:
    """Return the windows of a ``work_hour``."""
    return tuple(_window(row) for row in rows(node))


def _window(node: Place) -> Window:
    window = _entry(node)
    return Window(
        begin=window.required("begin", times.time_of_day, 0),
        end=window.required("end", times.end_of_day, 0),
        weekday=window.optional("wday", _window_day, None),
    )


def _window_day(node: Place) -> int | None:
    day = fields.whole(node, _ANY_DAY, 7)
    return None if day is None or day == _ANY_DAY else day % 7


def read_weekdays(node: Place) -> frozenset[int] | None:
    """Return the days of a ``work_week``; None = every day."""
    days = (times.weekday(item) for item in fields.some_items(node) or ())
    return frozenset(day for day in days if day is not None) or None


def read_holidays(node: Place) -> tuple[Span, ...]:
    """Return the spans of a ``holiday``."""
    spans = (_holiday(row) for row in rows(node))
    return tuple(span for span in spans if span is not None)


def _holiday(node: Place) -> Span | None:
    if times.is_date(node.value):
        begin = times.moment(node)
        return None if begin is None else _span(begin, times.end_moment(node))
    span = _entry(node)
    begin = span.required("begin", times.moment, None)
    return _span(begin, span.required("end", times.end_moment, None))


def _span(begin: datetime | None, end: datetime | None) -> Span | None:
    return None if begin is None or end is None else Span(begin, end)


def _entry(node: Place) -> Params:
    found = fields.members(node)
    return Params(found or {}, node, complete=found is not None)
