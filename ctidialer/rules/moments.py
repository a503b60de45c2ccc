"""Moments as people type them: ``2026-11-28 20:00``, ``20:00``, ``today``, ``2h`` ago."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_AGO = re.compile(r"([0-9]{1,6})\s*([smhdw])(?:\s+ago)?")
_SPAN = re.compile(r"([0-9]{1,6})\s*([smhdw])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_UNIX = re.compile(r"[0-9]{9,11}(?:\.[0-9]{1,9})?")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_DATE = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?:[T\s]+(\S.*))?")
_OFFSET = re.compile(r"(.*?)\s*(Z|[+-][0-9]{2}:?[0-9]{2})")
FORM = (
    r"^\s*(today|yesterday|week|[0-9]{1,6}\s*[smhdw](\s+ago)?|[0-9]{9,11}(\.[0-9]{1,9})?"
    r"|[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?|[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}([T\s].*)?)?\s*$"
)
"""A pattern of all moments, for the description of the API; an empty text = none was given."""

_DAYS_AGO: dict[str, Callable[[datetime], int]] = {
    "today": lambda now: 0,
    "yesterday": lambda now: 1,
    "week": datetime.weekday,  # since Monday
}


class NoMoment(ValueError):
    """The text is not a moment, or one that cannot be meant; the message says what can be."""


class NoSpan(ValueError):
    """The text is not a span of time; the message shows what one looks like."""


def span_of(text: str) -> int:
    """Return the seconds of a span of time, ``30m`` say.  Raises NoSpan; it is never 0."""
    found = _SPAN.fullmatch(text.strip())
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not seconds:
        raise NoSpan(f"must be a span of time like 90s, 30m, 2h or 1d, not {text!r}")
    return seconds


def moment_of(text: str, now: float, zone: str) -> float:
    """Return the unix time that ``text`` means at ``now``, in the IANA ``zone``.

    ``20:00`` is today at 20:00.  A date alone, ``today``, ``yesterday`` and ``week`` (from Monday)
    mean the beginning of that time.  ``Z`` or an offset behind a date and time replaces the zone.
    Unix seconds may be given too.  Raises NoMoment.
    """
    text = text.strip()
    if _UNIX.fullmatch(text):
        return float(text)
    ago = _AGO.fullmatch(text)
    if ago:
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        return _local(text, datetime.fromtimestamp(now, ZoneInfo(zone))).timestamp()
    except (ValueError, OverflowError) as error:
        raise NoMoment(
            f"must be a moment like 2026-11-28 20:00, 20:00 (today), week or 2h (ago), not {text!r}"
        ) from error


def since_and_until(
    since: str | None, until: str | None, now: float, zone: str, prefix: str = ""
) -> tuple[float | None, float | None]:
    """Return the unix times between which something shall lie; None = no bound.

    Raises NoMoment, with a message that names the one at fault, behind a ``prefix`` like ``--``.
    """
    begin = _named(f"{prefix}since", since, now, zone)
    end = _named(f"{prefix}until", until, now, zone)
    if begin is not None and end is not None and end <= begin:
        raise NoMoment(
            f"{prefix}until must be later than {prefix}since: nothing lies between {since!r} and"
            f" {until!r}"
        )
    return begin, end


def _named(name: str, text: str | None, now: float, zone: str) -> float | None:
    try:
        return None if text is None else moment_of(text, now, zone)
    except NoMoment as error:
        raise NoMoment(f"{name} {error}") from error


def _local(text: str, now: datetime) -> datetime:
    days_ago = _DAYS_AGO.get(text)
    if days_ago is not None:
        return _at_time(now.replace(fold=0) - timedelta(days=days_ago(now)), 0, 0, 0)
    clock = _CLOCK.fullmatch(text)
    if clock:
        return _at(now.replace(fold=0), clock)
    date = _DATE.fullmatch(text)
    if date is None:
        raise ValueError(text)
    day = datetime(int(date[1]), int(date[2]), int(date[3]), tzinfo=now.tzinfo)
    return _on(day, date[4]) if date[4] else day


def _on(day: datetime, text: str) -> datetime:
    offset = _OFFSET.fullmatch(text)
    clock = _CLOCK.fullmatch(offset[1] if offset else text)
    if clock is None:
        raise ValueError(text)
    if offset:
        day = day.replace(tzinfo=datetime.strptime(offset[2], "%z").tzinfo)
    return _at(day, clock)


def _at(day: datetime, clock: re.Match[str]) -> datetime:
    hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
    if (hour, minute, second) == (24, 0, 0):
        return _at_time(day, 0, 0, 0) + timedelta(days=1)
    return _at_time(day, hour, minute, second)


def _at_time(day: datetime, hour: int, minute: int, second: int) -> datetime:
    return day.replace(hour=hour, minute=minute, second=second, microsecond=0)
