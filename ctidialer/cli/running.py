"""Runs the work of one command in the reactor, and brings back what came of it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import click
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

Result = TypeVar("Result")


def run(work: Callable[[Any], Coroutine[Any, Any, Result]]) -> Result:
    """Run ``work(reactor)`` to its end and return its result, or raise what it raised.

    Ctrl-C cancels the work, so that it can put away what it has started, and raises click.Abort.
    """
    running: list[Deferred[Result]] = []
    outcome: list[Result | Failure] = []

    def begin() -> None:
        working = Deferred.fromCoroutine(work(reactor))
        running.append(working)
        working.addBoth(end)

    def end(result: Result | Failure) -> None:
        outcome.append(result)
        if not interrupted:
            reactor.stop()

    def interrupt() -> Deferred[Result] | None:
        if outcome or not running:
            return None
        interrupted.append(True)
        running[0].cancel()
        return running[0]  # the reactor goes on until everything has been put away

    interrupted: list[bool] = []
    reactor.addSystemEventTrigger("before", "shutdown", interrupt)
    reactor.callWhenRunning(begin)
    reactor.run()
    if interrupted or not outcome:
        raise click.Abort
    result = outcome[0]
    if isinstance(result, Failure):
        result.raiseException()
    return result
