"""The service that listens for HTTP, and what happens there every second."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from ctidialer.contract import keys
from ctidialer.contract.record import Record
from ctidialer.contract.status import encode_status
from ctidialer.dialer.assembly import Parts
from ctidialer.glue import Gate
from ctidialer.rules.attempt import Attempt
from ctidialer.settings import Settings, host_and_port
from ctidialer.web.access import Access
from ctidialer.web.api import Api
from ctidialer.web.history import History
from ctidialer.web.metrics import Metrics
from ctidialer.web.pages import Pages
from ctidialer.web.records import Records
from ctidialer.web.routes import Routes
from ctidialer.web.site import QuietSite, Root
from ctidialer.web.stream import Stream
from ctidialer.web.table import all_routes

SECOND = 1.0


class WebService(Service):
    """The HTTP interface of the daemon made of ``parts``.

    ``stopped`` is open once the daemon has drained: until then it is answered.  ``cannot_listen``
    is called, with the reason, when the port cannot be had.
    """

    log = Logger()
    name = "http"

    def __init__(
        self,
        settings: Settings,
        parts: Parts,
        reactor: Any,
        stopped: Gate,
        *,
        cannot_listen: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._parts = parts
        self._reactor = reactor
        self._stopped = stopped
        self._cannot_listen = cannot_listen
        self._port: IListeningPort | None = None
        self._metrics = Metrics(parts, reactor)
        self._history = History(
            lambda: parts.calls.placed,
            lambda: len(parts.calls),
            lambda: {outcome.value: count for outcome, count in parts.closing.outcomes.items()},
            lambda: self._metrics.lag,
        )
        self._stream = Stream(reactor.seconds)
        self._seconds = LoopingCall(self._second)
        self._seconds.clock = reactor

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
        self._parts.journal.add_reader(self)
        self._seconds.start(SECOND, now=False).addErrback(
            partial(self.log.failure, "The dashboard's seconds have stopped")
        )

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

    def call_ended(self, attempt: Attempt) -> None:
        """Part of JournalReader; the stream tells of numbers, not of calls."""

    def number_ended(self, record: Record) -> None:
        """Part of JournalReader."""
        self._stream.number_ended(record)

    def _site(self) -> QuietSite:
        settings, parts = self._settings, self._parts
        access = Access(settings.http.token, self._reactor.seconds)
        api = Api(settings, parts, self._reactor)
        records = Records(parts.link, keys.records(settings.node.host))
        routes = all_routes(api, records, Pages(access), self._history, self._metrics)
        root = Root(Routes(routes), access, self._stream)
        return QuietSite(root, reactor=self._reactor)

    def _second(self) -> None:
        try:
            sample = self._history.take(self._reactor.seconds())
            if len(self._stream):
                status = encode_status(self._parts.status.status())
                newest = msgspec.json.encode(sample.as_json())
                self._stream.second(b'%s,"sample":%s}' % (status[:-1], newest))
        except Exception:  # noqa: BLE001 - an exception would end the LoopingCall for good
            self.log.failure("The dashboard could not be told")
