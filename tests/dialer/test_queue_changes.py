"""Changes of the tables while the daemon runs: published, or only found by reading."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from ctidialer.contract import keys
from ctidialer.dialer.service import DialerService
from ctidialer.settings import Config, Settings
from tests.dialer.queue_case import NUMBERS, QueueCase
from tests.support.node import HOST

TASKS = keys.at(keys.TASK, keys.TEMPLATE)


class ChangesCase(QueueCase):
    """The tables are read on their own only after ``POLL`` seconds."""

    POLL = 600.0

    def settings(self, host: str = HOST, **node: Any) -> Settings:
        settings = super().settings(host, **node)
        return replace(settings, config=Config(poll_interval=self.POLL))

    async def listening(self, dialer: DialerService) -> None:
        """Wait until the daemon works, and hears what is published."""

        async def hears() -> bool:
            reply = await self.call("PUBSUB", "NUMSUB", keys.at(keys.CHANGE_CHANNEL, "all"))
            assert isinstance(reply, list)
            return reply[1] == 1 and dialer.parts.readiness.gate.is_open

        await self.until("the daemon hears what is published", hears)
        # What a subscription makes it read comes before what the next publication does.
        await self.canary(looks=1)


class PublishedTests(ChangesCase):
    """A published change is in force at once."""

    async def begin(self, host: str = HOST) -> DialerService:
        await self.put_line()
        await self.put_group()
        await self.put_canary()
        dialer = self.start_dialer(self.settings(host))
        await self.listening(dialer)
        return dialer

    async def test_new_tasks_by_every_way_of_saying_so(self) -> None:
        await self.begin()
        ways = [("all", "t0"), (HOST, "t1"), ("all", None)]
        for at, (suffix, key) in enumerate(ways):
            await self.put_numbers([NUMBERS[at]], f"q{at}")
            await self.put_task(f"t{at}", number_queue=f"q{at}")
            await self.published(keys.TASK, key, suffix)
            call = (await self.dialed(at + 2))[-1]
            self.assertEqual(call.number, NUMBERS[at])

    async def test_the_domains_channel(self) -> None:
        await self.put_line()
        await self.put_group()
        await self.put_canary()
        await self.put_task(line_group=["later"])
        dialer = self.start_dialer(self.settings("fs9"))

        async def hears() -> bool:
            reply = await self.call("PUBSUB", "NUMSUB", "config@fs9", f"config@{HOST}")
            assert isinstance(reply, list)
            return reply[1] == reply[3] == 1 and dialer.parts.readiness.gate.is_open

        await self.until("both channels are listened to", hears)
        await self.put_numbers(["9990"], "canary")
        await self.records_of(1, host="fs9")
        await self.put_line("later", count=0)
        await self.published(keys.LINE, "later", suffix=HOST)

        async def is_known() -> bool:
            return "later" in dialer.parts.tables.routes.lines

        await self.until("the line is known", is_known)

    async def test_a_line_a_group_and_a_limit_change_under_way(self) -> None:
        await self.begin()
        await self.put_line("l2")
        await self.put_task(limit=1)
        await self.published(keys.TASK, "t")
        await self.put_numbers(NUMBERS[:1])
        (first,) = (await self.dialed(2))[1:]
        self.assertIn("/gateway/l/", first.dial_string)
        await self.put_group(line=[["l2"]])
        await self.published(keys.LINE, "l2")
        await self.published(keys.LINE_GROUP, "g")
        await self.canary(looks=1)
        await self.put_numbers(NUMBERS[1:2])
        second = (await self.dialed(4))[-1]
        self.assertIn("/gateway/l2/", second.dial_string)

    async def test_a_bad_edit_stops_new_calls_and_a_good_one_resumes(self) -> None:
        await self.begin()
        await self.sim(default={"result": "answer", "talk": 0.2})
        await self.put_task(limit=2)
        await self.put_numbers(NUMBERS)
        await self.published(keys.TASK, "t")
        await self.dialed(4)
        await self.put(TASKS, {"t": '{"params":{"enable":true,"limit":"nine"}}'})
        await self.published(keys.TASK, "t")
        await self.canary()
        await self.nothing_in_flight()
        before = self.numbers_dialed()
        left = await self.queue()
        await self.canary()
        self.assertEqual(self.numbers_dialed(), before)
        self.assertEqual(await self.queue(), left)
        self.assertEqual(len(before) + len(left), len(NUMBERS))
        await self.put_task(limit=50)
        await self.published(keys.TASK, "t")

        async def all_dialed() -> bool:
            return sorted(self.numbers_dialed()) == NUMBERS

        await self.until("all numbers dialed", all_dialed)

    async def test_a_task_that_is_removed_and_disabled_ones(self) -> None:
        await self.begin()
        await self.sim(default={"result": "answer", "talk": 0.05})
        for at in range(3):
            await self.put_task(f"t{at}", limit=1, number_queue=f"q{at}")
            await self.put_numbers(NUMBERS, f"q{at}")
        await self.published(keys.TASK)
        await self.dialed(10)
        await self.call("HDEL", TASKS, "t0")
        await self.put_task("t1", limit=0, number_queue="q1")
        await self.put(keys.at(keys.TASK, HOST), {"t2": {"params": {"enable": False}}})
        await self.published(keys.TASK)
        await self.canary()
        await self.nothing_in_flight()
        lengths = [len(await self.queue(f"q{at}")) for at in range(3)]
        await self.canary()
        self.assertEqual([len(await self.queue(f"q{at}")) for at in range(3)], lengths)
        self.assertTrue(all(0 < length < len(NUMBERS) for length in lengths), lengths)
        self.assert_accounted_for(await self.records())

    async def test_other_words_on_the_channel_change_nothing(self) -> None:
        dialer = await self.begin()
        for word in (b"", b"{", b"\xff\x00", b"null", b"[]", b'{"type":"x"}', b"x" * 100_000):
            await self.call("PUBLISH", "config@all", word)
        await self.put_task()
        await self.published("no_such_table")
        await self.canary()
        self.assertNotIn("t", dialer.parts.tables.tasks)
        await self.put_numbers(NUMBERS[:1])
        await self.published(keys.TASK, "t")
        await self.dialed(5)


class PolledTests(ChangesCase):
    """What nobody publishes is found by reading, every ``poll_interval`` seconds."""

    POLL = 0.3

    async def test_a_task_that_comes_and_goes(self) -> None:
        await self.put_line()
        await self.put_group()
        await self.put_canary()
        dialer = self.start_dialer()
        await self.listening(dialer)
        await self.put_numbers(NUMBERS[:1])
        await self.put_task()
        await self.dialed(2)
        await self.call("HDEL", TASKS, "t")

        async def is_gone() -> bool:
            return "t" not in dialer.parts.tables.tasks

        await self.until("the task is gone", is_gone)
        await self.put_numbers(NUMBERS[1:2])
        await self.canary()
        self.assertEqual(self.numbers_dialed(), NUMBERS[:1])
