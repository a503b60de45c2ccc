"""A proxy on loopback that cuts connections, holds them half open, delays them, loses answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.interfaces import IDelayedCall, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure


class _Leg(Protocol):
    """One side of a connection; what it reads is passed to ``other``, when the proxy lets it."""

    def __init__(self, proxy: Proxy, *, is_client: bool) -> None:
        self.proxy = proxy
        self.is_client = is_client
        self.other: _Leg | None = None
        self.is_gone = False
        self.held: deque[tuple[float, bytes | None]] = deque()
        self._timer: IDelayedCall | None = None

    def connectionMade(self) -> None:
        if self.is_client:
            self.proxy.opened(self)

    def dataReceived(self, data: bytes) -> None:
        if self.is_client:
            self.proxy.asked(data)
        if not self.is_client and self.proxy.loses_an_answer():
            self.cut()
        else:
            self._hold(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.is_gone = True
        self._hold(None)

    def _hold(self, data: bytes | None) -> None:
        self.held.append((self.proxy.seconds() + self.proxy.delay, data))
        self.flush()

    def flush(self) -> None:
        """Pass on what is due, in order."""
        other = self.other
        if other is None or self.proxy.holds or (self.proxy.holds_answers and not self.is_client):
            return
        while self.held and self.held[0][0] <= self.proxy.seconds():
            other.write(self.held.popleft()[1])
        if self.held and (self._timer is None or not self._timer.active()):
            wait = max(0.0, self.held[0][0] - self.proxy.seconds())
            self._timer = self.proxy.reactor.callLater(wait, self.flush)
        self.proxy.forget_if_over(self)

    def write(self, data: bytes | None) -> None:
        if self.is_gone or self.transport is None:
            return
        if data is None:
            self.transport.loseConnection()
        else:
            self.transport.write(data)

    def cut(self) -> None:
        """Reset both sides; what was held is lost."""
        for leg in (self, self.other):
            if leg is not None:
                leg.held.clear()
                leg.abort()

    def abort(self) -> None:
        transport: Any = self.transport
        if transport is not None and not self.is_gone:
            transport.abortConnection()


class Proxy:
    """Stands at ``port`` before whatever ``target`` leads to (asked for each connection).

    ``holds``: nothing is passed on, in either direction, not even the end of a connection;
    ``holds_answers``: nothing that comes back.
    ``refuses``: new connections are reset.  ``delay``: seconds by which everything comes late.
    """

    def __init__(self, reactor: Any, target: Callable[[], IStreamClientEndpoint]) -> None:
        self.reactor = reactor
        self.port = 0
        self.refuses = False
        self.holds = False
        self.holds_answers = False
        self.delay = 0.0
        self._target = target
        self._to_lose = 0
        self._hold_answer_to: bytes | None = None
        self._clients: list[_Leg] = []
        self._listening: Any = None

    async def listen(self) -> None:
        """Listen on a free port."""
        endpoint = TCP4ServerEndpoint(self.reactor, 0, interface="127.0.0.1")
        factory = Factory.forProtocol(lambda: _Leg(self, is_client=True))
        factory.noisy = False
        self._listening = await endpoint.listen(factory)
        self.port = self._listening.getHost().port

    def seconds(self) -> float:
        """Return the time, unix seconds."""
        now: float = self.reactor.seconds()
        return now

    def cut(self) -> None:
        """Reset every connection."""
        for client in list(self._clients):
            client.cut()

    def lose_answers(self, count: int) -> None:
        """Reset a connection instead of passing on its answer, ``count`` times."""
        self._to_lose = count

    def hold_answer_to(self, words: bytes) -> None:
        """Hold all answers from the next request on that has these ``words`` in it."""
        self._hold_answer_to = words

    def release(self) -> None:
        """Pass on what was held."""
        self.holds = self.holds_answers = False
        for client in list(self._clients):
            for leg in (client, client.other):
                if leg is not None:
                    leg.flush()

    def close(self) -> Deferred[None]:
        """Stop listening and reset every connection."""
        self.refuses = True
        self.cut()
        stopped: Deferred[None] = maybeDeferred(self._listening.stopListening)
        return stopped

    # --- what the legs ask --------------------------------------------------------------------

    def opened(self, client: _Leg) -> None:
        """Connect a new client to the target."""
        if self.refuses:
            client.abort()
            return
        self._clients.append(client)
        upstream = _Leg(self, is_client=False)
        factory = Factory.forProtocol(lambda: upstream)
        factory.noisy = False
        made = self._target().connect(factory)
        made.addCallbacks(lambda _: self._joined(client, upstream), lambda _: client.cut())

    def asked(self, data: bytes) -> None:
        """Take note of what a client says."""
        if self._hold_answer_to is not None and self._hold_answer_to in data:
            self._hold_answer_to = None
            self.holds_answers = True

    def loses_an_answer(self) -> bool:
        """Say whether this answer is one to lose."""
        self._to_lose -= 1
        return self._to_lose >= 0

    def forget_if_over(self, leg: _Leg) -> None:
        """Keep no connection that is over on both sides."""
        pair = [leg, leg.other]
        if all(one is not None and one.is_gone and not one.held for one in pair):
            self._clients = [client for client in self._clients if client not in pair]

    def _joined(self, client: _Leg, upstream: _Leg) -> None:
        client.other, upstream.other = upstream, client
        if client.is_gone and not client.held:
            upstream.abort()
        client.flush()
        upstream.flush()
