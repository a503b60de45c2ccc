"""``ctidialer set``, ``enable`` and ``disable``, as they are used."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import DeferredList

from ctidialer.contract import keys
from ctidialer.contract.control import decode_control
from tests.cli.command_case import GOOD_TASK, HOST, CommandTestCase
from tests.cli.node_command_case import NodeCommandCase

TEMPLATE = keys.at(keys.TASK, keys.TEMPLATE)
OWN = keys.at(keys.TASK, HOST)


class SetUnderWayTests(NodeCommandCase):
    async def test_the_daemon_obeys_at_once_and_its_log_says_who_and_why(self) -> None:
        await self.usual_tables(limit=1)
        daemon = self.start_daemon(extra="[config]\npoll_interval = 600\n")

        async def log_says(words: str) -> None:
            async def is_so() -> bool:
                return words in daemon.log_path.read_text("utf-8")

            await self.until(words, is_so)

        await self.put_numbers(["1001"])
        await self.records_of(1)
        done = await self.on_node("disable", "t", "--why", "list is bad")
        self.assertEqual((done.status, done.err), (0, ""), done)
        await log_says(": list is bad (enable true -> false)")
        await self.put_numbers(["1002"])
        done = await self.on_node("set", "t", "limit=3", "enable=true", "--why", "new list")
        self.assertEqual((done.status, done.err), (0, ""), done)
        said = f"limit: 1 -> 3  ({TEMPLATE})\nenable: false -> true  ({TEMPLATE})\n"
        self.assertEqual(done.out, said)
        await self.records_of(2)
        await log_says(": new list (limit 1 -> 3; enable false -> true)")
        self.assertIn("[info] Task t is edited by ", daemon.log_path.read_text("utf-8"))

    async def test_an_edit_before_the_start_is_not_told_again(self) -> None:
        await self.usual_tables(limit=1)
        note = json.dumps({"since": 1, "by": "ann", "what": "limit 9 -> 1"})
        await self.call("HSET", keys.control(HOST), "edit:t", note)
        daemon = self.start_daemon()
        await self.put_numbers(["1001"])
        await self.records_of(1)
        self.assertNotIn("is edited", daemon.log_path.read_text("utf-8"))


class SetTests(CommandTestCase):
    async def document(self, key: str = TEMPLATE) -> Any:
        raw = await self.call("HGET", key, "t")
        assert isinstance(raw, bytes)
        return json.loads(raw)

    async def test_an_empty_host_changes_no_document(self) -> None:
        await self.put_task()
        for words in (("disable", "t", "--on", ""), ("set", "t", "limit=9", "--on=")):
            done = await self.on_node(*words)
            self.assertEqual((done.status, done.out), (2, ""), words)
            self.assertIn("--on names nothing: its value is empty", done.err)
        self.assertEqual(await self.document(), {"params": GOOD_TASK})

    async def test_what_stands_in_redis(self) -> None:
        await self.put_task(remark="keep me", limit=5)
        await self.call("SET", keys.lease(HOST), "x")
        await self.call("HSET", keys.at(keys.TASK, "fs2"), "other", "{}")
        done = await self.on_node("set", "t", "limit=9", "start_time=2026-1-2 8:00", "--json")
        self.assertEqual((done.status, done.err), (0, ""), done)
        edits = [
            {"key": "limit", "document": TEMPLATE, "changed": True, "before": 5, "after": 9},
            {
                "key": "start_time",
                "document": TEMPLATE,
                "changed": True,
                "after": "2026-1-2 8:00",
            },
        ]
        answer = {"task": "t", "host": HOST, "changed": True, "edits": edits, "warnings": []}
        self.assertEqual(done.json(), {**answer, "daemons": [HOST]})
        params = {**GOOD_TASK, "remark": "keep me", "limit": 9, "start_time": "2026-1-2 8:00"}
        self.assertEqual(await self.document(), {"params": params})
        raw = await self.call("HGET", keys.control(HOST), "edit:t")
        assert isinstance(raw, bytes)
        edited = decode_control({"edit:t": raw}).edited["t"]
        self.assertIn("@", edited.order.by)
        self.assertEqual(edited.what, 'limit 5 -> 9; start_time (not set) -> "2026-1-2 8:00"')

    async def test_only_hosts_with_a_daemon_are_told(self) -> None:
        await self.put_task()
        done = await self.on_node("set", "t", "limit=9")
        self.assertIn("no daemon is alive that runs t\n", done.out)
        self.assertEqual(await self.call("EXISTS", keys.control(HOST)), 0)
        for host in ("fs2", "fs3"):
            await self.call("SET", keys.lease(host), "x")
        await self.on_node("set", "t", "limit=10")
        found = await self.call("KEYS", keys.control("*"))
        assert isinstance(found, list)
        self.assertEqual(set(found), {b"cti_dialer_control@fs2", b"cti_dialer_control@fs3"})

    async def test_the_host_that_opts_out(self) -> None:
        await self.put_task()
        done = await self.on_node("disable", "t", "--on", "fs2")
        self.assertEqual(done.status, 0, done)
        own = await self.document(keys.at(keys.TASK, "fs2"))
        self.assertEqual(own, {"params": {"enable": False}})
        self.assertTrue((await self.document())["params"]["enable"])
        done = await self.on_node("set", "t", "--on", "fs2", "--unset", "enable", "--json")
        self.assertEqual(done.json()["edits"][0]["before"], False)
        self.assertNotIn("after", done.json()["edits"][0])

    async def test_the_template_although_the_host_has_its_own(self) -> None:
        await self.put_task(limit=5)
        await self.put(OWN, {"t": {"params": {"limit": 7}}})
        await self.on_node("set", "t", "limit=8")
        self.assertEqual((await self.document(OWN))["params"]["limit"], 8)
        await self.on_node("set", "t", "limit=6", "--template")
        self.assertEqual((await self.document())["params"]["limit"], 6)
        self.assertEqual((await self.document(OWN))["params"]["limit"], 8)

    async def test_valid_or_not_at_all(self) -> None:
        await self.put_task()
        before = await self.call("HGET", TEMPLATE, "t")
        for words, said in (
            (("limit=9", "cps=often"), f"{TEMPLATE} $.params.cps: "),
            (("limti=9",), "did you mean `limit`?"),
            (("--unset", "number_queue"), "$.params.number_queue"),
            (("limit.x=9",), "$.params.limit is no object or list"),
            (("limit=9", "--on", "fs2", "line_group=[]"), "@fs2 $.params.line_group"),
        ):
            done = await self.on_node("set", "t", *words)
            self.assertEqual((done.status, done.out), (1, ""), done)
            self.assertIn("nothing was changed", done.err)
            self.assertIn(said, done.err)
        self.assertEqual(await self.call("HGET", TEMPLATE, "t"), before)
        self.assertEqual(await self.call("EXISTS", keys.at(keys.TASK, "fs2")), 0)

    async def test_a_template_that_would_not_fit_another_host(self) -> None:
        await self.put_task(dial_mode="progressive", agent_queue="a@default")
        await self.put(keys.at(keys.TASK, "fs2"), {"t": {"params": {"dial_mode": "ratio"}}})
        words = ("--unset", "agent_queue", "--unset", "dial_mode")
        done = await self.on_node("set", "t", *words)
        self.assertEqual(done.status, 1, done)
        self.assertIn("the task on fs2 would be invalid", done.err)

    async def test_a_document_that_is_no_json(self) -> None:
        await self.put(TEMPLATE, {"t": "{"})
        done = await self.on_node("set", "t", "limit=9")
        self.assertEqual((done.status, done.out), (1, ""))
        self.assertIn(f"{TEMPLATE} $: ", done.err)

    async def test_warnings(self) -> None:
        await self.put_task()
        done = await self.on_node("set", "t", "work_hour=[]", "work_time=[]", "stop_time=2020-1-1")
        self.assertEqual(done.status, 0, done)
        self.assertIn("warning: ", done.err)

    async def test_wrong_usage(self) -> None:
        await self.put_task()
        for words in (
            ("t",),
            ("t", "limit"),
            ("t", "limit="),
            ("t", "limit=1", "--template", "--on", "fs2"),
            ("t", "limit=1", "--on", "template"),
        ):
            self.assertEqual((await self.on_node("set", *words)).status, 2, words)
        done = await self.on_node("enable", "x")
        self.assertEqual(done.status, 1)
        self.assertIn('there is no task "x"', done.err)

    async def test_what_is_so_already(self) -> None:
        await self.put_task()
        done = await self.on_node("enable", "t", "--json")
        self.assertEqual((done.status, done.json()["changed"]), (0, False))

    async def test_two_at_once_lose_nothing(self) -> None:
        await self.put_task()
        changes = [f"x{index}={index}" for index in range(6)]
        done = await DeferredList([self.start_set(one) for one in changes])
        self.assertEqual([one.status for _, one in done], [0] * 6)
        params = (await self.document())["params"]
        self.assertEqual([params[f"x{index}"] for index in range(6)], list(range(6)))

    def start_set(self, change: str) -> Any:
        return self.start("set", "--redis", self.url, "--host", HOST, "t", change).done
