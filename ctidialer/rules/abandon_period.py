"""The periods over which the share of abandoned calls is taken: docs/agents.rst."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from ctidialer.contract.agent_dialing import AbandonPeriod

DAY = 86_400.0
MONTH = 30 * DAY


def period_start(
    period: AbandonPeriod, start: datetime | None, zone_name: str, now: float
) -> float:
    """Return when the present period began, in unix seconds.

    ``start``: the task's ``start_time``; without one, periods of 30 days are counted from the
    beginning of 1970 in the zone.  A day begins at midnight of the zone, however long it is.
    """
    zone = ZoneInfo(zone_name)
    if period is AbandonPeriod.DAY:
        local = datetime.fromtimestamp(now, zone)
        return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).timestamp()
    first = datetime(1970, 1, 1, tzinfo=zone) if start is None else start
    if first.tzinfo is None:
        first = first.replace(tzinfo=zone)
    begin = first.timestamp()
    return begin + max(0.0, (now - begin) // MONTH) * MONTH
