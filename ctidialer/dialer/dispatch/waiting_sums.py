"""How many numbers wait in Redis, why, and until when: read now and then, for people."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ctidialer.contract.record import Kind
from ctidialer.contract.status import Later
from ctidialer.glue import Repeated
from ctidialer.nodes.waiting_counts import Due, Who, summed
from ctidialer.rules.explaining import local_time
from ctidialer.rules.tables import Tables
from ctidialer.store.errors import StoreError
from ctidialer.store.reading import NodeReading
from ctidialer.store.waiting import Waiting

LOOK_INTERVAL = 5.0
"""Seconds between two looks."""

MANY_PLACES = 10_000
LOOKS_LEFT_OUT = 11
"""If numbers wait in so many places, so many looks are left out after each."""

MAX_COUNTED = 100
"""Places of which one look counts the numbers that are due."""

MAX_NAMED = 20
"""Tasks that one look names in the log; of more it says how many."""


class WaitingSums:
    """Sums up the places of the tables of this node: ``zone`` is its own, for the log."""

    log = Logger()

    def __init__(self, clock: IReactorTime, store: NodeReading, tables: Tables, zone: str) -> None:
        self._clock = clock
        self._store = store
        self._tables = tables
        self._zone = zone
        self._known: dict[Who, Later] = {}
        self._left_out = 0
        self._looks = Repeated(clock, self.look, self.log, "Counting the waiting numbers")

    def start(self) -> None:
        """Count from now on."""
        self._looks.start(LOOK_INTERVAL, now=True)

    def stop(self) -> None:
        """Count no more."""
        self._looks.stop()

    def of(self, kind: Kind, name: str) -> Later | None:
        """Return what waits of a task or a schedule configuration; None = nothing."""
        return self._known.get((kind, name))

    async def look(self) -> None:
        """Count anew, and log which tasks have begun to have waiting numbers, or have none now."""
        if self._left_out > 0:
            self._left_out -= 1
            return
        scopes = self._tables.scopes
        try:
            due = await self._store.due_waiting(scopes)
            counts = await self._store.waiting_counts(scopes) if due or self._known else {}
            overdue = await self._overdue(due)
        except StoreError:
            return  # that Redis is away, or says no, is said by others
        self._left_out = LOOKS_LEFT_OUT if len(counts) > MANY_PLACES else 0
        before, self._known = self._known, summed(due, counts, overdue)
        self._tell(self._known.keys() - before.keys(), self._begun)
        self._tell(before.keys() - self._known.keys(), _over)

    async def _overdue(self, due: Due) -> dict[Waiting, int]:
        """Return how many numbers are due already, of the places that are overdue longest."""
        now = self._clock.seconds()
        late = sorted((at, where.key, where) for where, at in due.items() if at <= now)
        return await self._store.overdue([where for *_, where in late[:MAX_COUNTED]], now)

    def _begun(self, who: Who) -> str:
        later = self._known[who]
        parts = [
            f"{count} {why}"
            for count, why in (
                (later.retry, "for another try"),
                (later.hours, "for their callees' hours"),
                (later.cap, "for callee_limit"),
            )
            if count
        ]
        said = f"numbers wait: {', '.join(parts)}"
        due = later.next_due
        return said if due is None else f"{said}; the next is due {local_time(due, self._zone)}"

    def _tell(self, about: set[Who], say: Callable[[Who], str]) -> None:
        ordered = sorted(about, key=lambda who: (who[0].value, who[1]))
        for kind, name in ordered[:MAX_NAMED]:
            what = say((kind, name))
            noun = "Task" if kind is Kind.QUEUE else "Configuration"
            self.log.info("{noun} {task}: {what}", noun=noun, task=name, what=what)
        if len(ordered) > MAX_NAMED:
            self.log.info(
                "{count} more tasks: numbers wait, or none does any more",
                count=len(ordered) - MAX_NAMED,
            )


def _over(_: Who) -> str:
    return "no number waits any more"
