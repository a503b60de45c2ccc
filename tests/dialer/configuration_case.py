"""Tables in memory, and the configuration that reads them: on a task.Clock."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater
from twisted.logger import LogLevel, capturedLogs, eventAsText
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.notice import ConfigChange
from ctidialer.dialer.configuration import Configuration
from ctidialer.dialer.readiness import Condition, Readiness
from ctidialer.rules.tables import Changed, Tables
from ctidialer.store.errors import StoreError
from ctidialer.store.tables import FieldDocuments, Unreadable, Whole
from tests.dialer.fakes import ROUND_TRIP, clock, let_run

TEMPLATE = "cti_queue_dialer_task@template"
HOST = "cti_queue_dialer_task@fs1"
LINE = "cti_line@example.com"
GROUP = "cti_line_group@example.com"
SCHEDULE = "cti_schedule_dialer_config@example.com"
CONTROL = "cti_dialer_control@fs1"


def task(**params: object) -> bytes:
    usual = {
        "enable": True,
        "line_group": ["g"],
        "limit": 1,
        "number_queue": "q",
        "destination_extension": "8888",
    }
    return json.dumps({"params": {**usual, **params}}).encode()


def line(**params: object) -> bytes:
    usual = {"dialstring": "user/${destination_number}"}
    return json.dumps({"params": {**usual, **params}}).encode()


def group(*lines: str) -> bytes:
    return json.dumps({"line": [lines]}).encode()


class MemoryTables:
    """Tables as Redis has them; each reading is of one moment and takes ``ROUND_TRIP`` seconds.

    ``reads`` is what was asked for: ``*`` for everything, else the names by key.  ``is_watched``:
    whether it can be told that nobody has touched them.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.error: StoreError | None = None
        self.tables: dict[str, dict[str, bytes]] = {}
        self.unreadable: dict[str, str] = {}
        self.reads: list[str | dict[str, Sequence[str]]] = []
        self.round_trip = ROUND_TRIP
        self.is_watched = False
        self.questions = 0

    async def unchanged(self, keys: Sequence[str]) -> bool:
        self.questions += 1
        await self._round_trip()
        return self.is_watched

    async def whole(self, keys: Sequence[str]) -> dict[str, Whole | Unreadable]:
        self.reads.append("*")
        found = {key: self._whole(key) for key in keys}
        await self._round_trip()
        return found

    async def fields(
        self, wanted: Mapping[str, Sequence[str]]
    ) -> dict[str, FieldDocuments | Unreadable]:
        self.reads.append({key: sorted(names) for key, names in wanted.items()})
        found = {key: self._fields(key, names) for key, names in wanted.items()}
        await self._round_trip()
        return found

    def _whole(self, key: str) -> Whole | Unreadable:
        if key in self.unreadable:
            return Unreadable(self.unreadable[key])
        pairs = self.tables.get(key, {}).items()
        return Whole([part for name, document in pairs for part in (name.encode(), document)])

    def _fields(self, key: str, names: Sequence[str]) -> FieldDocuments | Unreadable:
        if key in self.unreadable:
            return Unreadable(self.unreadable[key])
        return [(name, self.tables.get(key, {}).get(name)) for name in names]

    async def _round_trip(self) -> None:
        await deferLater(self.clock, self.round_trip)
        if self.error is not None:
            raise self.error


class ConfigurationCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = clock()
        self.redis = MemoryTables(self.clock)
        self.tables = Tables("fs1", "example.com", "user/${destination_number}")
        self.readiness = Readiness()
        self.changes: list[Changed] = []
        self.configuration = Configuration(
            self.clock, self.tables, self.redis, self.readiness, self.take_over
        )
        self.logged = self.enterContext(capturedLogs())

    def take_over(self, changes: Sequence[Changed]) -> Iterator[None]:
        for change in changes:
            self.changes.append(change)
            yield

    @property
    def is_complete(self) -> bool:
        return Condition.TABLES not in self.readiness.missing

    @property
    def is_readable(self) -> bool:
        return Condition.UNREADABLE not in self.readiness.missing

    def put(self, key: str, name: str, document: bytes) -> None:
        self.redis.tables.setdefault(key, {})[name] = document

    def answered(self, deferred: Deferred[None]) -> None:
        let_run(self.clock, 0.1, ROUND_TRIP)
        self.successResultOf(deferred)

    def read_all(self) -> None:
        self.answered(self.configuration.read_all())

    def published(self, table: str, name: str | None = None) -> None:
        self.configuration.change(ConfigChange(table, name))
        let_run(self.clock, 0.1, ROUND_TRIP)

    def said(self, level: LogLevel = LogLevel.warn) -> list[str]:
        return [
            eventAsText(event, includeTimestamp=False, includeSystem=False)
            for event in self.logged
            if event.get("log_level") is level
        ]
