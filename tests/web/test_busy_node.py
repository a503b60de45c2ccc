"""The answers of a node at work: calls up, tasks of every kind, and one that was just deleted."""

from __future__ import annotations

from typing import Any

from ctidialer.contract import keys
from tests.support.node import HOST
from tests.web.described_case import DescribedCase

LONG = {"default": {"result": "answer", "talk": 600}}
ASKED = (
    "/api/status",
    "/api/nodes",
    "/api/tasks",
    "/api/lines",
    "/api/records",
    "/api/history",
    "/api/check",
)


class BusyNodeTests(DescribedCase):
    script = LONG

    async def begin(self) -> None:
        """Have four calls up, and every kind of task and line."""
        await self.usual_tables()
        await self.put_line("full", count=1)
        await self.put_group("small", line=[["full"]])
        await self.put_task("waits", line_group=["small"], number_queue="many", limit=5)
        await self.put_task("off", enable=False)
        await self.put_task("none", limit=0)
        await self.put_task(
            "other", line_group=["nowhere"], number_queue="other"
        )  # by its name alone
        await self.put(keys.at(keys.TASK, HOST), {"broken": "{", "odd": '{"params": []}'})
        await self.put(keys.at(keys.LINE, HOST), {"broken": "[]"})
        self.start_web(self.web_settings(self.settings(drain_timeout=0.2)))
        await self.put_numbers(["1001", "1002"])
        await self.put_numbers(["1", "2", "3"], "many")
        await self.put_numbers(["4"], "other")
        await self.until("four calls are up", self.has_four_calls)

    async def has_four_calls(self) -> bool:
        status = await self.ask("GET", "/api/status")
        return status.status == 200 and status.json["calls"] == 4

    async def task(self, name: str) -> dict[str, Any]:
        """Return the entry of a task in the list."""
        tasks = (await self.ask("GET", "/api/tasks")).json["tasks"]
        (found,) = [task for task in tasks if task["name"] == name]
        assert isinstance(found, dict)
        return found

    async def test_every_answer_is_as_described(self) -> None:
        await self.begin()
        document = (await self.ask("GET", "/api/openapi.json")).json
        names = [task["name"] for task in (await self.ask("GET", "/api/tasks")).json["tasks"]]
        self.assertEqual(len(names), 7)
        explained = [f"/api/tasks/{name}/explain" for name in names]
        for path in (*ASKED, *explained):
            reply = await self.ask("GET", path)
            self.assertEqual((path, reply.status), (path, 200))
            documented = path if path in ASKED else "/api/tasks/{task}/explain"
            operation = document["paths"][documented]["get"]
            self.assert_described(document, operation, reply, path)

    async def test_a_deleted_task_is_explained_until_its_calls_are_over(self) -> None:
        await self.begin()
        await self.call("HDEL", keys.at(keys.TASK, keys.TEMPLATE), "t")
        await self.published(keys.TASK, "t")

        async def is_gone() -> bool:
            entry = await self.task("t")
            return bool(entry["limit"] == 0)

        await self.until("it is gone", is_gone)
        self.assertEqual((await self.task("t"))["calls"], 2)
        reply = await self.ask("GET", "/api/tasks/t/explain")
        self.assertEqual(reply.status, 200)
        self.assertEqual((await self.ask("POST", "/api/tasks/t/pause")).status, 404)
