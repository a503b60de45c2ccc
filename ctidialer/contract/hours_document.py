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
    return tuple(_window(item) for item in fields.items(node) or ())


def _window(node: Node) -> Window:
    window = _entry(node)
    return Window(
        begin=window.required("begin", times.time_of_day, 0),
        end=window.required("end", times.end_of_day, 0),
        weekday=window.optional("wday", _window_day, None),
    )


def _window_day(node: Node) -> int | None:
    day = fields.whole(node, _ANY_DAY, 7)
    return None if day is None or day == _ANY_DAY else day % 7


def _weekdays(node: Node) -> frozenset[int] | None:
    days = (times.weekday(item) for item in fields.items(node) or ())
    return frozenset(day for day in days if day is not None) or None


def _holidays(node: Node) -> tuple[Span, ...]:
    return tuple(_holiday(item) for item in fields.items(node) or ())


def _holiday(node: Node) -> Span:
    span = _entry(node)
    never = datetime.min
    return Span(
        begin=span.required("begin", times.moment, never),
        end=span.required("end", times.moment, never),
    )


def _entry(node: Node) -> Params:
    found = fields.members(node)
    return Params(found or {}, node, complete=found is not None)
