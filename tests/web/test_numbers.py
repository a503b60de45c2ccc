"""Numbers that wait, and lists of those that are not called, over HTTP at a working node."""

from __future__ import annotations

import json
from typing import Any

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from ctidialer.contract.waiting import WaitReason
from ctidialer.nodes.number_orders import NumberOrders, OrderBroken
from ctidialer.web import numbers_api
from tests.dialer.test_waiting import BUSY, LATER, WaitingCase
from tests.support.logbook import logged_by
from tests.support.node import HOST
from tests.support.waiting import DUE, T, let_wait, put_record
from tests.web.web_case import WebTestCase

FUTURE = 4_000_000_000.0


class NumbersCase(WebTestCase, WaitingCase):
    async def begin(self, **params: Any) -> None:
        """Start the node with a task that is paused."""
        await self.usual_tables(limit=0, **params)
        self.start_web()

        async def is_ready() -> bool:
            return (await self.ask("GET", "/readyz", token=None)).status == 200

        await self.until("ready", is_ready)

    async def post(self, path: str, body: object = None) -> Any:
        reply = await self.ask("POST", f"/api/tasks/t/{path}", body)
        self.assertEqual(reply.status, 200, reply)
        return reply.json

    async def listed(self, query: str = "") -> Any:
        return (await self.ask("GET", f"/api/tasks/t/waiting?{query}")).json


class WaitingTests(NumbersCase):
    async def test_pages(self) -> None:
        ids = await let_wait(self.redis, *(str(1000 + index).encode() for index in range(5)))
        await let_wait(self.redis, b"7", reason=WaitReason.CAP, due=DUE + 10, tried=0)
        await self.begin()
        page = await self.listed("limit=2")
        self.assertEqual((page["waiting"], page["next"], page["next_due"]), (6, 2, DUE))
        self.assertEqual(page["reasons"], {"retry": 5, "hours": 0, "cap": 1})
        first = {"number": "1000", "due": DUE, "reason": "retry", "try": 2}
        self.assertEqual(page["numbers"][0], {**first, "entry_id": ids[0], "entry": "1000"})
        page = await self.listed("limit=9&offset=4")
        self.assertEqual([one["number"] for one in page["numbers"]], ["1004", "7"])
        self.assertIsNone(page["next"])
        page = await self.listed("reason=cap")
        self.assertEqual([one["number"] for one in page["numbers"]], ["7"])

    async def test_a_page_looks_at_so_many_numbers_only(self) -> None:
        await let_wait(self.redis, b"1", b"2", b"3")
        await self.begin()
        self.patch(numbers_api, "MAX_SCANNED", 2)
        page = await self.listed("reason=hours")
        self.assertEqual((page["numbers"], page["next"]), ([], 2))

    async def test_a_task_that_nobody_knows(self) -> None:
        await self.begin()
        for method, path in (("GET", "waiting"), ("POST", "cancel"), ("POST", "requeue")):
            reply = await self.ask(method, f"/api/tasks/none/{path}")
            self.assertEqual(reply.status, 404, path)
            self.assertIn("'none'", reply.json["error"]["message"])


