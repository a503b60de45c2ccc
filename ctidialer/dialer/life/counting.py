"""What is counted for callees, or taken back, beside the notes of their calls."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress

from twisted.internet.defer import Deferred, DeferredLock
from twisted.python.failure import Failure

from ctidialer.store.errors import NotAllowed, StoreError, WrongType

Change = Callable[[], Deferred[bool]]
"""Asks Redis for one change; asked twice, it is made once."""


class Counting:
    """Makes changes in their order.

    What Redis does not take, or does not answer, is owed: it is asked for again before the next
    call is noted, so that no call is permitted, or forbidden, by a count that is wrong.
    """

    def __init__(self) -> None:
        self._owed: deque[Change] = deque()
        self._paying = DeferredLock()

    def change(self, change: Change) -> None:
        """Ask for a change, after those that are owed."""
        if self._owed:
            self._owed.append(change)
        else:
            change().addErrback(self.owe, change)

    def owe(self, failure: Failure, change: Change) -> None:
        """Ask for a change later; ``failure`` says why Redis has not made it yet."""
        failure.trap(StoreError)
        self._owed.append(change)

    async def pay(self) -> None:
        """Ask for all that is owed; raises StoreError, and owes what is left.

        Who comes meanwhile waits: no call is noted before all is paid, and nothing is overtaken.
        """
        if not self._owed:
            return
        async with self._paying:
            while self._owed:
                with suppress(WrongType, NotAllowed):  # of one callee's key: others are called
                    await self._owed[0]()
                self._owed.popleft()
