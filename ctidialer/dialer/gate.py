"""A gate that coroutines wait at while FreeSWITCH or Redis is away."""

from __future__ import annotations

from twisted.internet.defer import Deferred


class Gate:
    """Open or shut; whoever waits goes on when it opens."""

    def __init__(self) -> None:
        self._open = False
        self._waiting: list[Deferred[None]] = []

    @property
    def is_open(self) -> bool:
        """Whether one may go through now."""
        return self._open

    def open(self) -> None:
        """Let everybody through, those who wait first."""
        self._open = True
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            if not deferred.called:  # else one that went before has cancelled it
                deferred.callback(None)

    def shut(self) -> None:
        """Hold everybody who comes from now on."""
        self._open = False

    def passed(self) -> Deferred[None]:
        """Return a Deferred that fires when the gate is open; it may be cancelled."""
        deferred: Deferred[None] = Deferred(self._gave_up)
        if self._open:
            deferred.callback(None)
        else:
            self._waiting.append(deferred)
        return deferred

    def _gave_up(self, deferred: Deferred[None]) -> None:
        if deferred in self._waiting:
            self._waiting.remove(deferred)
