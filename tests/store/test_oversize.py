"""Entries that are too long to be called: never whole in this process, and never lost."""

from __future__ import annotations

import re
from hashlib import sha256

from twisted.internet.defer import gatherResults

from ctidialer.contract.task import Side
from ctidialer.store import taking
from ctidialer.store.batch import MAX_BYTES
from ctidialer.store.errors import NotAllowed
from ctidialer.store.in_flight import Dialing
from ctidialer.store.oversize import MAX_CLAIM_BYTES, MAX_ENTRY, MAX_KEPT_BYTES, SLICE_BYTES
from ctidialer.store.store import Store
from tests.store.rights_case import RightsCase
from tests.store.test_claim import IN_FLIGHT, StoreTestCase, entries, ids
from tests.store.test_settle import RecordsTestCase

LONG = bytes(range(256)) * 1024 * 3
"""786,432 bytes, among them line breaks and what is no UTF-8: three slices."""


class OversizeCase(RecordsTestCase):
    def key_of(self, entry_id: str) -> str:
        return f"{IN_FLIGHT}:{entry_id}"

    async def sent(self) -> int:
        """Return the bytes that Redis has sent to anybody."""
        info = await self.call("INFO", "stats")
        assert isinstance(info, bytes)
        (found,) = re.findall(rb"total_net_output_bytes:(\d+)", info)
        return int(found)


