"""Claiming from lists and zsets: order, atomicity, repetition."""

from __future__ import annotations

from ctidialer.contract.task import Side
from ctidialer.store.errors import WrongType
from ctidialer.store.store import Claimed, Store
from tests.support.redis import RedisTestCase


def entries(claimed: list[Claimed]) -> list[bytes]:
    return [one.entry for one in claimed]


class ClaimTests(RedisTestCase):
    """One list, one zset, one daemon."""

    async def set_up(self) -> None:
        await super().set_up()
        self.store = Store(self.redis, "fs1", "daemon", 1000)
        await self.store.acquire_lease()

    async def test_left(self) -> None:
        await self.call("RPUSH", "q", "a", "b", "c", "d")
        self.assertEqual(
            entries(await self.store.claim("q", Side.LEFT, 3, task="t")), [b"a", b"b", b"c"]
        )
        self.assertEqual(await self.call("LRANGE", "q", 0, -1), [b"d"])

    async def test_right(self) -> None:
        await self.call("RPUSH", "q", "a", "b", "c", "d")
        self.assertEqual(
            entries(await self.store.claim("q", Side.RIGHT, 3, task="t")), [b"d", b"c", b"b"]
        )
        self.assertEqual(await self.call("LRANGE", "q", 0, -1), [b"a"])

    async def test_wrong_type(self) -> None:
        await self.call("SET", "q", "a")
        error = await self.assertFailure(self.store.claim("q", Side.LEFT, 3, task="t"), WrongType)
        self.assertEqual(str(error), "the key 'q' holds a string, but must hold a list")
