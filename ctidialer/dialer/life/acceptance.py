"""What FreeSWITCH makes of our calls: whether it takes them, refuses them, or makes no channel."""

from __future__ import annotations

from collections import OrderedDict, deque

from twisted.internet.interfaces import IReactorTime

from ctidialer.dialer.dispatch.node_limits import NodeLimits
from ctidialer.dialer.life.calls import Calls
from ctidialer.rules import turned_away
from ctidialer.rules.attempt import Attempt
from ctidialer.rules.routing import Choice
from ctidialer.rules.turned_away import TurnedAway

MAX_REMEMBERED = 10_000
"""Numbers that are remembered as turned away; beyond that the oldest is forgotten."""

MAX_BURSTS = 100
"""Bursts of refusals whose first call is remembered until it is certain that it was refused."""

Way = str
"""The name of a call's line, or of its fallback: calls of one name go out the same way."""


class Acceptance:
    """Lowers the node's rate while FreeSWITCH refuses calls, and finds the numbers that FreeSWITCH
    turns away although it takes others.

    A number is known by its entry, not by its id: it may be claimed anew between two tries.
    """

    def __init__(self, clock: IReactorTime, limits: NodeLimits, calls: Calls) -> None:
        self._clock = clock
        self._limits = limits
        self._first_of_bursts: deque[str] = deque(maxlen=MAX_BURSTS)
        calls.placing = self._placing
        calls.seems_refused = self._seems_refused
        self._turned_away: OrderedDict[tuple[bytes, Way], TurnedAway] = OrderedDict()
        self._went_out: dict[Way, float] = {}

    def accepted(self, entry: bytes, choice: Choice, placed_at: float) -> None:
        """FreeSWITCH made a channel for the call that was placed at ``placed_at``."""
        way = _way(choice)
        self._went_out[way] = max(placed_at, self._went_out.get(way, placed_at))
        if self._turned_away:
            self._turned_away.pop((entry, way), None)

    def is_careful(self, now: float) -> bool:
        """Whether fewer calls are placed than FreeSWITCH has taken, since it refused some."""
        return self._limits.backpressure.is_careful(now)

    def refused(self, entry: bytes, choice: Choice, uuid: str, *, was_careful: bool) -> bool:
        """FreeSWITCH turned the call away; return whether the number is to be given up.

        ``was_careful`` is `is_careful` of when the call was placed.  A call that was placed at full
        rate, and refused along with others, is no sign of its number: the last ones of a large
        burst are above FreeSWITCH's limits time and again, while the first ones go out.
        """
        now = self._clock.seconds()
        self._limits.gives_back(now)
        is_first = uuid in self._first_of_bursts
        if is_first:
            self._first_of_bursts.remove(uuid)  # a producer's own UUID comes again
        return (is_first or was_careful) and self.never_left(entry, choice, now)

    def never_left(self, entry: bytes, choice: Choice, now: float) -> bool:
        """FreeSWITCH made no channel; return whether the number is to be given up."""
        way = _way(choice)
        before = self._turned_away.pop((entry, way), None)
        after = turned_away.again(before, now, self._went_out.get(way))
        if not after.is_given_up:
            self._turned_away[entry, way] = after
        if len(self._turned_away) > MAX_REMEMBERED:
            self._turned_away.popitem(last=False)
        return after.is_given_up

    def _placing(self, attempt: Attempt) -> None:
        self._limits.placed(attempt.uuid, self._clock.seconds())

    def _seems_refused(self, attempt: Attempt) -> None:
        """FreeSWITCH has probably turned this call away: slow down before it is certain."""
        if self._limits.refused(attempt.uuid, self._clock.seconds(), attempt.dialed_at):
            self._first_of_bursts.append(attempt.uuid)


def _way(choice: Choice) -> Way:
    return choice.group if choice.line is None else choice.line.name
