"""What a host did in each minute, written to Redis."""

from __future__ import annotations

from typing import Any, cast

from attrs import evolve
from msgspec.structs import replace
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.contract.minute import Minute, decode_minute
from ctidialer.dialer.minutes import Minutes, Talk
from ctidialer.glue import Gate
from ctidialer.nodes.daemon import Totals
from ctidialer.nodes.minutes import read_minutes, together
from ctidialer.rules.attempt import Attempt
from ctidialer.store.store import Store
from tests.support.node import HOST, NodeTestCase

BEGIN = 1_800_000_000.0
"""The beginning of a minute, of a day and of the test."""


class WritingTests(NodeTestCase):
    async def set_up(self) -> None:
        await super().set_up()
        self.clock = Clock()
        self.clock.advance(BEGIN + 20)
        self.totals = Totals(placed=100, calls=1, outcomes={"busy": 7})
        self.writable = Gate()
        self.writable.open()
        store = Store(self.redis, HOST, "a test", 10)
        await store.acquire_lease()
        self.minutes = Minutes(self.clock, HOST, store, self.writable, lambda: self.totals)
        self.minutes.start()
        self.addCleanup(self.minutes.stop)

    async def written(self, count: int) -> list[Minute]:
        async def length() -> int:
            return cast(int, await self.call("XLEN", keys.minutes(HOST)))

        await self.until_count("minutes", count, length)
        reply = cast(list[Any], await self.call("XRANGE", keys.minutes(HOST), "-", "+"))
        return [decode_minute(entry[1][1]) for entry in reply]

    def pass_by(self, seconds: int) -> None:
        self.clock.pump([1.0] * seconds)

    async def test_each_minute_is_written_at_its_end(self) -> None:
        self.totals = evolve(self.totals, placed=130, calls=9)
        self.pass_by(10)
        self.totals = evolve(self.totals, calls=2, outcomes={"busy": 8, "answered": 20})
        self.pass_by(30)
        first = Minute(at=BEGIN + 60, started=30, calls=9, outcomes={"answered": 20, "busy": 1})
        self.assertEqual(await self.written(1), [first])
        self.totals = evolve(self.totals, talks=3, talk_seconds=12.5)
        self.pass_by(60)
        second = Minute(at=BEGIN + 120, calls=2, talks=3, talk_seconds=12.5)
        self.assertEqual(await self.written(2), [first, second])

    async def test_nothing_is_written_while_another_may_have_the_name(self) -> None:
        self.writable.shut()
        self.pass_by(60)
        self.writable.open()
        self.totals = evolve(self.totals, placed=101)
        self.pass_by(60)
        self.assertEqual(await self.written(1), [Minute(at=BEGIN + 120, started=1, calls=1)])

    async def test_minutes_are_read_by_their_end(self) -> None:
        own = keys.minutes("other")
        for at in (BEGIN, BEGIN + 60, BEGIN + 120):
            text = f'{{"at":{at},"started":1,"later_version":"x"}}'
            await self.call("XADD", own, f"{int(at * 1000)}-0", "minute", text)
        await self.call("XADD", own, f"{int((BEGIN + 121) * 1000)}-0", "minute", "{")
        await self.call("XADD", own, f"{int((BEGIN + 122) * 1000)}-0", "other", "{}")
        found = await read_minutes(self.redis, "other", BEGIN, BEGIN + 90)
        self.assertEqual(found, [Minute(at=BEGIN + 60, started=1)])
        found = await read_minutes(self.redis, "other", BEGIN - 1, BEGIN + 9999)
        self.assertEqual([one.at for one in found], [BEGIN, BEGIN + 60, BEGIN + 120])


class TogetherTests(SynchronousTestCase):
    def test_minutes_become_steps(self) -> None:
        minutes = [
            Minute(at=BEGIN + 60, started=1, calls=5, outcomes={"busy": 1}, talks=1),
            Minute(at=BEGIN + 900, started=2, calls=3, outcomes={"busy": 2, "failed": 1}),
            Minute(at=BEGIN + 960, started=4, calls=1, talk_seconds=2.5),
        ]
        expected = [
            Minute(at=BEGIN + 900, started=3, calls=5, outcomes={"busy": 3, "failed": 1}, talks=1),
            Minute(at=BEGIN + 1800, started=4, calls=1, talk_seconds=2.5),
        ]
        self.assertEqual(list(together(minutes, 900)), expected)

    def test_conversations_are_counted_with_every_call(self) -> None:
        talk = Talk()
        call = Attempt("u", "l", "g", BEGIN, answered_at=BEGIN + 5, ended_at=BEGIN + 30)
        talk.call_ended(call)
        self.assertEqual((talk.count, talk.seconds), (0, 0.0))
        talk.call_ended(replace(call, bridged_at=BEGIN + 10))
        self.assertEqual((talk.count, talk.seconds), (1, 20.0))
