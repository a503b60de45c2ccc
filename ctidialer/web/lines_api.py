"""The JSON API: lines as the daemon sees them, and orders to take them out of use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from ctidialer.contract.control import LineOff
from ctidialer.contract.status import LineStatus
from ctidialer.nodes.daemon import DaemonView
from ctidialer.nodes.line_orders import Give, Ordered, give_to_each, hosts_with_line
from ctidialer.nodes.orders import NodeOrders
from ctidialer.rules.line_reasons import FAULTY_STATES, Why
from ctidialer.settings import Node
from ctidialer.store.link import Link
from ctidialer.web.answers import Asked, Refusal
from ctidialer.web.documents import LinePage, WhyBody
from ctidialer.web.node_api import NO_REDIS, order_of
from ctidialer.web.queries import LineQuery, ListOrder
from ctidialer.web.routes import get, post

LINES_PER_SLICE = 100
"""Lines looked at in one turn of the reactor."""

MAX_OFF_TIME = 366 * 86_400
"""Seconds for which a line can be taken out of use; without an end there is no bound."""

TROUBLES = frozenset({*FAULTY_STATES, Why.MALFORMED.value, Why.TAKEN_OUT.value})
"""States of lines that somebody should look at."""

NO_LINE = {404: "there is no such line"}


class LineBody(WhyBody):
    """``all_hosts``: the order is for all hosts that have the line, not for this one alone."""

    all_hosts: bool = False


class LineOffBody(LineBody):
    """``seconds``: so long the line is out of use; null = until it is put back."""

    seconds: Annotated[int, Meta(ge=1, le=MAX_OFF_TIME)] | None = None


class OrderedHost(msgspec.Struct):
    """What came of the order on one host; ``error``: why it could not be given there."""

    host: str
    changed: bool
    error: str


class LineOrdered(msgspec.Struct):
    """Whether a line is taken out of use, until when (unix seconds, null = until it is put back),
    and what came of the order on each host."""

    line: str
    taken_out: bool
    until: float | None
    hosts: list[OrderedHost]


class LineTried(msgspec.Struct):
    """The next number that can use the line tries it."""

    line: str
    tried: bool


class LinesApi:
    """Answers for the lines of this host's domain."""

    def __init__(self, node: Node, daemon: DaemonView, link: Link, clock: IReactorTime) -> None:
        self._node = node
        self._daemon = daemon
        self._link = link
        self._clock = clock

    @get("/api/lines", "All lines, with their states")
    async def lines(self, query: LineQuery) -> LinePage:
        """Return a page of the lines, of those in one state where one is asked for."""
        names = query.found_in(self._daemon.line_names())
        if query.order is ListOrder.WORST:
            names = self._worst_first(names)
        if not query.state:
            return LinePage(self._daemon.lines(names[query.part]), len(names))
        found = [line async for line in self._in_state(names, query.state)]
        return LinePage(found[query.part], len(found))

    @post(
        "/api/lines/{line}/off",
        "Place no new call on a line, for a time or until it is put back",
        others={**NO_LINE, **NO_REDIS},
    )
    async def take_out(self, asked: Asked, line: str, body: LineOffBody) -> LineOrdered:
        """Take a line out of use."""
        self._check_known(line)
        order = order_of(asked, body)
        until = None if body.seconds is None else (order.since or 0.0) + body.seconds
        off = LineOff(order, until)
        done = await self._give(line, body.all_hosts, lambda orders: orders.take_out(line, off))
        return LineOrdered(line, True, until, _as_rows(done))

    @post("/api/lines/{line}/on", "Put a line back into use", others={**NO_LINE, **NO_REDIS})
    async def put_back(self, asked: Asked, line: str, body: LineBody) -> LineOrdered:
        """Put a line back into use."""
        self._check_known(line)
        order = order_of(asked, body)
        done = await self._give(line, body.all_hosts, lambda orders: orders.put_back(line, order))
        return LineOrdered(line, False, None, _as_rows(done))

    @post(
        "/api/lines/{line}/try",
        "Let the trial call of a line that faults have put out of use through at once",
        others={**NO_LINE, 409: "the line does not rest after faults", **NO_REDIS},
    )
    async def try_now(self, asked: Asked, line: str, body: WhyBody) -> LineTried:
        """Try a line now."""
        self._check_known(line)
        (now,) = self._daemon.lines([line])
        if now.state not in FAULTY_STATES:
            said = f"the line {line[:80]!r} is not out of use after faults: it is {now.state}"
            raise Refusal(409, said)
        await NodeOrders(self._link, self._node.host).try_line(line, order_of(asked, body))
        return LineTried(line, True)

    def _worst_first(self, names: list[str]) -> list[str]:
        """Put first what the status tells as out of use, or as not usable, in its order."""
        told = self._daemon.status().lines
        bad = {line.name: None for line in told if line.state in TROUBLES}
        known = set(names)
        return [*(name for name in bad if name in known), *(n for n in names if n not in bad)]

    def _check_known(self, line: str) -> None:
        if not self._daemon.is_line(line):
            raise Refusal(404, f"there is no line {line[:80]!r} in {self._node.domain}")

    async def _give(self, line: str, all_hosts: bool, give: Give) -> Sequence[Ordered]:
        """Give an order; raises StoreError where this host itself cannot be given it."""
        own = self._node.host
        if not all_hosts:
            return [Ordered(own, await give(NodeOrders(self._link, own)))]
        hosts = await hosts_with_line(self._link, self._node, line)
        return await give_to_each(self._link, hosts, give)

    async def _in_state(self, names: list[str], state: str) -> AsyncIterator[LineStatus]:
        for start in range(0, len(names), LINES_PER_SLICE):
            for line in self._daemon.lines(names[start : start + LINES_PER_SLICE]):
                if line.state == state:
                    yield line
            await deferLater(self._clock, 0)


def _as_rows(done: Sequence[Ordered]) -> list[OrderedHost]:
    return [OrderedHost(one.host, one.changed, one.error) for one in done]
