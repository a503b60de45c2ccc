"""The commands of one connection that wait for a reply, in the order in which they were written.

FreeSWITCH answers strictly in order and puts no number on its replies.  So a command that nobody
waits for any more (it timed out, or was cancelled) keeps its place until its reply has come, else
each later reply would be taken for the one before it.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol, TypeAlias

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ctidialer.esl.connection import ApiResponse, CommandReply
from ctidialer.esl.errors import CommandTimeout, ConnectionGone, EslError, ProtocolFault

Reply: TypeAlias = CommandReply | ApiResponse

_TICK = 1e-6  # s; a timer may come early by the rounding of its float


class Asker(Protocol):
    """Waits for the reply to a command; one of the two methods is called, once."""

    def answered(self, reply: Reply) -> None:
        """Take the reply, be it a refusal."""

    def failed(self, error: EslError) -> None:
        """Take `CommandTimeout` or `ConnectionGone`: the command may have been executed."""


@define(eq=False)
class _Written:
    """A command that has been written; ``asker`` None = nobody waits for its reply any more."""

    verb: str
    timeout: float
    deadline: float
    asker: Asker | None

    def release(self) -> Asker | None:
        """Return who waits, and let nobody wait any more."""
        asker, self.asker = self.asker, None
        return asker

    def answers(self, reply: Reply) -> bool:
        """Whether this can be the reply: only ``api`` has a response, or a refusal."""
        if isinstance(reply, ApiResponse):
            return self.verb == "api"
        return self.verb != "api" or reply.refused


class _Promise:
    """An asker that wants a Deferred."""

    def __init__(self) -> None:
        self.written: _Written | None = None
        self.reply: Deferred[Reply] = Deferred(self._abandon)

    def answered(self, reply: Reply) -> None:
        self.reply.callback(reply)

    def failed(self, error: EslError) -> None:
        self.reply.errback(error)

    def _abandon(self, cancelled: Deferred[Reply]) -> None:
        if self.written is not None:
            self.written.release()


class ReplyQueue:
    """First written, first answered.

    One timer watches all deadlines: at thousands of commands a second, one timer for each would
    cost more than all else here.  It is set for the earliest deadline; a reply leaves it as it is,
    and when it fires too early, it is set again if any command still waits.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._written: deque[_Written] = deque()
        self._watch: IDelayedCall | None = None
        self._watched = 0.0  # the deadline for which the timer is set

    def __len__(self) -> int:
        return len(self._written)

    def expect(self, verb: str, timeout: float) -> Deferred[Reply]:
        """Queue a command that is about to be written; ``timeout`` in seconds.

        The Deferred fails with `CommandTimeout`, or `ConnectionGone` (it may have been executed).
        """
        promise = _Promise()
        promise.written = self.tell(promise, verb, timeout)
        return promise.reply

    def tell(self, asker: Asker, verb: str, timeout: float) -> _Written:
        """As `expect`, for an asker that needs no Deferred."""
        deadline = self._clock.seconds() + timeout
        written = _Written(verb, timeout, deadline, asker)
        self._written.append(written)
        if self._watch is None or deadline < self._watched:
            self._watch_until(deadline)
        return written

    def answer(self, reply: Reply) -> None:
        """Give a reply to the oldest command; `ProtocolFault` if it cannot be that one's."""
        if not self._written:
            raise ProtocolFault("FreeSWITCH sent a reply that belongs to no command")
        if not self._written[0].answers(reply):
            raise ProtocolFault(f"FreeSWITCH answered '{self._written[0].verb}' out of step")
        asker = self._written.popleft().asker
        if asker is not None:
            asker.answered(reply)

    def fail_all(self, why: str) -> None:
        """Fail every command that waits: its reply cannot come any more."""
        self._stop_watching()
        written, self._written = self._written, deque()
        for asker in filter(None, [command.release() for command in written]):
            asker.failed(ConnectionGone(why, may_have_been_executed=True))

    def _watch_until(self, deadline: float) -> None:
        self._stop_watching()
        self._watched = deadline
        delay = max(0.0, deadline - self._clock.seconds())
        self._watch = self._clock.callLater(delay, self._time_out)

    def _stop_watching(self) -> None:
        if self._watch is not None and self._watch.active():
            self._watch.cancel()
        self._watch = None

    def _time_out(self) -> None:
        self._watch = None
        now = self._clock.seconds() + _TICK
        late = [each for each in self._written if each.asker is not None and each.deadline <= now]
        for written in late:
            asker = written.release()
            if asker is not None:  # it may have been cancelled by the one before
                asker.failed(CommandTimeout(written.verb, written.timeout))
        self._watch_the_rest()

    def _watch_the_rest(self) -> None:
        waiting = [each.deadline for each in self._written if each.asker is not None]
        if waiting and (self._watch is None or min(waiting) < self._watched):
            self._watch_until(min(waiting))
