"""The JSON API of a node, asked as a program would."""

from __future__ import annotations

import json
from datetime import datetime
from time import time
from urllib.parse import quote
from zoneinfo import ZoneInfo

from ctidialer.contract import keys
from tests.support.node import HOST
from tests.web.web_case import WebTestCase

ZONE = ZoneInfo("Asia/Shanghai")
BUSY_1002 = {"numbers": {"1002": {"result": "busy"}}}


class StateTests(WebTestCase):
    script = {"default": {"result": "answer", "talk": 0.02}, **BUSY_1002}  # noqa: RUF012 - read only

    async def test_status(self) -> None:
        await self.usual_tables()
        self.start_web()
        await self.until("ready", self.is_ready)
        status = (await self.ask("GET", "/api/status")).json
        self.assertEqual((status["host"], status["ready"]), (HOST, True))
        self.assertEqual([task["name"] for task in status["tasks"]], ["t"])

    async def test_tasks_of_every_kind(self) -> None:
        await self.usual_tables()
        await self.put_task("off", enable=False)
        await self.put(keys.at(keys.TASK, HOST), {"broken": "{"})
        self.start_web()
        await self.until("ready", self.is_ready)
        page = (await self.ask("GET", "/api/tasks")).json
        reasons = {task["name"]: task["explained"]["reason"] for task in page["tasks"]}
        self.assertEqual(page["total"], 3)
        self.assertEqual(list(reasons), ["broken", "off", "t"])
        self.assertEqual((reasons["broken"], reasons["off"]), ("invalid", "disabled"))
        self.assertEqual(page["tasks"][2]["queue_length"], 0)
        wrong = await self.ask("GET", "/api/tasks?reason=not_due")  # of schedules alone
        self.assertEqual(wrong.status, 400)
        said = wrong.json["error"]["message"]
        self.assertTrue(said.startswith("reason must be one of unknown_task, invalid, "), said)
        self.assertTrue(said.endswith(", dialing, not 'not_due'"), said)
        only = (await self.ask("GET", "/api/tasks?reason=invalid")).json
        self.assertEqual([task["name"] for task in only["tasks"]], ["broken"])
        self.assertNotEqual(only["tasks"][0]["explained"]["faults"], [])
        second = (await self.ask("GET", "/api/tasks?offset=1&limit=1")).json
        self.assertEqual(
            ([task["name"] for task in second["tasks"]], second["total"]), (["off"], 3)
        )
        found = (await self.ask("GET", "/api/tasks?q=ROK")).json
        self.assertEqual([task["name"] for task in found["tasks"]], ["broken"])

    async def test_several_queues(self) -> None:
        await self.usual_tables(limit=0, number_queue=["q", "later"])
        await self.put_numbers(["1001", "1002"])
        await self.put_numbers(["1003"], "later")
        self.start_web()
        await self.until("ready", self.is_ready)
        (task,) = (await self.ask("GET", "/api/tasks")).json["tasks"]
        self.assertEqual((task["number_queue"], task["queue_length"]), ("q", 3))
        each = [{"queue": "q", "length": 2}, {"queue": "later", "length": 1}]
        self.assertEqual(task["queues"], each)

    async def test_the_worst_tasks_come_first_and_all_are_counted(self) -> None:
        await self.usual_tables()
        await self.put_task("a-off", enable=False)
        await self.put_task("a-later", start_time="2099-01-01 08:00")
        await self.put_task("z-broken", limit="many")
        await self.put_task("y-broken", limit="more")
        self.start_web()
        await self.until("ready", self.is_ready)
        counts = {"invalid": 2, "queue_empty": 1, "before_start": 1, "disabled": 1}

        async def are_counted() -> bool:
            page = (await self.ask("GET", "/api/tasks?order=worst")).json
            return bool(page["reasons"] == counts)

        await self.until("the queue is seen to be empty, and all are counted", are_counted)
        page = (await self.ask("GET", "/api/tasks?order=worst")).json
        names = [task["name"] for task in page["tasks"]]
        self.assertEqual(names, ["y-broken", "z-broken", "a-later", "t", "a-off"])
        self.assertEqual(next(iter(page["reasons"])), "invalid")
        part = (await self.ask("GET", "/api/tasks?order=worst&q=broken&offset=1&limit=1")).json
        self.assertEqual([task["name"] for task in part["tasks"]], ["z-broken"])
        self.assertEqual(part["reasons"], {"invalid": 2})
        only = (await self.ask("GET", "/api/tasks?order=worst&reason=disabled")).json
        self.assertEqual((only["total"], only["reasons"]), (1, counts))

    async def test_explain(self) -> None:
        name = "回访/上海 1"
        await self.usual_tables()
        await self.put_task(name, limit=0)
        self.start_web()
        await self.until("ready", self.is_ready)
        path = f"/api/tasks/{quote(name, safe='')}/explain"
        told = (await self.ask("GET", path)).json
        self.assertEqual((told["task"], told["reason"]), (name, "limit_zero"))
        missing = await self.ask("GET", "/api/tasks/nobody/explain")
        self.assertEqual(missing.status, 404)
        self.assertIn("'nobody'", missing.json["error"]["message"])

    async def test_what_is_hardly_meant_is_told(self) -> None:
        await self.put_task(limti=7)
        await self.put_line()
        await self.put_group(line=[["l"], ["odd"]])
        await self.put_line("odd", dialstring="sofia/gateway/gw/${number}")
        config = {"params": {"line_group": ["g"], "destination_extension": "8888", "x": 1}}
        await self.put(keys.at(keys.SCHEDULE_CONFIG, HOST), {"callback": config})
        self.start_web()
        await self.until("ready", self.is_ready)
        (task,) = (await self.ask("GET", "/api/tasks")).json["tasks"]
        self.assertEqual(
            [(one["key"], one["name"], one["path"]) for one in task["warnings"]],
            [
                (keys.at(keys.TASK, keys.TEMPLATE), "t", "$.params.limti"),
                (keys.at(keys.LINE, HOST), "odd", "$.params.dialstring"),
            ],
        )
        self.assertIn("did you mean `limit`", task["warnings"][0]["problem"])
        told = (await self.ask("GET", "/api/tasks/t/explain")).json
        self.assertEqual(told["warnings"], task["warnings"])
        (callback,) = (await self.ask("GET", "/api/schedules")).json["schedules"]
        self.assertEqual([one["name"] for one in callback["warnings"]], ["odd"])
        told = (await self.ask("GET", "/api/schedules/callback/explain")).json
        self.assertEqual(told["warnings"], callback["warnings"])

    async def test_pause_and_resume(self) -> None:
        await self.usual_tables()
        self.start_web()
        await self.until("ready", self.is_ready)
        paused = await self.ask("POST", "/api/tasks/t/pause", {"why": "lunch"})
        self.assertEqual(paused.json, {"task": "t", "paused": True, "changed": True})
        again = await self.ask("POST", "/api/tasks/t/pause", {"why": "lunch"})
        self.assertEqual(again.json["changed"], False)

        async def is_paused() -> bool:
            told = (await self.ask("GET", "/api/tasks/t/explain")).json
            return bool(told["reason"] == "paused")

        await self.until("paused", is_paused)
        await self.put_numbers(["1001"])
        told = (await self.ask("GET", "/api/tasks/t/explain")).json
        self.assertIn("lunch", told["text"])
        self.assertEqual(self.switch_log().numbers, ())
        resumed = await self.ask("POST", "/api/tasks/t/resume")
        self.assertEqual(resumed.json, {"task": "t", "paused": False, "changed": True})
        await self.records_of(1)

    async def test_lines(self) -> None:
        await self.usual_tables()
        await self.put_line("m", count=3)
        self.start_web()
        await self.until("ready", self.is_ready)
        page = (await self.ask("GET", "/api/lines")).json
        self.assertEqual([line["name"] for line in page["lines"]], ["l", "m"])
        self.assertEqual((page["total"], page["lines"][1]["count"]), (2, 3))
        self.assertEqual((await self.ask("GET", "/api/lines?state=full")).json["total"], 0)

    async def test_schedules(self) -> None:
        await self.usual_tables()
        config = {"params": {"line_group": ["g"], "destination_extension": "8888"}}
        bad: dict[str, object] = {"params": {}}
        await self.put(keys.at(keys.SCHEDULE_CONFIG, HOST), {"callback": config, "bad": bad})
        later = round(time()) + 3600
        member = json.dumps({"params": {"number": "1001", "config": "callback"}})
        await self.call("ZADD", keys.at(keys.SCHEDULE_NUMBER, HOST), str(later), member)
        self.start_web()
        await self.until("ready", self.is_ready)
        page = (await self.ask("GET", "/api/schedules")).json
        self.assertEqual((page["total"], page["all_due"], page["scheduled"]), (2, 0, 1))
        bad_one, callback = page["schedules"]
        self.assertEqual((bad_one["name"], bad_one["explained"]["reason"]), ("bad", "invalid"))
        self.assertEqual((callback["due"], callback["next_due"]), (0, later))
        self.assertEqual(callback["explained"]["reason"], "not_due")
        told = (await self.ask("GET", "/api/schedules/callback/explain")).json
        self.assertEqual((told["config"], told["host"]), ("callback", HOST))
        self.assertEqual((told["reason"], told["changes_at"]), ("not_due", later))
        self.assertEqual((await self.ask("GET", "/api/schedules/none/explain")).status, 404)
        paused = await self.ask("POST", "/api/schedules/callback/pause", {"why": "lunch"})
        self.assertEqual(paused.json, {"config": "callback", "paused": True, "changed": True})
        self.assertEqual((await self.ask("POST", "/api/schedules/none/pause")).status, 404)

        async def is_paused() -> bool:
            page = (await self.ask("GET", "/api/schedules?q=call")).json["schedules"]
            (one,) = page
            lunch = "lunch" in one["explained"]["text"]
            return bool(one["paused"] and one["explained"]["reason"] == "paused" and lunch)

        await self.until("paused", is_paused)
        resumed = await self.ask("POST", "/api/schedules/callback/resume")
        self.assertEqual(resumed.json, {"config": "callback", "paused": False, "changed": True})
        found = (await self.ask("GET", "/api/schedules?q=CALL")).json
        self.assertEqual([one["name"] for one in found["schedules"]], ["callback"])

    async def test_records(self) -> None:
        await self.usual_tables(limit=1)
        await self.put_numbers(["1001", "1002", "1003"])
        self.start_web()
        await self.records_of(3)
        page = (await self.ask("GET", "/api/records")).json
        numbers = [record["number"] for record in page["records"]]
        self.assertEqual(numbers, ["1003", "1002", "1001"])
        first = (await self.ask("GET", "/api/records?limit=2")).json
        rest = (await self.ask("GET", f"/api/records?limit=2&before={first['next']}")).json
        self.assertEqual([record["number"] for record in rest["records"]], ["1001"])
        self.assertIsNone(rest["next"])
        busy = (await self.ask("GET", "/api/records?outcome=busy&task=t&number=1002")).json
        self.assertEqual([record["sip_code"] for record in busy["records"]], [486])
        for query in ("limit=x", "limit=99999", "outcome=odd", "before=1"):
            refused = await self.ask("GET", f"/api/records?{query}")
            self.assertEqual((query, refused.status), (query, 400))

    async def test_check(self) -> None:
        await self.usual_tables()
        await self.put(keys.at(keys.TASK, HOST), {"broken": "{"})
        self.start_web()
        await self.until("ready", self.is_ready)
        found = (await self.ask("GET", "/api/check")).json
        faults = [one["name"] for one in found["findings"] if one["severity"] == "fault"]
        self.assertEqual((faults, found["tasks"]), (["broken"], 2))

    async def test_nodes(self) -> None:
        await self.usual_tables()
        self.start_web()
        await self.until("ready", self.is_ready)

        async def is_told() -> bool:
            nodes = (await self.ask("GET", "/api/nodes")).json["nodes"]
            return [node["host"] for node in nodes if node["ready"]] == [HOST]

        await self.until("the node is told", is_told)

    async def test_drain_and_back(self) -> None:
        await self.usual_tables()
        self.start_web()
        await self.until("ready", self.is_ready)
        drained = await self.ask("POST", "/api/drain", {"why": "up\u202egrade\n"})
        self.assertEqual(drained.json, {"host": HOST, "drained": True, "changed": True})

        async def is_drained() -> bool:
            return (await self.ask("GET", "/readyz", token=None)).status == 503

        await self.until("drained", is_drained)
        (missing,) = (await self.ask("GET", "/readyz", token=None)).json["missing"]
        self.assertEqual(missing["condition"], "drained")
        self.assertIn("(up grade )", missing["problem"])
        back = await self.ask("DELETE", "/api/drain")
        self.assertEqual(back.json, {"host": HOST, "drained": False, "changed": True})
        await self.until("ready", self.is_ready)

    async def test_not_ready_while_freeswitch_is_away(self) -> None:
        await self.usual_tables()
        self.start_web()
        await self.until("ready", self.is_ready)
        await self.switch.kill()

        async def is_away() -> bool:
            return (await self.ask("GET", "/readyz", token=None)).status == 503

        await self.until("away", is_away)
        conditions = [
            one["condition"]
            for one in (await self.ask("GET", "/readyz", token=None)).json["missing"]
        ]
        self.assertIn("freeswitch_away", conditions)
        alive = await self.ask("GET", "/healthz", token=None)
        self.assertEqual((alive.status, alive.json), (200, {"alive": True}))

    async def is_ready(self) -> bool:
        return (await self.ask("GET", "/readyz", token=None)).status == 200


