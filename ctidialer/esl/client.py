"""The Twisted protocol of one Event Socket connection (inbound mode), and its factory."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, cast

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime, ITCPTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from ctidialer.esl import commands
from ctidialer.esl.connection import (
    Accepted,
    ApiResponse,
    AuthRequest,
    CommandReply,
    Connection,
    DeniedNotice,
    DisconnectNotice,
    LogData,
    OtherFrame,
    Received,
    Refused,
)
from ctidialer.esl.errors import ConnectionGone, EslError, ProtocolFault, UnsafeCommand
from ctidialer.esl.events import Event
from ctidialer.esl.jobs import BACKGROUND_JOB, AwaitedSubmission, BackgroundJob, Jobs
from ctidialer.esl.login import Login
from ctidialer.esl.replies import Asker, Reply, ReplyQueue
from ctidialer.esl.verbs import Verbs, printed

COMMAND_TIMEOUT = 10.0
"""Seconds within which FreeSWITCH should have answered a command."""

READ_SIZE = 256 * 1024
"""Bytes read at once, at most: if events come very fast, this takes fewer turns of the reactor than
Twisted's 64 KiB."""

FAREWELL_TIMEOUT = 2.0
"""Seconds for which a closing connection may go on writing."""


def ignore_event(event: Event) -> None:
    """Do nothing with an event."""


