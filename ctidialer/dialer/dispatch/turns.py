"""The further calls (redials and next groups) that wait for the rates of their task and the node,
or for agents.

They go before fresh numbers, in the order in which they came.
"""

from __future__ import annotations

from collections import deque
from functools import partial

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from ctidialer.dialer.dispatch.accounts import Account
from ctidialer.dialer.dispatch.slots import Slots

MIN_WAIT = 0.01
MAX_WAIT = 1.0
"""Least and most seconds between two looks: at a high rate, one look starts several calls; a rate
may be edited meanwhile."""


class Turns:
    """One queue for each task or schedule configuration; ``run`` None: numbers without either."""

    def __init__(self, clock: IReactorTime, slots: Slots) -> None:
        self._clock = clock
        self._slots = slots
        self._queues: dict[Account | None, deque[Deferred[bool]]] = {}
        self._looking: IDelayedCall | None = None

    def start(self, run: Account | None) -> bool:
        """Start a further call, if nobody waits and the rates allow it now; say whether."""
        now = self._clock.seconds()
        may_start = run not in self._queues and self._slots.further_room(run, now, itself=1) > 0
        if may_start:
            self._slots.start_further(run, now)
        return may_start

    def wait(self, run: Account | None) -> Deferred[bool]:
        """Return a Deferred that fires with True when a further call is started."""
        waiting: Deferred[bool] = Deferred(partial(self._gave_up, run))
        self._queues.setdefault(run, deque()).append(waiting)
        self._slots.wait_for_turn(run, 1)
        self._look_in_time()
        return waiting

    def _look(self) -> None:
        self._looking = None
        for run, queue in list(self._queues.items()):
            while queue and self._slots.further_room(run, self._clock.seconds()) > 0:
                self._slots.start_further(run, self._clock.seconds())
                self._left(run, queue.popleft()).callback(True)
        self._look_in_time()

    def _look_in_time(self) -> None:
        if self._looking is None and self._queues:
            now = self._clock.seconds()
            soonest = min(self._slots.next_further(run, now) for run in self._queues) - now
            wait = min(MAX_WAIT, max(MIN_WAIT, soonest))
            self._looking = self._clock.callLater(wait, self._look)

    def _left(self, run: Account | None, waiting: Deferred[bool]) -> Deferred[bool]:
        self._slots.wait_for_turn(run, -1)
        if not self._queues[run]:
            del self._queues[run]
        if not self._queues and self._looking is not None:
            self._looking.cancel()
            self._looking = None
        return waiting

    def _gave_up(self, run: Account | None, waiting: Deferred[bool]) -> None:
        self._queues[run].remove(waiting)
        self._left(run, waiting)
