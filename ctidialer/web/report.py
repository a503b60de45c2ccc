"""What became of the numbers: summed up in a process of its own, and kept for a while."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import time
from typing import NamedTuple, Protocol

from twisted.internet.interfaces import IReactorTime

from ctidialer.rules.moments import NoMoment, moment_of
from ctidialer.rules.results_document import ResultsDocument
from ctidialer.web.answers import Answer, Refusal
from ctidialer.web.aside import LookFailed
from ctidialer.web.node_api import NO_REDIS
from ctidialer.web.queries import ReportQuery
from ctidialer.web.routes import get

MIN_KEPT = 15.0
"""Least seconds for which a report is kept and answered again."""

KEPT_PER_SECOND = 20.0
"""Seconds that a report is kept for each second it took: so it costs a twentieth of a core."""

MAX_KEPT = 20
"""Reports that are kept at once, each of other numbers."""


class Looks(Protocol):
    """Runs a look in a process of its own."""

    def look(self, name: str, **details: object) -> Awaitable[bytes]:
        """Return the JSON of a look; raises LookFailed."""


class _Kept(NamedTuple):
    body: bytes
    until: float


class ReportApi:
    """Answers what became of the numbers of this host; days are those of the IANA ``zone``."""

    def __init__(
        self, zone: str, aside: Looks, clock: IReactorTime, now: Callable[[], float] = time
    ) -> None:
        self._zone = zone
        self._aside = aside
        self._clock = clock
        self._now = now
        self._kept: dict[tuple[object, ...], _Kept] = {}

    @get(
        "/api/report",
        "What became of the numbers, by task and by day or hour",
        answer=ResultsDocument,
        others=NO_REDIS,
    )
    async def report(self, query: ReportQuery) -> Answer:
        """Return the sums of the records; `at` says when they were read."""
        since, until = self._moment("since", query.since), self._moment("until", query.until)
        wanted = (query.task, query.since, query.until, query.by, query.tasks)
        kept = self._kept.get(wanted)
        if kept is not None and self._clock.seconds() < kept.until:
            return Answer(body=kept.body)
        details = {"task": query.task or None, "since": since, "until": until}
        began = self._clock.seconds()
        try:
            body = await self._aside.look("report", **details, by=query.by, tasks=query.tasks)
        except LookFailed as error:
            raise Refusal(503, str(error)) from None
        self._keep(wanted, body, self._clock.seconds() - began)
        return Answer(body=body)

    def _moment(self, name: str, text: str) -> float | None:
        try:
            return moment_of(text, self._now(), self._zone) if text else None
        except NoMoment as error:
            raise Refusal(400, f"{name} {error}") from None

    def _keep(self, wanted: tuple[object, ...], body: bytes, took: float) -> None:
        ended = self._clock.seconds()
        self._kept = {key: kept for key, kept in self._kept.items() if ended < kept.until}
        if len(self._kept) < MAX_KEPT:
            self._kept[wanted] = _Kept(body, ended + max(MIN_KEPT, took * KEPT_PER_SECOND))
