"""Keeps the tables as they stand in Redis: read whole, then change by change.

A published change is read at once, field by field; everything is read again after every
subscription and every few seconds, since many back ends never publish and a message can be lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from ctidialer.contract import keys
from ctidialer.contract.faults import Fault
from ctidialer.contract.notice import ConfigChange
from ctidialer.rules.tables import Changed, Tables
from ctidialer.store.errors import StoreError, WrongType
from ctidialer.store.store import Store

FIELDS = {
    keys.TASK: "task",
    keys.LINE: "line",
    keys.LINE_GROUP: "line_group",
    keys.SCHEDULE_CONFIG: "config",
}
"""What the log calls a name in a table."""


SAID_OF_EACH = 10
"""Names of which the same warning is said: a back end writes it into all its tasks."""


class Configuration:
    """Reads the tables; calls ``changed`` with every change, ``complete`` after every full read.

    A key that holds no hash is a table without fields, and is complained of.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        tables: Tables,
        store: Store,
        changed: Callable[[Changed], None],
        complete: Callable[[], None],
    ) -> None:
        self._tables = tables
        self._store = store
        self._changed = changed
        self._complete = complete
        self._complained: dict[str, str] = {}
        # One read at a time: an older answer must never overwrite a newer one.
        self._reading = DeferredLock()
        self._polls = LoopingCall(self._poll)
        self._polls.clock = clock

    def start(self, interval: float) -> None:
        """Read everything again every ``interval`` seconds."""
        self._polls.start(interval, now=False).addErrback(
            partial(self.log.failure, "Reading the tables has stopped")
        )

    def stop(self) -> None:
        """Read no more."""
        if self._polls.running:
            self._polls.stop()

    def read_all(self) -> Deferred[None]:
        """Read every table; fails with StoreError where Redis does not give one."""
        return self._alone(self._read_all)

    def change(self, change: ConfigChange) -> Deferred[None]:
        """A back end says that it has changed something."""
        return self._alone(partial(self._read_change, change))

    def _alone(self, read: Callable[[], Coroutine[Deferred[Any], Any, None]]) -> Deferred[None]:
        alone: Deferred[None] = self._reading.run(read)
        return alone

    async def _poll(self) -> None:
        try:
            await self.read_all()
        except StoreError as error:
            self.log.info("The tables could not be read: {problem}", problem=str(error))
        except Exception:  # noqa: BLE001 - an exception would end the LoopingCall for good
            self.log.failure("Reading the tables failed")

    async def _read_all(self) -> None:
        for key in self._tables.keys_of():
            await self._read_table(key)
        self._complete()

    async def _read_change(self, change: ConfigChange) -> None:
        for key in self._tables.keys_of(change.table):
            if change.key is None:
                await self._read_table(key)
            else:
                await self._read_field(key, change.key)

    async def _read_field(self, key: str, name: str) -> None:
        try:
            document = await self._store.read_field(key, name)
        except WrongType:
            await self._read_table(key)
            return
        self._apply(key, self._tables.put(key, name, document))

    async def _read_table(self, key: str) -> None:
        try:
            documents = await self._store.read_table(key)
        except WrongType as error:
            self._complain(key, str(error))
            documents = {}
        else:
            self._complained.pop(key, None)
        self._apply(key, self._tables.replace(key, documents))

    def _complain(self, key: str, problem: str) -> None:
        """Say once, not with every poll, that a table cannot be read."""
        if self._complained.get(key) != problem:
            self._complained[key] = problem
            self.log.warn("The table {key} cannot be used: {problem}", key=key, problem=problem)

    def _apply(self, key: str, changed: Changed) -> None:
        if not changed:
            return
        for name in sorted(changed.names):
            for fault in self._tables.faults.get((changed.table, name), ()):
                self._say(key, name, fault, changed.table)
        self._warn(key, changed)
        self._changed(changed)

    def _warn(self, key: str, changed: Changed) -> None:
        """Say what is hardly meant; of many names with the same, the first ones."""
        said: Counter[tuple[str, str]] = Counter()
        for name in sorted(changed.names):
            for warning in self._tables.warnings.get((changed.table, name), ()):
                same = (warning.path, warning.problem)
                said[same] += 1
                if said[same] <= SAID_OF_EACH:
                    self._say(key, name, warning, changed.table)
        for (path, problem), count in said.items():
            if count > SAID_OF_EACH:
                self.log.warn(
                    "{key}: the same of {count} more: {path}: {problem}",
                    key=key,
                    count=count - SAID_OF_EACH,
                    path=path,
                    problem=problem,
                )

    def _say(self, key: str, name: str, fault: Fault, table: str) -> None:
        self.log.warn(
            "{key} {name}: {path}: {problem}",
            key=fault.key or key,
            name=name,
            path=fault.path,
            problem=fault.problem,
            **{FIELDS[table]: name},
        )
