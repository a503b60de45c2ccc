"""Looks now and then at how many calls all hosts have on what they share: for people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import islice

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ctidialer.contract import keys
from ctidialer.contract.line import Line
from ctidialer.contract.shared_use import SharedUse
from ctidialer.contract.task import LimitScope, Task
from ctidialer.dialer.dispatch.counted_things import CountedThings, Thing
from ctidialer.glue import Repeated
from ctidialer.rules.tables import Tables
from ctidialer.store.errors import StoreError
from ctidialer.store.shared_use import Use

LOOK_INTERVAL = 5.0
"""Seconds between two looks."""

MAX_THINGS = 200
"""Things that are looked at: gateways first, then lines, then tasks."""

WORDS = {keys.GATEWAY: "gateway", keys.LINE: "line", keys.TASK: "task"}

ReadUse = Callable[[Sequence[str]], Awaitable[Mapping[str, Use]]]
"""Reads how many calls are counted under these keys; fails with StoreError."""

Named = tuple[str, str, Thing]
"""A table, a name in it, and how that is counted."""


class SharedWatch:
    """Keeps ``found``: the things that are counted over hosts, the fullest first.

    ``left_out``: how many more there are.
    """

    log = Logger()

    def __init__(
        self, clock: IReactorTime, tables: Tables, things: CountedThings, read: ReadUse
    ) -> None:
        self._tables = tables
        self._things = things
        self._read = read
        self._used: dict[tuple[str, str], int | None] = {}
        self.found: tuple[SharedUse, ...] = ()
        self.left_out = 0
        self._looks = Repeated(clock, self.look, self.log, "Looking at what hosts share")

    def start(self) -> None:
        """Look from now on."""
        self._looks.start(LOOK_INTERVAL)

    def stop(self) -> None:
        """Look no more."""
        self._looks.stop()

    def used(self, what: str, name: str) -> int | None:
        """Return how many calls all hosts have there; None = it is not counted, or not known."""
        return self._used.get((what, name))

    async def look(self) -> None:
        """Look once; while Redis is away nothing is known."""
        things = list(islice(self._named(), MAX_THINGS))
        self.left_out = len(self._things) - len(things)
        try:
            use = await self._read([thing.key for *_, thing in things]) if things else {}
        except StoreError:
            things, use = [], {}
        found = [self._told(*one, use) for one in things]
        self.found = tuple(sorted(found, key=lambda one: (-one.fullness, one.what, one.name)))
        self._used = {(one.what, one.name): one.used for one in found}

    def _named(self) -> Iterator[Named]:
        by_table = sorted(self._things.named(), key=lambda one: list(WORDS).index(one[0]))
        return iter(by_table)

    def _told(self, table: str, name: str, thing: Thing, use: Mapping[str, Use]) -> SharedUse:
        counted, there = thing.counted, use.get(thing.key)
        used = there.used if there is not None and counted.count is not None else None
        holders = there.holders if there is not None else ()
        cps = self._cps(table, name)
        return SharedUse(WORDS[table], name, used, counted.count, cps, holders)

    def _cps(self, table: str, name: str) -> float | None:
        """Return the calls that may start a second over all hosts; None = no such limit."""
        if table == keys.TASK:
            task: Task | None = self._tables.tasks.get(name)
            return task.cps if task and task.cps_scope is LimitScope.ALL else None
        routes = self._tables.routes
        value: Line | None = (routes.lines if table == keys.LINE else routes.gateways).get(name)
        return value.cps if value else None
