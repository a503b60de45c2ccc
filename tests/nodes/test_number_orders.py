"""Orders for numbers that wait or are queued: each ends once, and never more than were counted."""

from __future__ import annotations

import json

from ctidialer.contract import keys
from ctidialer.contract.control import Order
from ctidialer.contract.record import Kind, Outcome, Record
from ctidialer.contract.task import Side
from ctidialer.contract.waiting import WaitReason
from ctidialer.nodes.number_orders import BATCH_SIZE, NumberOrders, OrderBroken
from ctidialer.nodes.number_owner import Owner, owner_of
from ctidialer.nodes.record_scan import read_records
from ctidialer.settings import Node, Records, Settings
from ctidialer.store.link import Link
from ctidialer.store.waiting import Waiting
from tests.support.proxy import start_proxy
from tests.support.redis import RedisTestCase, link_to
from tests.support.waiting import DUE, T, let_wait

SETTINGS = Settings(
    node=Node(host="fs1", domain="fs1", timezone="UTC"), records=Records(list="cdr")
)
ORDER = Order(since=1.0, by="ann@desk", why="wrong list")


class OrdersCase(RedisTestCase):
    async def put_task(
        self, key: str = keys.at(keys.TASK, keys.TEMPLATE), **params: object
    ) -> None:
        usual: dict[str, object] = {"enable": True, "line_group": ["g"], "limit": 5}
        usual |= {"number_queue": ["q", "q2"], "destination_extension": "8888"}
        await self.call("HSET", key, "t", json.dumps({"params": {**usual, **params}}))

    async def owner(self, name: str = "t", kind: Kind = Kind.QUEUE) -> Owner:
        return await owner_of(self.redis, SETTINGS.node, name, kind)

    async def orders(self, link: Link | None = None) -> NumberOrders:
        return NumberOrders(link or self.redis, SETTINGS, await self.owner())

    async def records(self) -> tuple[Record, ...]:
        return await read_records(self.redis, keys.records("fs1"))

    async def queue(self, name: str = "q") -> object:
        return await self.call("LRANGE", name, 0, -1)


class OwnerTests(OrdersCase):
    async def test_a_task_of_the_template_is_shared_and_has_its_queues(self) -> None:
        await self.put_task(timezone="Asia/Tokyo", number_queue_side="right")
        owner = await self.owner()
        self.assertEqual((owner.queues, owner.side), (("q", "q2"), Side.RIGHT))
        self.assertEqual((owner.zone, owner.is_known, owner.is_shared), ("Asia/Tokyo", True, True))
        self.assertEqual([place.scope for place in owner.places], [keys.TEMPLATE, "fs1"])

    async def test_a_task_of_the_host_is_its_own(self) -> None:
        await self.put_task(keys.at(keys.TASK, "fs1"))
        owner = await self.owner()
        self.assertEqual((owner.is_shared, owner.zone, owner.problem), (False, "UTC", ""))

    async def test_a_task_with_a_fault_says_so(self) -> None:
        await self.put_task(limit="many")
        owner = await self.owner()
        self.assertEqual((owner.queues, owner.is_known), ((), True))
        self.assertIn("$.params.limit", owner.problem)

    async def test_one_that_is_gone_is_known_while_its_numbers_wait(self) -> None:
        self.assertFalse((await self.owner()).is_known)
        await let_wait(self.redis, b"1")
        owner = await self.owner()
        self.assertTrue(owner.is_known)
        self.assertIn("any more", owner.problem)

    async def test_a_configuration_is_the_domain_s(self) -> None:
        self.assertFalse((await self.owner("c", Kind.SCHEDULE)).is_known)
        document = {"params": {"line_group": ["g"], "destination_extension": "1"}}
        await self.call("HSET", keys.at(keys.SCHEDULE_CONFIG, "fs1"), "c", json.dumps(document))
        owner = await self.owner("c", Kind.SCHEDULE)
        self.assertEqual(owner.places, (Waiting("fs1", Kind.SCHEDULE, "c"),))
        self.assertEqual((owner.is_known, owner.queues, owner.problem), (True, (), ""))


