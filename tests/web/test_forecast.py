"""What is foreseen of a task, over HTTP."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.web.answers import Answer, Refusal
from ctidialer.web.forecast import ForecastApi
from ctidialer.web.queries import ForecastQuery
from tests.web.web_case import WebTestCase


class ForecastTests(WebTestCase):
    """Of a node that runs."""

    async def test_a_paused_list(self) -> None:
        await self.usual_tables(limit=5)
        self.start_web()

        async def is_paused() -> bool:
            return (await self.ask("POST", "/api/tasks/t/pause", {})).status == 200

        await self.until("paused", is_paused)
        await self.put_numbers([str(1000 + place) for place in range(40)])
        found = (await self.ask("GET", "/api/tasks/t/forecast")).json
        self.assertEqual((found["task"], found["queued"], found["agents"]), ("t", 40, None))
        self.assertEqual(found["calls"]["middle"], 40)
        self.assertGreater(found["ends_at"]["low"], found["at"])
        said = " ".join(one["en"] for one in found["assumptions"])
        self.assertIn("does not dial now (Paused", said)
        short = (await self.ask("GET", "/api/tasks/t/forecast?hours=1")).json
        self.assertApproximates(short["until"] - short["at"], 3600, 1)

    async def test_what_cannot_be_asked_for(self) -> None:
        await self.usual_tables()
        self.start_web()

        async def is_known() -> bool:
            return (await self.ask("GET", "/api/tasks/t/explain")).status == 200

        await self.until("known", is_known)
        for path, status, part in (
            ("none/forecast", 404, "no task"),
            ("t/forecast?agents=0", 400, "agents must be"),
            ("t/forecast?hours=x", 400, "hours must be"),
            ("t/forecast?agents=3", 409, "mode batch"),
        ):
            answer = await self.ask("GET", f"/api/tasks/{path}")
            self.assertEqual(answer.status, status, path)
            self.assertIn(part, answer.json["error"]["message"])


@define
class FakeLooks:
    """Answers every look with ``body``, and notes what was asked."""

    body: bytes
    asked: list[tuple[str, dict[str, object]]] = field(factory=list)

    def look(self, name: str, **details: object) -> Deferred[bytes]:
        self.asked.append((name, details))
        return succeed(self.body)


class KeptTests(SynchronousTestCase):
    def api(self, looks: FakeLooks) -> ForecastApi:
        class Daemon:
            def has_task(self, _: str) -> bool:
                return True

        return ForecastApi("fs1", Daemon(), looks, Clock())  # type: ignore[arg-type]

    def test_who_asks_again_costs_nothing(self) -> None:
        looks = FakeLooks(b'{"task": "t"}')
        api = self.api(looks)
        for query in (ForecastQuery(agents=4), ForecastQuery(agents=4), ForecastQuery(hours=2)):
            asking: Deferred[Answer] = Deferred.fromCoroutine(api.forecast("t", query))
            self.assertEqual(self.successResultOf(asking).body, looks.body)
        first = ("forecast", {"task": "t", "agents": 4, "hours": None})
        second = ("forecast", {"task": "t", "agents": None, "hours": 2})
        self.assertEqual(looks.asked, [first, second])

    def test_why_nothing_can_be_foreseen(self) -> None:
        api = self.api(FakeLooks(b'{"problem": "no agents"}'))
        asking = Deferred.fromCoroutine(api.forecast("t", ForecastQuery()))
        refusal = self.failureResultOf(asking, Refusal).value
        self.assertEqual((refusal.status, refusal.message), (409, "no agents"))
