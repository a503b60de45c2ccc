"""When a task may call, as its document says it (docs/redis-contract.rst)."""

from __future__ import annotations

from datetime import datetime

from ctidialer.contract import fields, times
from ctidialer.contract.document import Node, Params
from ctidialer.contract.task import CallingHours, Span, Window

WORK_HOUR_SPELLINGS = ("work_hour", "work_time")
_ANY_DAY = -1


def read_hours(params: Params) -> CallingHours:
    """Return the calling hours; empty lists restrict nothing, as if they were not there."""
    return CallingHours(
        timezone=params.optional("timezone", times.timezone, None),
        start=params.optional("start_time", times.moment, None),
        stop=params.optional("stop_time", times.moment, None),
        windows=params.optional("work_hour", _windows, ()),
        weekdays=params.optional("work_week", _weekdays, None),
        holidays=params.optional("holiday", _holidays, ()),
    )


def _windows(node: Node) -> tuple[Window, ...]:
    found = (_window(item) for item in fields.items(node) or ())
    return tuple(window for window in found if window is not None)


def _window(node: Node) -> Window | None:
    window = _entry(node)
    weekday = window.optional("wday", _window_day, None)
    if weekday is None and _is_left_empty(node, window):
        return None
    return Window(
        begin=window.required("begin", times.time_of_day, 0),
        end=window.required("end", times.end_of_day, 0),
        weekday=weekday,
    )


def _window_day(node: Node) -> int | None:
    day = fields.whole(node, _ANY_DAY, 7)
    return None if day is None or day == _ANY_DAY else day % 7


def _weekdays(node: Node) -> frozenset[int] | None:
    days = (times.weekday(item) for item in fields.some_items(node) or ())
    return frozenset(day for day in days if day is not None) or None


def _holidays(node: Node) -> tuple[Span, ...]:
    days = [node] if isinstance(node.value, str) else fields.items(node)
    found = (_holiday(item) for item in days or ())
    return tuple(span for span in found if span is not None)


def _holiday(node: Node) -> Span | None:
    if times.is_date(node.value):
        begin = times.moment(node)
        return None if begin is None else _span(begin, times.end_moment(node))
    span = _entry(node)
    if _is_left_empty(node, span):
        return None
    return _span(
        span.required("begin", times.moment, None), span.required("end", times.end_moment, None)
    )


def _span(begin: datetime | None, end: datetime | None) -> Span | None:
    return None if begin is None or end is None else Span(begin, end)


def _is_left_empty(node: Node, entry: Params) -> bool:
    """Return whether an entry is a row of a form in which nobody wrote a time.

    One without these keys is none: it may have misspelt ones.
    """
    if entry.get("begin") or entry.get("end") or not isinstance(node.value, dict):
        return False
    return "begin" in node.value or "end" in node.value


def _entry(node: Node) -> Params:
    found = fields.members(node)
    return Params(found or {}, node, complete=found is not None)
