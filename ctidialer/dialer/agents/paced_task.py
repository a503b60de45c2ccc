"""One task that is paced, or whose calls are judged: its pacer, its memory, its calls."""

from __future__ import annotations

import math

from attrs import define, field

from ctidialer.dialer.agents.memory import TaskMemory
from ctidialer.dialer.agents.pacer import TaskPacer
from ctidialer.dialer.agents.sharing import NO_OTHERS, CallPermit, GivenPermits, HostCalls
from ctidialer.dialer.agents.watched_call import WatchedCall


@define(eq=False)
class PacedTask:
    """One task, or one schedule configuration (``memory`` None: nothing of it is kept).

    ``is_ready``: Redis has said what was counted before, and who paces.  ``paces_until``: then
    (unix seconds) another host may pace, unless Redis has said again that this one does.
    ``is_owed``: what must be written came while a write was under way.
    """

    pacer: TaskPacer
    memory: TaskMemory | None = None
    calls: dict[WatchedCall, None] = field(factory=dict)
    is_writing: bool = False
    is_owed: bool = False
    is_ready: bool = False
    paces_until: float = math.inf
    permit: CallPermit | None = None
    given: GivenPermits = field(factory=GivenPermits)

    def stands(self, memory: TaskMemory) -> None:
        """The task stands there now, where this memory is: what is known there is asked for."""
        memory.was_elsewhere = self.memory is not None
        self.memory, self.is_ready = memory, False
        self.paces_alone()

    def paces_alone(self) -> None:
        """Nobody else dials for these agents."""
        self.paces(math.inf)
        self.permit, self.given = None, GivenPermits()
        self.pacer.other_calls, self.pacer.granted = NO_OTHERS, 0

    def may_decide(self, now: float) -> bool:
        """Say whether it is known how many calls this host may place."""
        return self.is_ready and now < self.paces_until

    def rung(self) -> dict[object, float]:
        """Return since when telephones ring."""
        return {call: call.rung_since for call in self.calls if call.rung_since is not None}

    def calls_now(self, wants: int, now: float) -> HostCalls:
        """Return what the other hosts are told of the calls of this one."""
        number = 0.0 if self.permit is None else self.permit.number
        left = max(0, self.pacer.permitted or 0)
        return HostCalls(self.pacer.ages(now), self.pacer.waiting, wants, number, left)

    def paces(self, until: float) -> None:
        """This host paces, ``until`` then at least: it needs no permit."""
        self.pacer.permitted, self.paces_until = None, until

    def takes(self, permit: CallPermit | None) -> None:
        """Another host paces: each of its permits counts once, and none of an earlier pacer."""
        self.paces_until = math.inf
        if self.pacer.permitted is None or permit is None:
            self.pacer.permitted = 0
        elif permit != self.permit:
            self.pacer.permitted = permit.count
        self.permit = permit
