"""Requests to Redis that are made at the same time, sent together."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

Item = TypeVar("Item")
Answer = TypeVar("Answer")

MAX_ENTRIES = 500
"""Items that go out together, at most."""

MAX_BYTES = 1 << 20
"""Bytes that go out together, at most; one item always goes out, whatever its size."""


class Batch(Generic[Item, Answer]):
    """Collects items and sends them with ``send``, which returns an answer for each, in order.

    Everything added within one turn of the reactor, or while a batch is under way, goes out
    together, up to MAX_ENTRIES and MAX_BYTES.  One batch is under way at a time.  ``weigh`` returns
    the bytes of an item.  Each item has its own Deferred.  If ``send`` fails, every item of that
    batch fails with the same exception.
    """

    def __init__(
        self,
        clock: IReactorTime,
        send: Callable[[Sequence[Item]], Coroutine[Deferred[Any], Any, Sequence[Answer]]],
        weigh: Callable[[Item], int] = lambda item: 0,
    ) -> None:
        self._clock = clock
        self._weigh = weigh
        self._send = send
        self._waiting: list[tuple[Item, Deferred[Answer]]] = []
        self._busy = False

    def add(self, item: Item) -> Deferred[Answer]:
        """Put ``item`` into the next batch."""
        answer: Deferred[Answer] = Deferred()
        self._waiting.append((item, answer))
        if not self._busy:
            self._busy = True
            self._clock.callLater(0, self._next)
        return answer

    def _next(self) -> None:
        if not self._waiting:
            self._busy = False
            return
        count = self._how_many()
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        sent = Deferred.fromCoroutine(self._send([item for item, _ in batch]))
        sent.addCallback(partial(_answer, batch))
        sent.addErrback(partial(_fail, batch))
        sent.addCallback(lambda _: self._next())

    def _how_many(self) -> int:
        """Return how many of the waiting items go out together."""
        left = MAX_BYTES
        for count, (item, _) in enumerate(self._waiting[:MAX_ENTRIES]):
            left -= self._weigh(item)
            if left < 0:
                return max(1, count)
        return MAX_ENTRIES


def _answer(batch: Sequence[tuple[Item, Deferred[Answer]]], answers: Sequence[Answer]) -> None:
    for (_, deferred), answer in list(zip(batch, answers, strict=True)):
        deferred.callback(answer)


def _fail(batch: Sequence[tuple[Item, Deferred[Answer]]], failure: Failure) -> None:
    for _, deferred in batch:
        deferred.errback(Failure(failure.value))
