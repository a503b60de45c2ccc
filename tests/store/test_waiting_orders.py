"""What people order for numbers that wait or are queued: each ends once, with its record."""

from __future__ import annotations

from ctidialer.contract import keys
from ctidialer.contract.waiting import WaitReason
from ctidialer.store.errors import WrongType
from ctidialer.store.waiting_orders import RecordKeys, WaitingNumber, WaitingOrders
from tests.store.test_waiting import FUTURE, PAST, TEMPLATE, WaitingTestCase, carried

STREAM, LIST = keys.records("fs1"), "cdr"


def pairs(numbers: list[WaitingNumber]) -> list[tuple[bytes, bytes]]:
    return [(one.member, b"record of " + one.entry) for one in numbers]


class OrdersTestCase(WaitingTestCase):
    async def set_up(self) -> None:
        await super().set_up()
        self.orders = WaitingOrders(self.redis, RecordKeys("fs1", 1000, LIST))

    async def records(self) -> list[bytes]:
        listed = await self.call("LRANGE", LIST, 0, -1)
        assert isinstance(listed, list)
        self.assertEqual(await self.call("XLEN", STREAM), len(listed))
        return [one for one in listed if isinstance(one, bytes)]


class WaitingTests(OrdersTestCase):
    async def test_they_are_listed_by_due_time_with_what_they_carry(self) -> None:
        claimed = await self.let_wait(b"1", b"2\n", b"3")
        found = await self.orders.waiting(TEMPLATE, 0, 2)
        self.assertEqual(
            [(one.entry, one.due) for one in found], [(b"1", PAST), (b"2\n", PAST + 1)]
        )
        self.assertEqual([one.carried for one in found], [carried(one.id) for one in claimed[:2]])
        (last,) = await self.orders.waiting(TEMPLATE, 2, 5)
        self.assertEqual(last.entry, b"3")

    async def test_each_ends_with_its_record_and_once(self) -> None:
        await self.let_wait(b"1", b"2")
        await self.let_wait(b"3", due=FUTURE, reason=WaitReason.HOURS)
        found = await self.orders.waiting(TEMPLATE, 0, 10)
        done = await self.orders.end_waiting(TEMPLATE, pairs([found[0], found[2]]))
        self.assertEqual(done, [True, True])
        self.assertEqual(await self.records(), [b"record of 1", b"record of 3"])
        self.assertEqual(
            await self.sums(), ({TEMPLATE: PAST + 1}, {TEMPLATE: {WaitReason.RETRY: 1}})
        )
        again = await self.orders.end_waiting(TEMPLATE, pairs(found))
        self.assertEqual(again, [False, True, False])
        self.assertEqual(await self.sums(), ({}, {}))
        self.assertEqual(await self.call("EXISTS", TEMPLATE.key), 0)

    async def test_one_that_was_claimed_meanwhile_is_left_alone(self) -> None:
        await self.let_wait(b"1", b"2")
        found = await self.orders.waiting(TEMPLATE, 0, 10)
        await self.store.claim_waiting(TEMPLATE, 1, "t")
        self.assertEqual(await self.orders.end_waiting(TEMPLATE, pairs(found)), [False, True])
        self.assertEqual(await self.records(), [b"record of 2"])

    async def test_they_are_queued_anew_behind_all_others(self) -> None:
        await self.let_wait(b"1", b"2")
        await self.call("RPUSH", "q", "9")
        found = await self.orders.waiting(TEMPLATE, 0, 10)
        await self.orders.end_waiting(TEMPLATE, pairs(found), "q")
        self.assertEqual(await self.call("LRANGE", "q", 0, -1), [b"9", b"1", b"2"])
        self.assertEqual(len(await self.records()), 2)

    async def test_what_nobody_of_us_has_written_can_be_ended_too(self) -> None:
        await self.call("ZADD", TEMPLATE.key, 5, "strange")
        (found,) = await self.orders.waiting(TEMPLATE, 0, 10)
        self.assertEqual((found.carried, found.entry), (None, b"strange"))
        self.assertEqual(await self.orders.end_waiting(TEMPLATE, pairs([found])), [True])
        self.assertEqual(await self.sums(), ({}, {}))

    async def test_a_key_of_a_wrong_type_is_named_and_nothing_is_done(self) -> None:
        await self.let_wait(b"1")
        await self.call("SET", "q2", "x")
        found = await self.orders.waiting(TEMPLATE, 0, 10)
        with self.assertRaises(WrongType) as caught:
            await self.orders.end_waiting(TEMPLATE, pairs(found), "q2")
        self.assertIn("q2", str(caught.exception))
        self.assertEqual(await self.records(), [])
        self.assertEqual(len(await self.orders.waiting(TEMPLATE, 0, 10)), 1)


class QueueTests(OrdersTestCase):
    async def test_the_head_is_shown_and_not_taken(self) -> None:
        await self.call("RPUSH", "q", "1", "2", "3")
        self.assertEqual(await self.orders.head("q", 2), [b"1", b"2"])
        self.assertEqual(await self.orders.head("nothing here", 2), [])
        self.assertEqual(await self.call("LLEN", "q"), 3)

    async def test_of_large_entries_few_are_read(self) -> None:
        large = b"1" * 20_000_000
        await self.call("RPUSH", "q", large, large)
        self.assertEqual([len(one) for one in await self.orders.head("q", 2)], [len(large)])

    async def test_they_end_from_the_head_on(self) -> None:
        await self.call("RPUSH", "q", "1", "2", "3")
        ends = [(b"1", b"record of 1"), (b"2", b"record of 2")]
        self.assertEqual(await self.orders.cancel("q", ends), 2)
        self.assertEqual(await self.call("LRANGE", "q", 0, -1), [b"3"])
        self.assertEqual(await self.records(), [b"record of 1", b"record of 2"])

    async def test_it_stops_where_the_queue_has_moved_on(self) -> None:
        await self.call("RPUSH", "q", "1", "2", "3")
        ends = [(b"1", b"record of 1"), (b"3", b"record of 3")]
        self.assertEqual(await self.orders.cancel("q", ends), 1)
        self.assertEqual(await self.call("LRANGE", "q", 0, -1), [b"2", b"3"])
        self.assertEqual(await self.records(), [b"record of 1"])
