"""The stream of events: what happens to numbers, told while it happens.

Events are for watching only; the records are what counts.  So nothing waits for them: they are
gathered for some milliseconds and written together, one batch at a time.  Events that Redis does
not take, or not quickly enough, are dropped and counted.
"""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred, DeferredList, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ctidialer.contract.call_event import CallEvent, encode_event
from ctidialer.glue import Complaints
from ctidialer.store.errors import StoreError
from ctidialer.store.store import Store

GATHER_INTERVAL = 0.02
"""Seconds for which events are gathered."""

MAX_BATCH = 500
"""Events that are written together: some hundred kilobytes."""

MAX_WAITING = 20_000
"""Events that wait to be written, some ten megabytes; further ones are dropped."""

FAILED_INTERVAL = 1.0
"""Seconds after a failure in which all events are dropped, without a try."""

TOO_SLOW = f"Redis does not take {MAX_WAITING} events in time"

FAREWELL_TIMEOUT = 1.0
"""Seconds for which the end of the daemon waits for the last events."""


class EventStream:
    """Writes events to the stream ``name``, which keeps about ``most`` of them.

    ``written`` and ``dropped`` count them.  ``problem`` is a sentence why they are dropped now;
    empty = they are not.
    """

    log = Logger()

    def __init__(self, clock: IReactorTime, store: Store, name: str, most: int) -> None:
        self._clock = clock
        self._store = store
        self._name = name
        self._most = most
        self._waiting: list[CallEvent] = []
        self._next: IDelayedCall | None = None
        self._under_way: Deferred[None] | None = None
        self._rest: IDelayedCall | None = None
        self._said = Complaints()
        self._dropped_before = 0
        self.written = 0
        self.dropped = 0
        self.problem = ""

    def tell(self, event: CallEvent) -> None:
        """Write an event soon, or drop it."""
        if self._rest is not None or len(self._waiting) >= MAX_WAITING:
            self._drop(1, TOO_SLOW if self._rest is None else self.problem)
            return
        self._waiting.append(event)
        if self._next is None and self._under_way is None:
            self._next = self._clock.callLater(GATHER_INTERVAL, self._write)

    def stop(self) -> Deferred[None]:
        """Write what is left, for FAREWELL_TIMEOUT at most; fires after that.

        No event may be told any more.
        """
        if self._next is not None:
            self._next.cancel()
            self._write()
        if self._under_way is None:
            self._over(None)
            return succeed(None)
        last = DeferredList([self._under_way])
        return last.addTimeout(FAREWELL_TIMEOUT, self._clock, _enough).addCallback(self._over)

    def _over(self, _: object) -> None:
        if self._rest is not None:
            self._rest.cancel()

    def _write(self) -> None:
        self._next = None
        batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
        documents = [encode_event(event) for event in batch]
        self._under_way = self._store.tell(self._name, self._most, documents)
        self._under_way.addCallbacks(self._done, self._failed, (len(batch),), {}, (len(batch),))
        self._under_way.addErrback(self._bug).addCallback(self._go_on)

    def _go_on(self, _: object) -> None:
        self._under_way = None
        if self._waiting and self._next is None:
            at_once = len(self._waiting) >= MAX_BATCH
            self._next = self._clock.callLater(0 if at_once else GATHER_INTERVAL, self._write)

    def _done(self, _: object, count: int) -> None:
        self.written += count
        self.problem = ""
        if self._said.over(True) | self._said.over(False):
            self.log.info(
                "Events are told again; {dropped} were dropped",
                dropped=self.dropped - self._dropped_before,
            )

    def _failed(self, failure: Failure, count: int) -> None:
        failure.trap(StoreError, CancelledError)
        self._rest = self._clock.callLater(FAILED_INTERVAL, self._rested)
        self._drop(count + len(self._waiting), failure.getErrorMessage())
        self._waiting = []

    def _rested(self) -> None:
        self._rest = None

    def _drop(self, count: int, problem: str) -> None:
        if not self.problem:
            self._dropped_before = self.dropped
        self.dropped += count
        self.problem = problem
        if self._said.is_news(problem, problem == TOO_SLOW):
            self.log.warn(
                "Events are dropped, not written to {stream}; numbers are called and booked as "
                "ever: {problem}",
                stream=self._name,
                problem=problem,
            )

    def _bug(self, failure: Failure) -> None:
        self.log.failure("Events could not be written", failure)


def _enough(value: object, timeout: float) -> None:
    """The last events were not written in time."""
