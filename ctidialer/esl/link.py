"""One connection to FreeSWITCH that is made again whenever it goes."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from attrs import field, frozen
from twisted.application.internet import ClientService
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IProtocol, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from ctidialer.esl.client import EventSocketFactory, EventSocketProtocol, ignore_event
from ctidialer.esl.connection import Accepted
from ctidialer.esl.errors import ConnectionGone, LoginError
from ctidialer.esl.events import Event
from ctidialer.esl.prepared import PreparedEndpoint
from ctidialer.esl.pulse import Pulse

STOPPED = "stopped"


@frozen
class Credentials:
    """How to authenticate: with the Event Socket's password, or as a ``user@domain``."""

    password: str = field(repr=False)
    user: str | None = None

    def login(self, protocol: EventSocketProtocol, timeout: float) -> Deferred[Accepted]:
        """Authenticate a connection; ``timeout`` in seconds."""
        if self.user is None:
            return protocol.auth(self.password, timeout)
        return protocol.userauth(self.user, self.password, timeout)


@frozen
class Timings:
    """All times of a link, in seconds.

    ``login``: greeting and authentication.  ``command``: any other command's reply.  Retries begin
    at ``first_retry`` and double up to ``longest_retry``, jittered; a refused password or address
    is tried again after ``login_retry``.  Every ``pulse`` an idle connection is asked for a sign of
    life; ``silent_pulses`` of them without one end it.  ``farewell``: how long a stopping service
    lets what is written go out.
    """

    login: float = 10.0
    command: float = 10.0
    first_retry: float = 0.25
    longest_retry: float = 10.0
    login_retry: float = 30.0
    pulse: float = 5.0
    silent_pulses: int = 3
    farewell: float = 2.0


DEFAULT_TIMINGS = Timings()

SetUp: TypeAlias = Callable[[EventSocketProtocol, Accepted], Awaitable[None]]


async def nothing_to_set_up(protocol: EventSocketProtocol, accepted: Accepted) -> None:
    """Leave a connection as the authentication left it."""


class Link(ClientService):
    """Keeps one authenticated connection, which is made ready by ``set_up`` each time.

    ``protocol`` is that connection while it is ready, else None, and then ``trouble`` says why, for
    people.  ``changed`` is called after each change between the two.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        endpoint: IStreamClientEndpoint,
        role: str,
        credentials: Credentials,
        changed: Callable[[], None],
        *,
        set_up: SetUp = nothing_to_set_up,
        receive_event: Callable[[Event], None] = ignore_event,
        timings: Timings = DEFAULT_TIMINGS,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """``role`` names the connection in the log; ``jitter`` gives numbers from 0 to 1."""
        self.protocol: EventSocketProtocol | None = None
        self.trouble: str | None = "not connected yet"
        self._clock = clock
        self._role = role
        self._credentials = credentials
        self._changed = changed
        self._set_up = set_up
        self._timings = timings
        self._jitter = jitter
        self._locked_out = False
        self._short_lived = 0
        self._since = 0.0
        self._fresh: EventSocketProtocol | None = None
        self._pulse: Pulse | None = None
        factory = EventSocketFactory(clock, receive_event, command_timeout=timings.command)
        prepared = PreparedEndpoint(
            endpoint, factory, self._prepare, self._connected, self._attempt_failed
        )
        super().__init__(prepared, Factory.forProtocol(Protocol), self._delay, clock)

    def startService(self) -> None:
        """Begin to connect."""
        super().startService()
        self._await_ready()

    def stopService(self) -> Deferred[None]:
        """Close, or abort after ``farewell`` seconds; fires when nothing is left."""
        stopped: Deferred[None] = super().stopService()
        if self.protocol is not None:
            self.protocol.ending = STOPPED
            late = self._clock.callLater(self._timings.farewell, self.protocol.abort, STOPPED)
            self.protocol.when_gone().addCallback(_call_off, late)
        return stopped

    async def _prepare(self, protocol: EventSocketProtocol) -> None:
        accepted = await self._credentials.login(protocol, self._timings.login)
        self._locked_out = False
        await self._set_up(protocol, accepted)

    def _connected(self, protocol: EventSocketProtocol, watcher: IProtocol) -> None:
        self._fresh = protocol
        protocol.when_gone().addCallback(self._gone, watcher)

    def _await_ready(self) -> None:
        # Not at once in _connected: there the service does not know of the connection yet.
        self.whenConnected().addCallbacks(self._ready, lambda stopped: None)

    def _ready(self, _: IProtocol) -> None:
        assert self._fresh is not None
        self.protocol, self.trouble = self._fresh, None
        self._since = self._clock.seconds()
        self._pulse = Pulse(
            self._clock, self.protocol, self._timings.pulse, self._timings.silent_pulses
        )
        self._pulse.start()
        self._changed()

    def _gone(self, why: str, watcher: IProtocol) -> None:
        if self._pulse is not None:
            self._pulse.stop()
        self._fresh = self.protocol = self._pulse = None
        self.trouble = why
        lasted = self._clock.seconds() - self._since
        self._short_lived = self._short_lived + 1 if lasted < self._timings.longest_retry else 0
        self._changed()
        watcher.connectionLost(Failure(ConnectionGone(why, may_have_been_executed=False)))
        if self.running:
            self._await_ready()

    def _attempt_failed(self, failure: Failure) -> None:
        self._locked_out = failure.check(LoginError) is not None
        self.trouble = failure.getErrorMessage()

    def _delay(self, attempt: int) -> float:
        """Return the seconds until the next attempt, and say once a try why it is needed."""
        times = self._timings
        if self._locked_out:
            delay = times.login_retry * (1 + self._jitter() / 10)
        else:
            doubled = times.first_retry * 2.0 ** min(attempt - 1 + self._short_lived, 30)
            delay = min(doubled, times.longest_retry) * (1 + self._jitter()) / 2
        self.log.warn(
            "No {role} connection to FreeSWITCH: {trouble} (next try in {delay:.1f} s)",
            role=self._role,
            trouble=self.trouble,
            delay=delay,
        )
        return delay


def _call_off(_: str, call: IDelayedCall) -> None:
    if call.active():
        call.cancel()
