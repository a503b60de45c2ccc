"""Places that calls leave: with the next step for places if there is room for more calls, else in
the step that writes the record, or alone soon after."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import msgspec
from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from ctidialer.contract.counted import LEFT_WITHIN, Counted
from ctidialer.store.connection import Reply
from ctidialer.store.errors import NotAllowed, WrongType
from ctidialer.store.place_answers import SEEN_SIZE, Seen, read_parts, read_seen

MAX_WAIT = 0.005
"""Seconds that a place waits for the record of its call, which commonly comes at once.  A step of
its own costs Redis as much as all that is done in it, and a second write to its disk."""

MAX_TOGETHER = 500
"""Calls whose places one step leaves, at most."""


@frozen(eq=False)
class Leave:
    """The call ``name`` leaves its places; ``answer`` fires with how it stands then with each."""

    name: str
    counted: tuple[Counted, ...]
    answer: Deferred[tuple[Seen, ...]]


class Leaving:
    """Holds what is left; ``send`` leaves the places of some calls in a step of its own, and
    answers how it stands then with each thing that is counted."""

    def __init__(
        self,
        clock: IReactorTime,
        send: Callable[[Sequence[str], tuple[Counted, ...]], Deferred[tuple[Seen, ...]]],
    ) -> None:
        self._clock = clock
        self._send = send
        self._held: dict[str, list[Leave]] = {}
        self._lacked_by_nobody: list[Leave] = []
        self._timer: IDelayedCall | None = None
        self._long_timer: IDelayedCall | None = None

    @property
    def is_any(self) -> bool:
        """Whether something that was left is still held."""
        return bool(self._held or self._lacked_by_nobody)

    def add(
        self, name: str, counted: Sequence[Counted], *, can_wait: bool = False
    ) -> Deferred[tuple[Seen, ...]]:
        """Leave the places of the call ``name``; ``can_wait``: nobody lacks them now."""
        leave = Leave(name, tuple(counted), Deferred())
        if can_wait:
            self._lacked_by_nobody.append(leave)
            if self._long_timer is None:
                self._long_timer = self._clock.callLater(LEFT_WITHIN, self._long_timed)
            return leave.answer
        self._held.setdefault(name, []).append(leave)
        if self._timer is None:
            self._timer = self._clock.callLater(MAX_WAIT, self._timed)
        return leave.answer

    def ride(self, names: Iterable[str]) -> list[Leave]:
        """Return what these calls leave: the step that ends their numbers takes it along."""
        if not self._held:
            return []
        leaves = [leave for name in names for leave in self._held.pop(name, ())]
        self._end_timer()
        return leaves

    def rode(self, leaves: Sequence[Leave], reply: Reply) -> None:
        """Tell those who left these places what the step says that took them along."""
        answers = iter(read_parts(reply, [SEEN_SIZE] * sum(len(one.counted) for one in leaves)))
        for leave in leaves:
            parts = [next(answers) for _ in leave.counted]
            try:
                said = tuple(map(read_seen, parts))
            except (WrongType, NotAllowed) as error:
                leave.answer.errback(error)
            else:
                leave.answer.callback(said)

    def go(self) -> None:
        """Let all that is held go now: a place is taken again only after it was left."""
        held, self._held = self._held, {}
        waited, self._lacked_by_nobody = self._lacked_by_nobody, []
        self._end_timer()
        if self._long_timer is not None:
            self._long_timer.cancel()
            self._long_timer = None
        self.go_alone([*waited, *(leave for leaves in held.values() for leave in leaves)])

    def go_alone(self, leaves: Iterable[Leave]) -> None:
        """Leave these without a record: those of the same lines and gateways in one step."""
        by_counted: dict[tuple[Counted, ...], list[Leave]] = {}
        for leave in leaves:
            by_counted.setdefault(leave.counted, []).append(leave)
        for counted, some in by_counted.items():
            for first in range(0, len(some), MAX_TOGETHER):
                self._go(some[first : first + MAX_TOGETHER], counted)

    def _go(self, leaves: Sequence[Leave], counted: tuple[Counted, ...]) -> None:
        sent = self._send([one.name for one in leaves], counted)
        sent.addCallbacks(partial(_answer, leaves), partial(_fail, leaves))

    def _end_timer(self) -> None:
        """Wait no more if nothing is held."""
        if self._timer is not None and not self._held:
            self._timer.cancel()
            self._timer = None

    def _timed(self) -> None:
        self._timer = None
        self.go()

    def _long_timed(self) -> None:
        self._long_timer = None
        self.go()


def _answer(leaves: Sequence[Leave], said: tuple[Seen, ...]) -> None:
    for leave in leaves:
        leave.answer.callback(said)


def _fail(leaves: Sequence[Leave], failure: Failure) -> None:
    for leave in leaves:
        leave.answer.errback(Failure(failure.value))


def said_of(leaves: Iterable[Leave]) -> bytes:
    """Return what is left, as the scripts read it (``leaving.lua``)."""
    steps: list[str | int | float] = []
    for leave in leaves:
        for one in leave.counted:
            count = False if one.count is None else one.count
            steps += (leave.name, one.key, count, one.interval, one.rest)
    return msgspec.json.encode(steps)
