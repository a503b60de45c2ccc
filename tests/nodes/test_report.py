"""What can be told of a node from Redis alone."""

from __future__ import annotations

import json
from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.contract.status import Explained, Missing, TaskStatus
from ctidialer.nodes.report import NOT_READ, NodeReport
from ctidialer.rules.tables import Tables
from tests.contract.test_status import STATUS

NOW = 1_700_000_000.0
FULL = {
    "enable": True,
    "line_group": ["g"],
    "limit": 3,
    "number_queue": "q",
    "destination_extension": "8888",
}
SAID = TaskStatus("t", 1, 3, "q", Explained("limit_reached", "so it says"))
READY = evolve(STATUS, ready=True, missing=(), tasks=())


class ToldTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.tables = Tables("fs1", "fs1", "null/${destination_number}")
        self.put("t")
        self.put("off", enable=False)

    def put(self, name: str, **params: Any) -> None:
        document = json.dumps({"params": {**FULL, **params}}).encode()
        self.tables.put(keys.at(keys.TASK, "fs1"), name, document)

    def told(self, **told: Any) -> NodeReport:
        usual = {"daemon": "pid 7 on pbx1", "status": READY}
        return NodeReport("fs1", "Asia/Shanghai", self.tables, **{**usual, **told})

    def reason(self, told: NodeReport, name: str = "t") -> str:
        return told.explain(name, NOW).explained.reason

    def test_what_the_daemon_says_counts(self) -> None:
        told = self.told(status=evolve(READY, tasks=(SAID,)))
        self.assertEqual(told.explain("t", NOW), SAID)
        self.assertFalse(told.is_unsaid("t", NOW))

    def test_but_not_what_one_said_that_has_gone(self) -> None:
        told = self.told(status=evolve(READY, tasks=(SAID,)), daemon=None)
        self.assertEqual(self.reason(told), "no_daemon")
        self.assertFalse(told.is_alive)

    def test_a_redis_that_takes_no_writes_is_said_before_a_daemon_that_is_silent(self) -> None:
        said = "MISCONF Redis is configured to save RDB snapshots"
        for daemon in (None, "pid 7 on pbx1"):
            told = self.told(status=None, daemon=daemon, refused=said)
            self.assertEqual(self.reason(told), "writes_refused")
            self.assertIn(said, told.explain("t", NOW).explained.text)

    def test_closed_tasks_are_explained_from_the_tables(self) -> None:
        self.assertEqual(self.reason(self.told(), "off"), "disabled")
        self.assertEqual(self.reason(self.told(), "none"), "unknown_task")
        self.put("bad", limit="x")
        self.assertEqual(self.reason(self.told(), "bad"), "invalid")
        self.assertEqual(self.told().task_names(), ["bad", "off", "t"])

    def test_an_open_task_of_which_the_daemon_says_nothing(self) -> None:
        told = self.told()
        self.assertEqual(told.explain("t", NOW).explained, NOT_READ)
        self.assertTrue(told.is_unsaid("t", NOW))
        self.assertFalse(told.is_unsaid("off", NOW))

    def test_one_of_too_many(self) -> None:
        told = self.told(status=evolve(READY, tasks_left_out=9))
        self.assertEqual(self.reason(told), "dialing")
        self.assertFalse(told.is_unsaid("t", NOW))

    def test_what_keeps_the_node(self) -> None:
        missing = (Missing("freeswitch_away", "it is"), Missing("of a later version", "x"))
        told = self.told(status=evolve(READY, missing=missing))
        self.assertEqual(self.reason(told), "freeswitch_away")
        self.assertEqual([one.text for one in told.obstacles()], ["it is", "x"])
        self.assertEqual(self.reason(told, "off"), "disabled")

    def test_a_daemon_that_has_just_been_killed(self) -> None:
        told = self.told(status=None, silent="2.5", lapses_in=9.4)
        (obstacle,) = told.obstacles()
        self.assertEqual(
            obstacle.text,
            "no word from the daemon for more than 2.5 s: it was killed or hangs, or cannot reach"
            " Redis; its lease lapses in 9 s (pid 7 on pbx1)",
        )
        self.assertIn("已超过 2.5 秒没有守护进程的消息", obstacle.in_("zh"))

    def test_a_daemon_that_says_nothing(self) -> None:
        told = self.told(status=None)
        self.assertEqual(self.reason(told), "no_daemon")
        self.assertIn("pid 7 on pbx1", told.explain("t", NOW).explained.text)
