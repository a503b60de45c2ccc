"""A proxy on loopback that cuts connections, holds them half open, delays them, loses answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.interfaces import (
    IDelayedCall,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from ctidialer.glue import Waiters


class _Leg(Protocol):
    """One side of a connection; what it reads is passed to ``other``, when the proxy lets it."""

    def __init__(self, proxy: Proxy, *, is_client: bool) -> None:
        self.proxy = proxy
        self.is_client = is_client
        self.other: _Leg | None = None
        self.is_gone = False
        self.holds = False
        self.held: deque[tuple[float, bytes | None]] = deque()
        self._timer: IDelayedCall | None = None

    def connectionMade(self) -> None:
        if self.is_client:
            self.proxy.opened(self)

    def dataReceived(self, data: bytes) -> None:
        if self.is_client:
            self.proxy.asked(self, data)
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
        if other is None or self.holds or self.proxy.holds_all(self):
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
                leg.forget()
                leg.abort()

    def forget(self) -> None:
        """Let what was held be lost."""
        self.held.clear()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def abort(self) -> None:
        transport: Any = self.transport
        if transport is not None and not self.is_gone:
            transport.abortConnection()


class Proxy:
    """Stands at ``port`` before whatever ``target`` leads to (asked for each connection).

    ``holds``: nothing is passed on, in either direction, not even the end of a connection;
    ``holds_answers``: nothing that comes back.
    ``refuses``: new connections are reset.  ``delay``: seconds by which everything comes late.
    ``address`` is where it listens, host and port.
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
        self._hold_from: bytes | None = None
        self._clients: list[_Leg] = []
        self._all_over: Waiters[None] = Waiters()
        self._listening: Any = None

    @property
    def address(self) -> str:
        """Where clients find it."""
        return f"127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """How many connections there are of which one side is left, or something is held."""
        return len(self._clients)

    async def listen(self, endpoint: IStreamServerEndpoint | None = None) -> None:
        """Listen on a free port, or at ``endpoint``."""
        endpoint = endpoint or TCP4ServerEndpoint(self.reactor, 0, interface="127.0.0.1")
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

    def hold_from(self, words: bytes) -> None:
        """Hold the next request that has these ``words`` in it, and what its client says then.

        Other connections go on, and so do those made later.
        """
        self._hold_from = words

    def release(self) -> None:
        """Pass on what was held."""
        self.holds = self.holds_answers = False
        for client in list(self._clients):
            client.holds = False
            for leg in (client, client.other):
                if leg is not None:
                    leg.flush()

    async def close(self) -> None:
        """Stop listening and reset every connection; nothing is left afterwards."""
        self.refuses, self.delay = True, 0.0
        over = self._all_over.wait()
        self.cut()
        self.release()
        await maybeDeferred(self._listening.stopListening)
        if self._clients:
            await over

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
        made.addCallbacks(
            lambda _: self._joined(client, upstream), lambda _: self._not_joined(client)
        )

    def asked(self, client: _Leg, data: bytes) -> None:
        """Take note of what a client says."""
        if self._hold_answer_to is not None and self._hold_answer_to in data:
            self._hold_answer_to = None
            self.holds_answers = True
        if self._hold_from is not None and self._hold_from in data:
            self._hold_from = None
            client.holds = True

    def holds_all(self, leg: _Leg) -> bool:
        """Say whether nothing is passed on that comes from where this leg's does."""
        return self.holds or (self.holds_answers and not leg.is_client)

    def loses_an_answer(self) -> bool:
        """Say whether this answer is one to lose."""
        self._to_lose -= 1
        return self._to_lose >= 0

    def forget_if_over(self, leg: _Leg) -> None:
        """Keep no connection that is over on both sides."""
        pair = [leg, leg.other]
        if all(one is not None and one.is_gone and not one.held for one in pair):
            self._forget(pair)

    def _forget(self, pair: list[_Leg | None]) -> None:
        self._clients = [client for client in self._clients if client not in pair]
        if not self._clients:
            self._all_over.fire(None)

    def _not_joined(self, client: _Leg) -> None:
        client.cut()
        self._forget([client])

    def _joined(self, client: _Leg, upstream: _Leg) -> None:
        client.other, upstream.other = upstream, client
        if client.is_gone and not client.held:
            upstream.abort()
        client.flush()
        upstream.flush()