class ClaimTests(OversizeCase):
    async def test_the_beginning_the_length_and_the_digest(self) -> None:
        for side in Side:
            await self.call("RPUSH", "q", LONG)
            before = await self.sent()
            (one,) = await self.claim(1, side)
            self.assertLess(await self.sent() - before, 10_000)
            self.assertEqual((one.entry, one.length), (LONG[:MAX_KEPT_BYTES], len(LONG)))
            self.assertEqual(await self.store.digest(one), sha256(LONG).hexdigest())
            self.assertIs(await self.store.settle(one.id, b"{}", is_apart=True), True)
            self.assertEqual(await self.call("GET", self.key_of(one.id)) or b"", b"")

    async def test_the_longest_that_is_called(self) -> None:
        await self.call("RPUSH", "q", b"x" * MAX_ENTRY, b"x" * (MAX_ENTRY + 1))
        fits, too_long = await self.claim(2)
        self.assertEqual((len(fits.entry), fits.length), (MAX_ENTRY, None))
        self.assertEqual((len(too_long.entry), too_long.length), (MAX_KEPT_BYTES, MAX_ENTRY + 1))

    async def test_scheduled_ones(self) -> None:
        await self.call("ZADD", "z", "1.5", LONG, "2", "b")
        long, short = await self.store.claim_due("z", 5, 10.0)
        self.assertEqual((long.length, long.score, short.entry), (len(LONG), 1.5, b"b"))
        self.assertEqual(await self.store.digest(long), sha256(LONG).hexdigest())
        self.assertEqual(await self.store.give_back([long.id]), 1)
        self.assertEqual(await self.call("ZSCORE", "z", LONG), b"1.5")

    async def test_one_reply_is_bounded_by_bytes(self) -> None:
        """Those of the longest size that is called, and those above it."""
        for size, most in ((MAX_ENTRY, MAX_CLAIM_BYTES // MAX_ENTRY), (MAX_CLAIM_BYTES, 1)):
            await self.call("DEL", "q")
            for _ in range(40):
                await self.call("RPUSH", "q", b"\xff" * size)
            before = await self.sent()
            claimed = await self.claim(40)
            self.assertEqual(len(claimed), most)
            self.assertLess(await self.sent() - before, MAX_CLAIM_BYTES + MAX_ENTRY)
            self.assertEqual(await self.call("LLEN", "q"), 40 - most)

    async def test_behind_a_huge_one_nothing_is_looked_at(self) -> None:
        """Each look copies what it looks at, and keeps Redis for as long."""
        for _ in range(3):
            await self.call("RPUSH", "q", b"x" * (MAX_CLAIM_BYTES + 1))
        await self.call("CONFIG", "RESETSTAT")
        self.assertEqual(len(await self.claim(40)), 1)
        info = await self.call("INFO", "commandstats")
        assert isinstance(info, bytes)
        self.assertIn(b"cmdstat_lrange:calls=1,", info)

    async def test_order_and_number_are_as_ever(self) -> None:
        wanted = [b"%d" % number if number % 7 else LONG[:70_000] for number in range(150)]
        for side in Side:
            await self.call("RPUSH", "q", *wanted)
            got: list[bytes] = []
            while claimed := await self.claim(100, side):
                got += [one.entry for one in claimed]
            order = wanted if side is Side.LEFT else wanted[::-1]
            self.assertEqual(got, [entry[:MAX_KEPT_BYTES] for entry in order])

    async def test_one_is_read_at_a_time_and_in_slices(self) -> None:
        await self.call("RPUSH", "q", LONG)
        await self.call("RPUSH", "q", LONG[::-1])
        (one,), (two,) = await self.claim(1), await self.claim(1)
        held: list[int] = []
        call = self.redis.call

        def counting(*command: object) -> object:
            if command[0] == "GETRANGE":
                held.append(int(str(command[3])) - int(str(command[2])) + 1)
            return call(*command)  # type: ignore[arg-type]  # what it was given is passed on

        self.patch(self.redis, "call", counting)
        digests = await gatherResults([self.store.digest(one), self.store.digest(two)])
        self.assertEqual(digests, [sha256(LONG).hexdigest(), sha256(LONG[::-1]).hexdigest()])
        self.assertEqual(held, [SLICE_BYTES] * 6)

    async def test_the_rest_of_it_is_gone(self) -> None:
        await self.call("RPUSH", "q", LONG)
        (one,) = await self.claim(1)
        await self.call("DEL", self.key_of(one.id))
        self.assertIsNone(await self.store.digest(one))
        self.assertIs(await self.store.settle(one.id, b"{}", is_apart=True), True)


class ReturnTests(OversizeCase):
    async def test_it_goes_back_whole(self) -> None:
        for side in Side:
            await self.call("RPUSH", "q", "a", LONG, "b")
            claimed = await self.claim(3, side)
            if len(claimed) < 3:
                claimed += await self.claim(3, side)
            self.assertEqual(await self.store.give_back(ids(claimed)), 3)
            self.assertEqual(await self.queue(), [b"a", LONG, b"b"])
            await self.call("DEL", "q")
            left = [await self.call("GET", self.key_of(one)) or b"" for one in ids(claimed)]
            self.assertEqual(left, [b""] * 3)

    async def test_after_a_daemon_was_killed(self) -> None:
        await self.call("RPUSH", "q", LONG)
        (one,) = await self.claim(1)
        await self.store.release_lease()
        heir = Store(self.redis, "fs1", "heir", 1000)
        await heir.acquire_lease()
        before = await self.sent()
        (left,) = await heir.in_flight()
        self.assertLess(await self.sent() - before, 10_000)
        self.assertEqual(left.claimed, one)
        self.assertIsNone(left.dialing)
        self.assertEqual(await heir.give_back([left.id]), 1)
        self.assertEqual(await self.queue(), [LONG])

    async def test_a_claim_whose_answer_was_lost(self) -> None:
        await self.call("RPUSH", "q", LONG, "b")
        claim = self.store.claim("q", Side.LEFT, 1, task="t")
        claim.addErrback(lambda _: None)
        claim.cancel()
        await self.store.renew_lease()
        self.assertEqual(await self.queue(), [LONG, b"b"])


class BatchTests(OversizeCase):
    async def test_records_are_sent_in_batches_of_bytes(self) -> None:
        await self.call("RPUSH", "q", *(str(number) for number in range(20)))
        claimed = await self.claim(20)
        before = await self.script_calls()
        record = b"x" * (MAX_BYTES // 4)
        settled = [self.store.settle(one.id, record) for one in claimed]
        self.assertEqual(await gatherResults(settled), [True] * 20)
        self.assertEqual(len(await self.records()), 20)
        batches = await self.script_calls() - before
        self.assertTrue(5 <= batches <= 6, batches)

    async def test_one_that_is_larger_than_a_batch_goes_alone(self) -> None:
        await self.call("RPUSH", "q", "a", "b")
        claimed = await self.claim(2)
        records = [b"x" * (2 * MAX_BYTES), b"y"]
        settled = [
            self.store.settle(one.id, record) for one, record in zip(claimed, records, strict=True)
        ]
        self.assertEqual(await gatherResults(settled), [True, True])
        self.assertEqual(await self.records(), records)


class OlderTests(StoreTestCase):
    async def test_the_version_before_leaves_it_where_it_is(self) -> None:
        """It reads version 1 only; the value says 2."""
        await self.call("RPUSH", "q", LONG)
        (one,) = await self.claim(1)
        value = await self.call("HGET", IN_FLIGHT, one.id)
        assert isinstance(value, bytes)
        self.assertTrue(value.startswith(b'{"v":2,'), value[:40])

    async def test_entries_of_the_version_before_are_read(self) -> None:
        value = (
            b'{"v": 1, "kind": "queue", "key": "q", "side": "left", "task": "t",'
            b'"taken_at":1700000000.25}\n'
            b'{"uuid":"u","line":null,"group":"g","attempt":1,"progress":""}\n' + LONG
        )
        await self.call("HSET", IN_FLIGHT, "old-1-0", value)
        (entry,) = await self.store.in_flight()
        self.assertEqual((entry.entry, entry.length), (LONG, None))
        self.assertEqual(entry.dialing, Dialing("u", None, "g", 1))
        self.assertEqual(await self.store.give_back(["old-1-0"]), 1)
        self.assertEqual(await self.queue(), [LONG])


def _evals(info: object) -> list[bytes]:
    assert isinstance(info, bytes)
    return re.findall(rb"cmdstat_evalsha:calls=(\d+)", info)


class NotAllowedTests(RightsCase):
    """The user's rights are those of the version before: no key for long entries."""

    async def test_what_stands_before_it_is_taken(self) -> None:
        self.patch(taking, "LONG_INTERVAL", 5.0)
        await self.store.acquire_lease()
        await self.call("RPUSH", "q", "a", "b", LONG, "c")
        await self.rights("-set" if not self.asks else "resetkeys")
        if self.asks:
            await self.rights("~q", "~cti_dialer_lease@fs1", f"~{IN_FLIGHT}")
        claimed = await self.store.claim("q", Side.LEFT, 9, task="t")
        self.assertEqual(entries(claimed), [b"a", b"b"])
        error = await self.error_of(self.store.claim("q", Side.LEFT, 9, task="t"), NotAllowed)
        self.assertEqual((error.command, error.name), ("SET", f"{IN_FLIGHT}:*"))
        self.assertEqual(await self.call("LLEN", "q"), 2)
        await self.rights("+@all", "allkeys")
        # Until then it is left alone: each look would read the long entry.
        before = await self.call("INFO", "commandstats")
        await self.error_of(self.store.claim("q", Side.LEFT, 9, task="t"), NotAllowed)
        self.assertEqual(_evals(before), _evals(await self.call("INFO", "commandstats")))
        self.patch(taking, "LONG_INTERVAL", 0.0)
        self.assertEqual(len(await self.store.claim("q", Side.LEFT, 9, task="t")), 2)


class TriedNotAllowedTests(NotAllowedTests):
    can_ask = False
