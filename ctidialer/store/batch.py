"""Calls made at the same time, sent together."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

Item = TypeVar("Item")
Answer = TypeVar("Answer")

MOST = 500
"""How many items go out together: at 2 kB a record, a megabyte."""


class Batch(Generic[Item, Answer]):
    """Collects items and sends them with ``send``, which returns an answer for each, in order.

    Everything added within one turn of the reactor, or while a batch is under way, goes out
    together; one batch is under way at a time.  Each item has its own Deferred.  Where ``send``
    fails, every item of that batch fails with the same exception.
    """

    def __init__(
        self,
        clock: IReactorTime,
        send: Callable[[Sequence[Item]], Coroutine[Deferred[Any], Any, Sequence[Answer]]],
    ) -> None:
        self._clock = clock
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
        batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        if not batch:
            self._busy = False
            return
        sent = Deferred.fromCoroutine(self._send([item for item, _ in batch]))
        sent.addCallback(partial(_answer, batch))
        sent.addErrback(partial(_fail, batch))
        sent.addCallback(lambda _: self._next())


def _answer(batch: Sequence[tuple[Item, Deferred[Answer]]], answers: Sequence[Answer]) -> None:
    for (_, deferred), answer in list(zip(batch, answers, strict=True)):
        deferred.callback(answer)


def _fail(batch: Sequence[tuple[Item, Deferred[Answer]]], failure: Failure) -> None:
    for _, deferred in batch:
        deferred.errback(Failure(failure.value))
