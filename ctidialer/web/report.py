"""What became of the numbers: summed up in a process of its own, and kept for a while."""

from __future__ import annotations

from collections.abc import Callable
from time import time

from twisted.internet.interfaces import IReactorTime

from ctidialer.rules.moments import NoMoment, since_and_until
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
        texts = query.since or None, query.until or None
        try:
            since, until = since_and_until(*texts, self._now(), self._zone)
        except NoMoment as error:
            raise Refusal(400, str(error)) from None
        wanted = (query.task, query.since, query.until, query.by, query.tasks)
        details = {"task": query.task or None, "since": since, "until": until}
        more = {"by": query.by, "tasks": query.tasks}
        return Answer(body=await self._looks.look(wanted, "report", **details, **more))
