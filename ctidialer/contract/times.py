"""Times of day and dates as back ends write them, read by strict patterns.

Full-width digits and colons are taken, zero-padding is not needed, seconds may be left out.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ctidialer.contract.document import Node, shown
from ctidialer.contract.fields import normalised, whole, word
from ctidialer.contract.task import SECONDS_A_DAY

# Dates outside are brought in: they mean "always" and "never", and nothing must overflow when
# they are moved to another time zone.
EARLIEST = datetime(1971, 1, 1)
LATEST = datetime(9998, 12, 31)

_CLOCK = r"([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2}))?"
_TIME_OF_DAY = re.compile(_CLOCK)
_MOMENT = re.compile(rf"([0-9]{{4}})-([0-9]{{1,2}})-([0-9]{{1,2}})(?:\s+|T){_CLOCK}")
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,3}")


def time_of_day(node: Node) -> int | None:
    """Read ``8:00`` or ``08:00:00`` as seconds since midnight."""
    return _time_of_day(node, SECONDS_A_DAY - 1)


def end_of_day(node: Node) -> int | None:
    """Read a time of day as an end: ``24:00`` is one too."""
    return _time_of_day(node, SECONDS_A_DAY)


def moment(node: Node) -> datetime | None:
    """Read ``2020-1-20 12:00`` or ``2020-01-20 12:00:00``, a local time without zone.

    ``24:00`` is the midnight that ends the day.
    """
    match = _match(_MOMENT, node.value)
    clock = None if match is None else _clock(*match.group(4, 5, 6))
    if match is None or clock is None or clock > SECONDS_A_DAY:
        node.fault(f"must be a date and time like 2020-1-20 12:00:00, not {shown(node.value)}")
        return None
    try:
        day = datetime(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        node.fault(f"is no day of the calendar: {shown(node.value)}")
        return None
    return min(max(day, EARLIEST), LATEST) + timedelta(seconds=clock)


def weekday(node: Node) -> int | None:
    """Read a weekday: 0 = Sunday … 6 = Saturday; 7 is Sunday, too."""
    day = whole(node, 0, 7)
    return None if day is None else day % 7


def timezone(node: Node) -> str | None:
    """Read the IANA name of a time zone."""
    name = word(node)
    if name is None:
        return None
    if not is_timezone(name):
        node.fault(f"must be an IANA time zone like Asia/Shanghai, not {shown(name)}")
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


def _time_of_day(node: Node, latest: int) -> int | None:
    match = _match(_TIME_OF_DAY, node.value)
    clock = None if match is None else _clock(*match.groups())
    if clock is None or clock > latest:
        node.fault(f"must be a time of day like 8:00 or 08:00:00, not {shown(node.value)}")
        return None
    return clock


def _match(pattern: re.Pattern[str], value: object) -> re.Match[str] | None:
    return pattern.fullmatch(normalised(value)) if isinstance(value, str) else None


def _clock(hours: str, minutes: str, seconds: str | None) -> int | None:
    parts = int(hours), int(minutes), int(seconds or 0)
    if parts[1] > 59 or parts[2] > 59:
        return None
    return parts[0] * 3600 + parts[1] * 60 + parts[2]
