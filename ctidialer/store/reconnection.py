"""One connection kept up: connect, live, lose it, wait a little, connect again."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from random import SystemRandom
from typing import Any, Generic, Protocol, TypeVar

from attrs import field, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from ctidialer.store.connection import WatchedConnection
from ctidialer.store.endpoint import LoginRefused
from ctidialer.store.errors import StoreError, StoreUnavailable

log = Logger()

Connection = TypeVar("Connection", bound=WatchedConnection)
What = TypeVar("What")
Received = TypeVar("Received", bound=WatchedConnection, contravariant=True)


@frozen
class BackOff:
    """How long to wait between two tries: ``first`` seconds, doubled up to ``most``.

    ``refused`` is the wait after a wrong password.  Each wait is shortened by up to half
    at random, so that many daemons do not come back in one moment.
    """

    first: float = 0.1
    most: float = 4.0
    refused: float = 30.0
    random: Callable[[], float] = field(factory=lambda: SystemRandom().random)

    def wait(self, failures: int) -> float:
        """Return the seconds to wait after ``failures`` (1 or more) failures in a row."""
        longest = min(self.most, self.first * 2.0 ** min(failures - 1, 32))
        return longest * (1.0 - self.random() / 2)


class Lifeline(Protocol[Received]):
    """Who lives on the connection."""

    def connected(self, connection: Received) -> None:
        """A connection is there, logged in."""

    def disconnected(self, reason: str) -> None:
        """There is none: it went, or the first try failed, or the reason is another one now."""


class Reconnection(Generic[Connection]):
    """Keeps one connection, from ``start`` to ``stop``.

    ``make`` makes what ``connect`` then connects and logs in; ``where`` is for the log.
    """

    def __init__(
        self,
        clock: IReactorTime,
        make: Callable[[], Connection],
        connect: Callable[[Connection], Coroutine[Deferred[Any], Any, object]],
        lifeline: Lifeline[Connection],
        back_off: BackOff,
        where: str,
    ) -> None:
        self._clock = clock
        self._make = make
        self._connect = connect
        self._lifeline = lifeline
        self._back_off = back_off
        self._where = where
        self._running: Deferred[None] | None = None
        self._life: object = None
        self._telling = False
        self._connection: Connection | None = None  # the last one, be it logged in or not
        self._reason = ""

    def start(self) -> None:
        """Begin to connect."""
        if self._life is None:
            self._life = object()
            self._running = Deferred.fromCoroutine(self._run(self._life))
            self._running.addErrback(lambda failure: failure.trap(CancelledError) and None)

    async def stop(self) -> None:
        """Close the connection and connect no more."""
        self._life = None
        # A run that is told to stop from within, by a listener, sees by itself that its life is
        # over; while it is being executed it cannot be cancelled.
        if self._running is not None and not self._telling:
            self._running.cancel()
        connection, self._connection = self._connection, None
        if connection is not None and connection.connected:
            gone = connection.lost = Deferred()
            connection.abort("closed by this daemon")
            await gone

    async def _run(self, life: object) -> None:
        failures = 0
        while True:
            began = self._clock.seconds()
            failure = await Deferred.fromCoroutine(self._live(life)).addErrback(_own_fault)
            if self._life is not life:
                return
            # A connection that lasts has proved itself; one that goes at once is one more failure.
            lasted = failure is None and self._clock.seconds() - began > self._back_off.most
            failures = 1 if lasted else failures + 1
            await deferLater(self._clock, self._wait(failure, failures))

    async def _live(self, life: object) -> StoreError | None:
        """Connect and stay until the connection goes; return why there was none, None = it went."""
        connection = self._connection = self._make()
        try:
            await self._connect(connection)
        except StoreError as error:
            if self._life is life:
                self._say(error)
            return error
        except CancelledError:
            return None
        if self._reason:
            log.info("Redis at {address} is back", address=self._where)
        self._reason = ""
        self._tell(self._lifeline.connected, connection)
        with suppress(CancelledError):
            reason = await connection.lost
            if self._life is life:
                self._down(reason)
        return None

    def _wait(self, failure: StoreError | None, failures: int) -> float:
        if isinstance(failure, LoginRefused):
            return self._back_off.refused
        return self._back_off.wait(failures)

    def _say(self, error: StoreError) -> None:
        if isinstance(error, LoginRefused):
            log.error(
                "Redis at {address}: {reason}; next try in {wait:g} s",
                address=self._where,
                reason=str(error),
                wait=self._back_off.refused,
            )
        if str(error) != self._reason:
            self._down(str(error))

    def _down(self, reason: str) -> None:
        self._reason = reason
        log.warn("No Redis at {address}: {reason}", address=self._where, reason=reason)
        self._tell(self._lifeline.disconnected, reason)

    def _tell(self, event: Callable[[What], None], what: What) -> None:
        self._telling = True
        try:
            event(what)
        finally:
            self._telling = False


def _own_fault(failure: Failure) -> StoreError:
    log.failure("Connecting to Redis failed by a fault of this program", failure)
    return StoreUnavailable(failure.getErrorMessage())
