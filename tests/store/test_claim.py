"""Claiming from lists and zsets, and giving back: order, atomicity, repetition."""

from __future__ import annotations

import random
import time

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.defer import CancelledError
from twisted.internet.task import deferLater

from ctidialer.contract import keys
from ctidialer.contract.record import Kind
from ctidialer.contract.task import Side
from ctidialer.store.errors import NotReturned, StoreUnavailable, WrongType
from ctidialer.store.in_flight import Origin, header
from ctidialer.store.scripts import CLAIM
from ctidialer.store.store import Claimed, Store
from tests.support.proxy import start_proxy
from tests.support.redis import RedisTestCase, link_to

IN_FLIGHT = keys.in_flight("fs1")
AWKWARD = [b"", b"\0", b"\n\n", b"\xff\xfe", b'{"params":{"number":"1"}}', b"0755123", b"QUEUED"]


def entries(claimed: list[Claimed]) -> list[bytes]:
    return [one.entry for one in claimed]


def ids(claimed: list[Claimed]) -> list[str]:
    return [one.id for one in claimed]


def many_entries() -> list[bytes]:
    """Return what Hypothesis thinks of as bytes, some hundred of them."""
    found = list(AWKWARD)

    @settings(max_examples=150, deadline=None, database=None)
    @given(st.binary(max_size=200))
    def collect(entry: bytes) -> None:
        found.append(entry)

    collect()
    return found


class StoreTestCase(RedisTestCase):
    """One daemon of the host fs1, with its lease."""

    async def set_up(self) -> None:
        await super().set_up()
        self.store = Store(self.redis, "fs1", "daemon", 1000)
        await self.store.acquire_lease()

    async def queue(self, key: str = "q") -> object:
        return await self.call("LRANGE", key, 0, -1)

    async def claim(self, count: int, side: Side = Side.LEFT, key: str = "q") -> list[Claimed]:
        return await self.store.claim(key, side, count, task="t")


class ClaimFromListTests(StoreTestCase):
    """From either end of a list."""

    async def test_from_the_left(self) -> None:
        await self.call("RPUSH", "q", "a", "b", "c", "d")
        self.assertEqual(entries(await self.claim(3)), [b"a", b"b", b"c"])
        self.assertEqual(await self.queue(), [b"d"])

    async def test_from_the_right(self) -> None:
        await self.call("RPUSH", "q", "a", "b", "c", "d")
        self.assertEqual(entries(await self.claim(3, Side.RIGHT)), [b"d", b"c", b"b"])
        self.assertEqual(await self.queue(), [b"a"])

    async def test_all_there_is(self) -> None:
        for side in Side:
            await self.call("RPUSH", "q", "a", "b")
            self.assertEqual(len(await self.claim(9, side)), 2)
            self.assertEqual(await self.queue(), [])
            self.assertEqual(await self.claim(9, side), [])

    async def test_none(self) -> None:
        await self.call("RPUSH", "q", "a")
        self.assertEqual(await self.claim(0), [])
        self.assertEqual(await self.claim(-1), [])
        self.assertEqual(await self.queue(), [b"a"])

    async def test_an_empty_queue_is_looked_at_without_writing(self) -> None:
        before = await self.dirty()
        await self.claim(5)
        self.assertEqual(await self.dirty(), before)

    async def dirty(self) -> bytes:
        info = await self.call("INFO", "persistence")
        assert isinstance(info, bytes)
        return next(
            line for line in info.splitlines() if line.startswith(b"rdb_changes_since_last_save")
        )

    async def test_what_is_recorded(self) -> None:
        began = time.time()
        await self.call("RPUSH", "q", "a", "b")
        claimed = await self.claim(2, Side.RIGHT)
        recorded = await self.store.in_flight()
        self.assertEqual([one.claimed for one in recorded], claimed)
        first = recorded[0]
        self.assertEqual(
            (first.kind, first.key, first.side, first.task, first.dialing, first.score),
            (Kind.QUEUE, "q", Side.RIGHT, "t", None, None),
        )
        self.assertTrue(began <= first.taken_at <= time.time())

    async def test_any_names(self) -> None:
        key, task = 'q"\\\n队列{x}\0', "t\n\"'{}"
        await self.call("RPUSH", key, "a")
        await self.store.claim(key, Side.LEFT, 1, task=task)
        (entry,) = await self.store.in_flight()
        self.assertEqual((entry.key, entry.task), (key, task))
        self.assertEqual(await self.store.give_back([entry.id]), 1)
        self.assertEqual(await self.queue(key), [b"a"])

    async def test_any_bytes_survive(self) -> None:
        given = many_entries()
        await self.call("RPUSH", "q", *given)
        claimed = await self.claim(len(given))
        self.assertEqual(entries(claimed), given)
        self.assertEqual([one.entry for one in await self.store.in_flight()], given)
        await self.store.give_back(ids(claimed))
        self.assertEqual(await self.queue(), given)

    async def test_a_big_claim(self) -> None:
        numbers = [b"%011d" % number for number in range(10_000)]
        await self.call("RPUSH", "q", *numbers)
        claimed = await self.claim(10_000)
        self.assertEqual(entries(claimed), numbers)
        self.assertEqual(len(set(ids(claimed))), 10_000)
        self.assertEqual(await self.store.give_back(ids(claimed)), 10_000)
        self.assertEqual(await self.queue(), numbers)

    async def test_two_daemons_share_a_queue_and_take_each_number_once(self) -> None:
        other = Store(self.redis, "fs2", "other", 1000)
        await other.acquire_lease()
        await self.call("RPUSH", "q", *(str(number) for number in range(100)))
        claims = [
            store.claim("q", Side.LEFT, 3, task="t")
            for _ in range(20)
            for store in (self.store, other)
        ]
        taken = [entry for claim in claims for entry in entries(await claim)]
        self.assertEqual(taken, [b"%d" % number for number in range(100)])


