"""Noting calls, settling numbers, publishing the status."""

from __future__ import annotations

import re

from twisted.internet.defer import gatherResults

from ctidialer.contract import keys
from ctidialer.contract.record import Kind
from ctidialer.contract.task import Side
from ctidialer.store.changes import _ChangeConnection
from ctidialer.store.connection import ANSWER_TIMEOUT
from ctidialer.store.endpoint import Dialup
from ctidialer.store.errors import NotInFlight, StoreUnavailable, WrongType
from ctidialer.store.in_flight import Dialing
from ctidialer.store.store import Store
from tests.store.test_claim import IN_FLIGHT, StoreTestCase, entries, ids
from tests.support.proxy import start_proxy
from tests.support.redis import link_to

STREAM = keys.records("fs1")


class RecordsTestCase(StoreTestCase):
    """One daemon, and what stands in the stream of records."""

    async def records(self) -> list[bytes]:
        stream = await self.call("XRANGE", STREAM, "-", "+")
        assert isinstance(stream, list)
        return [fields[1] for _, fields in stream]  # type: ignore[misc,index]

    async def script_calls(self) -> int:
        info = await self.call("INFO", "commandstats")
        assert isinstance(info, bytes)
        return sum(int(n) for n in re.findall(rb"cmdstat_eval(?:sha)?:calls=(\d+)", info))


