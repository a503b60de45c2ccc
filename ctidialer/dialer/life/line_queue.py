"""The further calls that wait for a line, in the order in which they came."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

Groups = tuple[str, ...]

LOOK_INTERVAL = 0.05
"""Seconds after which the lines are looked at although no call has ended: the rest of one may be
over, or an edit of the tables may have added some."""

HasLine = Callable[[Groups, float], bool]


class LineQueue:
    """One queue for each list of line groups: calls that wait for other groups delay nobody.

    ``has_line`` says whether a line of some groups is free at a moment.
    """

    def __init__(self, clock: IReactorTime, has_line: HasLine) -> None:
        self._clock = clock
        self._has_line = has_line
        self._queues: dict[Groups, deque[Deferred[bool]]] = {}
        self._looking: IDelayedCall | None = None

    def wait(self, groups: Groups, until: float) -> Deferred[bool]:
        """Return a Deferred that fires with True as soon as a line of these groups is free, and
        with False at ``until`` (unix seconds).  It may be cancelled."""
        waiting: Deferred[bool] = Deferred(partial(self._left, groups))
        self._queues.setdefault(groups, deque()).append(waiting)
        delay = max(0.0, until - self._clock.seconds())
        timer = self._clock.callLater(delay, self._in_vain, groups, waiting)
        waiting.addBoth(_stopped, timer)
        self._look_in_time()
        return waiting

    def look(self) -> None:
        """A line may have come free: let the calls go on that have waited longest."""
        if not self._queues:
            return
        for groups, queue in list(self._queues.items()):
            while queue and self._has_line(groups, self._clock.seconds()):
                waiting = queue.popleft()
                waiting.callback(True)
            self._drop_if_empty(groups)
        self._look_in_time()

    def _look_in_time(self) -> None:
        """Look again soon, as long as somebody waits."""
        if self._queues and self._looking is None:
            self._looking = self._clock.callLater(LOOK_INTERVAL, self._looked)
        elif not self._queues and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _looked(self) -> None:
        self._looking = None
        self.look()

    def _in_vain(self, groups: Groups, waiting: Deferred[bool]) -> None:
        self._left(groups, waiting)
        waiting.callback(False)

    def _left(self, groups: Groups, waiting: Deferred[bool]) -> None:
        queue = self._queues.get(groups)
        if queue is not None and waiting in queue:
            queue.remove(waiting)
            self._drop_if_empty(groups)
        if not self._queues:
            self._look_in_time()

    def _drop_if_empty(self, groups: Groups) -> None:
        if not self._queues.get(groups, True):
            del self._queues[groups]


def _stopped(result: bool, timer: IDelayedCall) -> bool:
    if timer.active():
        timer.cancel()
    return result
