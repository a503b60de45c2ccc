"""How many connections are open at once: in all, and from one address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from ctidialer.web.answers import Refusal

RETRY_AFTER = 5
"""Seconds after which who was refused may try again."""

MAX_REFUSED = 50
"""Connections that are told why they are refused at the same time; further ones are just closed."""

REFUSED_TIMEOUT = 2.0
"""Seconds that such a one has to take what it is told."""


class Connections:
    """The open connections; ``most`` of all, ``most_of_one`` of one address; 0 = no limit."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._open: Counter[str] = Counter()
        self.refused = 0
        """Connections that are just now told that they are refused."""

    def __len__(self) -> int:
        return self._open.total()

    def refusal(self, address: str) -> Refusal | None:
        """Say why no more connections are taken from an address; None = one more is."""
        retry = (("Retry-After", str(RETRY_AFTER)),)
        if self._most and len(self) >= self._most:
            return Refusal(503, "too many connections are open: try again later", retry)
        if self._most_of_one and self._open[address] >= self._most_of_one:
            return Refusal(429, "too many connections are open from this address", retry)
        return None

    def opened(self, address: str) -> None:
        """Count a connection."""
        self._open[address] += 1

    def closed(self, address: str) -> None:
        """Count it no more."""
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]


class CountedChannel(HTTPChannel):
    """An HTTP connection that says when it is over."""

    over: Callable[[], None]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is over."""
        self.over()
        super().connectionLost(reason)  # type: ignore[no-untyped-call]


class RefusedConnection(Protocol):
    """A connection that is told why it is refused, whatever it asks, and closed."""

    def __init__(
        self, refusal: Refusal, connections: Connections, call_later: Callable[..., IDelayedCall]
    ):
        self._refusal = refusal
        self._connections = connections
        self._call_later = call_later
        self._limit: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """Say it at once; go when the client has asked, or asks nothing."""
        self._connections.refused += 1
        assert self.transport is not None
        self.transport.write(_text(self._refusal))
        self._limit = self._call_later(REFUSED_TIMEOUT, self._abort)

    def dataReceived(self, data: bytes) -> None:
        """The client has asked: close, once all is sent."""
        assert self.transport is not None
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is over."""
        self._connections.refused -= 1
        if self._limit is not None and self._limit.active():
            self._limit.cancel()

    def _abort(self) -> None:
        if ITCPTransport.providedBy(self.transport):
            self.transport.abortConnection()


def _text(refusal: Refusal) -> bytes:
    answer = refusal.answer()
    reason = {429: "Too Many Requests", 503: "Service Unavailable"}[answer.status]
    headers = [
        *(f"{name}: {value}" for name, value in answer.headers),
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.body)}",
        "Connection: close",
    ]
    head = "\r\n".join([f"HTTP/1.1 {answer.status} {reason}", *headers, "", ""])
    return head.encode() + answer.body
