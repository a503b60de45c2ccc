"""What became of the numbers: summed up in a process of its own, and kept for a while."""

from __future__ import annotations

from collections.abc import Callable
from time import time

from twisted.internet.interfaces import IReactorTime

from ctidialer.rules.moments import NoMoment, moment_of
from ctidialer.rules.results_document import ResultsDocument
from ctidialer.web.answers import Answer, Refusal
from ctidialer.web.kept_looks import KeptLooks, Looks
from ctidialer.web.node_api import NO_REDIS
from ctidialer.web.queries import ReportQuery
from ctidialer.web.routes import get


class ReportApi:
    """Answers what became of the numbers of this host; days are those of the IANA ``zone``."""

    def __init__(
        self, zone: str, aside: Looks, clock: IReactorTime, now: Callable[[], float] = time
    ) -> None:
        self._zone = zone
        self._looks = KeptLooks(aside, clock)
        self._now = now

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
        details = {"task": query.task or None, "since": since, "until": until}
        more = {"by": query.by, "tasks": query.tasks}
        return Answer(body=await self._looks.look(wanted, "report", **details, **more))

    def _moment(self, name: str, text: str) -> float | None:
        try:
            return moment_of(text, self._now(), self._zone) if text else None
        except NoMoment as error:
            raise Refusal(400, f"{name} {error}") from None
