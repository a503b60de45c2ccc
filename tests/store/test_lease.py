"""One daemon a host name (docs/faults.rst)."""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from ctidialer.contract import keys
from ctidialer.contract.task import Side
from ctidialer.store.errors import LeaseHeld, LeaseLost, WrongType
from ctidialer.store.in_flight import Dialing
from ctidialer.store.lease import Lease, describe_holder
from ctidialer.store.store import Store
from tests.support.redis import RedisTestCase

LEASE = keys.lease("fs1")


class LeaseTests(RedisTestCase):
    """Two daemons that want the same name."""

    async def set_up(self) -> None:
        await super().set_up()
        self.first = Store(self.redis, "fs1", "one", 1000)
        self.second = Store(self.redis, "fs1", "two", 1000)

    async def lapse(self) -> None:
        """Let the lease expire, as Redis does when it was not renewed."""
        await self.call("PEXPIRE", LEASE, 1)
        while await self.call("EXISTS", LEASE):
            await deferLater(self.redis.clock, 0.001)

    async def test_the_second_is_refused_and_told_who_has_it(self) -> None:
        await self.first.acquire_lease()
        error = await self.error_of(self.second.acquire_lease(), LeaseHeld)
        self.assertIn(f"pid {os.getpid()} on {socket.gethostname()}, since 2", error.holder)
        self.assertIn("(one)", error.holder)
        self.assertIn("'fs1'", str(error))
        self.assertTrue(0 < error.expires_in <= 15, error.expires_in)

    async def test_another_host_name_is_another_lease(self) -> None:
        await self.first.acquire_lease()
        await Store(self.redis, "fs2", "two", 1000).acquire_lease()

    async def test_released_it_is_free(self) -> None:
        await self.first.acquire_lease()
        await self.first.release_lease()
        await self.second.acquire_lease()
        await self.first.release_lease()
        await self.error_of(self.first.acquire_lease(), LeaseHeld)

    async def test_it_lasts_as_long_as_it_says(self) -> None:
        store = Store(self.redis, "fs1", "long", 1000, lease=150.0)
        self.assertEqual(store.renewal_period, 50.0)
        await store.acquire_lease()
        await self.call("PEXPIRE", LEASE, 60_000)
        self.assertIs(await store.renew_lease(), False)
        left = await self.call("PTTL", LEASE)
        assert isinstance(left, int)
        self.assertTrue(60_000 < left <= 150_000, left)

    async def test_one_that_lapsed_is_taken_again(self) -> None:
        await self.first.acquire_lease()
        await self.lapse()
        self.assertIs(await self.first.renew_lease(), True)
        self.assertIs(await self.first.renew_lease(), False)

    async def test_one_that_another_took_is_lost(self) -> None:
        await self.first.acquire_lease()
        await self.lapse()
        await self.second.acquire_lease()
        error = await self.error_of(self.first.renew_lease(), LeaseLost)
        self.assertIn("(two)", error.holder)

    async def test_without_it_nothing_is_written(self) -> None:
        await self.first.acquire_lease()
        await self.call("RPUSH", "q", "a", "b", "c")
        await self.call("ZADD", "z", 1, "m")
        (queued, _) = await self.first.claim("q", Side.LEFT, 2, task="t")
        (due,) = await self.first.claim_due("z", 1, 9.0)
        await self.lapse()
        await self.assert_all_refused(queued.id, due.id)
        await self.second.acquire_lease()
        await self.assert_all_refused(queued.id, due.id)
        self.assertEqual(len(await self.second.in_flight()), 3)
        self.assertEqual(await self.call("LRANGE", "q", 0, -1), [b"c"])

    async def assert_all_refused(self, queued: str, due: str) -> None:
        before = await self.call("DBSIZE")
        writes: list[Deferred[Any]] = [
            self.first.claim("q", Side.LEFT, 1, task="t"),
            self.first.claim_due("z", 1, 9.0),
            self.first.note_dialing(queued, Dialing("u", None, "g", 1)),
            self.first.settle(queued, b"{}"),
            self.first.give_back([queued]),
            self.first.write_back(due, 5.0),
            self.first.publish_status(b"{}", 5.0),
        ]
        for write in writes:
            await self.error_of(write, LeaseLost)
        self.assertEqual(await self.call("DBSIZE"), before)

    async def test_what_the_next_one_closed_is_closed(self) -> None:
        await self.first.acquire_lease()
        await self.call("RPUSH", "q", "a")
        (one,) = await self.first.claim("q", Side.LEFT, 1, task="t")
        await self.lapse()
        await self.second.acquire_lease()
        await self.second.settle(one.id, b"by the second")
        await self.second.release_lease()
        self.assertIs(await self.first.renew_lease(), True)
        self.assertIs(await self.first.settle(one.id, b"by the first"), False)
        self.assertEqual(await self.call("XLEN", keys.records("fs1")), 1)

    async def test_a_key_of_another_type(self) -> None:
        await self.call("RPUSH", LEASE, "a")
        error = await self.error_of(self.first.acquire_lease(), WrongType)
        self.assertIn(LEASE, str(error))

    async def test_a_holder_that_cannot_be_read(self) -> None:
        await self.call("HSET", LEASE, "token", "x", "holder", b"\xff")
        error = await self.error_of(self.first.acquire_lease(), LeaseHeld)
        self.assertIn("does not say who it is", error.holder)
        for holder in (None, 5, b"", b"[]", b"{}", '{"since":"x"}'):
            self.assertIn("does not say", describe_holder(holder))


class StandstillTests(RedisTestCase):
    """A process that stood still does not know that its lease has lapsed: its clock tells it."""

    async def set_up(self) -> None:
        await super().set_up()
        self.now = 100.0
        self.lease = Lease(self.redis, "fs1", "one", 15.0, monotonic=lambda: self.now)

    async def test_before_it_was_ever_held(self) -> None:
        self.assertRaises(LeaseLost, self.lease.check)

    async def test_it_is_counted_from_the_moment_of_asking(self) -> None:
        await self.lease.acquire()
        self.now += 14.9
        self.lease.check()
        self.now += 0.1
        self.assertRaises(LeaseLost, self.lease.check)
        await self.lease.renew()
        self.lease.check()

    async def test_a_name_that_another_has_prolongs_nothing(self) -> None:
        await self.lease.acquire()
        await self.call("DEL", LEASE)
        await Store(self.redis, "fs1", "two", 1000).acquire_lease()
        self.now += 14.0
        await self.error_of(Deferred.fromCoroutine(self.lease.renew()), LeaseLost)
        self.now += 1.0
        self.assertRaises(LeaseLost, self.lease.check)
