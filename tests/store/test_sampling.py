"""Entries from anywhere in a queue, read and not taken."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.task import Side
from ctidialer.store.errors import WrongType
from ctidialer.store.sampling import READ_AT_ONCE, sampled_entries, spread
from tests.support.redis import RedisTestCase


class SpreadTests(SynchronousTestCase):
    @given(st.integers(0, 10_000), st.integers(0, 300))
    def test_evenly_and_each_place_once(self, length: int, many: int) -> None:
        places = spread(length, many)
        self.assertEqual(len(places), min(length, many))
        self.assertEqual(places, sorted(set(places)))
        self.assertTrue(all(0 <= place < length for place in places))
        if places:
            self.assertLess(length - places[-1], 2 * length / len(places) + 1)
        self.assertEqual(places, spread(length, many))

    def test_what_repeats_itself_is_met_as_often_as_it_comes(self) -> None:
        tenths = [place % 10 for place in spread(1_000_000, 2000)]
        self.assertApproximates(tenths.count(0), 200, 60)


class SampledTests(RedisTestCase):
    async def test_from_both_ends_and_nothing_is_taken(self) -> None:
        await self.call("RPUSH", "q", *map(str, range(1000)))
        places = spread(1000, READ_AT_ONCE + 30)
        first = await sampled_entries(self.redis, "q", Side.LEFT, places, 100)
        self.assertEqual(first, [str(place).encode() for place in places])
        last = await sampled_entries(self.redis, "q", Side.RIGHT, places, 100)
        self.assertEqual(last, [str(999 - place).encode() for place in places])
        self.assertEqual(await self.call("LLEN", "q"), 1000)

    async def test_what_is_too_long_is_not_read(self) -> None:
        await self.call("RPUSH", "q", "1", "2" * 101, "3" * 100)
        found = await sampled_entries(self.redis, "q", Side.LEFT, [0, 1, 2], 100)
        self.assertEqual(found, [b"1", None, b"3" * 100])

    async def test_a_list_that_has_become_shorter(self) -> None:
        await self.call("RPUSH", "q", "1")
        self.assertEqual(await sampled_entries(self.redis, "q", Side.LEFT, [0, 5], 9), [b"1"])
        self.assertEqual(await sampled_entries(self.redis, "none", Side.LEFT, [0], 9), [])

    async def test_what_is_no_list(self) -> None:
        await self.call("SET", "q", "x")
        asking = sampled_entries(self.redis, "q", Side.LEFT, [0], 9)
        error = await self.error_of(Deferred.fromCoroutine(asking), WrongType)
        self.assertIn("must hold a list", str(error))
