"""The JSON API: this node, and all nodes on its Redis."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from time import time

from twisted.internet.threads import deferToThread

from ctidialer.check.findings import Finding
from ctidialer.check.node import NodeCheck
from ctidialer.contract.control import Order
from ctidialer.contract.status import NodeStatus
from ctidialer.nodes.daemon import DaemonView
from ctidialer.nodes.orders import NodeOrders
from ctidialer.nodes.overview import overview_of
from ctidialer.nodes.reader import NodeReader
from ctidialer.settings import Settings
from ctidialer.store.link import Link
from ctidialer.web.answers import Answer, Asked, Refusal, json_answer
from ctidialer.web.documents import (
    Alive,
    CheckResult,
    Drained,
    FindingEntry,
    NodePage,
    Readiness,
    Why,
)
from ctidialer.web.queries import CheckQuery
from ctidialer.web.routes import delete, get, post

LONGEST_WHY = 200
NO_REDIS = {503: "Redis does not answer"}


class NodeApi:
    """Answers for one daemon, and for what Redis says of the others."""

    def __init__(self, settings: Settings, daemon: DaemonView, link: Link) -> None:
        self._settings = settings
        self._daemon = daemon
        self._link = link
        self._host = settings.node.host
        self._orders = NodeOrders(link, self._host)

    @get("/healthz", "Whether the event loop turns", is_open=True)
    async def alive(self) -> Alive:
        """Say that the event loop turns."""
        return Alive(True)

    @get(
        "/readyz",
        "Whether calls can be placed",
        answer=Readiness,
        others={503: "they cannot; the body says why"},
        is_open=True,
    )
    async def ready(self) -> Answer:
        """Say whether calls can be placed; 503 where not."""
        is_ready = self._daemon.is_ready()
        document = Readiness(is_ready, self._daemon.missing())
        return json_answer(document, 200 if is_ready else 503)

    @get("/api/status", "What this daemon is doing", answer=NodeStatus)
    async def status(self) -> Answer:
        """Return the state of this daemon, as it is published."""
        return Answer(body=self._daemon.encoded_status())

    @get("/api/nodes", "All nodes on this Redis", others=NO_REDIS)
    async def nodes(self) -> NodePage:
        """Return the state of all nodes on this Redis."""
        now, nodes = time(), NodeReader(self._link, self._settings.node)
        looks = [await overview_of(nodes, host, False, now) for host in await nodes.hosts()]
        return NodePage(now, [look.as_json() for look in looks])

    @post("/api/drain", "Take this node out of service: no new call", others=NO_REDIS)
    async def drain(self, asked: Asked, body: Why) -> Drained:
        """Take this node out of service."""
        changed = await self._orders.drain(order_of(asked, body))
        return Drained(self._host, True, changed)

    @delete("/api/drain", "Put this node back into service", others=NO_REDIS)
    async def undo_drain(self, asked: Asked, body: Why) -> Drained:
        """Put this node back into service."""
        changed = await self._orders.undo_drain(order_of(asked, body))
        return Drained(self._host, False, changed)

    @get("/api/check", "Every fault in the tables, and in the first numbers", others=NO_REDIS)
    async def check(self, query: CheckQuery) -> CheckResult:
        """Return every fault in the tables, and in the first numbers of each queue."""
        checking = NodeCheck(self._link, self._settings, query.sample, time())
        found = await checking.run(_in_a_thread)
        return CheckResult(
            [FindingEntry(**one.as_json()) for one in found.findings],
            found.tasks,
            found.lines,
            found.line_groups,
            found.schedule_configs,
            found.numbers,
        )


def order_of(asked: Asked, body: Why) -> Order:
    """Return the order of who asks; raises Refusal where its reason is no text of one line."""
    if len(body.why) > LONGEST_WHY or not body.why.isprintable():
        raise Refusal(400, f"$.why must be a text of one line, at most {LONGEST_WHY} characters")
    return Order(since=round(time(), 3), by=asked.by, why=body.why)


def _in_a_thread(work: Callable[[], Iterable[Finding]]) -> Awaitable[Iterable[Finding]]:
    return deferToThread(work)
