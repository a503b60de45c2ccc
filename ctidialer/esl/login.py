"""The authentication of one connection: the greeting, our answer to it, FreeSWITCH's verdict."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ctidialer.esl.connection import Accepted, DeniedNotice, Refused
from ctidialer.esl.errors import AccessDenied, AuthTimeout, EslError, WrongPassword

LoginStep = Accepted | Refused | DeniedNotice


class Login:
    """Pairs the greeting with the command that answers it, whichever comes first.

    ``write`` sends bytes; ``abort`` closes the connection, saying why.
    """

    def __init__(
        self,
        clock: IReactorTime,
        write: Callable[[bytes], None],
        abort: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._write = write
        self._abort = abort
        self._greeted = False
        self._unsent: bytes | None = None
        self._denied: EslError | None = None
        self._waiting: Deferred[Accepted] | None = None
        self._limit: IDelayedCall | None = None

    def begin(self, command: bytes, timeout: float) -> Deferred[Accepted]:
        """Answer the greeting with ``command``, now or when it comes; ``timeout`` in seconds."""
        if self._denied is not None:
            return defer.fail(self._denied)
        self._waiting = Deferred(self._abandon)
        self._limit = self._clock.callLater(timeout, self._time_out, timeout)
        self._unsent = command
        waiting = self._waiting
        self._send()
        return waiting

    def greeted(self) -> None:
        """Note that FreeSWITCH wants a password."""
        self._greeted = True
        self._send()

    def decide(self, verdict: LoginStep) -> None:
        """Take FreeSWITCH's verdict."""
        match verdict:
            case Accepted():
                waiting = self._release()
                if waiting is not None:
                    waiting.callback(verdict)
            case Refused():
                self.fail(WrongPassword(verdict.reply))
            case DeniedNotice():
                self.fail(AccessDenied(verdict.reply))

    def fail(self, error: EslError) -> None:
        """End the authentication, even before it has begun; does nothing once it is decided."""
        self._denied = self._denied or error
        waiting = self._release()
        if waiting is not None:
            waiting.errback(error)

    def _send(self) -> None:
        if self._greeted and self._unsent is not None:
            command, self._unsent = self._unsent, None
            self._write(command)

    def _time_out(self, seconds: float) -> None:
        error = AuthTimeout(seconds)
        self.fail(error)
        self._abort(str(error))

    def _abandon(self, cancelled: Deferred[Accepted]) -> None:
        self._release()

    def _release(self) -> Deferred[Accepted] | None:
        waiting, self._waiting = self._waiting, None
        if self._limit is not None and self._limit.active():
            self._limit.cancel()
        self._limit = self._unsent = None
        return waiting
