"""A proxy between a client and Redis that can lose answers, fall silent, and deliver late."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import TCP4ServerEndpoint, UNIXClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from ctidialer.store.address import parse_address


class _Upstream(Protocol):
    """The side that talks to Redis."""

    def __init__(self, client: _Client) -> None:
        self.client = client
        self.gone: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.client.answered(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.client.drop()
        self.gone.callback(None)


class _Client(Protocol):
    """The side that talks to the client."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.waiting: list[bytes] = []
        self.is_dropped = False
        self.upstream: _Upstream | None = None
        self.gone: Deferred[None] = Deferred()
        self.is_late = False

    def connectionMade(self) -> None:
        self.proxy.clients.append(self)
        upstream = _Upstream(self)
        endpoint = UNIXClientEndpoint(reactor, self.proxy.path)
        made = endpoint.connect(Factory.forProtocol(lambda: upstream))
        made.addCallbacks(lambda _: self._upstream_made(upstream), lambda _: self.drop())

    def _upstream_made(self, upstream: _Upstream) -> None:
        self.upstream = upstream
        waiting, self.waiting = self.waiting, []
        for data in waiting:
            self.dataReceived(data)

    def dataReceived(self, data: bytes) -> None:
        self.proxy.seen(data)
        if self.proxy.is_silent or self.upstream is None:
            self.waiting.append(data)
        else:
            assert self.upstream.transport is not None
            self.upstream.transport.write(data)

    def answered(self, data: bytes) -> None:
        if self.proxy.loses(self):
            self.drop()
        elif self.transport is not None:
            self.transport.write(data)

    def drop(self) -> None:
        if self.transport is not None and not self.is_dropped:
            self.is_dropped = True
            self.transport.abortConnection()  # type: ignore[attr-defined]  # every TCP transport

    def deliver(self) -> None:
        """Give Redis what it was not given while the proxy was silent."""
        assert self.upstream is not None
        assert self.upstream.transport is not None
        self.upstream.transport.write(b"".join(self.waiting))
        self.waiting = []

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        # What was not handed on yet is kept: `deliver` may still do it, late.
        self.is_dropped = True
        if not self.waiting:
            self.hang_up()
        self.gone.callback(None)

    def hang_up(self) -> None:
        if self.upstream is not None and self.upstream.transport is not None:
            self.upstream.transport.loseConnection()


class Proxy:
    """Stands between clients (``url``) and the Redis at a unix socket."""

    def __init__(self, redis_url: str) -> None:
        self.path = parse_address(redis_url).path
        self.clients: list[_Client] = []
        self.is_silent = False
        self._lose = 0
        self._fall_silent_at: bytes | None = None
        self.port: Any = None
        self.url = ""

    async def listen(self, test: TestCase, endpoint: Any = None) -> None:
        """Listen on a free port (or at ``endpoint``) until the test ends."""
        endpoint = endpoint or TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        self.port = await endpoint.listen(Factory.forProtocol(lambda: _Client(self)))
        self.url = f"redis://127.0.0.1:{self.port.getHost().port}/0"
        test.addCleanup(self.close)

    def lose_answers(self, count: int = 1) -> None:
        """Cut the connection instead of handing on the next ``count`` answers."""
        self._lose = count

    def fall_silent(self, at: bytes = b"") -> None:
        """Hand on nothing any more, from the next command that has ``at`` in it."""
        self._fall_silent_at = at

    def speak(self) -> None:
        """Hand on what comes from now on."""
        self.is_silent = False
        self._fall_silent_at = None

    def seen(self, data: bytes) -> None:
        if self._fall_silent_at is not None and self._fall_silent_at in data:
            self.is_silent = True

    def loses(self, client: _Client) -> bool:
        self._lose -= 1
        return self._lose >= 0

    def cut(self) -> None:
        """Cut every connection."""
        for client in self.clients:
            client.drop()

    async def close(self) -> None:
        """Stop, and let every connection go."""
        await maybeDeferred(self.port.stopListening)
        for client in self.clients:
            client.drop()
            client.hang_up()
            await client.gone
            if client.upstream is not None:
                await client.upstream.gone


async def start_proxy(test: TestCase, redis_url: str, endpoint: Any = None) -> Proxy:
    """Return a proxy to the Redis at ``redis_url`` (a unix socket) that ends with the test."""
    proxy = Proxy(redis_url)
    await proxy.listen(test, endpoint)
    return proxy
