"""Times of day and dates as back ends write them, read by strict patterns.

Full-width digits and colons are taken, zero-padding is not needed, seconds may be left out.  A
date-time is local, without zone, where the document gives none; with ``Z`` or an offset, or as unix
time, it is a moment in UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from datetime import timezone as offset_zone
from zoneinfo import ZoneInfo

from ctidialer.contract.document import Place, shown
from ctidialer.contract.fields import as_written, decimal, normalised, whole, word
from ctidialer.contract.hours import SECONDS_A_DAY
from ctidialer.contract.problems import Problem

# Dates outside are brought in: they mean "always" and "never", and nothing must overflow when
# they are moved to another time zone.
EARLIEST = datetime(1971, 1, 1)
LATEST = datetime(9998, 12, 31)

MAX_SECOND = 1e15
"""The largest unix time in seconds or milliseconds that is read."""

_MIN_MILLISECONDS = 1e12
"""From here on a unix time is in milliseconds: in seconds it would be the year 33658."""

_CLOCK = r"([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2}))?(?:\.[0-9]+)?"
_TIME_OF_DAY = re.compile(_CLOCK)
_DATE = r"([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})"
_OFFSET = r"(?:\s*(?:([Zz])|([+-])([01][0-9]|2[0-3]):?([0-5][0-9])?))?"
_MOMENT = re.compile(rf"{_DATE}(?:(?:\s+|[Tt]){_CLOCK}{_OFFSET})?")
_UNIX_TIME = re.compile(r"([0-9]{10}|[0-9]{13})(?:\.[0-9]+)?")
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,3}")


def time_of_day(node: Place) -> int | None:
    """Read ``8:00`` or ``08:00:00`` as seconds since midnight; fractions are left out."""
    return _time_of_day(node, SECONDS_A_DAY - 1)


def end_of_day(node: Place) -> int | None:
    """Read a time of day as an end: ``24:00`` is one too."""
    return _time_of_day(node, SECONDS_A_DAY)


def moment(node: Place) -> datetime | None:
    """Read a date-time: local without zone, or in UTC where the document says of which zone it is.

    ``2020-1-20 12:00``, ``2020/01/20 12:00:00``, ``2020-01-20`` (its midnight), ISO 8601, unix
    seconds (10 digits) and milliseconds (13).  ``24:00`` is the midnight that ends the day; parts
    of a second are left out.
    """
    return _moment(node, timedelta())


def end_moment(node: Place) -> datetime | None:
    """Read a date-time as `moment` does, but a date alone as the midnight that ends it."""
    return _moment(node, timedelta(days=1))


def is_date(value: object) -> bool:
    """Return whether a value is a date alone."""
    match = _match(_MOMENT, value)
    return match is not None and match[5] is None


def unix_time(node: Place) -> float | None:
    """Read unix seconds, milliseconds (from 10^12 on), or a date-time with its offset, as seconds.

    0 is one too.  A date-time without offset is a fault: nothing says of which zone it is.
    """
    if isinstance(node.value, str) and _match(_MOMENT, node.value):
        found = moment(node)
        if found is not None and found.tzinfo is None:
            node.fault(Problem.NO_OFFSET.of(value=shown(node.value)))
            return None
        return None if found is None else found.timestamp()
    value = decimal(node, 0, MAX_SECOND)
    return value / 1000 if value is not None and value >= _MIN_MILLISECONDS else value


def weekday(node: Place) -> int | None:
    """Read a weekday: 0 = Sunday … 6 = Saturday; 7 is Sunday, too."""
    day = whole(node, 0, 7)
    return None if day is None else day % 7


def timezone(node: Place) -> str | None:
    """Read the IANA name of a time zone."""
    name = word(node)
    if name is None:
        return None
    if not is_timezone(name):
        node.fault(Problem.NO_TIMEZONE.of(value=shown(name)))
        return None
    return name


def is_timezone(name: str) -> bool:
    """Return whether ``name`` is the IANA name of a time zone."""
    if not _ZONE.fullmatch(name):
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _moment(node: Place, length: timedelta) -> datetime | None:
    """Read a date-time; ``length`` is added to a date alone."""
    match = _match(_MOMENT, node.value)
    if match is None:
        return _instant(node)
    clock = 0 if match[5] is None else _clock(*match.group(5, 6, 7))
    if clock is None or clock > SECONDS_A_DAY:
        node.fault(Problem.NO_MOMENT.of(value=shown(node.value)))
        return None
    try:
        day = datetime(int(match[1]), int(match[3]), int(match[4]))
    except ValueError:
        node.fault(Problem.NO_DAY.of(value=shown(node.value)))
        return None
    local = min(max(day, EARLIEST), LATEST) + timedelta(seconds=clock)
    zone = _offset(*match.group(8, 9, 10, 11))
    if zone is not None:
        return local.replace(tzinfo=zone).astimezone(UTC)
    return local + length if match[5] is None else local


def _offset(zulu: str | None, sign: str | None, hours: str, minutes: str | None) -> tzinfo | None:
    """Return the zone of an offset, None if there is none."""
    if zulu is None and sign is None:
        return None
    ahead = timedelta() if zulu else timedelta(hours=int(hours), minutes=int(minutes or 0))
    return offset_zone(-ahead if sign == "-" else ahead)


def _instant(node: Place) -> datetime | None:
    """Read unix time; fewer or more digits might as well be something else."""
    match = _match(_UNIX_TIME, as_written(node.value))
    if match is None:
        node.fault(Problem.NO_MOMENT.of(value=shown(node.value)))
        return None
    seconds = int(match[1]) if len(match[1]) == 10 else int(match[1]) // 1000
    return datetime.fromtimestamp(seconds, UTC)


def _time_of_day(node: Place, latest: int) -> int | None:
    match = _match(_TIME_OF_DAY, node.value)
    clock = None if match is None else _clock(*match.groups())
    if clock is None or clock > latest:
        node.fault(Problem.NO_TIME_OF_DAY.of(value=shown(node.value)))
        return None
    return clock


def _match(pattern: re.Pattern[str], value: object) -> re.Match[str] | None:
    return pattern.fullmatch(normalised(value)) if isinstance(value, str) else None


def _clock(hours: str, minutes: str, seconds: str | None) -> int | None:
    parts = int(hours), int(minutes), int(seconds or 0)
    if parts[1] > 59 or parts[2] > 59:
        return None
    return parts[0] * 3600 + parts[1] * 60 + parts[2]
