"""The pauses between two calls of a number: all of them end when the daemon stops."""

from __future__ import annotations

from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred

Value = TypeVar("Value")


class Pauses:
    """Everything that numbers wait for; after ``end`` nobody waits any more."""

    def __init__(self) -> None:
        self._waiting: dict[Deferred[Any], None] = {}
        self.ended = False

    def end(self) -> None:
        """End every pause, and every one that begins later."""
        self.ended = True
        for pause in list(self._waiting):
            pause.cancel()

    async def wait(self, pause: Deferred[Value]) -> Value | None:
        """Wait for ``pause`` and return what it fires with; None at the end of all pauses."""
        self._waiting[pause] = None
        try:
            if self.ended:
                pause.cancel()
            return await pause
        except CancelledError:
            return None
        finally:
            del self._waiting[pause]
