"""A connection that is kept up: connect, live, lose it, wait a little, connect again.

Event Socket and Redis have one and the same: :class:`ConnectionState` and :class:`BackOff` are
plain values, :class:`Reconnection` drives them.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from contextlib import suppress
from random import SystemRandom
from typing import Any, Generic, Protocol, TypeVar

from attrs import evolve, field, frozen
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from ctidialer.glue import Waiters, background

Connection = TypeVar("Connection")
Errors = tuple[type[Exception], ...]


class LinkPhase(enum.Enum):
    """What is being done for the connection."""

    STOPPED = "stopped"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting for the next try"


@frozen
class ConnectionState:
    """How a connection stands; moments are unix seconds.

    ``problem`` is why there is no connection, for people; empty while there is one.  ``failures``
    counts those in a row, and a connection that did not last is one of them.  ``last_try`` is when
    the last try began, ``next_try`` when the next one will, None = none is planned.
    """

    phase: LinkPhase = LinkPhase.STOPPED
    problem: str = "not connected yet"
    failures: int = 0
    last_try: float | None = None
    connected_at: float | None = None
    next_try: float | None = None

    def trying(self, now: float) -> ConnectionState:
        """A try begins."""
        return evolve(self, phase=LinkPhase.CONNECTING, last_try=now, next_try=None)

    def connected(self, now: float) -> ConnectionState:
        """It has succeeded."""
        return evolve(self, phase=LinkPhase.CONNECTED, problem="", connected_at=now)

    def ended(self, now: float, problem: str, proven: float) -> ConnectionState:
        """A try has failed, or the connection has gone.

        One that was there for ``proven`` seconds has proved itself: counting begins anew.
        """
        lasted = self.connected_at is not None and now - self.connected_at > proven
        failures = 1 if lasted else self.failures + 1
        return evolve(
            self, phase=LinkPhase.WAITING, problem=problem, failures=failures, connected_at=None
        )

    def waiting(self, now: float, wait: float) -> ConnectionState:
        """The next try is made after ``wait`` seconds."""
        return evolve(self, next_try=now + wait)

    def stopped(self) -> ConnectionState:
        """Nobody wants the connection any more."""
        return evolve(self, phase=LinkPhase.STOPPED, next_try=None)

    def told(self, now: float) -> str:
        """Return the problem and when the next try is made, for people; empty = connected."""
        if self.next_try is None:
            return self.problem
        return f"{self.problem}; next try in {max(0.0, self.next_try - now):.1f} s"


@frozen
class BackOff:
    """How long to wait between two tries: ``first`` seconds, doubled up to ``most``.

    ``refused`` is the wait after a wrong password, which no quick try makes right.  Each wait is
    shortened by up to half at random, so that many daemons do not come back in one moment.
    """

    first: float = 0.1
    most: float = 4.0
    refused: float = 30.0
    random: Callable[[], float] = field(factory=lambda: SystemRandom().random)

    def wait(self, failures: int) -> float:
        """Return the seconds to wait after ``failures`` (1 or more) failures in a row."""
        longest = min(self.most, self.first * 2.0 ** min(failures - 1, 32))
        return longest * (1.0 - self.random() / 2)


class Connector(Protocol[Connection]):
    """One kind of connection: how it is made and ended, and who lives on it."""

    async def connect(self) -> Connection:
        """Connect, log in, make ready.  What fails, or is cancelled, leaves nothing behind."""

    def when_gone(self, connection: Connection) -> Deferred[str]:
        """Fire with the reason, for people, when the connection has gone."""

    def close(self, connection: Connection) -> None:
        """Begin to close the connection."""

    def without_secrets(self, problem: str) -> str:
        """Return the problem as others may read it: without a password that the peer said back."""

    def connected(self, connection: Connection) -> None:
        """The connection may be used from now on."""

    def disconnected(self, problem: str) -> None:
        """There is none: it went, or the first try failed, or the problem is another one now."""


class Reconnection(Generic[Connection]):
    """Keeps one connection, from ``start`` to ``stop``; ``state`` says how it stands.

    ``name`` is for the log.  ``expected`` are the errors with which a try may fail; any other is a
    fault of ours, logged as one, and survived.  ``refusals`` are those after which only the
    operator can help: they are said once a try, the others once until they change.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        connector: Connector[Connection],
        back_off: BackOff,
        name: str,
        *,
        expected: Errors,
        refusals: Errors,
    ) -> None:
        self.state = ConnectionState()
        self._clock = clock
        self._connector = connector
        self._back_off = back_off
        self._name = name
        self._expected = expected
        self._refusals = refusals
        self._wanted = False
        self._keeping = False
        self._said = ""
        self._connection: Connection | None = None
        self._pending: Deferred[Any] | None = None
        self._stopping: Waiters[None] = Waiters()

    def start(self) -> None:
        """Begin to connect."""
        self._wanted = True
        if not self._keeping:
            self._keeping = True
            background(self._keep(), self.log, f"Keeping the connection to {self._name}")

    def stop(self) -> Deferred[None]:
        """Close the connection and connect no more; fires when nothing is left."""
        self._wanted = False
        if not self._keeping:
            return succeed(None)
        stopped = self._stopping.wait()
        if self._pending is not None:
            self._pending.cancel()
        if self._connection is not None:
            self._connector.close(self._connection)
        return stopped

    async def _keep(self) -> None:
        goes_on = True
        while goes_on:
            wait = await self._live()
            if self._wanted:
                await self._pause(wait)
            goes_on = self._keeping = self._wanted
            if not goes_on:
                self.state = self.state.stopped()
            self._stopping.fire(None)  # who is told may start it anew, or stop it once more

    async def _live(self) -> float:
        """Connect and stay until the connection goes; return after how long to try again."""
        self.state = self.state.trying(self._clock.seconds())
        attempt = Deferred.fromCoroutine(self._connector.connect())
        self._pending = attempt
        try:
            connection = await attempt
        except Exception as error:  # noqa: BLE001 - whatever it is, the next try must come
            return self._failed(error)
        finally:
            self._pending = None
        return await self._use(connection)

    async def _use(self, connection: Connection) -> float:
        self._connection = connection
        self.state = self.state.connected(self._clock.seconds())
        if self._said:
            self.log.info("{name} is back", name=self._name)
            self._said = ""
        with self.log.failuresHandled("Using the connection to {name} failed", name=self._name):
            self._connector.connected(connection)
        problem = await self._connector.when_gone(connection)
        self._connection = None
        return self._ended(problem or "the connection has gone")

    def _failed(self, error: Exception) -> float:
        if not self._wanted:
            return 0.0  # it was cancelled, because we stop
        if not isinstance(error, self._expected):
            self.log.failure("Connecting to {name} failed", Failure(error), name=self._name)
        return self._ended(str(error) or repr(error), isinstance(error, self._refusals))

    def _ended(self, problem: str, is_refusal: bool = False) -> float:
        now, problem = self._clock.seconds(), self._connector.without_secrets(problem)
        self.state = self.state.ended(now, problem, self._back_off.most)
        wait = self._back_off.refused if is_refusal else self._back_off.wait(self.state.failures)
        is_news, self._said = problem != self._said, problem
        if self._wanted:
            self.state = self.state.waiting(now, wait)
            if is_news or is_refusal:
                self._say(problem, wait, is_refusal)
        if is_news:
            with self.log.failuresHandled("Leaving {name} failed", name=self._name):
                self._connector.disconnected(problem)
        return wait

    def _say(self, problem: str, wait: float, is_refusal: bool) -> None:
        say = self.log.error if is_refusal else self.log.warn
        say(
            "No {name}: {problem} (next try in {wait:.1f} s)",
            name=self._name,
            problem=problem,
            wait=wait,
        )

    async def _pause(self, seconds: float) -> None:
        self._pending = deferLater(self._clock, seconds)
        with suppress(CancelledError):
            await self._pending
        self._pending = None
