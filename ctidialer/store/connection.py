"""One connection to Redis: txredisapi's protocol with a deadline of our own."""

from __future__ import annotations

from typing import Any, TypeAlias

from hiredis import pack_command
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from txredisapi import ConnectionError as ConnectionGone
from txredisapi import HiredisProtocol, InvalidData, ResponseError, SubscriberProtocol

from ctidialer.glue import Repeated
from ctidialer.store.errors import StoreError, StoreUnavailable

log = Logger()

Argument: TypeAlias = bytes | str | int
Reply: TypeAlias = "bytes | int | list[Reply] | None"

ANSWER_TIMEOUT = 5.0
"""Seconds of silence, with an answer outstanding, after which a connection counts as dead."""

TICKS_PER_TIMEOUT = 10
TICKS_TO_PING = 4
"""Ticks of silence, with no answer outstanding, before a PING is sent: every 2 s by default."""


class WatchedConnection(HiredisProtocol):  # type: ignore[misc]  # txredisapi carries no types
    """A connection that notices by itself when Redis has stopped answering.

    ``lost`` fires once, with the reason as text, when the connection has gone; every request still
    outstanding has failed by then.  Bulk replies are bytes, even if they are all digits.
    """

    def __init__(self, clock: IReactorTime, deadline: float = ANSWER_TIMEOUT) -> None:
        super().__init__(charset=None, convertNumbers=False)
        self.lost: Deferred[str] = Deferred()
        self._silent_ticks = 0
        self._why_aborted = ""
        self._watch = Repeated(clock, self._tick, log, "Watching Redis")
        self._deadline = deadline

    @property
    def usable(self) -> bool:
        """Whether a request made now has a chance."""
        return bool(self.connected) and not self._why_aborted

    def request(self, *arguments: Argument) -> Deferred[Reply]:
        """Send one command; fails with StoreUnavailable, or with txredisapi's ResponseError."""
        if not self.usable:
            return fail(StoreUnavailable(self._why_aborted or "not connected to Redis"))
        if not self.replyQueue.waiting:
            self._silent_ticks = 0
        try:
            answer: Deferred[Reply] = self.execute_command(*arguments)
        except InvalidData as error:
            return fail(StoreError(f"this cannot be sent to Redis: {error}"))
        return answer.addErrback(self._unanswered)

    def abort(self, reason: str) -> None:
        """Give this connection up at once; ``reason`` is what ``lost`` will say."""
        if self.usable:
            self._why_aborted = reason
            self.transport.abortConnection()

    def connectionMade(self) -> None:
        """Begin to watch."""
        super().connectionMade()
        self._watch.start(self._deadline / TICKS_PER_TIMEOUT)

    def dataReceived(self, data: bytes, unpause: bool = False) -> None:
        """Take in what Redis says; something that is not Redis' protocol ends the connection."""
        self._silent_ticks = 0
        try:
            self._take(data)
        except InvalidData as error:
            self.abort(f"what answers there does not speak Redis' protocol: {error}")

    def _build_command(self, *arguments: Any, **_: Any) -> bytes:
        # In C: txredisapi's own code would take several per cent of the time that a call costs.
        try:
            command: bytes = pack_command(arguments)
        except UnicodeEncodeError as error:
            raise InvalidData(str(error)) from None
        return command

    def _take(self, data: bytes) -> None:
        # Not txredisapi's own code, which checks each element of each answer for a number: for a
        # table of 200,000 names that would block the reactor for a tenth of a second.
        reader = self._reader
        reader.feed(data)
        reply = reader.gets()
        while reply is not False:
            self.replyReceived(reply)
            reply = reader.gets()

    def connectionLost(self, why: Failure) -> None:
        """Fail what is outstanding and tell ``lost``."""
        self._watch.stop()
        self._why_aborted = self._why_aborted or why.getErrorMessage()
        super().connectionLost(why)
        self.lost.callback(self._why_aborted)

    def _unanswered(self, failure: Failure) -> Failure:
        if not failure.check(ConnectionGone):
            return failure
        reason = f"the connection to Redis went before it answered: {self._why_aborted}"
        return Failure(StoreUnavailable(reason, may_have_been_executed=True))

    def _tick(self) -> None:
        # Ticks are counted, not seconds: a process that was itself suspended for a while must not
        # take its own absence for Redis' silence.
        self._silent_ticks += 1
        if not self.replyQueue.waiting:
            if self._silent_ticks >= TICKS_TO_PING:
                self._silent_ticks = 0
                self.request("PING").addErrback(lambda failure: None)
        elif self._silent_ticks > TICKS_PER_TIMEOUT:
            self.abort(f"Redis has said nothing for {self._deadline:g} s")


class SubscribedConnection(WatchedConnection, SubscriberProtocol):  # type: ignore[misc]  # untyped
    """A connection on which Redis publishes; subclasses handle the messages."""


__all__ = [
    "Argument",
    "Reply",
    "ResponseError",
    "SubscribedConnection",
    "WatchedConnection",
]