class CancelTests(NumbersCase):
    async def test_a_dry_run_counts_and_an_order_ends(self) -> None:
        await let_wait(self.redis, b"1", b"2")
        await self.put_numbers(["3"])
        await self.begin()
        counted = {"name": "t", "waiting": 2, "queued": {"q": 1}, "unsure": 0}
        dry = await self.post("cancel", {"dry_run": True, "why": "wrong list"})
        self.assertEqual(dry, {**counted, "dry_run": True, "canceled": 0, "left": 3})
        self.assertEqual(await self.records(), ())
        done = await self.post("cancel", {"why": "wrong list"})
        self.assertEqual(done, {**counted, "dry_run": False, "canceled": 3, "left": 0})
        records = await self.records()
        self.assertEqual({one.outcome for one in records}, {Outcome.CANCELED})
        self.assertEqual(
            {one.reason for one in records}, {"canceled by http 127.0.0.1: wrong list"}
        )

    async def test_a_misspelt_dry_run_ends_nothing(self) -> None:
        await let_wait(self.redis, b"1")
        await self.put_numbers(["3"])
        await self.begin()
        for path in ("cancel", "requeue"):
            body = {"dryrun": True, **({"waiting": True} if path == "requeue" else {})}
            reply = await self.ask("POST", f"/api/tasks/t/{path}", body)
            self.assertEqual(reply.status, 400, path)
            said = "there is no key 'dryrun'; there are: why, "
            self.assertIn(said, reply.json["error"]["message"])
            self.assertIn("dry_run", reply.json["error"]["message"])
        self.assertEqual((await self.records(), await self.queue()), ((), [b"3"]))
        self.assertEqual((await self.listed(""))["waiting"], 1)

    async def test_only_one_of_both(self) -> None:
        await let_wait(self.redis, b"1")
        await self.put_numbers(["3"])
        await self.begin()
        done = await self.post("cancel", {"which": "queue"})
        self.assertEqual((done["canceled"], done["waiting"], done["queued"]), (1, 0, {"q": 1}))
        done = await self.post("cancel", {"which": "waiting"})
        self.assertEqual((done["canceled"], done["waiting"], done["queued"]), (1, 1, {}))

    async def test_of_many_it_says_how_many_are_left(self) -> None:
        await let_wait(self.redis, b"1", b"2")
        await self.put_numbers(["3", "4", "5"])
        await self.begin()
        self.patch(numbers_api, "MAX_ORDERED", 3)
        done = await self.post("cancel")
        self.assertEqual((done["canceled"], done["left"]), (3, 2))
        done = await self.post("cancel")
        self.assertEqual((done["canceled"], done["left"]), (2, 0))

    async def test_beside_calls(self) -> None:
        await self.usual_tables(retry_plan=LATER)
        await self.sim(default=BUSY)
        self.start_web()
        await self.put_numbers(["1001", "1002"])
        await self.all_wait(2)
        self.assertEqual((await self.post("cancel"))["canceled"], 2)
        final = await self.final(2)
        self.assertEqual({one.try_number for one in final.values()}, {2})
        self.assertEqual(await self.call("EXISTS", *T.names), 0)

    async def test_a_key_of_a_wrong_type_breaks_it_off(self) -> None:
        await let_wait(self.redis, b"1")
        await self.begin()
        await self.call("SET", keys.records(HOST), "x")
        reply = await self.ask("POST", "/api/tasks/t/cancel")
        self.assertEqual(reply.status, 503)
        self.assertIn("must hold a stream", reply.json["error"]["message"])
        self.assertEqual(await self.call("ZCARD", T.key), 1)

    async def test_the_log_has_what_was_done_before_it_broke_off(self) -> None:
        async def breaks(*_: object) -> None:
            raise OrderBroken("away")

        await let_wait(self.redis, b"1", b"2")
        await self.begin()
        self.patch(NumberOrders, "cancel_queued", breaks)
        book = logged_by(self)
        reply = await self.ask("POST", "/api/tasks/t/cancel", {"why": "wrong list"})
        self.assertEqual(reply.status, 503)
        told = [one["what"] for one in book if one.get("task") == "t" and "noun" in one]
        self.assertEqual(told, ["http 127.0.0.1 has canceled 2 numbers: wrong list"])


class RequeueTests(NumbersCase):
    async def test_numbers_that_wait(self) -> None:
        await let_wait(self.redis, b"1", b"2")
        await self.begin()
        counts = {"task": "t", "queue": "q", "found": 2, "left_out": 0, "unsure": 0}
        dry = await self.post("requeue", {"waiting": True, "dry_run": True})
        self.assertEqual(dry, {**counts, "dry_run": True, "queued": 0, "left": 2})
        done = await self.post("requeue", {"waiting": True})
        self.assertEqual(done, {**counts, "dry_run": False, "queued": 2, "left": 0})
        self.assertEqual(await self.queue(), [b"1", b"2"])

    async def test_numbers_of_given_outcomes(self) -> None:
        for number, outcome in (("1", Outcome.BUSY), ("2", Outcome.ANSWERED), ("3", Outcome.BUSY)):
            await put_record(self.redis, number, outcome)
        await self.put_numbers(["3"])
        await self.begin()
        counts = {"task": "t", "queue": "q", "found": 1, "left_out": 1, "unsure": 0, "left": 0}
        wanted = {"outcomes": ["busy"], "since": "1970-01-01"}
        dry = await self.post("requeue", {**wanted, "dry_run": True})
        self.assertEqual(dry, {**counts, "dry_run": True, "queued": 0})
        done = await self.post("requeue", wanted)
        self.assertEqual(done, {**counts, "dry_run": False, "queued": 1})
        self.assertEqual(await self.queue(), [b"3", b"1"])

    async def test_what_cannot_be_done_is_said(self) -> None:
        await self.begin()
        for body, said in (
            ({}, "say which numbers"),
            ({"waiting": True, "outcomes": ["busy"]}, "not both"),
            ({"outcomes": ["dnc"]}, "not called again"),
            ({"outcomes": ["busy"], "since": "soon"}, "since must be a moment"),
            ({"waiting": True, "queue": "elsewhere"}, "one of the task's: q"),
            ({"outcomes": ["nonsense"]}, "$.outcomes[0]"),
            ({"outcomes": ["busy"], "sinse": "1h", "dryrun": True}, "no key 'sinse' or 'dryrun'"),
            (
                {"outcomes": ["busy"], "since": "2h", "until": "3h"},
                "until must be later than since: nothing lies between '2h' and '3h'",
            ),
        ):
            reply = await self.ask("POST", "/api/tasks/t/requeue", body)
            self.assertEqual(reply.status, 400, body)
            self.assertIn(said, reply.json["error"]["message"])