class ClaimFromZsetTests(StoreTestCase):
    """Scheduled numbers."""

    async def test_what_is_due_the_earliest_first(self) -> None:
        await self.call("ZADD", "z", "30", "c", "10.25", "a", "20", "b", "-inf", "first")
        claimed = await self.store.claim_due("z", 9, 20.0)
        self.assertEqual(entries(claimed), [b"first", b"a", b"b"])
        self.assertEqual([one.score for one in claimed], [float("-inf"), 10.25, 20.0])
        self.assertEqual(await self.call("ZRANGE", "z", 0, -1), [b"c"])

    async def test_no_more_than_wanted(self) -> None:
        await self.call("ZADD", "z", 1, "a", 2, "b", 3, "c")
        self.assertEqual(entries(await self.store.claim_due("z", 2, 9.0)), [b"a", b"b"])
        self.assertEqual(await self.call("ZRANGE", "z", 0, -1), [b"c"])

    async def test_given_back_with_its_score(self) -> None:
        exact = 1_700_000_000.1234567
        await self.call("ZADD", "z", repr(exact), "a", "-inf", "b")
        claimed = await self.store.claim_due("z", 9, 2e9)
        (entry, *_) = await self.store.in_flight()
        self.assertEqual((entry.kind, entry.side, entry.task), (Kind.SCHEDULE, None, None))
        self.assertEqual(await self.store.give_back(ids(claimed)), 2)
        self.assertEqual(float(await self.score("a")), exact)
        self.assertEqual(await self.score("b"), b"-inf")
        self.assertEqual(await self.store.in_flight(), [])

    async def test_a_member_scheduled_anew_meanwhile_keeps_its_new_time(self) -> None:
        await self.call("ZADD", "z", 1, "a")
        claimed = await self.store.claim_due("z", 1, 9.0)
        await self.call("ZADD", "z", 77, "a")
        await self.store.give_back(ids(claimed))
        self.assertEqual(await self.score("a"), b"77")

    async def test_written_back_for_later(self) -> None:
        await self.call("ZADD", "z", 1, "a", 2, "b")
        claimed = await self.store.claim_due("z", 2, 9.0)
        written = [self.store.write_back(one.id, 60.5 + n) for n, one in enumerate(claimed)]
        self.assertEqual([await one for one in written], [True, True])
        self.assertEqual((await self.score("a"), await self.score("b")), (b"60.5", b"61.5"))
        self.assertEqual(await self.store.in_flight(), [])
        self.assertIs(await self.store.write_back(claimed[0].id, 99.0), False)
        self.assertEqual(await self.score("a"), b"60.5")

    async def score(self, member: str) -> bytes:
        score = await self.call("ZSCORE", "z", member)
        assert isinstance(score, bytes)
        return score


