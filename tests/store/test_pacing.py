"""What a task has learnt outlives its daemon, and one host at a time paces."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from ctidialer.contract import keys
from ctidialer.store.errors import LeaseLost, StoreError
from ctidialer.store.pacing import PACER, Kept
from ctidialer.store.store import Store
from tests.store.test_settle import RecordsTestCase

KEY = keys.pacing("template", "催收")


def without_seen(kept: Kept) -> dict[str, bytes]:
    """Return the fields without the times at which hosts wrote."""
    return {name: value for name, value in kept.fields.items() if not name.startswith("seen:")}


class PacingStoreTests(RecordsTestCase):
    async def set_up(self) -> None:
        await super().set_up()
        self.one = self.store.pacing
        other = Store(self.redis, "fs2", "another", 10)
        await other.acquire_lease()
        self.other = other.pacing

    def refused(self) -> Deferred[Kept]:
        return Deferred.fromCoroutine(self.one.exchange("template", "催收", {"a": b"1"}))

    async def test_fields_are_written_and_those_of_all_hosts_read(self) -> None:
        await self.one.exchange("template", "催收", {"learnt": b"\x00\xff", "ledger:fs1": b"1"})
        kept = await self.other.exchange("template", "催收", {"ledger:fs2": b"2"})
        self.assertEqual(
            without_seen(kept), {"learnt": b"\x00\xff", "ledger:fs1": b"1", "ledger:fs2": b"2"}
        )
        self.assertGreater(kept.at, 1_700_000_000)

    async def test_an_empty_value_removes_a_field(self) -> None:
        await self.one.exchange("template", "催收", {"a": b"1", "b": b"2"})
        kept = await self.one.exchange("template", "催收", {"a": b""})
        self.assertEqual(without_seen(kept), {"b": b"2"})

    async def test_who_wrote_a_moment_ago_is_alive(self) -> None:
        await self.one.exchange("template", "催收", {"a": b"1"})
        kept = await self.other.exchange("template", "催收", {})
        self.assertTrue(kept.is_alive("fs1"))
        self.assertFalse(kept.is_alive("fs2"))
        await self.call("HSET", KEY, "seen:fs1", f"{kept.at - 10}")
        kept = await self.other.exchange("template", "催收", {})
        self.assertFalse(kept.is_alive("fs1"))

    async def test_twice_is_once(self) -> None:
        for _ in range(2):
            kept = await self.one.exchange("template", "催收", {"a": b"1"}, paces_for=3.0)
        self.assertEqual(kept.fields["a"], b"1")
        self.assertTrue(kept.is_pacer("fs1"))

    async def test_who_asks_first_paces(self) -> None:
        first = await self.one.exchange("template", "催收", {}, paces_for=30.0)
        second = await self.other.exchange("template", "催收", {}, paces_for=30.0)
        self.assertTrue(first.is_pacer("fs1"))
        self.assertTrue(second.is_pacer("fs1"))
        self.assertFalse(second.is_pacer("fs2"))

    async def test_who_asks_no_more_leaves_it_to_others(self) -> None:
        await self.one.exchange("template", "催收", {}, paces_for=30.0)
        await self.one.exchange("template", "催收", {})
        kept = await self.other.exchange("template", "催收", {}, paces_for=30.0)
        self.assertTrue(kept.is_pacer("fs2"))

    async def test_who_is_dead_paces_no_more(self) -> None:
        await self.call("HSET", KEY, PACER, "fs9", "pacer_until", "1700000000.5")
        kept = await self.one.exchange("template", "催收", {}, paces_for=30.0)
        self.assertTrue(kept.is_pacer("fs1"))

    async def test_it_goes_by_itself_when_nobody_dials_the_task_any_more(self) -> None:
        await self.one.exchange("template", "催收", {"a": b"1"})
        left = await self.call("PTTL", KEY)
        assert isinstance(left, int)
        self.assertGreater(left, 89 * 86_400_000)

    async def test_a_daemon_without_its_lease_writes_nothing(self) -> None:
        await self.call("DEL", keys.lease("fs1"))
        await self.error_of(self.refused(), LeaseLost)
        self.assertEqual(await self.call("EXISTS", KEY), 0)

    async def test_a_key_of_another_type_stays_as_it_is(self) -> None:
        await self.call("SET", KEY, "mine")
        error = await self.error_of(self.refused(), StoreError)
        self.assertIn("string", str(error))
        self.assertEqual(await self.call("GET", KEY), b"mine")
