"""Numbers of given outcomes are queued anew: once each, and only by how they ended last."""

from __future__ import annotations

import json

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from ctidialer.contract.task import Side
from ctidialer.nodes.record_requeue import RecordRequeue, WantedAgain
from ctidialer.store.store import Store
from tests.nodes.test_number_orders import SETTINGS, OrdersCase
from tests.support.waiting import let_wait, put_record

BUSY = WantedAgain(frozenset({Outcome.BUSY}))


class RecordRequeueTests(OrdersCase):
    async def set_up(self) -> None:
        await super().set_up()
        await self.put_task()

    async def found(
        self, wanted: WantedAgain = BUSY, hosts: tuple[str, ...] = ("fs1",)
    ) -> RecordRequeue:
        look = RecordRequeue(self.redis, SETTINGS, await self.owner(), hosts, "q")
        await look.look(wanted, lambda done: None)
        return look

    async def queued(self, look: RecordRequeue) -> object:
        await look.push(lambda done: None)
        return await self.queue()

    async def test_each_number_once_in_the_order_of_their_ends(self) -> None:
        for number in ("1", "2", "1", "3"):
            await put_record(self.redis, number, Outcome.BUSY)
        look = await self.found()
        self.assertEqual(look.count, 3)
        self.assertEqual(await self.queued(look), [b"2", b"1", b"3"])
        self.assertEqual((look.done.numbers, look.done.unsure), (3, 0))

    async def test_the_entry_is_the_one_of_the_record(self) -> None:
        entry = json.dumps({"params": {"number": "1"}, "variables": {"a": "ü"}}).encode()
        await put_record(self.redis, "1", Outcome.BUSY, entry=entry)
        await put_record(self.redis, "2", Outcome.BUSY, entry=b"\xff2")
        self.assertEqual(await self.queued(await self.found()), [entry, b"\xff2"])

    async def test_only_how_it_ended_last_counts(self) -> None:
        await put_record(self.redis, "1", Outcome.BUSY)
        await put_record(self.redis, "1", Outcome.ANSWERED, ended_at=3000.0)
        await put_record(self.redis, "2", Outcome.ANSWERED)
        await put_record(self.redis, "2", Outcome.BUSY, ended_at=3000.0)
        look = await self.found()
        self.assertEqual(await self.queued(look), [b"2"])
        early = await self.found(WantedAgain(frozenset({Outcome.BUSY}), until=2500.0))
        self.assertEqual(early.count, 0)

    async def test_tries_that_are_not_the_last_and_those_of_others_do_not_count(self) -> None:
        await put_record(self.redis, "1", Outcome.BUSY, is_final=False, next_at=9.0)
        await put_record(self.redis, "2", Outcome.BUSY, task="other")
        await put_record(self.redis, "3", Outcome.NO_ANSWER)
        await put_record(self.redis, "4", Outcome.BUSY, entry_length=70_000, entry_sha256="x")
        self.assertEqual((await self.found()).count, 0)

    async def test_a_time_bounds_them(self) -> None:
        for index, ended in enumerate((1000.0, 2000.0, 3000.0)):
            await put_record(self.redis, str(index), Outcome.BUSY, ended_at=ended)
        look = await self.found(WantedAgain(frozenset({Outcome.BUSY}), 2000.0, 3000.0))
        self.assertEqual(await self.queued(look), [b"1"])

    async def test_the_records_of_several_hosts(self) -> None:
        await put_record(self.redis, "1", Outcome.BUSY)
        await put_record(self.redis, "2", Outcome.BUSY, host="fs2")
        await put_record(self.redis, "1", Outcome.ANSWERED, host="fs2")
        look = await self.found(hosts=("fs1", "fs2"))
        self.assertEqual(await self.queued(look), [b"2"])

    async def test_what_is_called_anyway_is_left_out(self) -> None:
        for number in ("1", "2", "3", "4", "5"):
            await put_record(self.redis, number, Outcome.BUSY)
        await let_wait(self.redis, b"1")
        store = Store(self.redis, "fs1", "daemon", 1000)
        await store.acquire_lease()
        await self.call("RPUSH", "q", "2")
        await store.claim("q", Side.LEFT, 1, task="t")
        await self.call("RPUSH", "q2", '{"params": {"number": "3"}}')
        look = await self.found()
        self.assertEqual((look.count, look.left_out), (2, 3))
        self.assertEqual(await self.queued(look), [b"4", b"5"])

    async def test_given_twice_it_queues_nothing_twice(self) -> None:
        await put_record(self.redis, "1", Outcome.BUSY)
        await self.queued(await self.found())
        again = await self.found()
        self.assertEqual((again.count, again.left_out), (0, 1))
        self.assertEqual(await self.queued(again), [b"1"])

    async def test_who_is_called_while_somebody_is_asked_is_left_out(self) -> None:
        for number in ("1", "2", "3"):
            await put_record(self.redis, number, Outcome.BUSY)
        look = await self.found()
        await put_record(self.redis, "1", Outcome.BUSY, ended_at=3000.0)
        await self.call("RPUSH", "q2", "2")
        self.assertEqual(await self.queued(look), [b"3"])
        self.assertEqual((look.left_out, look.done.numbers), (2, 1))

    async def test_a_record_that_was_trimmed_meanwhile_is_passed_over(self) -> None:
        await put_record(self.redis, "1", Outcome.BUSY)
        await put_record(self.redis, "2", Outcome.BUSY)
        look = await self.found()
        await self.call("XTRIM", keys.records("fs1"), "MAXLEN", 1)
        self.assertEqual(await self.queued(look), [b"2"])
        self.assertEqual(look.done.numbers, 1)
