"""Which number formats of a workbook show dates, and the dates that its numbers stand for."""

from __future__ import annotations

import datetime
import enum
import re


class Shown(enum.Enum):
    """As what a number format shows a number."""

    NUMBER = enum.auto()
    DATE = enum.auto()
    ELAPSED = enum.auto()


SheetMoment = datetime.datetime | datetime.date | datetime.time | datetime.timedelta

# Formats with a number of their own; the later ones are those of East Asian Excels.
_BUILT_IN_DATES = frozenset({*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)})
_BUILT_IN_ELAPSED = 46

_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_NO_CODE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_OF_DATES = re.compile(r"[ymdhs]", re.IGNORECASE)
_FIRST_DAY = datetime.datetime(1899, 12, 30)
_FIRST_DAY_1904 = datetime.datetime(1904, 1, 1)
_FALSE_LEAP_DAY = 60  # 1900 counts as a leap year: before it a day is missing


def shown_by(number: int, code: str | None) -> Shown:
    """Return what the format of this number shows; ``code`` is its text, None = built in."""
    if code is None:
        if number == _BUILT_IN_ELAPSED:
            return Shown.ELAPSED
        return Shown.DATE if number in _BUILT_IN_DATES else Shown.NUMBER
    first = code.split(";")[0]
    if _ELAPSED.search(first):
        return Shown.ELAPSED
    is_date = _OF_DATES.search(_NO_CODE.sub("", first)) and "general" not in first.lower()
    return Shown.DATE if is_date else Shown.NUMBER


def moment_of(serial: float, shown: Shown, from_1904: bool) -> SheetMoment:
    """Return what a number of days stands for: a date, with a fraction a moment, below one a time.

    Raises OverflowError for what is beyond the calendar.
    """
    if shown is Shown.ELAPSED:
        return _days(serial)
    if 0 <= serial < 1:
        return (_FIRST_DAY + _days(serial)).time()
    first = _FIRST_DAY_1904 if from_1904 else _FIRST_DAY
    early = not from_1904 and serial < _FALSE_LEAP_DAY
    moment = first + _days(serial + early)
    return moment if serial % 1 else moment.date()


def _days(count: float) -> datetime.timedelta:
    return datetime.timedelta(milliseconds=round(count * 86_400_000))
