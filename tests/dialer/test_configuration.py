"""The tables as they stand in Redis: read whole, then change by change."""

from __future__ import annotations

import json

from twisted.internet.defer import Deferred
from twisted.logger import LogLevel, capturedLogs, eventAsText
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.contract.notice import ConfigChange
from ctidialer.dialer.configuration import Configuration
from ctidialer.rules.tables import Changed, Tables
from ctidialer.store.errors import StoreUnavailable, WrongType
from tests.dialer.fakes import ROUND_TRIP, MemoryStore, clock, let_run

TEMPLATE = "cti_queue_dialer_task@template"
HOST = "cti_queue_dialer_task@fs1"
LINE = "cti_line@example.com"
AWAY = StoreUnavailable("away", True)


def task(**params: object) -> bytes:
    usual = {
        "enable": True,
        "line_group": ["g"],
        "limit": 1,
        "number_queue": "q",
        "destination_extension": "8888",
    }
    return json.dumps({"params": {**usual, **params}}).encode()


class ConfigurationCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = clock()
        self.store = MemoryStore(self.clock)
        self.tables = Tables("fs1", "example.com", "user/${destination_number}")
        self.changes: list[Changed] = []
        self.completed = 0
        self.configuration = Configuration(
            self.clock, self.tables, self.store, self.changes.append, self.complete
        )
        self.logged = self.enterContext(capturedLogs())

    def complete(self) -> None:
        self.completed += 1

    def put(self, key: str, name: str, document: bytes) -> None:
        self.store.tables.setdefault(key, {})[name] = document

    def answered(self, deferred: Deferred[None]) -> None:
        let_run(self.clock, 0.1, ROUND_TRIP)
        self.successResultOf(deferred)

    def read_all(self) -> None:
        self.answered(self.configuration.read_all())

    def published(self, table: str, name: str | None = None) -> None:
        self.answered(self.configuration.change(ConfigChange(table, name)))

    def warnings(self) -> list[str]:
        return [
            eventAsText(event, includeTimestamp=False, includeSystem=False)
            for event in self.logged
            if event.get("log_level") is LogLevel.warn
        ]


class ReadTests(ConfigurationCase):
    def test_all_tables_are_read_and_then_it_is_complete(self) -> None:
        self.put(TEMPLATE, "t", task())
        self.put(HOST, "u", task())
        reading = self.configuration.read_all()
        self.assertEqual(self.completed, 0)
        self.answered(reading)
        self.assertEqual(self.completed, 1)
        self.assertEqual(sorted(self.tables.tasks), ["t", "u"])
        self.assertEqual(
            sorted(self.store.reads),
            sorted(
                [
                    TEMPLATE,
                    HOST,
                    LINE,
                    "cti_line_group@example.com",
                    "cti_schedule_dialer_config@example.com",
                    "cti_dialer_control@fs1",
                ]
            ),
        )

    def test_what_did_not_change_is_not_told_again(self) -> None:
        self.put(TEMPLATE, "t", task())
        self.read_all()
        self.changes.clear()
        self.read_all()
        self.assertEqual(self.changes, [])
        self.put(TEMPLATE, "t", task(limit=2))
        self.put(TEMPLATE, "v", task())
        self.read_all()
        (change,) = self.changes
        self.assertEqual((change.table, change.names), (keys.TASK, frozenset({"t", "v"})))

    def test_a_field_that_is_gone_is_a_change(self) -> None:
        self.put(TEMPLATE, "t", task())
        self.read_all()
        del self.store.tables[TEMPLATE]["t"]
        self.read_all()
        self.assertEqual(self.tables.tasks, {})
        self.assertEqual(self.changes[-1].names, frozenset({"t"}))

    def test_a_published_field_is_read_alone_on_host_and_template(self) -> None:
        self.put(HOST, "t", task())
        self.published(keys.TASK, "t")
        self.assertEqual(self.store.reads, [f"{TEMPLATE} t", f"{HOST} t"])
        self.assertIn("t", self.tables.tasks)
        self.assertEqual(self.completed, 0)

    def test_a_published_table_is_read_whole(self) -> None:
        self.published(keys.LINE)
        self.assertEqual(self.store.reads, [LINE])

    def test_one_read_at_a_time_in_the_order_of_the_changes(self) -> None:
        self.put(HOST, "t", task(limit=1))
        first = self.configuration.change(ConfigChange(keys.TASK, "t"))
        second = self.configuration.change(ConfigChange(keys.TASK, "t"))
        self.assertEqual(len(self.store.reads), 1)
        self.put(HOST, "t", task(limit=2))
        self.answered(first)
        self.answered(second)
        self.assertEqual(self.tables.tasks["t"].limit, 2)


