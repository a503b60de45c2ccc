"""`redis.wait_replicas`: a step counts as done when replicas have it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

from twisted.internet.defer import gatherResults

from ctidialer.contract import keys
from ctidialer.contract.record import Kind
from ctidialer.contract.task import Side
from ctidialer.store.errors import NotReplicated, StoreUnavailable
from ctidialer.store.in_flight import Claimed, Dialing
from ctidialer.store.rights import NodeNames, Rights, node_needs
from ctidialer.store.store import Store
from ctidialer.store.waiting import Waiting
from ctidialer.store.waiting_orders import RecordKeys, WaitingOrders
from tests.store.test_link import LinkTestCase
from tests.support.redis import link_to
from tests.support.sentinels import ask, start_replicated

HOST = "fs1"
IN_FLIGHT = keys.in_flight(HOST)
NUMBERS = ["1001", "1002", "1003", "1004"]
PASSWORD = "daemon-pw"
RECORD = b'{"outcome":"answered"}'

Answer = TypeVar("Answer")


class ReplicaCase(LinkTestCase):
    """A master with one replica, and a store that waits for it."""

    async def set_up(self) -> None:
        await super().set_up()
        self.master, (self.replica,) = await start_replicated(self, 1)
        self.master_link = link_to(self, self.master.url)
        await self.master_link.when_up(60)
        self.store = Store(self.master_link, HOST, "daemon", 1000, wait_replicas=1)
        self.refused: list[str] = []
        self.store.on_refusal(lambda error: self.refused.append(str(error)))
        await self.master_link.call("RPUSH", "q", *NUMBERS)
        await self.store.acquire_lease()

    async def until_done(self, step: Callable[[], Awaitable[Answer]]) -> Answer:
        """Do a step again until enough replicas have it."""
        while True:
            try:
                return await step()
            except NotReplicated:
                continue

    async def claim(self, count: int) -> list[Claimed]:
        return await self.store.claim("q", Side.LEFT, count, task="t")

    async def waits(self) -> int:
        """Return how many times Redis was told to wait."""
        found = await self.master_link.call("INFO", "commandstats")
        assert isinstance(found, bytes)
        calls = re.search(rb"cmdstat_wait:calls=(\d+)", found)
        return int(calls[1]) if calls else 0


class WaitTests(ReplicaCase):
    async def test_what_was_claimed_noted_and_settled_is_on_the_replica(self) -> None:
        one, two = await self.claim(2)
        await self.store.note_dialing(one.id, Dialing("uuid", "l", "g", 1))
        self.assertTrue(await self.store.settle(one.id, RECORD))
        await self.master.kill()
        answers = await ask(
            self.replica, ("HKEYS", IN_FLIGHT), ("XLEN", keys.records(HOST)), ("LRANGE", "q", 0, -1)
        )
        self.assertEqual(answers, [[two.id.encode()], 1, [b"1003", b"1004"]])

    async def test_one_wait_is_for_all_that_is_written_at_a_time(self) -> None:
        queues = [f"q{index}" for index in range(8)]
        for queue in queues:
            await self.master_link.call("RPUSH", queue, *NUMBERS)
        before = await self.waits()
        claiming = [self.store.claim(queue, Side.LEFT, 4, task="t") for queue in queues]
        claimed = await gatherResults(claiming)
        self.assertEqual([len(one) for one in claimed], [4] * 8)
        # One for the first answers, and one for those that came while it was under way.
        self.assertIn(await self.waits() - before, (1, 2))

    async def test_what_an_operator_orders_is_on_the_replica(self) -> None:
        orders = WaitingOrders(self.master_link, RecordKeys(HOST, 1000), replicas=1)
        self.assertEqual(await orders.cancel("q", [(b"1001", RECORD), (b"1002", RECORD)]), 2)
        place = Waiting("template", Kind.QUEUE, "t")
        await self.master_link.call("ZADD", place.key, "1", "1009")
        self.assertEqual(await orders.end_waiting(place, [(b"1009", RECORD)], "q"), [True])
        await self.master.kill()
        answers = await ask(self.replica, ("LRANGE", "q", 0, -1), ("XLEN", keys.records(HOST)))
        self.assertEqual(answers, [[b"1003", b"1004", b"1009"], 3])

    async def test_an_order_of_which_too_few_replicas_know_may_have_been_done(self) -> None:
        orders = WaitingOrders(self.master_link, RecordKeys(HOST, 1000), replicas=2)
        with self.assertRaises(NotReplicated) as caught:
            await orders.cancel("q", [(b"1001", RECORD)])
        self.assertTrue(caught.exception.may_have_been_executed)
        self.assertEqual(await self.master_link.call("LLEN", "q"), 3)

    async def test_what_need_not_last_is_not_waited_for(self) -> None:
        before = await self.waits()
        await self.store.renew_lease()
        await self.store.publish_status(b"{}", 10)
        self.assertEqual(await self.waits(), before)

    async def test_no_wait_unless_it_is_asked_for(self) -> None:
        await self.store.release_lease()
        store = Store(self.master_link, HOST, "another", 1000)
        await store.acquire_lease()
        before = await self.waits()
        await store.claim("q", Side.LEFT, 2, task="t")
        self.assertEqual(await self.waits(), before)


class HangingReplicaTests(ReplicaCase):
    async def test_what_was_claimed_goes_back(self) -> None:
        self.replica.pause()
        error = await self.error_of(self.store.claim("q", Side.LEFT, 2, task="t"), NotReplicated)
        self.assertIn("0 of 1 replicas", error.said)
        self.assertTrue(error.may_have_been_executed)
        self.assertEqual(self.refused, [str(error)])
        self.replica.go_on()
        claims = await self.until_done(lambda: self.claim(4))
        self.assertEqual([one.entry.decode() for one in claims], NUMBERS)
        self.assertEqual(await self.master_link.call("HLEN", IN_FLIGHT), 4)

    async def test_what_is_settled_again_is_settled_once(self) -> None:
        (one,) = await self.claim(1)
        self.replica.pause()
        await self.error_of(self.store.settle(one.id, RECORD), NotReplicated)
        self.replica.go_on()
        await self.until_done(lambda: self.store.settle(one.id, RECORD))
        self.assertEqual(await self.master_link.call("XLEN", keys.records(HOST)), 1)

    async def test_the_lease_is_kept_meanwhile(self) -> None:
        self.replica.pause()
        claiming = self.store.claim("q", Side.LEFT, 2, task="t")
        self.assertFalse(await self.store.renew_lease())
        await self.error_of(claiming, NotReplicated)

    async def test_looking_for_rights_shows_it(self) -> None:
        rights = Rights(self.master_link, HOST, self.store.token, 1)
        self.assertEqual(await rights.missing(()), [])
        self.replica.pause()
        await self.error_of(rights.missing(()), NotReplicated)

    async def test_a_connection_that_goes_while_it_waits(self) -> None:
        self.replica.pause()
        claiming = self.store.claim("q", Side.LEFT, 2, task="t")
        await self.master_link.call("TIME")
        await self.master.kill()
        error = await self.error_of(claiming, StoreUnavailable)
        self.assertTrue(error.may_have_been_executed)
        self.assertEqual(self.refused, [])


class RightTests(ReplicaCase):
    """A user that may do all but wait."""

    async def set_up(self) -> None:
        await super().set_up()
        rules = ("on", f">{PASSWORD}", "~*", "&*", "+@all", "-wait")
        await self.master_link.call("ACL", "SETUSER", "daemon", *rules)
        self.link = link_to(self, self.master.url.replace("//", f"//daemon:{PASSWORD}@"))
        await self.link.when_up(60)

    async def test_the_missing_right_is_named(self) -> None:
        needs = node_needs(NodeNames(HOST, HOST, (), (), waits_for_replicas=True))
        rights = Rights(self.link, HOST, self.store.token, 1)
        missing = await rights.missing(needs)
        self.assertEqual([str(need) for need in missing], ["WAIT (redis.wait_replicas)"])
        self.assertEqual(await rights.rules(needs, missing), ["+wait"])

    async def test_nothing_counts_as_done(self) -> None:
        await self.store.release_lease()
        store = Store(self.link, HOST, "daemon", 1000, wait_replicas=1)
        await store.acquire_lease()
        claiming = store.claim("q", Side.LEFT, 2, task="t")
        self.assertIn("NOPERM", (await self.error_of(claiming, NotReplicated)).said)
