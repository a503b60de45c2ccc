"""What every part that waits, repeats or complains needs, written once.

:class:`Repeated` does something again and again, :func:`background` lets work run by itself and
:func:`in_slices` a little at a time,
:class:`Waiters` and :class:`Gate` hold those who wait, :class:`Idle` says when all work is done,
and :class:`Complaints` keeps the log from saying the same thing twice.  :func:`forget_first` and
:func:`thin_out` keep what is remembered from growing for months.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterator
from time import perf_counter
from typing import Any, Generic, TypeVar

from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Errors = tuple[type[Exception], ...]

MAX_SLICE = 0.01
"""Seconds of long work between two turns of everybody else."""

MAX_COMPLAINTS = 10_000
"""Things that are remembered as wrong; a bound, since back ends may make up ever new names."""

TICK_TIMEOUT = 60.0
"""Seconds after which the work of one tick is given up, so that the next one can begin."""


def background(
    work: Awaitable[Any], log: Logger, what: str, *, expected: Errors = (), **fields: Any
) -> Deferred[None]:
    """Let ``work`` (a coroutine or Deferred) run; return a Deferred that never fails.

    ``what`` names the work in the log, with ``fields``: "{what} failed" and a traceback, but only
    one line for an ``expected`` error, and nothing for work that was cancelled.
    """

    def told(failure: Failure) -> None:
        if failure.check(CancelledError):
            return
        if failure.check(*expected):
            problem = failure.getErrorMessage()
            log.info("{what}: {problem}", what=what, problem=problem, **fields)
        else:
            log.failure("{what} failed", failure, what=what, **fields)

    running = work if isinstance(work, Deferred) else ensureDeferred(_awaited(work))
    return running.addCallbacks(_nothing, told)


async def _awaited(work: Awaitable[Any]) -> None:
    await work


def _nothing(_: object) -> None:
    """Drop a result."""


async def in_slices(clock: IReactorTime, steps: Iterator[object]) -> None:
    """Take all of ``steps``, and let everything else have its turn after every MAX_SLICE seconds.

    Time is that of the processor's work, whatever ``clock`` says.
    """
    began = perf_counter()
    for _ in steps:
        if perf_counter() - began > MAX_SLICE:
            await deferLater(clock, 0)
            began = perf_counter()


def forget_first(entries: dict[Key, Value], most: int) -> None:
    """Drop the entries that came first, so that no more than so many are left."""
    while len(entries) > most:
        del entries[next(iter(entries))]


def thin_out(entries: dict[Key, Value], is_used: Callable[[Value], bool], least: int = 1000) -> int:
    """Drop the entries that are not used any more; return with how many to do so again.

    That is ``least``, or twice what is left: so a new entry costs about one look at another one.
    """
    for key in [key for key, entry in entries.items() if not is_used(entry)]:
        del entries[key]
    return max(least, 2 * len(entries))


class Repeated:
    """Does ``tick`` every so many seconds, whatever happens in it.

    An exception is logged, as ``background`` does it, and the next tick comes all the same.  Where
    ``tick`` returns a coroutine or a Deferred, no other tick begins before that is over; after
    ``patience`` seconds it is cancelled, which is logged, and the next tick begins.
    """

    def __init__(
        self,
        clock: IReactorTime,
        tick: Callable[[], Awaitable[Any] | None],
        log: Logger,
        what: str,
        *,
        expected: Errors = (),
        patience: float = TICK_TIMEOUT,
    ) -> None:
        self._tick = tick
        self._log = log
        self._what = what
        self._expected = expected
        self._patience = patience
        self._interval = patience
        self._work: Deferred[None] | None = None
        self._ticks_missed = 0
        self._loop = LoopingCall(self._look)
        self._loop.clock = clock

    @property
    def running(self) -> bool:
        """Whether another tick will come."""
        return self._loop.running

    def start(self, interval: float, *, now: bool = False) -> None:
        """Begin: the first tick comes after ``interval`` seconds, or at once."""
        self._interval = interval
        self._loop.start(interval, now=now).addErrback(
            lambda failure: self._log.failure("{what} has ended", failure, what=self._what)
        )

    def stop(self) -> None:
        """Begin no more ticks; the work of the last one goes on to its end."""
        if self._loop.running:
            self._loop.stop()

    def _look(self) -> None:
        if self._work is not None and not self._may_begin_anew():
            return
        self._ticks_missed = 0
        try:
            work = self._tick()
        except Exception:  # noqa: BLE001 - an exception would end the LoopingCall for good
            self._log.failure("{what} failed", what=self._what)
            return
        if work is not None:
            self._work = background(work, self._log, self._what, expected=self._expected)
            self._work.addCallback(self._over, self._work)

    def _may_begin_anew(self) -> bool:
        """Count ticks, not seconds: a process that stood still has not waited."""
        self._ticks_missed += 1
        if self._ticks_missed * self._interval < self._patience:
            return False
        work, self._work = self._work, None
        self._log.warn(
            "{what} has not come to an end in {seconds:g} s and is given up",
            what=self._what,
            seconds=self._patience,
        )
        assert work is not None
        work.cancel()
        return True

    def _over(self, _: None, work: Deferred[None]) -> None:
        if self._work is work:
            self._work = None


class Waiters(Generic[Value]):
    """Those who wait for one thing to happen: each has its own Deferred, and may cancel it."""

    def __init__(self) -> None:
        self._waiting: dict[Deferred[Value], None] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def wait(self) -> Deferred[Value]:
        """Return a Deferred that the next ``fire`` (or ``fail``) fires."""
        waiting: Deferred[Value] = Deferred(self._gave_up)
        self._waiting[waiting] = None
        return waiting

    def fire(self, value: Value) -> None:
        """It has happened: tell all who wait now, those who wait longest first."""
        waiting, self._waiting = self._waiting, {}
        for one in waiting:
            if not one.called:  # else one that was told before has cancelled it
                one.callback(value)

    def fail(self, error: Exception) -> None:
        """It will not happen: tell all who wait now why."""
        waiting, self._waiting = self._waiting, {}
        for one in waiting:
            if not one.called:
                one.errback(Failure(error))

    def _gave_up(self, one: Deferred[Value]) -> None:
        self._waiting.pop(one, None)


class Gate:
    """Open or shut; whoever waits goes on when it opens."""

    def __init__(self) -> None:
        self._open = False
        self._waiters: Waiters[None] = Waiters()

    @property
    def is_open(self) -> bool:
        """Whether one may go through now."""
        return self._open

    def open(self) -> None:
        """Let everybody through, those who wait longest first."""
        self._open = True
        self._waiters.fire(None)

    def shut(self) -> None:
        """Hold everybody who comes from now on."""
        self._open = False

    def passed(self) -> Deferred[None]:
        """Return a Deferred that fires when the gate is open; it may be cancelled."""
        passed = self._waiters.wait()
        if self._open:
            self._waiters.fire(None)
        return passed


class Idle:
    """Says when there is nothing left to do: ``is_idle`` is asked after every ``look``.

    Whoever has finished something calls ``look``.  All looks of one turn of the reactor are one,
    at its end: what ends in the middle of a turn may have begun something else by then.
    """

    def __init__(self, clock: IReactorTime, is_idle: Callable[[], bool]) -> None:
        self._clock = clock
        self._is_idle = is_idle
        self._waiters: Waiters[None] = Waiters()
        self._soon: IDelayedCall | None = None

    def look(self) -> None:
        """Something was finished; costs nothing while nobody waits."""
        if self._soon is None and self._waiters:
            self._soon = self._clock.callLater(0, self._see)

    def reached(self) -> Deferred[None]:
        """Return a Deferred that fires when there is nothing left to do; it may be cancelled."""
        reached = self._waiters.wait()
        self.look()
        return reached

    def _see(self) -> None:
        self._soon = None
        if self._waiters and self._is_idle():
            self._waiters.fire(None)


class Complaints:
    """What has been said of each thing that is wrong, so that it is said once, until it changes.

    Of more than MAX_COMPLAINTS things the first are forgotten, and said once more.
    """

    def __init__(self) -> None:
        self._said: dict[Hashable, str] = {}

    def is_news(self, problem: str, about: Hashable = None) -> bool:
        """Say whether ``problem`` is not what was said last ``about`` this, and note it."""
        if self._said.get(about) == problem:
            return False
        self._said[about] = problem
        forget_first(self._said, MAX_COMPLAINTS)
        return True

    def over(self, about: Hashable = None) -> bool:
        """``about`` is in order again; say whether anything was wrong with it."""
        return self._said.pop(about, None) is not None


class Outage:
    """Since when something is away, so that it is said once, and in the end for how long."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._since: float | None = None

    def begins(self) -> bool:
        """It is away; say whether that is news."""
        is_news = self._since is None
        self._since = self._clock.seconds() if self._since is None else self._since
        return is_news

    def over(self) -> str:
        """It is there; return for how long it was not, for the log; empty = it never was away."""
        since, self._since = self._since, None
        return "" if since is None else f" again after {self._clock.seconds() - since:.1f} s"
