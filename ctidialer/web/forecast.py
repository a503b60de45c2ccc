"""What is foreseen of a task's list: simulated in a process of its own, and kept for a while."""

from __future__ import annotations

import msgspec
from twisted.internet.interfaces import IReactorTime

from ctidialer.contract.forecast import Forecast
from ctidialer.nodes.daemon import DaemonView
from ctidialer.web.answers import Answer, Refusal
from ctidialer.web.kept_looks import KeptLooks, Looks
from ctidialer.web.node_api import NO_REDIS
from ctidialer.web.queries import ForecastQuery
from ctidialer.web.routes import get
from ctidialer.web.tables_api import NO_TASK, no_task


class _Problem(msgspec.Struct):
    """Of the answer only why there is no forecast; empty = there is one."""

    problem: str = ""


class ForecastApi:
    """Foresees the tasks of this host."""

    def __init__(self, host: str, daemon: DaemonView, aside: Looks, clock: IReactorTime) -> None:
        self._host = host
        self._daemon = daemon
        self._looks = KeptLooks(aside, clock)

    @get(
        "/api/tasks/{task}/forecast",
        "When the list of a task is done, and how busy its agents are",
        answer=Forecast,
        others={
            **NO_TASK,
            409: "nothing can be foreseen of it: it is not valid, or its agents are not known",
            **NO_REDIS,
        },
    )
    async def forecast(self, task: str, query: ForecastQuery) -> Answer:
        """Simulate the rest of a list, for some seconds; `at` says when it was read."""
        if not self._daemon.has_task(task):
            raise no_task(task, self._host)
        wanted = (task, query.agents, query.hours)
        more = {"task": task, "agents": query.agents, "hours": query.hours}
        body = await self._looks.look(wanted, "forecast", **more)
        problem = msgspec.json.decode(body, type=_Problem).problem
        if problem:
            raise Refusal(409, problem)
        return Answer(body=body)
