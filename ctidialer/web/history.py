"""What the dashboard's charts are made of: the last ten minutes, the last hour, today."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta

from ctidialer.contract.minute import MINUTE, Minute
from ctidialer.nodes.daemon import Totals
from ctidialer.nodes.minutes import read_minutes, together
from ctidialer.rules.moments import moment_of
from ctidialer.settings import Node
from ctidialer.store.link import Link
from ctidialer.web.documents import HistoryPage, SampleEntry
from ctidialer.web.node_api import NO_REDIS
from ctidialer.web.routes import get

KEPT_SECONDS = 600
HOUR = 3600.0
QUARTER = 900.0
"""Seconds: every zone's midnight is at the beginning of a quarter of an hour."""


class Span(enum.Enum):
    """How far back a history goes."""

    TEN_MINUTES = "10m"
    HOUR = "hour"
    TODAY = "today"


class HistoryQuery(msgspec.Struct):
    """Which history."""

    span: Annotated[
        Span,
        Meta(
            description="the last ten minutes by the second (default), the last hour by the minute,"
            " or today, in the node's zone, by the quarter of an hour"
        ),
    ] = Span.TEN_MINUTES


class History:
    """Takes a sample of running totals whenever it is told to, and keeps the last ones.

    ``totals`` gives the present ones; ``lag`` is in seconds.  What is older stands in Redis, by the
    minute, on the other end of ``link``.
    """

    def __init__(
        self, node: Node, totals: Callable[[], Totals], lag: Callable[[], float], link: Link
    ) -> None:
        self._node = node
        self._totals = totals
        self._lag = lag
        self._link = link
        self._before = totals()
        self._samples: deque[SampleEntry] = deque(maxlen=KEPT_SECONDS)

    def take(self, now: float) -> SampleEntry:
        """Take the sample of the second that ends ``now`` (unix seconds)."""
        totals = self._totals()
        told = totals.since(self._before)
        sample = SampleEntry(
            at=round(now, 3),
            started=told.placed,
            calls=told.calls,
            outcomes=told.outcomes,
            talks=told.talks,
            talk_seconds=told.talk_seconds,
            lag_ms=round(self._lag() * 1000, 3),
        )
        self._before = totals
        self._samples.append(sample)
        return sample

    @get("/api/history", "What happened in the last ten minutes, hour, or today", others=NO_REDIS)
    async def page(self, query: HistoryQuery) -> HistoryPage:
        """Return all samples, the oldest first."""
        if query.span is Span.TEN_MINUTES:
            return HistoryPage(1, KEPT_SECONDS, list(self._samples))
        if query.span is Span.HOUR:
            return await self._by_minutes(MINUTE, HOUR)
        now = self._now
        return await self._by_minutes(QUARTER, now - moment_of("today", now, self._node.timezone))

    async def _by_minutes(self, step: float, seconds: float) -> HistoryPage:
        """Return what stands in Redis, and what is not there yet as the seconds tell it."""
        now = self._now
        minutes = await read_minutes(self._link, self._node.host, now - seconds, now)
        written = minutes[-1].at if minutes else 0.0
        minutes += [_as_minute(one) for one in self._samples if one.at > written]
        steps = [_as_sample(one) for one in together(minutes, step)]
        return HistoryPage(round(step), round(seconds), steps)

    @property
    def _now(self) -> float:
        return self._link.clock.seconds()


def _as_minute(sample: SampleEntry) -> Minute:
    told = msgspec.structs.asdict(sample)
    del told["lag_ms"]  # of a second only
    return Minute(**told)


def _as_sample(minute: Minute) -> SampleEntry:
    return SampleEntry(**msgspec.structs.asdict(minute))
