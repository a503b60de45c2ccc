"""The pauses between two calls of a number: all of them end when the daemon stops."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from twisted.internet.defer import CancelledError, Deferred


class Pauses:
    """Everything that numbers wait for; after ``end`` nobody waits any more."""

    def __init__(self) -> None:
        self._waiting: set[Deferred[Any]] = set()
        self.ended = False

    def end(self) -> None:
        """End every pause, those that are still to come too."""
        self.ended = True
        for pause in list(self._waiting):
            pause.cancel()

    async def wait(self, pause: Deferred[Any]) -> None:
        """Wait for ``pause``, but not longer than until the end of all pauses."""
        self._waiting.add(pause)
        try:
            with suppress(CancelledError):
                if self.ended:
                    pause.cancel()
                await pause
        finally:
            self._waiting.discard(pause)