class GiveBackTests(StoreTestCase):
    """Back to where it was, in order."""

    async def test_in_order_at_either_end_whatever_the_order_of_the_ids(self) -> None:
        for side in Side:
            await self.call("DEL", "q")
            await self.call("RPUSH", "q", *"abcdefgh")
            claimed = await self.claim(2, side) + await self.claim(3, side)
            shuffled = ids(claimed)
            random.Random(7).shuffle(shuffled)
            self.assertEqual(await self.store.give_back(shuffled), 5)
            self.assertEqual(await self.queue(), [letter.encode() for letter in "abcdefgh"])

    async def test_a_part_goes_before_what_is_left_in_the_queue(self) -> None:
        await self.call("RPUSH", "q", *"abcde")
        first, second, third = await self.claim(3)
        await self.store.settle(second.id, b"{}")
        self.assertEqual(await self.store.give_back(ids([third, first, second])), 2)
        self.assertEqual(await self.queue(), [b"a", b"c", b"d", b"e"])

    async def test_several_origins_at_once(self) -> None:
        await self.call("RPUSH", "q", "a", "b")
        await self.call("RPUSH", "p", "c", "d")
        await self.call("ZADD", "z", 5, "e")
        claimed = await self.claim(2) + await self.claim(1, Side.RIGHT, "p")
        claimed += await self.store.claim_due("z", 1, 9.0)
        self.assertEqual(await self.store.give_back(ids(claimed)), 4)
        self.assertEqual(await self.queue("q"), [b"a", b"b"])
        self.assertEqual(await self.queue("p"), [b"c", b"d"])
        self.assertEqual(await self.call("ZRANGE", "z", 0, -1), [b"e"])

    async def test_twice_is_once(self) -> None:
        await self.call("RPUSH", "q", "a")
        claimed = await self.claim(1)
        self.assertEqual(await self.store.give_back(ids(claimed)), 1)
        self.assertEqual(await self.store.give_back(ids(claimed)), 0)
        self.assertEqual(await self.store.give_back(["nobody-1-0"]), 0)
        self.assertEqual(await self.store.give_back([]), 0)
        self.assertEqual(await self.queue(), [b"a"])

    async def test_what_an_earlier_daemon_left(self) -> None:
        await self.call("RPUSH", "q", *"abcd")
        await self.claim(1)
        await self.claim(2)
        await self.store.release_lease()
        heir = Store(self.redis, "fs1", "heir", 1000)
        await heir.acquire_lease()
        left = await heir.in_flight()
        self.assertEqual([one.entry for one in left], [b"a", b"b", b"c"])
        self.assertEqual(await heir.give_back([one.id for one in left]), 3)
        self.assertEqual(await self.queue(), [b"a", b"b", b"c", b"d"])

    async def test_to_a_key_of_another_type(self) -> None:
        await self.call("RPUSH", "q", "a")
        claimed = await self.claim(1)
        await self.call("SET", "q", "x")
        await self.error_of(self.store.give_back(ids(claimed)), NotReturned)
        self.assertEqual([one.claimed for one in await self.store.in_flight()], claimed)

    async def test_one_key_of_another_type_does_not_hold_up_the_others(self) -> None:
        for key in "pqr":
            await self.call("RPUSH", key, key)
        claimed = [one for key in "pqr" for one in await self.claim(1, key=key)]
        await self.call("SET", "q", "x")
        await self.error_of(self.store.give_back(ids(claimed)), NotReturned)
        self.assertEqual(await self.queue("p"), [b"p"])
        self.assertEqual(await self.queue("r"), [b"r"])
        self.assertEqual([one.claimed for one in await self.store.in_flight()], claimed[1:2])


class WrongTypeTests(StoreTestCase):
    """A key that holds something else is named, and nothing is changed."""

    async def assert_wrong(self, said: str) -> None:
        claims = [
            self.store.claim("q", Side.LEFT, 3, task="t"),
            self.store.claim("q", Side.RIGHT, 3, task="t"),
        ]
        for claim in claims:
            error = await self.error_of(claim, WrongType)
            self.assertEqual(str(error), said)

    async def test_a_queue_that_is_no_list(self) -> None:
        await self.call("SET", "q", "a")
        await self.assert_wrong("the key 'q' holds a string, but must hold a list")

    async def test_a_schedule_that_is_no_zset(self) -> None:
        await self.call("RPUSH", "z", "a")
        error = await self.error_of(self.store.claim_due("z", 1, 1.0), WrongType)
        self.assertEqual(str(error), "the key 'z' holds a list, but must hold a zset")

    async def test_in_flight_entries_that_are_no_hash(self) -> None:
        await self.call("RPUSH", "q", "a")
        await self.call("SET", IN_FLIGHT, "a")
        await self.assert_wrong(f"the key {IN_FLIGHT!r} holds a string, but must hold a hash")
        self.assertEqual(await self.queue(), [b"a"])


