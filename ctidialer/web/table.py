"""The table of all routes."""

from __future__ import annotations

from ctidialer.web.answers import HTML, Answer, Asked, json_answer
from ctidialer.web.api import Api
from ctidialer.web.history import History
from ctidialer.web.metrics import Metrics
from ctidialer.web.openapi import describe
from ctidialer.web.pages import Pages
from ctidialer.web.records import Records
from ctidialer.web.routes import Parameter, Route
from ctidialer.web.site import EVENTS

Q = Parameter("q", "string", "a part of the name, in any case")
OFFSET = Parameter("offset", "integer", "how many to pass over (default 0)")
LIMIT = Parameter("limit", "integer", "how many at most (default 200, at most 1000)")
REASON = Parameter("reason", "string", "only tasks with this reason")
STATE = Parameter("state", "string", "only lines in this state")
SAMPLE = Parameter("sample", "integer", "numbers looked at in each queue (default 100)")
OF_RECORDS = (
    Parameter("task", "string", "only of this task or schedule configuration"),
    Parameter("outcome", "string", "only with this outcome"),
    Parameter("number", "string", "only with these digits in the number"),
    Parameter("limit", "integer", "how many at most (default 50, at most 1000)"),
    Parameter("before", "string", "only older ones: `next` of the page before"),
)
NO_REDIS = {503: "Redis does not answer"}
NO_TASK = {404: "there is no such task"}


def all_routes(
    api: Api, records: Records, pages: Pages, history: History, metrics: Metrics
) -> list[Route]:
    """Return every route, in the order in which they are described."""

    async def past(asked: Asked) -> Answer:
        return json_answer(history.as_json())

    async def measured(asked: Asked) -> Answer:
        return Answer(body=await metrics.render(), content_type=metrics.content_type)

    async def events(asked: Asked) -> Answer:
        raise AssertionError("the stream is opened by the site")

    async def described(asked: Asked) -> Answer:
        return json_answer(description)

    task = "/api/tasks/{task}"
    routes = [
        Route("GET", "/healthz", api.alive, "Whether the event loop turns", "Alive", is_open=True),
        Route(
            "GET",
            "/readyz",
            api.ready,
            "Whether calls can be placed",
            "Readiness",
            others={503: "they cannot; the body says why"},
            is_open=True,
        ),
        Route(
            "GET",
            "/metrics",
            measured,
            "Everything that is counted, for Prometheus",
            content_type="text/plain",
        ),
        Route("GET", "/api/openapi.json", described, "This description"),
        Route("GET", "/api/status", api.status, "What this daemon is doing", "NodeStatus"),
        Route(
            "GET", "/api/nodes", api.nodes, "All nodes on this Redis", "NodePage", others=NO_REDIS
        ),
        Route(
            "GET",
            "/api/tasks",
            api.tasks,
            "All tasks of this host, with their reasons",
            "TaskPage",
            query=(Q, REASON, OFFSET, LIMIT),
        ),
        Route(
            "GET",
            f"{task}/explain",
            api.explain,
            "Why a task is, or is not, dialing now",
            "TaskExplanation",
            others=NO_TASK,
        ),
        Route(
            "POST",
            f"{task}/pause",
            api.pause,
            "Start no new call of a task on this host",
            "TaskPaused",
            "Why",
            others={**NO_TASK, **NO_REDIS},
        ),
        Route(
            "POST",
            f"{task}/resume",
            api.resume,
            "Let a paused task go on",
            "TaskPaused",
            others={**NO_TASK, **NO_REDIS},
        ),
        Route(
            "GET",
            "/api/lines",
            api.lines,
            "All lines, with their states",
            "LinePage",
            query=(Q, STATE, OFFSET, LIMIT),
        ),
        Route(
            "GET",
            "/api/records",
            records.page,
            "The records of this host, the newest first",
            "RecordPage",
            query=OF_RECORDS,
            others=NO_REDIS,
        ),
        Route(
            "GET",
            "/api/check",
            api.check,
            "Every fault in the tables, and in the first numbers",
            "CheckResult",
            query=(SAMPLE,),
            others=NO_REDIS,
        ),
        Route(
            "POST",
            "/api/drain",
            api.drain,
            "Take this node out of service: no new call",
            "Drained",
            "Why",
            others=NO_REDIS,
        ),
        Route(
            "DELETE",
            "/api/drain",
            api.undo_drain,
            "Put this node back into service",
            "Drained",
            others=NO_REDIS,
        ),
        Route("GET", "/api/history", past, "The last ten minutes, second by second", "HistoryPage"),
        Route(
            "GET",
            "/api/events",
            events,
            "Server-Sent Events: `status` each second (NodeStatus and the `sample` of that second),"
            " `record` (a record), `skipped` (how many records were not sent)",
            others={503: "too many listen"},
            content_type=EVENTS,
        ),
        Route(
            "POST",
            "/login",
            pages.sign_in,
            "Begin a session: the answer sets its cookie",
            body="Token",
            takes_form=True,
            others={
                204: "signed in",
                303: "signed in, by a form",
                403: "asked by a foreign page",
                429: "too many wrong tokens from this address",
            },
            is_open=True,
        ),
        Route("POST", "/logout", pages.sign_out, "End the session", others={204: "signed out"}),
        Route(
            "GET",
            "/",
            pages.dashboard,
            "The dashboard; the page to sign in (401) for who may not see it",
            content_type=HTML,
            if_unknown=pages.login_page,
        ),
        *(
            Route("GET", f"/static/{name}", pages.file_named(name), "", is_open=True)
            for name in pages.of_login
        ),
        Route("GET", "/static/{file}", pages.file, "A file of the dashboard", content_type="*/*"),
    ]
    description = describe(routes)
    return routes
