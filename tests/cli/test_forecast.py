"""``ctidialer forecast``, by what stands in a real Redis."""

from __future__ import annotations

from time import time
from typing import Any

import msgspec

from ctidialer.contract import keys
from ctidialer.contract.pacing import PacingStatus
from ctidialer.contract.record import AttemptRecord, Kind, Outcome, Record
from ctidialer.contract.record_document import encode_record
from ctidialer.rules.prediction.keeping import encode
from ctidialer.rules.prediction.pacer import Learnt
from tests.cli.command_case import HOST, CommandTestCase, Done

NUMBERS = [f"1380013{place:04d}" for place in range(60)]


class ForecastCommandTests(CommandTestCase):
    async def list_of(self, numbers: list[str], **params: Any) -> None:
        await self.put_task(**params)
        await self.call("RPUSH", "q", *numbers)

    async def agents_at_work(self, count: int, **fields: bytes) -> None:
        soon = time() + 600  # on a busy machine commands take a while
        status = PacingStatus("predictive", soon, group="sales", free=count)
        kept = {f"status:{HOST}": msgspec.json.encode(status), **fields}
        await self.call(
            "HSET", keys.pacing(HOST, "t"), *[part for pair in kept.items() for part in pair]
        )

    async def answer(self, *options: str) -> dict[str, Any]:
        done = await self.on_node("forecast", "t", "--json", *options)
        self.assertEqual((done.status, done.err), (0, ""))
        found: dict[str, Any] = done.json()
        return found

    async def refused(self, *options: str) -> Done:
        done = await self.on_node("forecast", "t", *options)
        self.assertEqual((done.status, done.out), (1, ""))
        return done

    async def test_a_task_with_agents(self) -> None:
        await self.list_of(NUMBERS, agent_group="sales", dial_mode="predictive", limit=50)
        await self.agents_at_work(4, learnt=encode(Learnt()))
        found = await self.answer()
        self.assertEqual((found["agents"], found["method"]), (4, "calls"))
        self.assertEqual((found["queued"], found["waiting"], found["ends"]), (60, 0, 1.0))
        self.assertEqual(found["calls"]["middle"], 60)
        self.assertEqual(sum(found["outcomes"].values()), 60)
        self.assertGreater(found["ends_at"]["low"], found["at"])
        self.assertGreater(found["agent_use"]["middle"], 0.2)
        said = " ".join(one["en"] for one in found["assumptions"])
        for part in ("4 agents, as many as are at work now", "from 0 calls only", "no daemon"):
            self.assertIn(part, said.lower())
        more = await self.answer("--agents", "12")
        self.assertEqual(more["agents"], 12)
        self.assertLess(more["ends_at"]["middle"], found["ends_at"]["middle"])

    async def test_for_people_in_both_languages(self) -> None:
        await self.list_of(
            NUMBERS,
            agent_group="sales",
            retry_plan=[{"outcome": "no_answer", "after": 600, "count": 1}],
        )
        await self.agents_at_work(4)
        done = await self.on_node("forecast", "t")
        self.assertEqual((done.status, done.err), (0, ""))
        for part in (
            "t on fs1: progressive, 4 agents",
            "numbers left: 60 in the queue, 0 waiting",
            "ends: ",
            "agents busy, of their time",
            "ceiling 3 %",
            "further tries: ",
            "assumed that 50.0 % answer",
            "simulations of every call",
        ):
            self.assertIn(part, done.out)
        chinese = await self.run_command(
            "--lang", "zh", "forecast", "--redis", self.url, "--host", HOST, "t"
        )
        for part in ("4 个坐席", "坐席忙碌时间", "再次尝试", "依据："):
            self.assertIn(part, chinese.out)

    async def test_what_hours_lists_and_caps_hold_back(self) -> None:
        await self.list_of(
            [*NUMBERS, "no number", NUMBERS[0]],
            callee_region="CN",
            dnc=["dnc:own", "dnc:hash"],
            callee_limit=[{"count": 1, "time": 86400}],
            callee_hour=[{"begin": "0:00", "end": "0:00"}],
        )
        closed = await self.answer()
        self.assertEqual(closed["held"]["closed"], 61)  # an empty window never opens
        await self.put_task(
            callee_region="CN",
            dnc=["dnc:own", "dnc:hash"],
            callee_limit=[{"count": 1, "time": 86400}],
        )
        await self.call("SADD", "dnc:own", f"+86{NUMBERS[1]}", "4711")
        await self.call(
            "HSET", "dnc:hash", NUMBERS[2], '{"until": 99999999999}', NUMBERS[3], '{"until": 1}'
        )
        called = keys.callee_calls(f"+86{NUMBERS[4]}")
        await self.call("ZADD", called, repr(time() - 3600), "some-uuid", 86400, " keep")
        found = await self.answer()
        held = found["held"]
        self.assertEqual((held["dnc"], held["invalid"], held["caps"]), (2, 1, 1))
        self.assertEqual(found["calls"]["middle"], 59)
        self.assertGreater(found["ends_at"]["middle"], found["at"] + 22 * 3600)

    async def test_a_horizon(self) -> None:
        await self.list_of(NUMBERS, cps=0.01)
        found = await self.answer("--hours", "0.5")
        self.assertIsNone(found["ends_at"])
        self.assertApproximates(found["until"] - found["at"], 1800, 1)
        self.assertApproximates(found["left"]["middle"], 42, 3)
        done = await self.on_node("forecast", "t", "--hours", "0.5")
        self.assertIn("does not end before", done.out)

    async def test_outcomes_and_lengths_of_the_last_records(self) -> None:
        await self.list_of(NUMBERS)
        now = time()
        for place in range(80):
            answered = now - 50 if place % 4 == 0 else None
            attempt = AttemptRecord("u", None, "g", now - 60, None, answered, now - 40)
            outcome = Outcome.BUSY if answered is None else Outcome.ANSWERED
            record = Record(
                str(place), Kind.QUEUE, "t", "1", b"1", outcome, now - 60, now, HOST, (attempt,)
            )
            await self.call("XADD", keys.records(HOST), "*", "record", encode_record(record))
        found = await self.answer()
        said = " ".join(one["en"] for one in found["assumptions"])
        self.assertIn("in the last 80 records of the task: 25.1 % of the calls", said)
        self.assertIn("for 10 s", said)
        self.assertEqual(set(found["outcomes"]), {"answered", "busy"})

    async def test_numbers_that_wait(self) -> None:
        await self.list_of(NUMBERS[:1])
        member = b'{"entry_id":"e","taken_at":1,"since":1,"reason":"retry","tried":1}\n' + b"139"
        await self.call(
            "ZADD", keys.waiting(keys.TEMPLATE, "queue", "t"), repr(time() + 7200), member
        )
        found = await self.answer()
        self.assertEqual((found["queued"], found["waiting"]), (1, 1))
        self.assertGreater(found["ends_at"]["low"], found["at"] + 7200)
        self.assertGreater(found["held"]["idle_seconds"], 6000)

    async def test_where_nothing_can_be_foreseen(self) -> None:
        await self.list_of(NUMBERS, agent_group="sales")
        self.assertIn("how many agents are at work", (await self.refused()).err)
        await self.put_task(limit="x")
        self.assertIn("not valid", (await self.refused()).err)
        await self.put_task()
        self.assertIn("mode batch", (await self.refused("--agents", "3")).err)
        await self.call("HDEL", keys.at(keys.TASK, keys.TEMPLATE), "t")
        await self.put_task("other")
        self.assertIn("there is no task", (await self.refused()).err)
        for wrong in (("--agents", "0"), ("--hours", "0"), ("--hours", "many")):
            done = await self.on_node("forecast", "t", *wrong)
            self.assertEqual(done.status, 2)

    async def test_a_queue_of_another_type_does_not_count_as_empty(self) -> None:
        await self.put_task()
        await self.call("SET", "q", "x")
        done = await self.on_node("forecast", "t")
        self.assertEqual(done.status, 1)
        self.assertIn("the key 'q' holds a string, but must hold a list", done.err)

    async def test_a_table_of_another_type_does_not_count_as_empty(self) -> None:
        await self.call("SET", keys.at(keys.TASK, keys.TEMPLATE), "x")
        done = await self.on_node("forecast", "t")
        self.assertEqual(done.status, 1)
        self.assertIn("the key 'cti_queue_dialer_task@template' holds", done.err)

    async def test_keys_of_another_type_are_said(self) -> None:
        await self.put_task(dnc=["dnc:own"])
        await self.call("RPUSH", "q", *NUMBERS)
        await self.call("SET", "dnc:own", "x")
        found = await self.answer()
        self.assertEqual(found["calls"]["middle"], 60)
        said = " ".join(one["en"] for one in found["assumptions"])
        self.assertIn("dnc:own could not be looked at", said)
        self.assertIn("must hold a set or hash", said)