class CountTests(OrdersCase):
    async def test_what_waits_and_what_is_queued(self) -> None:
        await self.put_task()
        await let_wait(self.redis, b"1", b"2")
        own = Waiting("fs1", Kind.QUEUE, "t")
        await let_wait(self.redis, b"3", where=own, reason=WaitReason.HOURS)
        await self.call("RPUSH", "q2", "4")
        standing = await (await self.orders()).standing()
        self.assertEqual((standing.waiting, standing.in_queues), (3, 1))
        self.assertEqual((standing.later.retry, standing.later.hours), (2, 1))
        self.assertEqual(standing.later.next_due, DUE)
        self.assertEqual(standing.queued, {"q": 0, "q2": 1})

    async def test_they_are_listed(self) -> None:
        await self.put_task()
        entry = json.dumps({"params": {"number": "13800138000"}}).encode()
        ids = await let_wait(self.redis, entry, b"no number", tried=2)
        found = [one async for one in (await self.orders()).listed()]
        self.assertEqual([one.number for one in found], ["13800138000", None])
        self.assertEqual([one.entry_id for one in found], ids)
        self.assertEqual([one.try_number for one in found], [3, 3])
        self.assertEqual([one.waiting.due for one in found], [DUE, DUE + 1])
        self.assertEqual({one.reason for one in found}, {WaitReason.RETRY})


class CancelTests(OrdersCase):
    async def test_what_waits_ends_with_its_last_record(self) -> None:
        await self.put_task()
        (first, _) = await let_wait(self.redis, b"1", b"no number")
        told: list[int] = []
        done = await (await self.orders()).cancel_waiting(2, ORDER, told.append)
        self.assertEqual((done.numbers, done.unsure, sum(told)), (2, 0, 2))
        self.assertEqual(await self.call("EXISTS", *T.names), 0)
        one, other = await self.records()
        self.assertEqual((one.outcome, one.number, one.entry), (Outcome.CANCELED, "1", b"1"))
        self.assertEqual((one.first_id, one.try_number, one.is_final), (first, 2, True))
        self.assertNotEqual(one.id, first)
        self.assertEqual(one.reason, "canceled by ann@desk: wrong list")
        self.assertEqual((one.task, one.kind, one.host), ("t", Kind.QUEUE, "fs1"))
        self.assertEqual((other.number, other.entry), (None, b"no number"))
        self.assertEqual(await self.call("LLEN", "cdr"), 2)

    async def test_never_more_than_were_counted(self) -> None:
        await self.put_task()
        await let_wait(self.redis, b"1", b"2", b"3")
        await self.call("RPUSH", "q", "4", "5", "6")
        orders = await self.orders()
        await orders.cancel_waiting(2, ORDER, lambda done: None)
        await orders.cancel_queued({"q": 1, "q2": 5}, ORDER, lambda done: None)
        self.assertEqual(orders.done.numbers, 3)
        self.assertEqual(await self.queue(), [b"5", b"6"])
        self.assertEqual(await self.call("ZCARD", T.key), 1)

    async def test_more_than_a_batch_of_a_queue(self) -> None:
        await self.put_task()
        numbers = [str(1000 + index) for index in range(BATCH_SIZE + 7)]
        await self.call("RPUSH", "q", *numbers)
        done = await (await self.orders()).cancel_queued(
            {"q": len(numbers)}, ORDER, lambda done: None
        )
        self.assertEqual(done.numbers, len(numbers))
        records = await self.records()
        self.assertEqual([one.number for one in records], numbers)
        self.assertEqual(len({one.id for one in records}), len(numbers))
        self.assertEqual({(one.try_number, one.first_id == one.id) for one in records}, {(1, True)})

    async def test_of_an_entry_too_long_the_record_has_the_beginning(self) -> None:
        await self.put_task()
        await self.call("RPUSH", "q", b"1" * 70_000)
        await (await self.orders()).cancel_queued({"q": 1}, ORDER, lambda done: None)
        (record,) = await self.records()
        self.assertEqual((len(record.entry), record.entry_length), (1024, 70_000))
        self.assertEqual(len(record.entry_sha256 or ""), 64)

    async def test_a_scheduled_number_ends_as_one(self) -> None:
        where = Waiting("fs1", Kind.SCHEDULE, "c")
        member = json.dumps({"params": {"number": "7", "config": "c"}}).encode()
        await let_wait(self.redis, member, where=where)
        orders = NumberOrders(self.redis, SETTINGS, await self.owner("c", Kind.SCHEDULE))
        await orders.cancel_waiting(1, ORDER, lambda done: None)
        (record,) = await self.records()
        self.assertEqual((record.kind, record.task, record.number), (Kind.SCHEDULE, "c", "7"))


