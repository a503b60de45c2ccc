"""Knows where numbers wait that are due: one question a second, however many wait.

A place whose next number is due within the second gets a timer, so that a call is not late by the
length of a look.  A place that is due stays so until a claim has found nothing due there.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from ctidialer.contract.record import Kind
from ctidialer.glue import Repeated
from ctidialer.rules.tables import Tables
from ctidialer.store.errors import StoreError
from ctidialer.store.reading import NodeReading
from ctidialer.store.waiting import Waiting

LOOK_INTERVAL = 1.0
"""Seconds between two looks: a number that another host lets wait is found that late at most."""

Who = tuple[Kind, str]
"""A task, or a schedule configuration."""


class DueWatch:
    """The places where numbers wait, of the tables of this node.

    ``came`` is called with a task, or a schedule configuration, for which numbers are due now.
    """

    log = Logger()

    def __init__(self, clock: IReactorTime, store: NodeReading, tables: Tables) -> None:
        self._clock = clock
        self._store = store
        self._tables = tables
        self._due: dict[Who, dict[Waiting, None]] = {}
        self._coming: dict[Waiting, float] = {}
        self._timer: IDelayedCall | None = None
        self._looks = Repeated(clock, self.look, self.log, "A look at the waiting numbers")
        self.came: dict[Kind, Callable[[str], None]] = {}

    def start(self) -> None:
        """Look from now on."""
        self._looks.start(LOOK_INTERVAL, now=True)

    def stop(self) -> None:
        """Look no more; nothing is due any more."""
        self._looks.stop()
        self._due.clear()
        self._coming.clear()
        self._plan()

    def place(self, kind: Kind, name: str) -> Waiting:
        """Return where numbers of a task or a schedule configuration are put to wait now."""
        if kind is Kind.SCHEDULE:
            return Waiting(self._tables.domain, kind, name)
        return Waiting(self._tables.scope_of(name), kind, name)

    def due(self, kind: Kind, name: str) -> tuple[Waiting, ...]:
        """Return the places of a task or a schedule configuration that have due numbers."""
        return tuple(self._due.get((kind, name), ()))

    def names(self, kind: Kind) -> list[str]:
        """Return the tasks, or the schedule configurations, for which numbers are due."""
        return [name for one, name in self._due if one is kind]

    def has_due(self, kind: Kind, name: str) -> bool:
        """Whether numbers of this task or schedule configuration are due."""
        return (kind, name) in self._due

    def emptied(self, where: Waiting) -> None:
        """A claim found no more numbers there that are due."""
        who = (where.kind, where.name)
        places = self._due.get(who)
        if places is not None:
            places.pop(where, None)
            if not places:
                del self._due[who]

    def waits(self, where: Waiting, due: float) -> None:
        """A number was put to wait there."""
        if self._looks.running and due < self._clock.seconds() + LOOK_INTERVAL:
            self._comes(where, due)
            self._plan()

    async def look(self) -> None:
        """Find the places with numbers that are due, or will be before the next look."""
        now = self._clock.seconds()
        try:
            found = await self._store.due_waiting(self._tables.scopes, now + LOOK_INTERVAL)
        except StoreError:
            return  # that Redis is away, or says no, is said by others
        if self._looks.running:
            for where, due in found.items():
                self._comes(where, due)
            self._arrive()

    def _comes(self, where: Waiting, due: float) -> None:
        self._coming[where] = min(due, self._coming.get(where, due))

    def _arrive(self) -> None:
        """Take over the places that are due by now, and tell of them."""
        now = self._clock.seconds()
        arrived = [where for where, due in self._coming.items() if due <= now]
        for where in arrived:
            del self._coming[where]
            self._due.setdefault((where.kind, where.name), {})[where] = None
        self._plan()
        for kind, name in dict.fromkeys((where.kind, where.name) for where in arrived):
            if kind in self.came:
                self.came[kind](name)

    def _plan(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._coming:
            wait = max(0.0, min(self._coming.values()) - self._clock.seconds())
            self._timer = self._clock.callLater(wait, self._rings)

    def _rings(self) -> None:
        self._timer = None
        self._arrive()