class SettleTests(RecordsTestCase):
    """One record for one number, exactly once."""

    async def test_exactly_once(self) -> None:
        await self.call("RPUSH", "q", "a", "b")
        (first, _) = claimed = await self.claim(2)
        record = b'{"entry":"\xff\0\n"}'
        self.assertIs(await self.store.settle(first.id, record), True)
        self.assertIs(await self.store.settle(first.id, b"{}"), False)
        self.assertIs(await self.store.settle("nobody-1-0", b"{}"), False)
        self.assertEqual(await self.records(), [record])
        self.assertEqual([one.claimed for one in await self.store.in_flight()], claimed[1:])
        self.assertEqual(await self.store.give_back(ids(claimed)), 1)

    async def test_twice_in_one_turn_is_once(self) -> None:
        await self.call("RPUSH", "q", "a")
        (one,) = await self.claim(1)
        both = [self.store.settle(one.id, b"1"), self.store.settle(one.id, b"2")]
        self.assertEqual(await gatherResults(both), [True, False])
        self.assertEqual(await self.records(), [b"1"])

    async def test_what_is_settled_together_is_sent_together(self) -> None:
        await self.call("RPUSH", "q", *(str(number) for number in range(400)))
        claimed = await self.claim(400)
        before = await self.script_calls()
        settled = [self.store.settle(one.id, one.entry) for one in claimed]
        self.assertEqual(await gatherResults(settled), [True] * 400)
        self.assertLessEqual(await self.script_calls() - before, 2)  # EVALSHA, perhaps EVAL
        self.assertEqual(await self.records(), entries(claimed))

    async def test_what_comes_while_a_batch_is_under_way_goes_with_the_next(self) -> None:
        await self.call("RPUSH", "q", *"abc")
        (a, b, c) = await self.claim(3)
        first = self.store.settle(a.id, b"a")
        later = []
        first.addCallback(
            lambda _: later.extend([self.store.settle(b.id, b"b"), self.store.settle(c.id, b"c")])
        )
        await first
        self.assertEqual(await gatherResults(later), [True, True])
        self.assertEqual(await self.records(), [b"a", b"b", b"c"])

    async def test_the_list_too(self) -> None:
        store = Store(self.redis, "fs1", "daemon", 1000, "cdr", "")
        await self.store.release_lease()
        await store.acquire_lease()
        await self.call("RPUSH", "q", "a", "b")
        for one in await store.claim("q", Side.LEFT, 2, task="t"):
            await store.settle(one.id, one.entry)
        self.assertEqual(await self.call("LRANGE", "cdr", 0, -1), [b"a", b"b"])
        self.assertEqual(await self.records(), [b"a", b"b"])

    async def test_the_channel_too(self) -> None:
        heard: list[bytes] = []
        clock = self.redis.clock
        listener = _ChangeConnection(clock, ANSWER_TIMEOUT, heard.append)
        await Dialup(clock, clock, self.redis.address).open(listener)
        await listener.request("SUBSCRIBE", "cdr")
        store = Store(self.redis, "fs2", "daemon", 1000, "", "cdr")
        await store.acquire_lease()
        await self.call("RPUSH", "q", "a")
        (one,) = await store.claim("q", Side.LEFT, 1, task="t")
        await store.settle(one.id, b"record")
        await listener.request("PING")
        self.assertEqual(heard, [b"record"])
        listener.abort("heard")
        await listener.lost

    async def test_the_stream_is_trimmed(self) -> None:
        store = Store(self.redis, "fs2", "daemon", 200)
        await store.acquire_lease()
        await self.call("RPUSH", "q", *(str(number) for number in range(1000)))
        claimed = await store.claim("q", Side.LEFT, 1000, task="t")
        await gatherResults([store.settle(one.id, one.entry) for one in claimed])
        length = await self.call("XLEN", keys.records("fs2"))
        assert isinstance(length, int)
        self.assertTrue(200 <= length < 400, length)

    async def test_keys_of_another_type_are_named_and_nothing_is_written(self) -> None:
        store = Store(self.redis, "fs2", "daemon", 1000, "cdr", "")
        await store.acquire_lease()
        await self.call("RPUSH", "q", "a")
        (one,) = await store.claim("q", Side.LEFT, 1, task="t")
        for key, wanted in (("cdr", "list"), (keys.records("fs2"), "stream")):
            await self.call("SET", key, "x")
            error = await self.error_of(store.settle(one.id, b"{}"), WrongType)
            self.assertIn(f"{key!r} holds a string, but must hold a {wanted}", str(error))
            self.assertEqual(len(await store.in_flight()), 1)
            await self.call("DEL", key)
        self.assertIs(await store.settle(one.id, b"{}"), True)

    async def test_the_answer_was_lost(self) -> None:
        proxy = await start_proxy(self, self.url)
        link = link_to(self, proxy.url)
        await link.when_up(60)
        store = Store(link, "fs2", "daemon", 1000)
        await store.acquire_lease()
        await self.call("RPUSH", "q", "a")
        (one,) = await store.claim("q", Side.LEFT, 1, task="t")
        self.assertIs(await store.settle("nobody-1-0", b"{}"), False)  # Redis knows the script
        proxy.lose_answers(1)
        error = await self.error_of(store.settle(one.id, b"{}"), StoreUnavailable)
        self.assertIs(error.may_have_been_executed, True)
        await link.when_up(60)
        self.assertIs(await store.settle(one.id, b"{}"), False)
        self.assertEqual(await self.call("XLEN", keys.records("fs2")), 1)


class NoteTests(RecordsTestCase):
    """Which call is about to be placed."""

    async def test_what_is_noted_is_read_again(self) -> None:
        await self.call("RPUSH", "q", b"a\n\n\0\xff")
        (one,) = await self.claim(1)
        for attempt, line in ((1, "gw \n线"), (2, None)):
            dialing = Dialing(f"uuid-{attempt}", line, 'g"', attempt, b"\0\n\xff" * attempt)
            await self.store.note_dialing(one.id, dialing)
            (entry,) = await self.store.in_flight()
            self.assertEqual(entry.dialing, dialing)
            self.assertEqual(entry.claimed, one)
        await self.store.give_back([one.id])
        self.assertEqual(await self.queue(), [b"a\n\n\0\xff"])

    async def test_one_that_is_not_in_flight(self) -> None:
        await self.call("RPUSH", "q", "a", "b")
        (a, b) = await self.claim(2)
        await self.store.settle(a.id, b"{}")
        dialing = Dialing("u", None, "g", 1)
        notes = [self.store.note_dialing(one.id, dialing) for one in (a, b)]
        error = await self.error_of(notes[0], NotInFlight)
        self.assertEqual(error.entry_id, a.id)
        await notes[1]
        (entry,) = await self.store.in_flight()
        self.assertEqual((entry.id, entry.dialing), (b.id, dialing))

    async def test_what_is_noted_together_is_sent_together(self) -> None:
        await self.call("RPUSH", "q", *(str(number) for number in range(50)))
        claimed = await self.claim(50)
        before = await self.script_calls()
        await gatherResults(
            [self.store.note_dialing(one.id, Dialing(one.id, None, "g", 1)) for one in claimed]
        )
        self.assertLessEqual(await self.script_calls() - before, 2)
        noted = [entry.dialing for entry in await self.store.in_flight()]
        self.assertEqual([one and one.uuid for one in noted], ids(claimed))

    async def test_the_link_is_away(self) -> None:
        await self.redis.stop()
        error = await self.error_of(
            self.store.note_dialing("x-1-0", Dialing("u", None, "g", 1)), StoreUnavailable
        )
        self.assertIs(error.may_have_been_executed, False)
        error = await self.error_of(self.store.settle("x-1-0", b"{}"), StoreUnavailable)
        self.assertIs(error.may_have_been_executed, False)


