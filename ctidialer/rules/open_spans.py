"""The times of one day at which a task may start calls: for people who look at a task."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ctidialer.contract.hours import CallingHours
from ctidialer.rules.calling_hours import Moments, first_moment, opening

MAX_SPANS = 100
"""Spans of one day that are told."""


def day_of(zone_name: str, now: float) -> Moments:
    """Return the beginning and the end of the day of ``now`` in an IANA zone (unix seconds)."""
    zone = ZoneInfo(zone_name)
    midnight = datetime.fromtimestamp(now, zone).replace(
        hour=0, minute=0, second=0, microsecond=0, tzinfo=None
    )
    return first_moment(zone, midnight), first_moment(zone, midnight + timedelta(days=1))


def open_spans(hours: CallingHours, node_zone: str, day: Moments) -> tuple[Moments, ...]:
    """Return the spans of a day in which calls may start, in order, at most MAX_SPANS."""
    return tuple(_spans(hours, node_zone, *day))


def _spans(hours: CallingHours, node_zone: str, begin: float, end: float) -> Iterator[Moments]:
    at, told = begin, 0
    while at < end and told < MAX_SPANS:
        now = opening(hours, node_zone, at)
        until = min(end, math.inf if now.changes_at is None else now.changes_at)
        if now.open:
            yield at, until
            told += 1
        at = until
