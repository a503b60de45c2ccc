"""``ctidialer pause`` and ``ctidialer resume``, as they are used."""

from __future__ import annotations

import json

from ctidialer.contract import keys
from ctidialer.contract.control import decode_order
from tests.cli.command_case import HOST, CommandTestCase
from tests.cli.node_command_case import NodeCommandCase


class PauseTests(NodeCommandCase):
    async def test_a_task_is_paused_and_resumed_under_way(self) -> None:
        await self.usual_tables(limit=1)
        dialer = self.start_dialer()
        done = await self.on_node("pause", "t")
        self.assertEqual((done.status, done.out), (0, 'the task "t" is paused on fs1\n'), done)

        async def is_paused() -> bool:
            run = dialer.parts.runs.get("t")
            return run is not None and run.paused and dialer.parts.readiness.gate.is_open

        await self.until("the daemon has heard of it", is_paused)
        await self.put_numbers(["1001"])
        done = await self.on_node("resume", "t")
        self.assertEqual((done.status, done.out), (0, 'the task "t" is resumed on fs1\n'), done)
        await self.records_of(1)


class PauseCommandTests(CommandTestCase):
    async def test_what_stands_in_redis(self) -> None:
        await self.put_task("催收")
        done = await self.on_node("pause", "催收", "--json")
        answer = {"task": "催收", "host": HOST, "paused": True, "changed": True}
        self.assertEqual((done.status, done.json()), (0, answer))
        raw = await self.call("HGET", keys.control(HOST), "pause:催收")
        assert isinstance(raw, bytes)
        order = decode_order(raw)
        self.assertIn("@", order.by)
        self.assertGreater(order.since or 0, 1.7e9)
        self.assertEqual(order.why, "")

    async def test_the_reason_stands_beside_the_order(self) -> None:
        await self.put_task("t")
        await self.on_node("pause", "t", "--why", "trunk fault")
        raw = await self.call("HGET", keys.control(HOST), "pause:t")
        assert isinstance(raw, bytes)
        self.assertEqual(decode_order(raw).why, "trunk fault")
        await self.on_node("resume", "t", "--why", "trunk is back")
        raw = await self.call("HGET", keys.control(HOST), "resume:t")
        assert isinstance(raw, bytes)
        self.assertEqual(decode_order(raw).why, "trunk is back")

    async def test_twice(self) -> None:
        await self.put_task()
        await self.on_node("pause", "t")
        done = await self.on_node("pause", "t")
        self.assertEqual((done.status, done.out), (0, 'the task "t" was paused already on fs1\n'))
        await self.on_node("resume", "t")
        done = await self.on_node("resume", "t")
        said = 'the task "t" was not paused (a brake is let go) on fs1\n'
        self.assertEqual((done.status, done.out), (0, said))

    async def test_a_schedule_configuration(self) -> None:
        await self.put_task("c")
        await self.put(keys.at(keys.SCHEDULE_CONFIG, HOST), {"c": {}})
        done = await self.on_node("pause", "--schedule", "c", "--json", "--why", "lunch")
        answer = {"config": "c", "host": HOST, "paused": True, "changed": True}
        self.assertEqual((done.status, done.json()), (0, answer))
        fields = await self.call("HKEYS", keys.control(HOST))
        self.assertEqual(fields, [b"pause_schedule:c"])
        done = await self.on_node("resume", "--schedule", "c")
        said = 'the schedule configuration "c" is resumed on fs1\n'
        self.assertEqual((done.status, done.out), (0, said))
        self.assertEqual(await self.call("HKEYS", keys.control(HOST)), [b"resume_schedule:c"])

    async def test_an_unknown_schedule_configuration(self) -> None:
        await self.put_task("t")
        await self.put(keys.at(keys.SCHEDULE_CONFIG, HOST), {"a": {}})
        for command in ("pause", "resume"):
            done = await self.on_node(command, "--schedule", "t")
            self.assertEqual((done.status, done.out), (1, ""))
            self.assertIn('there is no schedule configuration "t"', done.err)
            self.assertIn("there are: a", done.err)

    async def test_one_of_both(self) -> None:
        for given in ((), ("t", "--schedule", "c")):
            self.assertEqual((await self.on_node("pause", *given)).status, 2)

    async def test_an_unknown_task(self) -> None:
        await self.put_task("a")
        await self.put(keys.at(keys.TASK, HOST), {"b": {}})
        for command in ("pause", "resume"):
            done = await self.on_node(command, "c")
            self.assertEqual((done.status, done.out), (1, ""))
            self.assertIn('there is no task "c" in cti_queue_dialer_task@template or', done.err)
            self.assertIn("there are: a, b\n", done.err)
        self.assertEqual(await self.call("EXISTS", keys.control(HOST)), 0)

    async def test_a_task_that_was_removed_can_be_resumed(self) -> None:
        await self.put(keys.control(HOST), {"pause:gone": json.dumps({"by": "ann"})})
        done = await self.on_node("resume", "gone", "--json")
        self.assertEqual((done.status, done.json()["changed"]), (0, True))
        self.assertEqual(await self.call("HKEYS", keys.control(HOST)), [b"resume:gone"])

    async def test_wrong_usage_and_no_redis(self) -> None:
        self.assertEqual((await self.on_node("pause")).status, 2)
        done = await self.run_command("pause", "--redis", "redis://127.0.0.1:1/0", "t")
        self.assertEqual(done.status, 1)
        self.assertIn("no Redis at", done.err)
