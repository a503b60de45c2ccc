"""The free lines of a list of lines, found without looking at all of them.

There are two classes.  `LineBook` has the lines of the tables with their states, and notes the name
of each line whose text or state changed, in order.  `FreeLines` has a list of names and what it
needs to answer at once: a heap of the free ones, the one idle longest first, and their room.

Nobody tells a `FreeLines` of changes.  When it is asked, it first catches up with the book; so a
list that nobody asks costs nothing, however many lists a line stands in.  The room of a line and
its place in the order depend on these things only, and each makes the list look at the line again:

* the text of the line and its state: each change of them stands in the book;
* time: `changes_at` says until when the room stays as it is, and those moments stand in a heap;
* a clock that was put back: then all lines are looked at again.

What a gateway that several lines share has room for is asked for each time, of the few gateways
there are.

Looking at a line twice does no harm.  If there were more changes than the list has lines, or more
than the book remembers, all lines are looked at: that costs no more than the plain rule.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from heapq import heapify, heappop, heappush
from typing import TypeVar

from ctidialer.contract.line import Line
from ctidialer.rules.line_state import (
    UNUSED,
    LineState,
    calls_to_end,
    changes_at,
    idleness,
    room,
)
from ctidialer.rules.routing import FALLBACK, Routes, gateway_room, may_come_free

Key = TypeVar("Key", float, tuple[bool, float])

UNLIMITED_ON_A_GATEWAY = 1e9
"""The room of a line without a count that shares a gateway: that of the gateway decides."""

MAX_REMEMBERED = 50_000
"""Changes that the book remembers."""


class LineBook:
    """Lines by name with their states, and the names of those that changed, in order."""

    def __init__(self) -> None:
        self.routes = Routes({}, {}, "")
        self.states: dict[str, LineState] = {}
        self._changed: list[str] = []
        self._forgotten = 0

    @property
    def end(self) -> int:
        """How many changes there have been since the start."""
        return self._forgotten + len(self._changed)

    def since(self, position: int) -> Sequence[str] | None:
        """Return the names that changed after the first ``position`` changes, None = forgotten."""
        if position < self._forgotten:
            return None
        return self._changed[position - self._forgotten :]

    def take(self, routes: Routes) -> None:
        """These are the lines and gateways of the tables now.

        Lines that were not edited are the same objects as before, so the comparison is quick.
        """
        before, lines, self.routes = self.routes.lines, routes.lines, routes
        if before is lines:
            return
        self._note(name for name, line in lines.items() if before.get(name) is not line)
        self._note(before.keys() - lines.keys())

    def gateway_room(self, name: str, now: float) -> float:
        """Return how many calls a gateway takes at ``now``; one that is not known has no limit."""
        gateway = self.routes.gateways.get(name)
        return math.inf if gateway is None else gateway_room(gateway, self.states, now)

    def put(self, name: str, state: LineState) -> None:
        """This is the state of a line now."""
        self.states[name] = state
        self._note((name,))

    def forget(self, name: str) -> None:
        """Forget the state of a line, as if it was never used."""
        del self.states[name]
        self._note((name,))

    def _note(self, names: Iterable[str]) -> None:
        self._changed.extend(names)
        if len(self._changed) > MAX_REMEMBERED:
            self._forgotten += len(self._changed) // 2
            del self._changed[: len(self._changed) // 2]


class FreeLines:
    """The free lines among ``names``; lines that were idle equally long come in this order.

    ``fallbacks`` are the names that are dialed by the default dial string if there is no such
    line.  Any other name without a line has no room.
    """

    def __init__(
        self, book: LineBook, names: Iterable[str], fallbacks: Collection[str] = ()
    ) -> None:
        self._book = book
        self._fallbacks = fallbacks
        self._places = {name: place for place, name in enumerate(dict.fromkeys(names))}
        # By place: an item of a heap with another stamp than this one is outdated.
        self._stamps = [0] * len(self._places)
        self._rooms: list[float] = [0] * len(self._places)
        self._calls = [0] * len(self._places)
        self._free: list[tuple[tuple[bool, float], int, int, str]] = []
        self._changes: list[tuple[float, int, int, str]] = []
        self._finite = 0.0
        self._on_gateways: dict[str, float] = {}  # the room of the lines that share one
        self._shared: dict[int, str] = {}  # by place
        self._unlimited = 0
        self._with_calls = 0
        self._seen = -1
        self._now = -math.inf

    def __len__(self) -> int:
        return len(self._places)

    def best(self, now: float) -> str | None:
        """Return the name of the free line that has been idle longest; None = none is free."""
        self._catch_up(now)
        free = self._free
        while free and self._stamps[free[0][1]] != free[0][2]:
            heappop(free)
        if free and self._on_gateways:
            return self._best_with_gateway(now)
        return free[0][3] if free else None

    def _best_with_gateway(self, now: float) -> str | None:
        """Return the best line whose gateway takes a call; usually that is the first one."""
        if self._gateway_takes(self._free[0][3], now):
            return self._free[0][3]
        there = (one for one in self._free if self._stamps[one[1]] == one[2])
        takes = [one for one in there if self._gateway_takes(one[3], now)]
        return min(takes)[3] if takes else None

    def _gateway_takes(self, name: str, now: float) -> bool:
        gateway = self._gateway(name)
        return gateway is None or self._book.gateway_room(gateway, now) > 0

    def _gateway(self, name: str) -> str | None:
        line = self._line(name)
        return None if line is None else line.gateway

    def room(self, now: float) -> float:
        """Return how many calls could be started at ``now``: a whole number or infinity."""
        self._catch_up(now)
        if self._unlimited:
            return math.inf
        limits = self._on_gateways.items()
        beyond = (free - self._book.gateway_room(name, now) for name, free in limits)
        return self._finite - sum(max(0.0, places) for places in beyond)

    def may_come_free(self, now: float) -> bool:
        """Say whether one is free at ``now``, or will be by itself or with a hang-up."""
        self._catch_up(now)
        if self._unlimited or ((self._finite or self._with_calls) and not self._on_gateways):
            return True
        named = {name: self._line(name) for name in self._places}
        lines = {name: line for name, line in named.items() if line is not None}
        return may_come_free(self._book.routes, self._book.states, lines, now)

    def _catch_up(self, now: float) -> None:
        book, places = self._book, self._places
        changed = book.since(self._seen) if self._seen >= 0 and now >= self._now else None
        self._seen, self._now = book.end, now
        if changed is None or len(changed) > len(places):
            self._look_at_all(now)
            return
        for name in changed:
            if name in places:
                self._look_at(name, now)
        due = self._changes
        while due and due[0][0] <= now:
            _, place, stamp, name = heappop(due)
            if self._stamps[place] == stamp:
                self._look_at(name, now)

    def _look_at_all(self, now: float) -> None:
        self._free, self._changes = [], []
        for name in self._places:
            self._look_at(name, now)

    def _look_at(self, name: str, now: float) -> None:
        place = self._places[name]
        stamp = self._stamps[place] = self._stamps[place] + 1
        line = self._line(name)
        state = self._book.states.get(name, UNUSED)
        if line is None:
            self._share(place, None, 0)
            self._count(place, 0, 0)
            return
        free = room(line, state, now)
        if line.gateway is not None:
            free = min(free, UNLIMITED_ON_A_GATEWAY)
        self._share(place, line.gateway, free)
        self._count(place, free, calls_to_end(state))
        if free > 0:
            self._push(self._free, (idleness(state), place, stamp, name))
        change = changes_at(line, state, now)
        if change is not None:
            self._push(self._changes, (change, place, stamp, name))

    def _line(self, name: str) -> Line | None:
        line = self._book.routes.lines.get(name)
        return FALLBACK if line is None and name in self._fallbacks else line

    def _share(self, place: int, gateway: str | None, free: float) -> None:
        """Count the room of a line for the gateway that it shares, before `_count` counts it."""
        before = self._shared.pop(place, None)
        if before is not None:
            self._on_gateways[before] -= self._rooms[place]
        if gateway is not None:
            self._shared[place] = gateway
            self._on_gateways[gateway] = self._on_gateways.get(gateway, 0.0) + free

    def _count(self, place: int, free: float, calls: int) -> None:
        before = self._rooms[place]
        if free != before:
            self._rooms[place] = free
            self._unlimited += (free == math.inf) - (before == math.inf)
            self._finite += _finite(free) - _finite(before)
        if calls != self._calls[place]:
            self._with_calls += (calls > 0) - (self._calls[place] > 0)
            self._calls[place] = calls

    def _push(self, heap: list[tuple[Key, int, int, str]], item: tuple[Key, int, int, str]) -> None:
        """Put an item into a heap; if most of its items are outdated, these are removed."""
        heappush(heap, item)
        if len(heap) > 2 * len(self._places) + 16:
            heap[:] = [one for one in heap if self._stamps[one[1]] == one[2]]
            heapify(heap)


def _finite(count: float) -> float:
    return 0 if count == math.inf else count
