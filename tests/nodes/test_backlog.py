"""What stays undone in Redis: scheduled numbers, records that nobody takes, hosts that are gone."""

from __future__ import annotations

from time import time

from ctidialer.contract import keys
from ctidialer.contract.backlog import RECORD_LIST, GoneHost, UnreadRecords
from ctidialer.contract.record import Kind, Outcome, Record
from ctidialer.contract.record_document import encode_record
from ctidialer.nodes.backlog import BacklogReader, Scheduled
from ctidialer.store.link import Link
from tests.support.redis import RedisTestCase, link_to, own_redis

STREAM = keys.records("fs1")
SCHEDULE = keys.at(keys.SCHEDULE_NUMBER, "d")


def record(ended_at: float) -> bytes:
    return encode_record(
        Record(
            id="i", kind=Kind.QUEUE, task="t", number="1", entry=b"1",
            outcome=Outcome.BUSY, taken_at=1.0, ended_at=ended_at, host="fs1",
        )
    )  # fmt: skip


class BacklogTests(RedisTestCase):
    async def set_up(self) -> None:
        await super().set_up()
        self.reader = self.reader_of(self.redis)

    def reader_of(self, link: Link) -> BacklogReader:
        return BacklogReader(link, "fs1", "d", "cdr")

    async def add_record(self, moment: int) -> None:
        await self.call("XADD", STREAM, f"{moment}000-0", "record", "x")

    async def test_nothing_anywhere(self) -> None:
        self.assertEqual(await self.reader.scheduled(time()), Scheduled(0, None))
        self.assertEqual(await self.reader.unread(), (UnreadRecords(RECORD_LIST, 0),))
        self.assertEqual(await self.reader.gone(time()), ())

    async def test_scheduled_numbers_that_are_due(self) -> None:
        await self.call("ZADD", SCHEDULE, "100.5", "a", "200", "b", "300", "c")
        self.assertEqual(await self.reader.scheduled(200.0), Scheduled(2, 100.5))

    async def test_a_list_that_nobody_reads(self) -> None:
        await self.call("RPUSH", "cdr", record(1000.5), record(2000.0))
        self.assertEqual(await self.reader.unread(), (UnreadRecords(RECORD_LIST, 2, 1000.5),))

    async def test_a_list_with_something_else(self) -> None:
        await self.call("RPUSH", "cdr", "no record")
        self.assertEqual(await self.reader.unread(), (UnreadRecords(RECORD_LIST, 1),))

    async def test_a_key_of_another_type(self) -> None:
        await self.call("SET", "cdr", "x")
        await self.call("SET", STREAM, "x")
        await self.call("SET", SCHEDULE, "x")
        self.assertEqual(await self.reader.unread(), ())
        self.assertEqual(await self.reader.scheduled(time()), Scheduled(None, None))

    async def test_groups(self) -> None:
        """``late`` has taken nothing, ``slow`` has not acknowledged all, ``crm`` is done."""
        for moment in (1000, 2000, 3000):
            await self.add_record(moment)
        for group in ("crm", "late", "slow"):
            await self.call("XGROUP", "CREATE", STREAM, group, "0")
        for group in ("crm", "slow"):
            read = ("GROUP", group, "w", "COUNT", 3 if group == "crm" else 2)
            await self.call("XREADGROUP", *read, "STREAMS", STREAM, ">")
        await self.call("XACK", STREAM, "crm", "1000000-0", "2000000-0", "3000000-0")
        await self.call("XACK", STREAM, "slow", "1000000-0")
        _, *groups = await self.reader.unread()
        self.assertEqual(
            groups,
            [
                UnreadRecords("crm", 0),
                UnreadRecords("late", 3, 1000.0),
                UnreadRecords("slow", 2, 2000.0),
            ],
        )

    async def test_hosts_that_are_gone(self) -> None:
        """``fs2`` has left two numbers; ``fs3`` none, ``fs4`` is alive, ``fs5`` was adopted."""
        now = time()
        ends = {"fs1": now - 900, "fs2": now - 900, "fs3": now - 900, "fs4": now + 5, "fs5": 0}
        for host, until in ends.items():
            await self.call("ZADD", keys.HOSTS, repr(until), host)
            if host != "fs3":
                await self.call("HSET", keys.in_flight(host), "a", "x", "b", "y")
        self.assertEqual(await self.reader.gone(now), (GoneHost("fs2", ends["fs2"], 2),))


class RightsTests(RedisTestCase):
    async def test_what_may_not_be_asked_is_left_out(self) -> None:
        server = await own_redis(self, port=0)
        admin = link_to(self, server.url)
        await admin.when_up(60)
        rules = ("on", ">pw", "~*", "&*", "+@all", "-xinfo", "-zcount")
        await admin.call("ACL", "SETUSER", "less", *rules)
        await admin.call("ZADD", SCHEDULE, "100", "a")
        await admin.call("XADD", STREAM, "1-0", "record", "x")
        await admin.call("XGROUP", "CREATE", STREAM, "crm", "0")
        link = link_to(self, server.url.replace("redis://", "redis://less:pw@"))
        await link.when_up(60)
        reader = BacklogReader(link, "fs1", "d", "")
        for _ in range(3):
            self.assertEqual(await reader.scheduled(200.0), Scheduled(None, 100.0))
            self.assertEqual(await reader.unread(), ())
        refused = await admin.call("ACL", "LOG")
        assert isinstance(refused, list)
        counts = [one[one.index(b"count") + 1] for one in refused if isinstance(one, list)]
        self.assertEqual(counts, [1, 1])  # each once, then no more
