"""The service that listens for HTTP, and what happens there every second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger

from ctidialer.contract import keys
from ctidialer.glue import Gate, Repeated
from ctidialer.nodes.daemon import DaemonView
from ctidialer.nodes.orders import NodeOrders
from ctidialer.settings import Settings, host_and_port
from ctidialer.settings.tokens import read_tokens
from ctidialer.store.errors import StoreError
from ctidialer.store.link import Link
from ctidialer.store.reading import NodeReading
from ctidialer.web.access import Access
from ctidialer.web.aside import Aside
from ctidialer.web.connections import Connections
from ctidialer.web.dnc_api import DncApi
from ctidialer.web.forecast import ForecastApi
from ctidialer.web.history import History
from ctidialer.web.lines_api import LinesApi
from ctidialer.web.metrics import Metrics
from ctidialer.web.node_api import NodeApi
from ctidialer.web.numbers_api import NumbersApi
from ctidialer.web.openapi import Description
from ctidialer.web.pages import Pages
from ctidialer.web.records import RecordsApi
from ctidialer.web.report import ReportApi
from ctidialer.web.routes import WebRoutes, routes_of
from ctidialer.web.site import QuietSite, Root
from ctidialer.web.stream import Stream
from ctidialer.web.tables_api import SchedulesApi, TasksApi
from ctidialer.web.task_plan import TaskPlanApi

LOOK_INTERVAL = 1.0
QUEUE_INTERVAL = 3.0


class WebService(Service):
    """The HTTP interface of ``daemon``; ``link`` is its connection to Redis.

    ``stopped`` opens once the daemon has drained: until then requests are answered.
    ``cannot_listen`` is called with the reason if the port cannot be opened.
    """

    log = Logger()
    name = "http"

    def __init__(
        self,
        settings: Settings,
        daemon: DaemonView,
        link: Link,
        reactor: Any,
        stopped: Gate,
        *,
        cannot_listen: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._daemon = daemon
        self._link = link
        self._reactor = reactor
        self._stopped = stopped
        self._cannot_listen = cannot_listen
        self._port: IListeningPort | None = None
        self._aside = Aside(reactor, settings)
        self._access = Access(
            settings.http.token, reactor.seconds, read_tokens(settings.http.tokens)
        )
        self._metrics = Metrics(daemon, link, reactor)
        self._history = History(settings.node, daemon.totals, lambda: self._metrics.lag, link)
        self._stream = Stream(self._access, reactor.seconds)
        self._queued: int | None = None
        self._queue_looks = Repeated(
            reactor, self._look_at_queues, self.log, "Looking at the queues for the dashboard"
        )
        self._seconds = Repeated(reactor, self._second, self.log, "Telling the dashboard")

    @property
    def port(self) -> int:
        """The port on which it listens; 0 = it does not."""
        address: Any = None if self._port is None else self._port.getHost()
        return address.port if address is not None else 0

    def startService(self) -> None:
        """Listen."""
        super().startService()
        host, port = host_and_port(self._settings.http.listen, "$.http.listen", lowest=0)
        try:
            self._port = self._reactor.listenTCP(port, self._site(), interface=host)
        except CannotListenError as error:
            self._cannot_listen(f"http.listen {self._settings.http.listen}: {error.socketError}")
            return
        name = f"[{host}]" if ":" in host else host
        self.log.info("HTTP is listened for on {address}", address=f"http://{name}:{self.port}")
        self._metrics.start()
        self._daemon.add_reader(self._stream)
        self._seconds.start(LOOK_INTERVAL)
        self._queue_looks.start(QUEUE_INTERVAL)

    async def _close(self) -> None:
        await self._stopped.passed()
        if self._seconds.running:
            self._seconds.stop()
            self._queue_looks.stop()
            self._metrics.stop()
        self._stream.end()
        if self._port is not None:
            port, self._port = self._port, None
            await maybeDeferred(port.stopListening)

    def stopService(self) -> Deferred[None]:
        """Go on answering while the daemon drains; then listen no more, and end what is open."""
        super().stopService()
        return Deferred.fromCoroutine(self._close())

    def _site(self) -> QuietSite:
        node, daemon, link = self._settings.node, self._daemon, self._link
        described = routes_of(
            NodeApi(node.host, daemon, NodeOrders(link, node.host), self._aside, self._reactor),
            TasksApi(node, daemon, link, self._reactor),
            TaskPlanApi(node, daemon, link),
            SchedulesApi(node, daemon, link),
            LinesApi(node, daemon, link, self._reactor),
            NumbersApi(self._settings, link, self._aside),
            DncApi(node, daemon, link),
            RecordsApi(link, keys.records(node.host)),
            ForecastApi(node.host, daemon, self._aside, self._reactor),
            ReportApi(node.timezone, self._aside, self._reactor),
            self._history,
            self._stream,
            self._metrics,
            Pages(self._access),
        )
        routes = WebRoutes([*described, *routes_of(Description(described))])
        http = self._settings.http
        connections = Connections(http.max_connections, http.max_connections_per_address)
        return QuietSite(Root(routes, self._access), connections, http.idle_timeout, self._reactor)

    def _second(self) -> None:
        sample = self._history.take(self._reactor.seconds())
        if len(self._stream):
            status = self._daemon.encoded_status()
            more = msgspec.json.encode({"sample": sample, "queued": self._queued})
            self._stream.second(b"%s,%s" % (status[:-1], more[1:]))

    async def _look_at_queues(self) -> None:
        """Count the numbers in the queues of the open tasks, while somebody looks."""
        if not len(self._stream):
            return
        reading = NodeReading(self._link, self._settings.node.host)
        try:
            lengths = await reading.queue_lengths(self._daemon.queues())
        except StoreError:
            self._queued = None  # that Redis is away is said by others
        else:
            self._queued = sum(lengths.values())