class ScriptFlushTests(RecordsTestCase):
    """Redis has forgotten the scripts (a restart, SCRIPT FLUSH)."""

    async def test_everything_goes_on(self) -> None:
        await self.call("RPUSH", "q", *"abc")
        for _ in range(2):
            await self.call("SCRIPT", "FLUSH")
            (one,) = await self.claim(1)
            await self.call("SCRIPT", "FLUSH")
            await self.store.note_dialing(one.id, Dialing("u", None, "g", 1))
            await self.call("SCRIPT", "FLUSH")
            self.assertIs(await self.store.settle(one.id, one.entry), True)
            await self.call("SCRIPT", "FLUSH")
            await self.store.renew_lease()
        self.assertEqual(await self.records(), [b"a", b"b"])
        self.assertEqual(await self.queue(), [b"c"])


class ReadTests(RecordsTestCase):
    """Tables, lengths, the status."""

    async def test_a_table(self) -> None:
        await self.call("HSET", "t", "a", b"\xff\0", "0755", "12", b"\xe9", "x")
        self.assertEqual(
            await self.store.read_table("t"), {"a": b"\xff\0", "0755": b"12", "\\xe9": b"x"}
        )
        self.assertEqual(await self.store.read_table("none"), {})
        self.assertEqual(await self.store.read_field("t", "0755"), b"12")
        self.assertIsNone(await self.store.read_field("t", "none"))

    async def test_a_table_that_is_none(self) -> None:
        await self.call("SET", "t", "a")
        for read in (self.store.read_table("t"), self.store.read_field("t", "a")):
            error = await self.error_of(read, WrongType)
            self.assertIn("'t' holds a value of another type, but must hold a hash", str(error))

    async def test_lengths(self) -> None:
        await self.call("RPUSH", "q", "a", "b")
        await self.call("ZADD", "z", 1, "a")
        await self.call("SET", "s", "a")
        lengths = await self.store.queue_lengths(["q", "none", ("z", Kind.SCHEDULE), "s"])
        self.assertEqual(lengths, {"q": 2, "none": 0, "z": 1})
        self.assertEqual(await self.store.queue_lengths([]), {})

    async def test_an_entry_of_another_version_stays(self) -> None:
        for value in (b"", b"x", b'{"v":2}\n\na', b'{"v":1}\n\na', b"[]\n\na", b'{"v":1\n\na'):
            await self.call("HSET", IN_FLIGHT, "x-1-0", value)
            self.assertEqual(await self.store.in_flight(), [])
            self.assertEqual(await self.store.give_back(["x-1-0"]), 0)
            self.assertEqual(await self.call("HGET", IN_FLIGHT, "x-1-0"), value)

    async def test_the_status(self) -> None:
        await self.store.publish_status(b"{}", 60.5)
        self.assertEqual(await self.call("GET", keys.status("fs1")), b"{}")
        left = await self.call("PTTL", keys.status("fs1"))
        assert isinstance(left, int)
        self.assertTrue(0 < left <= 60_500, left)
