"""``ctidialer explain --schedule``, beside a whole node."""

from __future__ import annotations

import json
from time import time
from typing import Any

from ctidialer.cli.operator import order_now
from ctidialer.contract import keys
from ctidialer.contract.status import decode_status
from ctidialer.nodes.orders import NodeOrders
from tests.cli.node_command_case import NodeCommandCase
from tests.dialer.switch_case import LONG
from tests.support.node import HOST

CONFIG: dict[str, Any] = {"params": {"line_group": ["g"], "destination_extension": "8888"}}
NUMBERS = keys.at(keys.SCHEDULE_NUMBER, HOST)
CONFIGS = keys.at(keys.SCHEDULE_CONFIG, HOST)


class ExplainScheduleTests(NodeCommandCase):
    async def ask(self, name: str = "callback", status: int = 0) -> dict[str, Any]:
        done = await self.on_node("explain", "--schedule", name, "--json")
        self.assertEqual((done.status, done.err), (status, ""))
        answer: dict[str, Any] = done.json()
        return answer

    async def tables(self) -> None:
        await self.put_line(count=1)
        await self.put_group()
        await self.put(CONFIGS, {"callback": CONFIG, "other": CONFIG, "bad": {"params": 1}})

    async def schedule(self, at: float, *numbers: str, config: str = "callback") -> None:
        expires = int(time() + 600)
        members = [
            json.dumps({"params": {"number": number, "config": config, "expires": expires}})
            for number in numbers
        ]
        scored = (word for member in members for word in (str(at), member))
        await self.call("ZADD", NUMBERS, *scored)

    async def test_without_a_daemon(self) -> None:
        await self.tables()
        await self.schedule(time() - 5, "1000")
        answer = await self.ask()
        self.assertEqual((answer["reason"], answer["due"]), ("no_daemon", 1))
        self.assertIsNone(answer["node"]["daemon"])

    async def test_what_the_tables_hardly_mean(self) -> None:
        await self.tables()
        params = {**CONFIG["params"], "linegroup": ["g"]}
        await self.put(CONFIGS, {"callback": {"params": params}})
        await self.put_line(count=1, dialstring="sofia/gateway/ims/${number}")
        found = [(one["name"], one["path"]) for one in (await self.ask())["warnings"]]
        self.assertEqual(found, [("callback", "$.params.linegroup"), ("l", "$.params.dialstring")])
        done = await self.on_node("explain", "--schedule", "callback")
        self.assertIn("did you mean `line_group`?", done.out)

    async def test_what_is_wrong_with_the_configuration(self) -> None:
        await self.tables()
        self.assertEqual((await self.ask("nobody", status=1))["reason"], "unknown_config")
        answer = await self.ask("bad", status=1)
        self.assertEqual(answer["reason"], "invalid")
        self.assertEqual([one["path"] for one in answer["faults"]], ["$.params"])
        done = await self.on_node("explain", "--schedule", "nobody")
        self.assertIn("there are: bad, callback, other", done.out)

    async def test_nothing_due_then_no_line_then_drained(self) -> None:
        await self.tables()
        await self.sim(default=LONG)
        self.start_dialer()
        await self.until("the daemon says that it is ready", self.says_ready)
        self.assertEqual((await self.ask())["reason"], "nothing_scheduled")
        milliseconds = 1795884229150
        await self.schedule(milliseconds, "999")
        for words in ((), ("--json",)):
            done = await self.on_node("explain", "--schedule", "callback", *words)
            self.assertIn("it is in milliseconds by mistake", done.out)
            self.assertEqual(done.err, "")
        later = round(time()) + 3600
        await self.schedule(later, "1000")
        await self.schedule(later - 60, "1001", config="other")
        answer = await self.ask()
        self.assertEqual((answer["reason"], answer["changes_at"]), ("not_due", later))
        self.assertEqual((answer["due"], answer["scheduled"]), (0, 3))
        await self.schedule(time() - 1, "1002")
        await self.until("the one line is busy", self.line_is_full)
        # Twenty each second are told that there is no line, and put off: most are due still.
        await self.schedule(time() - 1, *(f"2{index:04}" for index in range(2000)))
        answer = await self.ask()
        self.assertEqual(answer["reason"], "no_free_line")
        self.assertGreater(answer["due"], 0)
        self.assertEqual([line["why"] for line in answer["lines"]], ["full"])
        said = (await self.on_node("explain", "--schedule", "callback")).out
        self.assertIn(
            "callback on fs1: no_free_line\nno line is free (l: all its calls are up); due: ", said
        )
        await NodeOrders(self.redis, HOST).drain(order_now(""))
        await self.until("the daemon says that it is drained", self.says_drained)
        self.assertIn((await self.ask())["reason"], ("draining", "drained"))
        await self.hang_up()

    async def says_ready(self) -> bool:
        raw = await self.call("GET", keys.status(HOST))
        return isinstance(raw, bytes) and decode_status(raw).ready

    async def says_drained(self) -> bool:
        raw = await self.call("GET", keys.status(HOST))
        return isinstance(raw, bytes) and decode_status(raw).drain is not None

    async def line_is_full(self) -> bool:
        raw = await self.call("GET", keys.status(HOST))
        lines = decode_status(raw).lines if isinstance(raw, bytes) else ()
        return any(line.state == "full" for line in lines)

    async def test_usage(self) -> None:
        for words in ((), ("t", "--schedule", "c")):
            done = await self.on_node("explain", *words)
            self.assertEqual(done.status, 2)
            self.assertIn("name a TASK, or a configuration with --schedule", done.err)
