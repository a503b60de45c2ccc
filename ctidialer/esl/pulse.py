"""Finds a connection that is dead though nobody closed it: a pulled cable, a frozen machine."""

from __future__ import annotations

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from ctidialer.esl.client import EventSocketProtocol
from ctidialer.esl.errors import EslError

PING = "hostname"
"""An API command that touches no lock; being refused it (a `userauth` user) is an answer too."""


class Pulse:
    """Looks every ``interval`` seconds whether anything was received; if nothing was, asks.

    After ``silent_beats`` intervals without a byte the connection is aborted.  Any bytes are a sign
    of life, HEARTBEAT events too; but FreeSWITCH alone decides how often these come (20 s by
    default), so their absence means nothing.  Beats are counted, not seconds: a process that was
    stopped for a minute does not cut its connections when it goes on.
    """

    def __init__(
        self,
        clock: IReactorTime,
        protocol: EventSocketProtocol,
        interval: float,
        silent_beats: int,
    ) -> None:
        self._clock = clock
        self._protocol = protocol
        self._interval = interval
        self._most = silent_beats
        self._silent = 0
        self._seen = protocol.last_received
        self._next: IDelayedCall | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._next = self._clock.callLater(self._interval, self._beat)

    def stop(self) -> None:
        """Watch no more."""
        if self._next is not None and self._next.active():
            self._next.cancel()
        self._next = None

    def _beat(self) -> None:
        seen, self._seen = self._seen, self._protocol.last_received
        self._silent = 0 if self._seen > seen else self._silent + 1
        if self._silent >= self._most:
            self._next = None
            self._protocol.abort(f"nothing was received for {self._most * self._interval:g} s")
            return
        if self._silent:
            self._protocol.api(PING, self._interval * self._most).addErrback(_is_answer)
        self.start()


def _is_answer(failure: Failure) -> None:
    failure.trap(EslError)