class DncTests(NumbersCase):
    async def change(self, what: str, **body: object) -> Any:
        reply = await self.ask("POST", f"/api/dnc/optouts/{what}", body)
        self.assertEqual(reply.status, 200, reply)
        return reply.json

    async def check(self, number: str) -> Any:
        return (await self.ask("GET", f"/api/dnc/optouts/{number}?region=us")).json

    async def test_a_set(self) -> None:
        await self.begin(dnc=["optouts"])
        numbers = ["3108207129", "1001"]
        dry = await self.change("add", numbers=numbers, region="US", dry_run=True)
        self.assertEqual(dry, {"list": "optouts", "dry_run": True, "known": 0, "changed": 0})
        self.assertEqual(await self.call("EXISTS", "optouts"), 0)
        done = await self.change("add", numbers=numbers, region="US")
        self.assertEqual((done["known"], done["changed"]), (0, 2))
        self.assertEqual(await self.call("SISMEMBER", "optouts", "+13108207129"), 1)
        found = await self.check("13108207129")
        entry = {"written": "+13108207129", "reason": "", "until": None}
        said = {"list": "optouts", "number": "13108207129", "listed": True, "found": [entry]}
        self.assertEqual(found, said)
        self.assertEqual((await self.change("add", numbers=["1001"]))["known"], 1)
        done = await self.change("remove", numbers=["3108207129"], region="US")
        self.assertEqual((done["known"], done["changed"]), (1, 1))
        self.assertFalse((await self.check("3108207129"))["listed"])

    async def test_a_hash(self) -> None:
        await self.begin(dnc=["optouts"])
        await self.change("add", numbers=["1001"], reason="ill", until=FUTURE)
        raw = await self.call("HGET", "optouts", "1001")
        assert isinstance(raw, bytes)
        self.assertEqual(json.loads(raw), {"reason": "ill", "until": FUTURE})
        self.assertTrue((await self.check("1001"))["listed"])
        await self.call("HSET", "optouts", "1001", '{"until": 5}')
        self.assertFalse((await self.check("1001"))["listed"])

    async def test_a_key_of_another_type_is_named(self) -> None:
        await self.begin(dnc=["optouts"])
        await self.call("SET", "optouts", "x")
        for method, path in (("GET", "1001"), ("POST", "add"), ("POST", "remove")):
            body = {"numbers": ["1001"]} if method == "POST" else None
            reply = await self.ask(method, f"/api/dnc/optouts/{path}", body)
            said = "the key 'optouts' holds a string, but must hold a set or hash"
            self.assertEqual((reply.status, reply.json["error"]["message"]), (409, said), path)

    async def test_a_key_that_no_task_names_is_not_touched(self) -> None:
        await self.begin(dnc=["optouts"])
        await self.call("HSET", keys.control(HOST), "x", "y")
        for key in (keys.control(HOST), "q"):
            for method, path in (("GET", "1001"), ("POST", "add"), ("POST", "remove")):
                body = {"numbers": ["1001"]} if method == "POST" else None
                reply = await self.ask(method, f"/api/dnc/{key}/{path}", body)
                self.assertEqual(reply.status, 404, (key, path))
        self.assertEqual(await self.call("HGETALL", keys.control(HOST)), [b"x", b"y"])

    async def test_what_cannot_be_done_is_said(self) -> None:
        await self.begin(dnc=["optouts"])
        await self.call("SADD", "optouts", "7")
        for body, status, said in (
            ({}, 400, "numbers"),
            ({"numbers": []}, 400, "$.numbers"),
            ({"numbers": ["Smith"]}, 400, "'Smith'"),
            ({"numbers": ["1"], "region": "XX"}, 400, "is no region"),
            ({"numbers": ["1"], "until": 5}, 400, "over already"),
            ({"numbers": ["1"], "dryrun": True}, 400, "there is no key 'dryrun'; there are: numb"),
            ({"numbers": ["1"], "reason": "ill"}, 409, "is a set"),
        ):
            reply = await self.ask("POST", "/api/dnc/optouts/add", body)
            self.assertEqual(reply.status, status, body)
            self.assertIn(said, reply.json["error"]["message"])
        self.assertEqual(await self.call("SMEMBERS", "optouts"), [b"7"])
