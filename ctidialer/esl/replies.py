"""The commands of one connection that wait for a reply, in the order in which they were written.

FreeSWITCH answers strictly in order and puts no number on its replies.  So a command that nobody
waits for any more (it timed out, or was cancelled) keeps its place until its reply has come, else
each later reply would be taken for the one before it.
"""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ctidialer.esl.connection import ApiResponse, CommandReply
from ctidialer.esl.errors import CommandTimeout, ConnectionGone, ProtocolFault

Reply: TypeAlias = CommandReply | ApiResponse


@define(eq=False)
class _Written:
    """A command that has been written; ``asker`` None = nobody waits for its reply any more."""

    verb: str
    asker: Deferred[Reply] | None = None
    limit: IDelayedCall | None = None

    def release(self) -> Deferred[Reply] | None:
        """Return who waits, and let nobody wait any more."""
        asker, self.asker = self.asker, None
        if self.limit is not None and self.limit.active():
            self.limit.cancel()
        self.limit = None
        return asker

    def abandon(self, cancelled: Deferred[Reply]) -> None:
        self.release()

    def time_out(self, seconds: float) -> None:
        asker = self.release()
        if asker is not None:
            asker.errback(CommandTimeout(self.verb, seconds))

    def answers(self, reply: Reply) -> bool:
        """Whether this can be the reply: only ``api`` has a response, or a refusal."""
        if isinstance(reply, ApiResponse):
            return self.verb == "api"
        return self.verb != "api" or reply.refused


class ReplyQueue:
    """First written, first answered."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._written: deque[_Written] = deque()

    def __len__(self) -> int:
        return len(self._written)

    def expect(self, verb: str, timeout: float) -> Deferred[Reply]:
        """Queue a command that is about to be written; ``timeout`` in seconds.

        The Deferred fails with `CommandTimeout`, or `ConnectionGone` (it may have been executed).
        """
        written = _Written(verb)
        written.asker = Deferred(written.abandon)
        written.limit = self._clock.callLater(timeout, written.time_out, timeout)
        self._written.append(written)
        return written.asker

    def answer(self, reply: Reply) -> None:
        """Give a reply to the oldest command; `ProtocolFault` if it cannot be that one's."""
        if not self._written:
            raise ProtocolFault("FreeSWITCH sent a reply that belongs to no command")
        if not self._written[0].answers(reply):
            raise ProtocolFault(f"FreeSWITCH answered '{self._written[0].verb}' out of step")
        asker = self._written.popleft().release()
        if asker is not None:
            asker.callback(reply)

    def fail_all(self, why: str) -> None:
        """Fail every command that waits, for its reply cannot come any more."""
        written, self._written = self._written, deque()
        for asker in filter(None, [command.release() for command in written]):
            asker.errback(ConnectionGone(why, may_have_been_executed=True))
