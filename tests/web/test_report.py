"""What became of the numbers, over HTTP."""

from __future__ import annotations

from typing import Any
from unittest import mock

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules.periods import By
from ctidialer.web.answers import Answer, Refusal
from ctidialer.web.kept_looks import MIN_KEPT
from ctidialer.web.queries import ReportQuery
from ctidialer.web.report import ReportApi
from tests.web.web_case import WebTestCase

BUSY_1002 = {"numbers": {"1002": {"result": "busy"}}}
NOW = 1_795_825_800.0  # 2026-11-28 08:30 in Shanghai
TODAY = 1_795_795_200.0


class ReportTests(WebTestCase):
    """Of a node that dials."""

    script = {"default": {"result": "answer", "talk": 0.02}, **BUSY_1002}  # noqa: RUF012 - read only

    async def test_today_by_task_and_hour(self) -> None:
        await self.usual_tables()
        self.start_web()
        await self.put_numbers(["1001", "1002", "x"])
        await self.records_of(3)
        found = (await self.ask("GET", "/api/report?since=week&by=hour")).json
        total, (task,) = found["total"], found["tasks"]
        self.assertEqual(total["outcomes"], {"answered": 1, "busy": 1, "invalid": 1})
        self.assertEqual((task["task"], task["dialed"], task["answer_rate"]), ("t", 2, 0.5))
        self.assertEqual(sum(one["taken"] for one in found["periods"]), 3)
        self.assertEqual((found["by"], found["tasks_left_out"]), ("hour", 0))
        self.assertNotIn("rows", found)
        other = (await self.ask("GET", "/api/report?task=other")).json
        self.assertEqual((other["total"]["taken"], other["tasks"]), (0, []))

    async def test_what_cannot_be_asked_for(self) -> None:
        self.start_web()
        for query in ("since=soon", "until=2026-13-01", "by=week", "tasks=-1"):
            answer = await self.ask("GET", f"/api/report?{query}")
            self.assertEqual(answer.status, 400, query)
            self.assertIn(query.partition("=")[0], answer.json["error"]["message"])
        for span in ("since=2h&until=3h", "since=today&until=today"):
            answer = await self.ask("GET", f"/api/report?{span}")
            self.assertEqual(answer.status, 400, span)
            said = "until must be later than since: nothing lies between"
            self.assertIn(said, answer.json["error"]["message"])


@define
class FakeLooks:
    """Notes what is asked for; each look takes as long as ``took``."""

    clock: Clock
    took: float = 0.0
    asked: list[dict[str, Any]] = field(factory=list)

    def look(self, name: str, **details: object) -> Deferred[bytes]:
        self.asked.append(details)
        self.clock.advance(self.took)
        return succeed(b"%d" % len(self.asked))


class KeptTests(SynchronousTestCase):
    """A dashboard that asks every minute, and ten of them, must not cost a core."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.looks = FakeLooks(self.clock)
        self.api = ReportApi("Asia/Shanghai", self.looks, self.clock, lambda: NOW)

    def ask(self, **query: Any) -> bytes:
        asking: Deferred[Answer] = Deferred.fromCoroutine(self.api.report(ReportQuery(**query)))
        return self.successResultOf(asking).body

    def test_days_are_those_of_the_zone(self) -> None:
        self.ask(since="today", by=By.HOUR, task="t")
        self.assertEqual(
            self.looks.asked,
            [{"task": "t", "since": TODAY, "until": None, "by": By.HOUR, "tasks": mock.ANY}],
        )

    def test_the_same_is_answered_again_for_a_while(self) -> None:
        self.assertEqual((self.ask(since="today"), self.ask(since="today")), (b"1", b"1"))
        self.assertEqual(self.ask(since="week"), b"2")
        self.clock.advance(MIN_KEPT)
        self.assertEqual(self.ask(since="today"), b"3")

    def test_what_took_long_is_kept_longer(self) -> None:
        self.looks.took = 3.0
        self.ask()
        self.clock.advance(59)
        self.assertEqual(self.ask(), b"1")
        self.clock.advance(2)
        self.assertEqual(self.ask(), b"2")

    def test_others_than_are_kept_are_answered_too(self) -> None:
        answers = [self.ask(task=str(number)) for number in range(50)]
        self.assertEqual(len(set(answers)), 50)

    def test_no_moment_is_refused(self) -> None:
        failure = self.failureResultOf(
            Deferred.fromCoroutine(self.api.report(ReportQuery(since="soon"))), Refusal
        )
        self.assertEqual(failure.value.status, 400)
