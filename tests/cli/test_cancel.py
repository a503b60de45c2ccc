"""``ctidialer cancel``, as it is used: it says how many first, asks, and ends them."""

from __future__ import annotations

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome, Record
from ctidialer.nodes.record_scan import read_records
from tests.cli.command_case import HOST, CommandTestCase
from tests.cli.node_command_case import NodeCommandCase
from tests.dialer.test_waiting import BUSY, LATER, WaitingCase
from tests.support.waiting import T, let_wait


class CancelTests(CommandTestCase):
    async def set_up(self) -> None:
        await super().set_up()
        await self.put_task()
        await let_wait(self.redis, b"1", b"2")
        await self.call("RPUSH", "q", "3")

    async def records(self) -> tuple[Record, ...]:
        return await read_records(self.redis, keys.records(HOST))

    async def left(self) -> tuple[object, object]:
        return await self.call("ZCARD", T.key), await self.call("LLEN", "q")

    async def test_it_says_how_many_and_asks(self) -> None:
        done = await self.on_node("cancel", "t", stdin=b"n\n")
        self.assertEqual((done.status, done.out), (1, ""))
        self.assertIn("2 numbers that wait (retry 2), 1 number in 'q'. End 3 numbers", done.err)
        self.assertEqual(await self.left(), (2, 1))
        self.assertEqual(await self.records(), ())
        done = await self.on_node("cancel", "t", stdin=b"y\n")
        self.assertEqual((done.status, done.out), (0, 'the task "t": 3 numbers were canceled\n'))
        self.assertEqual(await self.left(), (0, 0))

    async def test_without_an_answer_nothing_is_done(self) -> None:
        done = await self.on_node("cancel", "t")
        self.assertEqual((done.status, await self.left()), (1, (2, 1)))

    async def test_the_records_say_who_and_why(self) -> None:
        done = await self.on_node("cancel", "t", "--yes", "--json", "--why", "wrong list")
        self.assertEqual((done.status, done.err), (0, ""))
        answer = {"task": "t", "host": HOST, "waiting": 2, "queued": {"q": 1}}
        self.assertEqual(done.json(), {**answer, "canceled": 3, "unsure": 0})
        records = await self.records()
        self.assertEqual({one.outcome for one in records}, {Outcome.CANCELED})
        self.assertEqual([one.number for one in records], ["1", "2", "3"])
        for one in records:
            self.assertRegex(one.reason, r"^canceled by \S+@\S+: wrong list$")

    async def test_only_those_that_wait_or_those_in_the_queue(self) -> None:
        await self.on_node("cancel", "t", "--yes", "--queue")
        self.assertEqual(await self.left(), (2, 0))
        await self.call("RPUSH", "q", "3")
        await self.on_node("cancel", "t", "--yes", "--waiting")
        self.assertEqual(await self.left(), (0, 1))

    async def test_none_is_no_question(self) -> None:
        await self.on_node("cancel", "t", "--yes")
        done = await self.on_node("cancel", "t")
        self.assertEqual((done.status, done.out), (0, 'the task "t": 0 numbers were canceled\n'))

    async def test_a_queue_of_another_type_does_not_count_as_empty(self) -> None:
        await self.call("DEL", "q")
        await self.call("SET", "q", "x")
        done = await self.on_node("cancel", "t", "--yes")
        self.assertEqual((done.status, done.out), (1, ""))
        self.assertIn("the key 'q' holds a string, but must hold a list", done.err)

    async def test_a_task_whose_queues_cannot_be_read(self) -> None:
        await self.put_task(limit="x")
        done = await self.on_node("cancel", "t", "--queue", "--yes")
        self.assertEqual((done.status, done.out), (1, ""))
        self.assertIn('the queues of the task "t" are not known: ', done.err)
        done = await self.on_node("cancel", "t", "--yes")
        self.assertEqual(done.status, 0)
        self.assertIn("$.params.limit", done.err)
        self.assertEqual(await self.left(), (0, 1))

    async def test_wrong_usage_and_nobody(self) -> None:
        self.assertEqual((await self.on_node("cancel")).status, 2)
        self.assertEqual((await self.on_node("cancel", "--schedule", "c", "--queue")).status, 2)
        done = await self.on_node("cancel", "x", "--yes")
        self.assertEqual(done.status, 1)
        self.assertIn('there is no task "x"', done.err)

    async def test_redis_refuses_in_the_middle(self) -> None:
        await self.call("SET", keys.records(HOST), "x")
        done = await self.on_node("cancel", "t", "--yes")
        self.assertEqual((done.status, done.out), (1, ""))
        self.assertIn("0 numbers were canceled, then: the key 'cti_dialer_record@fs1'", done.err)
        self.assertEqual(await self.left(), (2, 1))


class BesideADaemonTests(NodeCommandCase, WaitingCase):
    async def test_each_number_has_one_last_record(self) -> None:
        await self.usual_tables(retry_plan=LATER, limit=3, cps=20)
        await self.sim(default=BUSY)
        self.start_dialer()
        await self.put_numbers([str(1000 + index) for index in range(200)])
        await self.dialed(20)
        done = await self.on_node("cancel", "t", "--yes", "--json")
        self.assertEqual((done.status, done.json()["unsure"]), (0, 0), done)
        self.assertGreater(done.json()["canceled"], 150)
        await self.nothing_in_flight()
        done = await self.on_node("cancel", "t", "--yes", "--json")
        final = await self.final(200)
        self.assertEqual(len(final), 200)
        self.assertEqual({one.outcome for one in final.values()}, {Outcome.CANCELED})
        tried = [one for one in await self.records() if one.outcome is Outcome.BUSY]
        self.assertEqual(len(tried), len(self.switch_log().originates))
        self.assertEqual(await self.call("EXISTS", *T.names, "q"), 0)
