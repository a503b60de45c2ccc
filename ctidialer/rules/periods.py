"""Days and hours by the local time of a zone."""

from __future__ import annotations

import enum
from datetime import datetime
from zoneinfo import ZoneInfo

_SLOT = 900  # seconds: no clock of today is off by less than a quarter of an hour
_MAX_KNOWN = 100_000


class By(enum.Enum):
    """How long a period is."""

    DAY = "day"
    HOUR = "hour"


class Periods:
    """The days or hours of the IANA ``zone``.

    An hour that a clock shows twice, because it was set back, is two periods.
    """

    def __init__(self, by: By, zone: str) -> None:
        self.by = by
        self.zone = zone
        self._local = ZoneInfo(zone)
        self._known: dict[int, float] = {}

    def begin(self, at: float) -> float:
        """Return when the period of a moment began; both are unix seconds."""
        slot = int(at // _SLOT)
        begin = self._known.get(slot)
        if begin is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            begin = self._known[slot] = self._worked_out(float(slot * _SLOT))
        return begin

    def label(self, begin: float) -> str:
        """Return what people call the period that begins then: ``2026-11-28 20:00``."""
        form = "%Y-%m-%d" if self.by is By.DAY else "%Y-%m-%d %H:00"
        return datetime.fromtimestamp(begin, self._local).strftime(form)

    def _worked_out(self, at: float) -> float:
        local = datetime.fromtimestamp(at, self._local)
        hour = 0 if self.by is By.DAY else local.hour
        fold = 0 if self.by is By.DAY else local.fold
        return local.replace(hour=hour, minute=0, second=0, microsecond=0, fold=fold).timestamp()
