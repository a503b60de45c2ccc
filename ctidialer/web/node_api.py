"""The JSON API: this node, and all nodes on its Redis."""

from __future__ import annotations

from time import time

from twisted.internet.interfaces import IReactorTime

from ctidialer.contract.control import Order
from ctidialer.contract.status import NodeStatus
from ctidialer.nodes.daemon import DaemonView
from ctidialer.nodes.orders import NodeOrders
from ctidialer.web.answers import Answer, Asked, Refusal, json_answer
from ctidialer.web.aside import Aside, LookFailed
from ctidialer.web.documents import (
    Alive,
    CheckResult,
    Drained,
    HostPage,
    NodePage,
    ReadyAnswer,
    WhyBody,
)
from ctidialer.web.kept_looks import KeptLooks
from ctidialer.web.queries import CheckQuery
from ctidialer.web.routes import delete, get, post

NO_REDIS = {503: "Redis does not answer"}


class NodeApi:
    """Answers for one daemon, and for what Redis says of the others."""

    def __init__(
        self,
        host: str,
        daemon: DaemonView,
        orders: NodeOrders,
        aside: Aside,
        clock: IReactorTime,
    ) -> None:
        self._host = host
        self._daemon = daemon
        self._orders = orders
        self._aside = aside
        self._hosts = KeptLooks(aside, clock)

    @get("/healthz", "Whether the event loop turns", is_open=True)
    async def alive(self) -> Alive:
        """Say that the event loop turns."""
        return Alive(True)

    @get(
        "/readyz",
        "Whether calls can be placed",
        answer=ReadyAnswer,
        others={503: "they cannot; the body says why"},
        is_open=True,
    )
    async def ready(self) -> Answer:
        """Say whether calls can be placed; 503 where not."""
        is_ready = self._daemon.is_ready()
        document = ReadyAnswer(is_ready, self._daemon.missing(), self._daemon.troubles())
        return json_answer(document, 200 if is_ready else 503)

    @get("/api/status", "What this daemon is doing", answer=NodeStatus)
    async def status(self) -> Answer:
        """Return the state of this daemon, as it is published."""
        return Answer(body=self._daemon.encoded_status())

    @get("/api/nodes", "All nodes on this Redis", answer=NodePage, others=NO_REDIS)
    async def nodes(self) -> Answer:
        """Return the state of all nodes on this Redis."""
        return await self._look_aside("nodes")

    @get("/api/hosts", "A row for each host on this Redis", answer=HostPage, others=NO_REDIS)
    async def hosts(self) -> Answer:
        """Return the sums of each host on this Redis, and of all."""
        return Answer(body=await self._hosts.look("hosts", "hosts"))

    @post("/api/drain", "Take this node out of service: no new call", others=NO_REDIS)
    async def drain(self, asked: Asked, body: WhyBody) -> Drained:
        """Take this node out of service."""
        changed = await self._orders.drain(order_of(asked, body))
        return Drained(self._host, True, changed)

    @delete("/api/drain", "Put this node back into service", others=NO_REDIS)
    async def undo_drain(self, asked: Asked, body: WhyBody) -> Drained:
        """Put this node back into service."""
        changed = await self._orders.undo_drain(order_of(asked, body))
        return Drained(self._host, False, changed)

    @get(
        "/api/check",
        "Every fault in the tables, the gateways and the first numbers",
        answer=CheckResult,
        others=NO_REDIS,
    )
    async def check(self, query: CheckQuery) -> Answer:
        """Return every fault in the tables, the gateways and the first numbers of each queue."""
        return await self._look_aside("check", sample=query.sample)

    async def _look_aside(self, name: str, **details: object) -> Answer:
        """Look in a process of its own: it can take seconds, and no call may wait for it."""
        try:
            return Answer(body=await self._aside.look(name, **details))
        except LookFailed as error:
            raise Refusal(503, str(error)) from None


def order_of(asked: Asked, body: WhyBody) -> Order:
    """Return the order of who asks."""
    why = "".join(one if one.isprintable() else " " for one in body.why)
    return Order(since=round(time(), 3), by=asked.by, why=why)
