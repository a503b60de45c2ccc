"""The event stream of the dashboard (Server-Sent Events): one text for all clients.

Nothing piles up for a client that does not read: while its connection is full, it is sent nothing;
if it stays full, the connection is cut.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IPushProducer, ITCPTransport
from twisted.web.http import Request
from zope.interface import implementer

from ctidialer.contract.record import Record
from ctidialer.contract.record_document import encode_record
from ctidialer.rules.attempt import Attempt
from ctidialer.web.access import Access
from ctidialer.web.answers import Asked, Refusal
from ctidialer.web.routes import EVENTS, Streamed, get

CUT_TIMEOUT = 10.0
"""Seconds for which a connection may be full."""

MAX_RECORDS_A_SECOND = 20
"""More than anybody can read; the others are only counted."""

MAX_LISTENERS = 500


def event(name: str, data: bytes) -> bytes:
    """Return one event; ``data`` is JSON without line breaks."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), data)


@implementer(IPushProducer)
class StreamListener:
    """One open stream."""

    def __init__(
        self, request: Request, now: Callable[[], float], may_listen: Callable[[], bool]
    ) -> None:
        self.may_listen = may_listen
        self._request = request
        self._now = now
        self._full_since: float | None = None
        request.registerProducer(self, True)

    def tell(self, text: bytes) -> None:
        """Send some events, unless the connection is full; one that stays full is cut."""
        if self._full_since is None:
            self._request.write(text)
        elif self._now() - self._full_since >= CUT_TIMEOUT:
            self._cut()

    def _cut(self) -> None:
        # To lose it politely would wait until what is queued is sent: for ever, here.
        transport = self._request.transport
        if ITCPTransport.providedBy(transport):
            transport.abortConnection()

    def end(self) -> None:
        """Close the stream."""
        self._request.unregisterProducer()
        self._request.finish()

    def pauseProducing(self) -> None:
        """The connection is full."""
        self._full_since = self._now()

    def resumeProducing(self) -> None:
        """The connection has room again."""
        self._full_since = None

    def stopProducing(self) -> None:
        """The client has gone."""


class Stream:
    """Everybody who listens; ``now`` is a clock in seconds.  A reader of the journal."""

    def __init__(self, access: Access, now: Callable[[], float]) -> None:
        self._access = access
        self._now = now
        self._listeners: set[StreamListener] = set()
        self._records = 0
        self._skipped = 0

    def __len__(self) -> int:
        return len(self._listeners)

    @get(
        "/api/events",
        "Server-Sent Events: `status` each second (NodeStatus, the `sample` of that second, and"
        " `queued`, the numbers in the queues of the open tasks),"
        " `record` (a record), `skipped` (how many records were not sent)",
        others={503: "too many listen"},
        content_type=EVENTS,
    )
    async def events(self, asked: Asked) -> Streamed:
        """Open a stream, for as long as the session of who asks goes on."""
        if len(self._listeners) >= MAX_LISTENERS:
            raise Refusal(503, "too many dashboards are open")
        session, access = asked.session, self._access
        may_listen = lambda: session is None or access.is_open(session)  # noqa: E731
        return Streamed(lambda request: self._begin(request, may_listen))

    def _begin(self, request: Request, may_listen: Callable[[], bool]) -> None:
        listener = StreamListener(request, self._now, may_listen)
        self._listeners.add(listener)
        request.notifyFinish().addBoth(lambda _: self._listeners.discard(listener))
        listener.tell(b": welcome\n\n")

    def call_ended(self, attempt: Attempt) -> None:
        """Part of JournalReader; the stream tells of numbers, not of calls."""

    def number_ended(self, record: Record) -> None:
        """Tell of a record, of the first ones in each second."""
        if not self._listeners:
            return
        self._records += 1
        if self._records > MAX_RECORDS_A_SECOND:
            self._skipped += 1
        else:
            self._tell(event("record", encode_record(record)))

    def second(self, status: bytes) -> None:
        """Tell of the state, JSON, every second; end the streams of who has signed out."""
        for listener in [one for one in self._listeners if not one.may_listen()]:
            listener.end()
        text = event("status", status)
        if self._skipped:
            text += event("skipped", b'{"records":%d}' % self._skipped)
        self._records = self._skipped = 0
        self._tell(text)

    def end(self) -> None:
        """Close all streams: this daemon is going."""
        for listener in list(self._listeners):
            listener.end()

    def _tell(self, text: bytes) -> None:
        for listener in list(self._listeners):
            listener.tell(text)
