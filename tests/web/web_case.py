"""A whole node with its HTTP interface, asked over a loopback port as a browser or curl would."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import frozen
from msgspec.structs import replace
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool, readBody
from twisted.web.http_headers import Headers
from twisted.web.iweb import IBodyProducer
from zope.interface import implementer

from ctidialer.dialer.service import DialerService
from ctidialer.settings import Http, Settings
from ctidialer.web.service import WebService
from tests.support.node import NodeTestCase

TOKEN = "a-token-that-nobody-guesses"


@frozen
class Reply:
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


@implementer(IBodyProducer)
class Body:
    """A body that is sent at once."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.length = len(data)

    def startProducing(self, consumer: Any) -> Deferred[None]:
        consumer.write(self.data)
        done: Deferred[None] = Deferred()
        done.callback(None)
        return done

    def stopProducing(self) -> None:
        pass

    def pauseProducing(self) -> None:
        pass

    def resumeProducing(self) -> None:
        pass


class Events(Protocol):
    """An open event stream: what has come so far, as pairs of a name and its JSON."""

    def __init__(self) -> None:
        self.text = b""
        self.closed: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.text += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.closed.callback(None)

    @property
    def events(self) -> list[tuple[str, Any]]:
        blocks = [block for block in self.text.split(b"\n\n")[:-1] if block.startswith(b"event")]
        lines = [block.split(b"\n", 1) for block in blocks]
        return [
            (name.removeprefix(b"event: ").decode(), json.loads(data.removeprefix(b"data: ")))
            for name, data in lines
        ]

    def of(self, name: str) -> list[Any]:
        """Return what has come under one name."""
        return [data for kind, data in self.events if kind == name]


class WebTestCase(NodeTestCase):
    """``self.web`` is the interface of ``self.dialer``, both in this process."""

    token = TOKEN

    def web_settings(self, settings: Settings | None = None, **http: Any) -> Settings:
        """Return the settings of the node with an HTTP interface on any free port."""
        given: dict[str, Any] = {"listen": "127.0.0.1:0", "token": self.token, **http}
        return replace(settings or self.settings(), http=Http(**given))

    def start_web(self, settings: Settings | None = None) -> DialerService:
        """Start a daemon with its interface; both are stopped when the test ends."""
        settings = settings or self.web_settings()
        dialer = self.start_dialer(settings)
        self.not_listened: list[str] = []
        self.web = WebService(
            settings,
            dialer.parts.shown,
            dialer.parts.link,
            reactor,
            dialer.stopped,
            cannot_listen=self.not_listened.append,
        )
        self.web.startService()
        self.addCleanup(self.web.stopService)  # runs before that of the daemon, and waits for it
        self.addCleanup(self._stop_first, dialer)
        self.pool = HTTPConnectionPool(reactor, persistent=False)
        return dialer

    async def _stop_first(self, dialer: DialerService) -> None:
        if dialer.running:
            await dialer.stopService()

    async def ask(
        self,
        method: str,
        path: str,
        document: object = None,
        *,
        token: str | None = TOKEN,
        body: bytes | None = None,
        **headers: str,
    ) -> Reply:
        """Send one request; further ``headers`` are written with ``_`` for ``-``."""
        sent = {name.replace("_", "-"): [value] for name, value in headers.items()}
        if token:
            sent.setdefault("authorization", [f"Bearer {token}"])
        if document is not None:
            body = json.dumps(document).encode()
        response = await self._request(method, path, sent, body)
        found = {
            name.decode().lower(): values[-1].decode()
            for name, values in response.headers.getAllRawHeaders()
        }
        return Reply(response.code, found, await readBody(response))

    async def listen_to(self, path: str = "/api/events") -> Events:
        """Open the event stream; it is closed when the test ends."""
        headers = {"authorization": [f"Bearer {self.token}"]}
        response = await self._request("GET", path, headers, None)
        self.assertEqual(response.code, 200)
        events = Events()
        response.deliverBody(events)
        self.addCleanup(self._hang_up, events)
        return events

    async def _hang_up(self, events: Events) -> None:
        if not events.closed.called:
            assert events.transport is not None
            events.transport.loseConnection()
            await events.closed

    def _request(
        self, method: str, path: str, headers: dict[str, list[str]], body: bytes | None
    ) -> Deferred[Any]:
        agent = Agent(reactor, pool=self.pool)
        url = f"http://127.0.0.1:{self.web.port}{path}".encode()
        producer = None if body is None else Body(body)
        return agent.request(method.encode(), url, Headers(headers), producer)