class RequeueTests(OrdersCase):
    async def test_they_are_put_behind_all_others_with_the_records_of_their_old_lives(self) -> None:
        await self.put_task()
        await let_wait(self.redis, b"1", b"2")
        await self.call("RPUSH", "q", "9")
        done = await (await self.orders()).requeue_waiting(2, "q", ORDER, lambda done: None)
        self.assertEqual(done.numbers, 2)
        self.assertEqual(await self.queue(), [b"9", b"1", b"2"])
        reasons = {(one.outcome, one.is_final, one.reason) for one in await self.records()}
        said = "put anew into 'q' by ann@desk: wrong list"
        self.assertEqual(reasons, {(Outcome.CANCELED, True, said)})

    async def test_behind_is_left_where_they_are_taken_from_the_right(self) -> None:
        await self.put_task(number_queue_side="right")
        await let_wait(self.redis, b"1", b"2")
        await self.call("RPUSH", "q", "9")
        await (await self.orders()).requeue_waiting(2, "q", ORDER, lambda done: None)
        self.assertEqual(await self.queue(), [b"2", b"1", b"9"])


class LostAnswerTests(OrdersCase):
    """Redis' answer is lost: what was done is not done again, and the rest is worked off."""

    async def set_up(self) -> None:
        await super().set_up()
        self.proxy = await start_proxy(self, self.url)
        self.link = link_to(self, self.proxy.url, deadline=2.0)
        await self.link.when_up(60)
        await self.put_task()

    def lose_first(self) -> list[int]:
        """Lose the answer to the step that follows the first look at the numbers."""
        told: list[int] = []
        steps = self.orders_in_hand._steps
        cancel, end_waiting = steps.cancel, steps.end_waiting

        async def losing_cancel(*given: object) -> int:
            self.proxy.lose_answers(0 if told else 1)
            told.append(1)
            return await cancel(*given)  # type: ignore[arg-type]

        async def losing_end(*given: object) -> list[bool]:
            self.proxy.lose_answers(0 if told else 1)
            told.append(1)
            return await end_waiting(*given)  # type: ignore[arg-type]

        self.patch(steps, "cancel", losing_cancel)
        self.patch(steps, "end_waiting", losing_end)
        return told

    async def test_of_a_queue(self) -> None:
        count = BATCH_SIZE + 10
        await self.call("RPUSH", "q", *(str(1000 + index) for index in range(count)))
        self.orders_in_hand = await self.orders(self.link)
        self.lose_first()
        done = await self.orders_in_hand.cancel_queued({"q": count}, ORDER, lambda done: None)
        self.assertEqual((done.numbers, done.unsure), (10, BATCH_SIZE))
        self.assertEqual(await self.call("EXISTS", "q"), 0)
        self.assertEqual(len({one.number for one in await self.records()}), count)

    async def test_of_numbers_that_wait(self) -> None:
        count = BATCH_SIZE + 10
        await let_wait(self.redis, *(str(1000 + index).encode() for index in range(count)))
        self.orders_in_hand = await self.orders(self.link)
        self.lose_first()
        done = await self.orders_in_hand.requeue_waiting(count, "q", ORDER, lambda done: None)
        self.assertEqual((done.numbers, done.unsure), (10, BATCH_SIZE))
        self.assertEqual(await self.call("ZCARD", T.key), 0)
        queued = await self.queue()
        assert isinstance(queued, list)
        self.assertEqual(len(set(queued)), count)
        self.assertEqual(len(queued), count)

    async def test_a_refusal_breaks_it_off(self) -> None:
        await let_wait(self.redis, b"1")
        await self.call("SET", keys.records("fs1"), "x")
        orders = await self.orders()
        with self.assertRaises(OrderBroken) as caught:
            await orders.cancel_waiting(1, ORDER, lambda done: None)
        self.assertIn("must hold a stream", str(caught.exception))
        self.assertEqual((orders.done.numbers, await self.call("ZCARD", T.key)), (0, 1))
