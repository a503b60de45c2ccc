"""Due members: looked at without being taken, and taken by name."""

from __future__ import annotations

from ctidialer.contract import keys
from ctidialer.store.due import DueLook, DueQuestion
from ctidialer.store.errors import WrongType
from ctidialer.store.in_flight import Claimed
from ctidialer.store.store import Store
from tests.support.redis import RedisTestCase

IN_FLIGHT = keys.in_flight("fs1")
MAX_ENTRY = 1000
LONG = b"x" * (MAX_ENTRY + 1)


class DueCase(RedisTestCase):
    async def set_up(self) -> None:
        await super().set_up()
        self.store = Store(self.redis, "fs1", "daemon", 1000, max_entry=MAX_ENTRY)
        await self.store.acquire_lease()

    async def add(self, *members: bytes, score: float | str = 1) -> None:
        for member in members:
            await self.call("ZADD", "z", str(score), member)

    async def members(self) -> object:
        return await self.call("ZRANGE", "z", 0, -1)


class LookTests(DueCase):
    async def test_what_is_due_in_its_order(self) -> None:
        await self.add(b"", b"b", b"\0\xff")
        await self.add(b"first", score="-inf")
        await self.add(b"later", score=2.5)
        await self.add(b"never", score="inf")
        everything = ((b"first", 5), (b"", 0), (b"\0\xff", 2), (b"b", 1), (b"later", 5))
        for now, count in ((0, 1), (1, 4), (2.5, 5), (1e12, 5)):
            found = await self.store.look_at_due("z", DueQuestion(0, 99, now))
            self.assertEqual(found, DueLook(True, True, everything[:count]))
        found = await self.store.look_at_due("z", DueQuestion(1, 2, 1))
        self.assertEqual(found, DueLook(True, False, everything[1:3]))
        self.assertEqual((await self.store.look_at_due("z", DueQuestion(9, 2, 1))).members, ())
        self.assertEqual(await self.call("ZCARD", "z"), 6)

    async def test_many(self) -> None:
        for first in range(0, 5000, 1000):
            pairs = [part for at in range(first, first + 1000) for part in (at, b"%06d" % at)]
            await self.call("ZADD", "z", *pairs)
        found = await self.store.look_at_due("z", DueQuestion(100, 700, 4000))
        self.assertEqual(found.members, tuple((b"%06d" % at, 6) for at in range(100, 800)))
        found = await self.store.look_at_due("z", DueQuestion(3900, 700, 4000))
        self.assertEqual((len(found.members), found.is_end), (101, True))

    async def test_the_witness(self) -> None:
        await self.add(b"a", b"b", LONG)
        for place, member, is_there in (
            (0, b"a", True),
            (1, b"a", False),
            (1, b"b", True),
            (2, b"", True),
            (3, b"", False),
        ):
            found = await self.store.look_at_due("z", DueQuestion(0, 0, 9, (place, member)))
            self.assertIs(found.is_as_known, is_there, (place, member))

    async def test_one_that_is_too_long_is_not_sent(self) -> None:
        await self.add(b"a", LONG)
        found = await self.store.look_at_due("z", DueQuestion(0, 9, 9))
        self.assertEqual(found.members, ((b"a", 1), (b"", len(LONG))))

    async def test_no_more_than_a_claim_may_take(self) -> None:
        for at in range(6):
            await self.add(b"%d" % at + b"x" * 400_000)
        found = await self.store.look_at_due("z", DueQuestion(0, 9, 9))
        self.assertEqual((len(found.members), found.is_end), (2, False))

    async def test_a_key_of_another_type(self) -> None:
        await self.call("RPUSH", "z", "a")
        await self.assertFailure(self.store.look_at_due("z", DueQuestion(0, 9, 9)), WrongType)


class ClaimMembersTests(DueCase):
    async def claim(self, *members: bytes, now: float = 1) -> list[Claimed]:
        return await self.store.claim_members("z", [(one, None) for one in members], now)

    async def test_these_and_no_others(self) -> None:
        await self.add(b"a", b"b", b"", b"d", score=1)
        found = await self.claim(b"d", b"", b"gone")
        self.assertEqual([(one.entry, one.score) for one in found], [(b"d", 1), (b"", 1)])
        self.assertEqual(await self.members(), [b"a", b"b"])
        self.assertEqual(await self.call("HLEN", IN_FLIGHT), 2)

    async def test_one_that_is_no_longer_due_stays(self) -> None:
        await self.add(b"a", score=5)
        self.assertEqual(await self.claim(b"a", now=4.5), [])
        self.assertEqual(await self.members(), [b"a"])

    async def test_they_go_back_with_their_times(self) -> None:
        await self.add(b"a", score=0.25)
        (one,) = await self.claim(b"a")
        self.assertEqual(await self.store.give_back([one.id]), 1)
        self.assertEqual(await self.call("ZSCORE", "z", "a"), b"0.25")

    async def test_long_ones_by_their_places(self) -> None:
        await self.add(b"a", LONG, LONG + b"y")
        found = await self.store.claim_members("z", [(b"", 0), (b"", 1), (b"", 2), (b"", 9)], 1)
        self.assertEqual([one.length for one in found], [len(LONG), len(LONG) + 1])
        self.assertEqual(await self.members(), [b"a"])

    async def test_a_claim_that_is_repeated_takes_nothing_more(self) -> None:
        await self.add(b"a", b"b")
        (one,) = await self.claim(b"a")
        self.store._taking._claims -= 1
        self.assertEqual(await self.claim(b"b"), [one])
        self.assertEqual(await self.members(), [b"b"])
