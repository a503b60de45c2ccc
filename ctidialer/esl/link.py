"""One connection to FreeSWITCH that is made again whenever it goes."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TypeAlias, cast

from attrs import field, frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint

from ctidialer.esl.client import EventSocketFactory, EventSocketProtocol, ignore_event
from ctidialer.esl.connection import Accepted
from ctidialer.esl.errors import ConnectionGone, EslError, LoginError
from ctidialer.esl.events import Event
from ctidialer.esl.pulse import Pulse
from ctidialer.reconnection import BackOff, ConnectionState, Reconnection

STOPPED = "stopped"
EXPECTED = (EslError, ConnectError, ConnectionClosed, OSError)
"""Errors with which an attempt may fail; any other is logged as a bug of ours."""


MIN_HIDDEN_LENGTH = 4
"""A shorter password is not hidden: it is a part of too many words."""


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

    def hidden_in(self, text: str) -> str:
        """Return ``text``, what FreeSWITCH said, without the password: it may repeat our words.

        The reason why FreeSWITCH is away gets into the status and the log, for others to read.
        """
        worth_hiding = len(self.password) >= MIN_HIDDEN_LENGTH
        return text.replace(self.password, "***") if worth_hiding else text


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

    def back_off(self, jitter: Callable[[], float]) -> BackOff:
        """Return the waits between two tries; ``jitter`` gives numbers from 0 to 1."""
        return BackOff(self.first_retry, self.longest_retry, self.login_retry, lambda: 1 - jitter())


DEFAULT_TIMINGS = Timings()

SetUp: TypeAlias = Callable[[EventSocketProtocol, Accepted], Awaitable[None]]


async def nothing_to_set_up(protocol: EventSocketProtocol, accepted: Accepted) -> None:
    """Leave a connection as the authentication left it."""


class SwitchLink(Service):
    """Keeps one authenticated connection; ``set_up`` makes each new one ready.

    ``protocol`` is that connection while it is ready, else None; then ``trouble`` says why.
    ``changed`` is called after each change between the two.

    This is not a ClientService: that cannot be stopped from one of its own callbacks, such as
    ``changed``, and its state machine does not know a connection that is lost while it is being
    prepared (as after each wrong password).
    """

    def __init__(
        self,
        clock: IReactorTime,
        endpoint: IStreamClientEndpoint,
        name: str,
        credentials: Credentials,
        changed: Callable[[], None],
        *,
        set_up: SetUp = nothing_to_set_up,
        receive_event: Callable[[Event], None] = ignore_event,
        timings: Timings = DEFAULT_TIMINGS,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """``name`` names the connection in the log; ``jitter`` gives numbers from 0 to 1."""
        self.protocol: EventSocketProtocol | None = None
        self._clock = clock
        self._endpoint = endpoint
        self._credentials = credentials
        self._changed = changed
        self._set_up = set_up
        self._factory = EventSocketFactory(clock, receive_event, command_timeout=timings.command)
        self._timings = timings
        self._pulse: Pulse | None = None
        self._reconnection: Reconnection[EventSocketProtocol] = Reconnection(
            clock, self, timings.back_off(jitter), name, expected=EXPECTED, refusals=(LoginError,)
        )

    @property
    def state(self) -> ConnectionState:
        """How the connection stands, and when the next try is made."""
        return self._reconnection.state

    @property
    def trouble(self) -> str | None:
        """Why there is no connection, for people; None while there is one."""
        return self.state.problem or None

    def startService(self) -> None:
        """Begin to connect."""
        Service.startService(self)
        self._reconnection.start()

    def stopService(self) -> Deferred[None]:
        """Close, or abort after ``farewell`` seconds; fires when nothing is left."""
        Service.stopService(self)
        return self._reconnection.stop()

    async def connect(self) -> EventSocketProtocol:
        """Part of Connector."""
        # The endpoint gives what our factory built; its interface cannot say so.
        protocol = cast(EventSocketProtocol, await self._endpoint.connect(self._factory))
        try:
            accepted = await self._credentials.login(protocol, self._timings.login)
            await self._set_up(protocol, accepted)
            if protocol.ending is not None:
                raise ConnectionGone(protocol.ending, may_have_been_executed=False)
        except Exception as error:
            protocol.abort(str(error))
            await protocol.when_gone()
            raise
        return protocol

    def when_gone(self, connection: EventSocketProtocol) -> Deferred[str]:
        """Part of Connector."""
        return connection.when_gone()

    def close(self, connection: EventSocketProtocol) -> None:
        """Part of Connector."""
        connection.close(STOPPED, self._timings.farewell)

    def without_secrets(self, problem: str) -> str:
        """Part of Connector: FreeSWITCH may repeat our words."""
        return self._credentials.hidden_in(problem)

    def connected(self, connection: EventSocketProtocol) -> None:
        """Part of Connector: offer the connection to the owner."""
        times = self._timings
        self.protocol = connection
        self._pulse = Pulse(self._clock, connection, times.pulse, times.silent_pulses)
        self._pulse.start()
        self._changed()

    def disconnected(self, problem: str) -> None:
        """Part of Connector."""
        if self._pulse is not None:
            self._pulse.stop()
            self._pulse = None
        if self.protocol is not None:
            self.protocol = None
            self._changed()