class TroubleTests(ConfigurationCase):
    def test_polling_goes_on_after_an_error(self) -> None:
        self.configuration.start(5.0)
        self.store.error = AWAY
        let_run(self.clock, 5.2)
        self.assertEqual((len(self.store.reads), self.completed), (1, 0))
        self.store.error = None
        self.put(TEMPLATE, "t", task())
        let_run(self.clock, 5.2)
        self.assertEqual(self.completed, 1)
        self.assertIn("t", self.tables.tasks)
        self.configuration.stop()
        self.configuration.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_polling_goes_on_after_an_exception(self) -> None:
        def fails() -> None:
            raise ZeroDivisionError

        self.patch(self.configuration, "_complete", fails)
        self.configuration.start(5.0)
        let_run(self.clock, 5.2)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.patch(self.configuration, "_complete", self.complete)
        let_run(self.clock, 5.2)
        self.assertEqual(self.completed, 1)
        self.configuration.stop()

    def test_an_error_leaves_the_old_tables_and_frees_the_next_read(self) -> None:
        self.put(TEMPLATE, "t", task())
        self.read_all()
        self.store.error = AWAY
        reading = self.configuration.read_all()
        let_run(self.clock, 0.1)
        self.failureResultOf(reading, StoreUnavailable)
        self.assertIn("t", self.tables.tasks)
        self.store.error = None
        self.read_all()
        self.assertEqual(self.completed, 2)

    def test_a_key_that_is_no_hash_is_an_empty_table_and_said_once(self) -> None:
        self.put(TEMPLATE, "t", task())
        self.read_all()
        real, wrong = self.store.read_table, WrongType(TEMPLATE, "string", "hash")

        def read(key: str) -> Deferred[dict[str, bytes]]:
            return self.store._failed(wrong) if key == TEMPLATE else real(key)

        self.patch(self.store, "read_table", read)
        self.read_all()
        self.read_all()
        self.assertEqual(self.tables.tasks, {})
        self.assertEqual(len([said for said in self.warnings() if TEMPLATE in said]), 1)
        self.patch(self.store, "read_table", real)
        self.read_all()
        self.assertIn("t", self.tables.tasks)

    def test_a_broken_document_is_said_with_key_field_and_path(self) -> None:
        self.put(TEMPLATE, "t", task(limit="many"))
        self.put(LINE, "gw1", b'{"params":{"count":"x","dialstring":"user/1"}}')
        self.read_all()
        said = self.warnings()
        self.assertEqual(len(said), 2)
        self.assertTrue(said[0].startswith(f"{TEMPLATE} t: $.params.limit: "), said[0])
        self.assertTrue(said[1].startswith(f"{LINE} gw1: $.params.count: "), said[1])
        self.read_all()
        self.assertEqual(len(self.warnings()), 2)  # not with every poll

    def test_what_is_hardly_meant_is_said_once_for_each_text(self) -> None:
        self.put(TEMPLATE, "t", task(work_hours=[]))
        self.put(LINE, "gw1", b'{"params":{"dialstring":"usr/1"}}')
        self.read_all()
        self.read_all()
        said = self.warnings()
        self.assertEqual(len(said), 2)
        self.assertIn(f"{TEMPLATE} t: $.params.work_hours: is ignored", said[0])
        self.assertIn("did you mean `work_hour`?", said[0])
        self.assertIn(f"{LINE} gw1: $.params.dialstring: begins with usr/", said[1])
        self.put(TEMPLATE, "t", task(work_hours=[], limit=2))
        self.published(keys.TASK, "t")
        self.assertEqual(len(self.warnings()), 3)
        self.put(TEMPLATE, "t", task())
        self.published(keys.TASK, "t")
        self.assertEqual(len(self.warnings()), 3)
        self.assertNotIn((keys.TASK, "t"), self.tables.warnings)

    def test_the_same_warning_of_many_tasks_is_not_said_of_each(self) -> None:
        for index in range(500):
            self.put(TEMPLATE, f"t{index}", task(stoptime="2020-1-1"))
        self.read_all()
        said = self.warnings()
        self.assertEqual(len(said), 11)
        self.assertIn("the same of 490 more: $.params.stoptime: is ignored", said[-1])

    def test_a_bad_edit_takes_the_task_away(self) -> None:
        self.put(TEMPLATE, "t", task())
        self.read_all()
        self.put(TEMPLATE, "t", b"{")
        self.published(keys.TASK, "t")
        self.assertEqual(self.tables.tasks, {})
        self.assertIn((keys.TASK, "t"), self.tables.faults)
        self.put(TEMPLATE, "t", task())
        self.published(keys.TASK, "t")
        self.assertIn("t", self.tables.tasks)
        self.assertEqual(self.tables.faults, {})
