"""One connection to FreeSWITCH that is made again whenever it goes."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias, cast

from attrs import field, frozen
from twisted.application.service import Service
from twisted.internet import defer
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from ctidialer.esl.client import EventSocketFactory, EventSocketProtocol, ignore_event
from ctidialer.esl.connection import Accepted
from ctidialer.esl.errors import ConnectionGone, EslError, LoginError
from ctidialer.esl.events import Event
from ctidialer.esl.pulse import Pulse

STOPPED = "stopped"
EXPECTED = (EslError, ConnectError, ConnectionClosed, OSError)
"""What a failed attempt may fail with; anything else is a mistake of ours and logged as one."""


SHORTEST_HIDDEN = 4
"""A shorter password is a part of too many words."""


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
        """Return ``text``, what FreeSWITCH said, without the password: it may say back our words.

        The reason why FreeSWITCH is away gets into the status and the log, for others to read.
        """
        worth_hiding = len(self.password) >= SHORTEST_HIDDEN
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


DEFAULT_TIMINGS = Timings()

SetUp: TypeAlias = Callable[[EventSocketProtocol, Accepted], Awaitable[None]]


async def nothing_to_set_up(protocol: EventSocketProtocol, accepted: Accepted) -> None:
    """Leave a connection as the authentication left it."""


class Link(Service):
    """Keeps one authenticated connection, which is made ready by ``set_up`` each time.

    ``protocol`` is that connection while it is ready, else None, and then ``trouble`` says why, for
    people.  ``changed`` is called after each change between the two.

    This is not a ClientService: one of those cannot be stopped from a callback of its own, such as
    ``changed``, and a connection that is lost while it is being prepared (as after each wrong
    password) is a transition that its state machine does not know.
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
        self._endpoint = endpoint
        self._role = role
        self._credentials = credentials
        self._changed = changed
        self._set_up = set_up
        self._factory = EventSocketFactory(clock, receive_event, command_timeout=timings.command)
        self._timings = timings
        self._jitter = jitter
        self._failures = 0  # in a row; a connection that did not last counts as one
        self._locked_out = False
        self._keeping = False
        self._attempt: Deferred[EventSocketProtocol | None] | None = None
        self._pause: Deferred[None] | None = None
        self._stopping: list[Deferred[None]] = []

    def startService(self) -> None:
        """Begin to connect."""
        Service.startService(self)
        if not self._keeping:
            self._keeping = True
            Deferred.fromCoroutine(self._keep()).addErrback(self._keeping_failed)

    def stopService(self) -> Deferred[None]:
        """Close, or abort after ``farewell`` seconds; fires when nothing is left."""
        Service.stopService(self)
        if not self._keeping:
            return defer.succeed(None)
        stopped: Deferred[None] = Deferred()
        self._stopping.append(stopped)
        for pending in (self._attempt, self._pause):
            if pending is not None:
                pending.cancel()
        if self.protocol is not None:
            self.protocol.close(STOPPED, self._timings.farewell)
        return stopped

    async def _keep(self) -> None:
        """Connect, use, and wait before the next try, until the service is stopped."""
        while self.running:
            protocol = await self._connected()
            if protocol is not None:
                await self._use(protocol)
            if self.running:
                await self._wait(self._delay())
        self._keeping = False
        self.trouble = self.trouble or STOPPED
        stopping, self._stopping = self._stopping, []
        for stopped in stopping:
            stopped.callback(None)

    def _keeping_failed(self, failure: Failure) -> None:
        self.log.failure("The {role} connection is not kept any more", failure, role=self._role)

    async def _connected(self) -> EventSocketProtocol | None:
        """Return a connection that is ready, or None, having noted what the trouble is."""
        attempt = Deferred.fromCoroutine(self._connect())
        self._attempt = attempt.addErrback(self._attempt_failed)
        protocol = await self._attempt
        self._attempt = None
        return protocol

    async def _connect(self) -> EventSocketProtocol | None:
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

    def _attempt_failed(self, failure: Failure) -> None:
        if not self.running:
            return  # it was cancelled, because we stop
        self._failures += 1
        self._locked_out = failure.check(LoginError) is not None
        self.trouble = self._credentials.hidden_in(failure.getErrorMessage())
        if not failure.check(*EXPECTED):
            self.log.failure("Connecting the {role} connection failed", failure, role=self._role)

    async def _use(self, protocol: EventSocketProtocol) -> None:
        """Offer a connection to the owner until it goes."""
        self.protocol, self.trouble, self._locked_out = protocol, None, False
        pulse = Pulse(self._clock, protocol, self._timings.pulse, self._timings.silent_pulses)
        pulse.start()
        since = self._clock.seconds()
        self._changed()
        why = await protocol.when_gone()
        pulse.stop()
        self.protocol, self.trouble = None, self._credentials.hidden_in(why)
        lasted = self._clock.seconds() - since
        self._failures = 1 if lasted >= self._timings.longest_retry else self._failures + 1
        self._changed()

    async def _wait(self, seconds: float) -> None:
        self._pause = deferLater(self._clock, seconds)
        with suppress(CancelledError):
            await self._pause
        self._pause = None

    def _delay(self) -> float:
        """Return the seconds until the next try, and say once a try why it is needed."""
        times = self._timings
        if self._locked_out:
            delay = times.login_retry * (1 + self._jitter() / 10)
        else:
            doubled = times.first_retry * 2.0 ** min(self._failures - 1, 30)
            delay = min(doubled, times.longest_retry) * (1 + self._jitter()) / 2
        self.log.warn(
            "No {role} connection to FreeSWITCH: {trouble} (next try in {delay:.1f} s)",
            role=self._role,
            trouble=self.trouble,
            delay=delay,
        )
        return delay