class EventSocketProtocol(Verbs, Protocol):
    """One connection.

    Every command returns a Deferred.  It fires with the reply, or fails with `CommandRefused`,
    `CommandTimeout`, `UnsafeCommand` (nothing was written) or `ConnectionGone`, which says whether
    the command may have been executed.  Nothing is ever written twice.

    ``receive_event`` is called at once with each event, except a BACKGROUND_JOB that `bgapi` here
    waits for; what it raises is logged, and the connection goes on.  Reading is never paused: a
    client that stops reading freezes the Event Socket of FreeSWITCH for everyone.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        receive_event: Callable[[Event], None] = ignore_event,
        *,
        command_timeout: float = COMMAND_TIMEOUT,
    ) -> None:
        """``command_timeout`` (seconds) is for commands that give none of their own."""
        self.last_received = clock.seconds()
        self.ending: str | None = None  # why no command can be written any more
        self.jobs = Jobs()
        self._clock = clock
        self._receive_event = receive_event
        self._timeout = command_timeout
        self._connection = Connection()
        self._replies = ReplyQueue(clock)
        self._login = Login(clock, self._put, self.abort)
        self._farewell: IDelayedCall | None = None
        self._mourners: list[Deferred[str]] = []
        self._gone = False

    def connectionMade(self) -> None:
        """Ask the operating system for prompt writes and for probes of an idle connection."""
        self.last_received = self._clock.seconds()
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
            self.transport.setTcpKeepAlive(True)
            cast(Any, self.transport).bufferSize = READ_SIZE

    def when_gone(self) -> Deferred[str]:
        """Return a Deferred that fires with the reason (a sentence) when the connection has gone.

        It fires before the commands that wait for a reply fail.
        """
        if self._gone:
            return defer.succeed(self.ending or "")
        mourner: Deferred[str] = Deferred()
        self._mourners.append(mourner)
        return mourner

    def close(self, why: str = "closed by ctidialer", farewell: float = FAREWELL_TIMEOUT) -> None:
        """Write out what is pending, then close; abort if that takes ``farewell`` seconds."""
        self.ending = self.ending or why
        if self.transport is not None and self._farewell is None and not self._gone:
            self._farewell = self._clock.callLater(farewell, self.abort, why)
            self.transport.loseConnection()

    def abort(self, why: str) -> None:
        """Close at once, writing nothing more; ``why`` is what `when_gone` will say."""
        self.ending = self.ending or why
        if self.transport is not None:
            cast(ITCPTransport, self.transport).abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Fail all that waits: commands that were written may have been executed."""
        for received in self._connection.finish():
            self._act_on(received)
        self.ending = self.ending or reason.getErrorMessage()
        self._gone = True
        if self._farewell is not None and self._farewell.active():
            self._farewell.cancel()
        mourners, self._mourners = self._mourners, []
        for mourner in mourners:
            mourner.callback(self.ending)
        self._login.fail(ConnectionGone(self.ending, may_have_been_executed=False))
        self._replies.fail_all(self.ending)
        self.jobs.fail_all(self.ending)

    def dataReceived(self, data: bytes) -> None:
        """Dispatch all that is complete, at once."""
        self.last_received = self._clock.seconds()
        for received in self._connection.receive(data):
            if isinstance(received, Event):
                self._deliver(received)
            else:
                self._act_on(received)
        if self._connection.fault is not None:
            self._give_up(self._connection.fault)

    def _deliver(self, event: Event) -> None:
        if event.name == BACKGROUND_JOB and self.jobs.finish(event):
            return
        try:
            self._receive_event(event)
        except BaseException:  # noqa: BLE001 - Twisted would close the connection for any of them
            self._log.failure("The receiver of {event} failed", event=event.name)

    def _act_on(self, received: Received) -> None:
        match received:
            case CommandReply() | ApiResponse():
                self._answer(received)
            case AuthRequest():
                self._login.greeted()
            case Accepted() | Refused() | DeniedNotice():
                self._login.decide(received)
            case DisconnectNotice():
                self.close(f"FreeSWITCH said: {' '.join(received.text.split())}")
            case LogData():
                self.log_received(received)
            case OtherFrame():
                self._log.warn("A frame of type {kind} is ignored", kind=received.content_type)

    def log_received(self, line: LogData) -> None:
        """Do nothing with a line of FreeSWITCH's log (after `log`); subclasses may override it."""

    def _answer(self, reply: Reply) -> None:
        try:
            self._replies.answer(reply)
        except ProtocolFault as fault:
            self._give_up(fault)

    def _give_up(self, fault: ProtocolFault) -> None:
        if self.ending is None:
            self._log.error("The Event Socket cannot be read: {fault}", fault=str(fault))
            self.abort(str(fault))

    def _put(self, data: bytes) -> None:
        if self.transport is not None:
            self.transport.write(data)

    def written(self, command: bytes, timeout: float | None = None) -> Deferred[Reply]:
        """Write a command that `ctidialer.esl.commands` built; fires with its whole reply."""
        unable = self._unable()
        if unable is not None:
            return defer.fail(unable)
        limit = self._timeout if timeout is None else timeout
        reply = self._replies.expect(commands.verb(command), limit)
        self._put(command)
        return reply

    def _unable(self) -> ConnectionGone | None:
        if self.ending is None and self.transport is not None:
            return None
        return ConnectionGone(self.ending or "not connected yet", may_have_been_executed=False)

    def auth(self, password: str, timeout: float = COMMAND_TIMEOUT) -> Deferred[Accepted]:
        """Authenticate, after the greeting has come; both within ``timeout`` seconds.

        Fails with `WrongPassword`, `AccessDenied`, `AuthTimeout` or `ConnectionGone`.
        """
        return self._authenticate(commands.auth, timeout, password)

    def userauth(
        self, user: str, password: str, timeout: float = COMMAND_TIMEOUT
    ) -> Deferred[Accepted]:
        """Authenticate as a user of the directory, ``name@domain``; otherwise as `auth`."""
        return self._authenticate(commands.userauth, timeout, user, password)

    def _authenticate(
        self, build: Callable[..., bytes], timeout: float, *words: str
    ) -> Deferred[Accepted]:
        try:
            return self._login.begin(build(*words), timeout)
        except UnsafeCommand:
            return defer.fail()

    def api(self, command: str, timeout: float | None = None) -> Deferred[str]:
        """Run an API command; fires with exactly what it printed, ``-ERR …`` included.

        `CommandRefused` means that FreeSWITCH did not run it (permission denied).
        """
        try:
            line = commands.api(command)
        except UnsafeCommand:
            return defer.fail()
        return self.written(line, timeout).addCallback(printed)

    def bgapi(self, command: str, job_id: str | None = None) -> BackgroundJob:
        """Run an API command in the background; its end comes with the BACKGROUND_JOB event.

        The connection must be subscribed to BACKGROUND_JOB.  ``job_id`` None = one is chosen.
        """
        job_id = str(uuid.uuid4()) if job_id is None else job_id
        result = self.jobs.register(job_id)
        submission = AwaitedSubmission(self.jobs, job_id)
        try:
            self.start_job(job_id, command, submission)
        except EslError as error:
            submission.failed(error)
        return BackgroundJob(job_id, submission.accepted, result)

    def start_job(
        self,
        job_id: str,
        command: str,
        asker: Asker,
        *,
        by_api: bool = False,
        timeout: float | None = None,
    ) -> None:
        """Write the command of a background job that is registered with a `Jobs` already.

        ``by_api``: as ``api bgapi``, which costs FreeSWITCH much less than ``bgapi``.
        Raises `UnsafeCommand` and `ConnectionGone`; nothing was written then.
        """
        line = (commands.api_bgapi if by_api else commands.bgapi)(command, job_id)
        unable = self._unable()
        if unable is not None:
            raise unable
        limit = self._timeout if timeout is None else timeout
        self._replies.tell(asker, "api" if by_api else "bgapi", limit)
        self._put(line)


class EventSocketFactory(Factory):
    """Builds a protocol for each connection; the arguments are those of `EventSocketProtocol`."""

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        receive_event: Callable[[Event], None] = ignore_event,
        *,
        command_timeout: float = COMMAND_TIMEOUT,
    ) -> None:
        self._clock = clock
        self._receive_event = receive_event
        self._timeout = command_timeout

    def buildProtocol(self, addr: IAddress | None) -> EventSocketProtocol:
        """Return the protocol of a new connection."""
        return EventSocketProtocol(self._clock, self._receive_event, command_timeout=self._timeout)