class StreamTests(WebTestCase):
    async def test_a_status_each_second_and_every_record(self) -> None:
        await self.usual_tables()
        self.start_web()
        events = await self.listen_to()
        await self.put_numbers(["1001"])

        async def is_told() -> bool:
            started = sum(status["sample"]["started"] for status in events.of("status"))
            return started == 1 and len(events.of("record")) == 1

        await self.until("told", is_told)
        (record,) = events.of("record")
        self.assertEqual((record["number"], record["outcome"]), ("1001", "answered"))
        history = (await self.ask("GET", "/api/history")).json
        self.assertEqual(sum(one["started"] for one in history["samples"]), 1)
        answered = [one["outcomes"].get("answered", 0) for one in history["samples"]]
        self.assertEqual(sum(answered), 1)

    async def test_an_hour_and_a_day_stand_in_redis_and_end_now(self) -> None:
        now = time()
        for ago in (7200, 120):
            minute = json.dumps({"at": now - ago, "started": 10, "outcomes": {"busy": 4}})
            entry = f"{int((now - ago) * 1000)}-0"
            await self.call("XADD", keys.minutes(HOST), entry, "minute", minute)
        await self.usual_tables()
        self.start_web()
        await self.put_numbers(["1001"])
        await self.records_of(1)

        async def has_all() -> bool:
            hour = (await self.ask("GET", "/api/history?span=hour")).json
            started = sum(one["started"] for one in hour["samples"])
            return bool(hour["step"] == 60 and hour["seconds"] == 3600 and started == 11)

        await self.until("the second of the call is told", has_all)
        day = (await self.ask("GET", "/api/history?span=today")).json
        self.assertEqual(day["step"], 900)
        midnight = datetime.now(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
        of_today = sum(now - ago >= midnight.timestamp() for ago in (7200, 120))
        self.assertEqual(sum(one["started"] for one in day["samples"]), 10 * of_today + 1)
        self.assertEqual((await self.ask("GET", "/api/history?span=week")).status, 400)

    async def test_more_records_than_anybody_reads_are_counted(self) -> None:
        await self.usual_tables(limit=60, brake_after=0)
        self.start_web()
        events = await self.listen_to()
        # They end without a call: so many in a second, also on a machine that is busy.
        await self.put_numbers([f"no number {index}" for index in range(600)])
        await self.records_of(600)

        async def are_counted() -> bool:
            skipped = sum(one["records"] for one in events.of("skipped"))
            return bool(skipped + len(events.of("record")) == 600)

        await self.until("counted", are_counted)
        self.assertLess(len(events.of("record")), 600)

    async def test_the_stream_ends_with_the_daemon(self) -> None:
        await self.usual_tables()
        dialer = self.start_web()
        events = await self.listen_to()
        stopping = self.web.stopService()
        await dialer.stopService()
        await stopping
        await events.closed
        self.assertEqual(self.web.port, 0)
