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
from ctidialer.store.link import Link
from ctidialer.web.access import Access
from ctidialer.web.aside import Aside
from ctidialer.web.history import History
from ctidialer.web.metrics import Metrics
from ctidialer.web.node_api import NodeApi
from ctidialer.web.openapi import Description
from ctidialer.web.pages import Pages
from ctidialer.web.records import RecordsApi
from ctidialer.web.report import ReportApi
from ctidialer.web.routes import WebRoutes, routes_of
from ctidialer.web.site import QuietSite, Root
from ctidialer.web.stream import Stream
from ctidialer.web.tables_api import LinesApi, SchedulesApi, TasksApi

LOOK_INTERVAL = 1.0


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
        self._access = Access(settings.http.token, reactor.seconds)
        self._metrics = Metrics(daemon, link, reactor)
        self._history = History(daemon.totals, lambda: self._metrics.lag)
        self._stream = Stream(self._access, reactor.seconds)
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

    async def _close(self) -> None:
        await self._stopped.passed()
        if self._seconds.running:
            self._seconds.stop()
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
            NodeApi(node.host, daemon, NodeOrders(link, node.host), self._aside),
            TasksApi(node, daemon, link, self._reactor),
            SchedulesApi(node, daemon, link),
            LinesApi(daemon, self._reactor),
            RecordsApi(link, keys.records(node.host)),
            ReportApi(node.timezone, self._aside, self._reactor),
            self._history,
            self._stream,
            self._metrics,
            Pages(self._access),
        )
        routes = WebRoutes([*described, *routes_of(Description(described))])
        return QuietSite(Root(routes, self._access), reactor=self._reactor)

    def _second(self) -> None:
        sample = self._history.take(self._reactor.seconds())
        if len(self._stream):
            status = self._daemon.encoded_status()
            newest = msgspec.json.encode(sample)
            self._stream.second(b'%s,"sample":%s}' % (status[:-1], newest))
