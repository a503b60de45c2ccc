"""Where a task's parameters, lines and destination come from (docs/redis-contract.rst)."""

from __future__ import annotations

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from tests.dialer.queue_case import NUMBERS, QueueCase
from tests.support.node import HOST


class SourcesTests(QueueCase):
    """Template and host, groups and lines, and where an answered call goes."""

    async def put_host(self, document: object, name: str = "t", host: str = HOST) -> None:
        await self.put(keys.at(keys.TASK, host), {name: document})

    async def test_the_host_says_more_than_the_template(self) -> None:
        always = [{"begin": "2000-1-1 00:00", "end": "2100-1-1 00:00"}]
        await self.usual_tables(limit=0, destination_extension="1", holiday=always)
        params = {"limit": "1", "destination_extension": "7777", "holiday": []}
        await self.put_host({"params": {**params, "number_queue": None}})
        await self.put_numbers(NUMBERS[:1])
        self.start_dialer()
        await self.records_of(1)
        self.assertEqual([line.extension for line in self.switch_log().originates], ["7777"])

    async def test_a_task_of_this_host_alone_and_one_of_another_host(self) -> None:
        await self.put_line()
        await self.put_group()
        await self.put_canary()
        await self.put_task("mine", key=keys.at(keys.TASK, HOST))
        await self.put_task("other", key=keys.at(keys.TASK, "fs2"), number_queue="r")
        await self.put_numbers(NUMBERS[:1])
        await self.put_numbers(NUMBERS[1:2], "r")
        self.start_dialer()
        await self.canary()
        self.assertEqual(self.numbers_dialed(), NUMBERS[:1])

    async def test_a_host_opts_out(self) -> None:
        await self.usual_tables()
        await self.put_canary()
        await self.put_host({"params": {"enable": False}})
        await self.put_numbers(NUMBERS[:1])
        self.start_dialer()
        await self.canary()
        self.assertEqual(self.numbers_dialed(), [])
        self.start_dialer(self.settings("fs2"))
        await self.records_of(1, host="fs2")
        self.assertEqual(self.numbers_dialed(), NUMBERS[:1])

    async def test_dialplan_and_context(self) -> None:
        params = {"destination_dialplan": "inline", "destination_context": "cc@fs1"}
        await self.usual_tables(destination_extension="6/v3", **params)
        await self.put_numbers(NUMBERS[:1])
        self.start_dialer()
        await self.records_of(1)
        (call,) = self.switch_log().originates
        self.assertEqual((call.extension, call.dialplan, call.context), ("6/v3", *params.values()))

    async def test_a_line_stands_for_a_group_of_itself(self) -> None:
        await self.put_line(count=2)
        await self.put_task(line_group=["l"])
        await self.sim(default={"result": "answer", "talk": 0.1})
        await self.put_numbers(NUMBERS[:6])
        self.start_dialer()
        records = await self.records_of(6)
        ways = {(each.line, each.line_group) for record in records for each in record.attempts}
        self.assertEqual(ways, {("l", "l")})
        self.assertEqual(self.most_at_once(), 2)

    async def test_an_unknown_name_is_dialed_by_the_default_dial_string(self) -> None:
        await self.put_task(line_group=["carrier9"])
        await self.put_numbers(NUMBERS[:1])
        self.start_dialer()
        (record,) = await self.records_of(1)
        (call,) = self.switch_log().originates
        self.assertTrue(call.dial_string.endswith(f"}}sofia/gateway/carrier9/{NUMBERS[0]}"))
        self.assertNotIn("cti_line_name", call.variables)
        self.assertEqual(call.variables["cti_line_group_name"], "carrier9")
        self.assertIsNone(record.attempts[0].line)

    async def test_the_next_group_is_tried(self) -> None:
        await self.put_line()
        await self.put_group("off", enable=False)
        await self.put_group()
        await self.put_task(line_group=["off", "nowhere", "g"])
        await self.sim(gateway={"nowhere": {"result": "gateway_down"}})
        await self.put_numbers(NUMBERS[:1])
        self.start_dialer()
        (record,) = await self.records_of(1)
        # What never left is no attempt.
        self.assertEqual([a.line_group for a in record.attempts], ["g"])
        self.assertIs(record.outcome, Outcome.ANSWERED)
        self.assertEqual(len(self.switch_log().originates), 2)

    async def test_without_a_free_line_numbers_stay(self) -> None:
        await self.usual_tables()
        await self.put_canary()
        await self.put_line("none", count=0)
        await self.put_task("u", line_group=["none"], number_queue="r")
        await self.put_numbers(NUMBERS[:3], "r")
        self.start_dialer()
        await self.canary()
        self.assertEqual(await self.queue("r"), [number.encode() for number in NUMBERS[:3]])