class LostAnswerTests(RedisTestCase):
    """The connection goes between a command and its answer."""

    async def set_up(self) -> None:
        await super().set_up()
        self.proxy = await start_proxy(self, self.url)
        self.link = link_to(self, self.proxy.url, deadline=2.0)
        self.store = Store(self.link, "fs1", "daemon", 1000)
        await self.link.when_up(60)
        await self.store.acquire_lease()
        await self.call("RPUSH", "q", *"abcdefgh")

    async def lose_a_claim(self, count: int, side: Side = Side.LEFT) -> None:
        self.proxy.lose_answers(1)
        claim = self.store.claim("q", side, count, task="t")
        error = await self.error_of(claim, StoreUnavailable)
        self.assertIs(error.may_have_been_executed, True)
        await self.link.when_up(60)

    async def test_the_next_claim_takes_the_same_numbers(self) -> None:
        for side, expected in ((Side.LEFT, [b"a", b"b"]), (Side.RIGHT, [b"h", b"g"])):
            await self.lose_a_claim(4, side)
            self.assertEqual(len(await self.store.in_flight()), 4)
            claimed = await self.store.claim("q", side, 2, task="t")
            self.assertEqual(entries(claimed), expected)
            self.assertEqual([one.claimed for one in await self.store.in_flight()], claimed)
            await self.store.give_back(ids(claimed))
        self.assertEqual(await self.call("LRANGE", "q", 0, -1), [b"%c" % c for c in b"abcdefgh"])

    async def test_the_renewal_of_the_lease_puts_them_back(self) -> None:
        await self.lose_a_claim(4)
        await self.store.renew_lease()
        self.assertEqual(await self.store.in_flight(), [])
        self.assertEqual(await self.call("LRANGE", "q", 0, 1), [b"a", b"b"])

    async def test_a_claim_that_cannot_be_undone_does_not_harm_the_lease(self) -> None:
        await self.lose_a_claim(8)
        await self.call("SET", "q", "x")
        self.assertIs(await self.store.renew_lease(), False)
        self.assertEqual(len(await self.store.in_flight()), 8)
        await self.call("DEL", "q")
        await self.store.acquire_lease()
        self.assertEqual(await self.store.in_flight(), [])
        self.assertEqual(await self.call("LLEN", "q"), 8)

    async def test_a_claim_that_was_cancelled(self) -> None:
        claim = self.store.claim("q", Side.LEFT, 3, task="t")
        claim.cancel()
        await self.error_of(claim, CancelledError)
        again = self.store.claim("q", Side.LEFT, 2, task="t")
        self.assertEqual(entries(await again), [b"a", b"b"])

    async def test_giving_back_keeps_the_order(self) -> None:
        earlier = await self.store.claim("q", Side.LEFT, 2, task="t")
        await self.lose_a_claim(2)
        await self.store.give_back(ids(earlier))
        self.assertEqual(await self.call("LRANGE", "q", 0, 4), [b"a", b"b", b"c", b"d", b"e"])

    async def test_a_claim_that_arrives_late_takes_nothing(self) -> None:
        await self.store.claim("none", Side.LEFT, 1, task="t")  # Redis knows the script
        self.proxy.hold_from(b"EVALSHA")
        error = await self.error_of(self.store.claim("q", Side.LEFT, 3, task="t"), StoreUnavailable)
        self.assertIs(error.may_have_been_executed, True)
        await self.link.when_up(60)
        await self.store.renew_lease()
        self.assertGreater(self.proxy.connections, 1)
        self.proxy.release()
        while self.proxy.connections > 1:  # until Redis has had it; the test's timeout ends this
            await deferLater(reactor, 0.005)
        self.assertEqual(await self.store.in_flight(), [])
        self.assertEqual(len(entries(await self.store.claim("q", Side.LEFT, 9, task="t"))), 8)

    async def test_a_claim_repeated_returns_the_same_and_takes_no_more(self) -> None:
        lease = self.store._lease
        start = header(Origin("q", Side.LEFT), "t")
        arguments = (1, 3, "left", "0", start, 65536, 1 << 20, 1024)
        first = await lease.run(CLAIM, (IN_FLIGHT, "q"), arguments)
        again = await lease.run(CLAIM, (IN_FLIGHT, "q"), arguments)
        self.assertEqual(first, again)
        self.assertEqual(await self.call("LLEN", "q"), 5)

    async def test_a_claim_that_was_never_sent(self) -> None:
        await self.link.stop()
        error = await self.error_of(self.store.claim("q", Side.LEFT, 3, task="t"), StoreUnavailable)
        self.assertIs(error.may_have_been_executed, False)
