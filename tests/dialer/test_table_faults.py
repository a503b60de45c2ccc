"""What the log tells of the documents of the tables: faults, mended, gone."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.dialer.table_faults import MAX_SAID_PER_TABLE, TableNews
from ctidialer.rules.table_names import Changed
from ctidialer.rules.tables import Tables

KEY = "cti_line@d"
GOOD = b'{"params": {"dialstring": "user/${destination_number}"}}'
BAD = b'{"params": {}}'


class TableNewsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.tables = Tables("fs1", "d", "user/1")
        self.news = TableNews()

    def told(self, lines: Mapping[str, bytes], *names: str, table: str = keys.LINE) -> list[str]:
        """Return what the log says when these are the lines, and ``names`` have changed."""
        self.tables.replace(KEY, lines)
        with capturedLogs() as events:
            self.news.tell(self.tables, Changed(table, frozenset(names or lines)))
        return [formatEvent(event) for event in events]

    def test_a_good_line_is_no_news(self) -> None:
        self.assertEqual(self.told({"l": GOOD}), [])
        self.assertEqual(self.told({"l": GOOD}), [])

    def test_a_fault_and_its_end(self) -> None:
        self.assertEqual(self.told({"l": BAD}), [f"{KEY} l: $.params.dialstring: is missing"])
        self.assertEqual(self.told({"l": GOOD}), [f"{KEY} l is mended"])
        self.assertEqual(self.told({"l": GOOD}), [])

    def test_a_line_that_is_gone(self) -> None:
        self.told({"l": GOOD, "m": BAD})
        self.assertEqual(self.told({"m": BAD}, "l"), [f"{KEY} l is no longer there"])
        self.assertEqual(self.told({}, "m"), [f"{KEY} m is no longer there"])

    def test_which_groups_have_lost_a_line(self) -> None:
        group = b'{"line": [["l"], ["m"]]}'
        self.tables.replace("cti_line_group@d", {"b": group, "a": group, "c": b'{"line": "m"}'})
        self.told({"l": GOOD, "m": GOOD})
        said = self.told({"m": GOOD}, "l")
        self.assertEqual(said, [f"{KEY} l is no longer there; named in a, b"])

    def test_a_whole_table_that_is_gone(self) -> None:
        names = [f"l{index}" for index in range(MAX_SAID_PER_TABLE + 5)]
        self.told(dict.fromkeys(names, GOOD))
        said = self.told({}, *names)
        self.assertEqual(len(said), MAX_SAID_PER_TABLE + 1)
        self.assertEqual(said[-1], f"{KEY}: 5 more: each is no longer there")

    def test_of_tasks_that_are_gone_others_tell(self) -> None:
        self.assertEqual(self.told({}, "t", table=keys.TASK), [])

    def test_an_order_is_no_document(self) -> None:
        self.assertEqual(self.told({}, "drain", table=keys.CONTROL), [])
