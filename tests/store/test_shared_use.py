"""How many calls are counted over hosts, and whose they are."""

from __future__ import annotations

from ctidialer.contract import keys
from ctidialer.contract.counted import Counted
from ctidialer.contract.shared_use import Holder
from ctidialer.store import shared_use
from ctidialer.store.shared_use import Use, read_use
from tests.store.test_places import KEY, TRUNK, PlacesTestCase

MANY = Counted(KEY, 9, 0.5)


class SharedUseTests(PlacesTestCase):
    async def test_whose_they_are(self) -> None:
        await self.take(0, "a", MANY)
        await self.call("ZADD", KEY, "1", "fs2\tb", "2", "fs2\tc")
        use = await read_use(self.redis, [KEY, TRUNK])
        self.assertEqual(
            use, {KEY: Use(3, (Holder("fs2", 2), Holder("fs1", 1))), TRUNK: Use(0, ())}
        )

    async def test_a_host_that_is_gone(self) -> None:
        await self.call("ZADD", KEY, "1", "fs3\ta", "1", "fs4\tb")
        await self.call("ZADD", keys.HOSTS, "1000.5", "fs3")
        use = await read_use(self.redis, [KEY])
        self.assertEqual(use[KEY].holders, (Holder("fs3", 1, 1000.5), Holder("fs4", 1)))

    async def test_who_only_waits_has_none(self) -> None:
        one = Counted(KEY, 1, 5.0)
        await self.take(0, "a", one)
        self.assertFalse(await self.take(1, "b", one))
        self.assertEqual(await read_use(self.redis, [KEY]), {KEY: Use(1, (Holder("fs1", 1),))})

    async def test_another_type_harms_nothing_else(self) -> None:
        await self.call("SET", TRUNK, "x")
        await self.take(0, "a")
        self.assertEqual(
            await read_use(self.redis, [TRUNK, KEY]), {KEY: Use(1, (Holder("fs1", 1),))}
        )

    async def test_of_very_many_only_the_sum(self) -> None:
        self.patch(shared_use, "MAX_CALLS", 3)
        await self.call("ZADD", KEY, *(part for one in range(3) for part in ("1", f"fs1\t{one}")))
        await self.call("ZADD", TRUNK, "1", "fs1\ta")
        use = await read_use(self.redis, [KEY, TRUNK])
        self.assertEqual(use, {KEY: Use(3, (Holder("fs1", 3),)), TRUNK: Use(1, ())})
