"""A Redis with two replicas and three real sentinels, whose master is killed during a campaign."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.logger import Logger

from ctidialer.contract import keys
from ctidialer.contract.status import decode_status
from ctidialer.store.errors import StoreUnavailable
from tests.support.node import HOST, NodeTestCase
from tests.support.redis import link_to
from tests.support.sentinels import Watched, start_watched

NUMBERS = [str(13_800_000_000 + index) for index in range(2000)]
SCRIPT: dict[str, Any] = {"default": {"result": "answer", "talk": [0.02, 0.2]}}
WAITS = "wait_replicas = 1"

log = Logger()


class RedisFailoverTests(NodeTestCase):
    script: Mapping[str, Any] = SCRIPT
    watched: Watched

    async def set_up(self) -> None:
        await super().set_up()
        self.watched = await start_watched(self)
        self.url = self.watched.url
        self.redis = link_to(self, self.url)
        await self.redis.when_up(60)
        await self.usual_tables(limit=100)
        await self.put_numbers(NUMBERS)

    async def recorded(self, count: int) -> None:
        """Wait for so many records; a sentinel may cut our own connection meanwhile."""
        found = 0

        async def written() -> int:
            nonlocal found
            try:
                found = await self.back_end.length("XLEN", keys.records(HOST))
            except StoreUnavailable:
                await self.redis.when_up(60)
            return found

        await self.until_count(f"{count} records", count, written)

    async def is_told(self, part: str) -> None:
        """Wait until the status names a reason why nothing is dialed; as of ``recorded``."""

        async def is_so() -> bool:
            try:
                raw = await self.call("GET", keys.status(HOST))
            except StoreUnavailable:
                await self.redis.when_up(60)
                return False
            return isinstance(raw, bytes) and part in str(decode_status(raw).missing)

        await self.until(f"the status names {part}", is_so)

    async def kill_master(self) -> None:
        """Kill the master, and wait until we are connected to the next one."""
        session = self.redis.session
        await self.watched.master.kill()
        while self.redis.session in (session, None):
            await deferLater(reactor, 0.02)

    async def check_all(self) -> None:
        """Every number has one record and one call, and nothing is left over."""
        await self.recorded(len(NUMBERS))
        await self.redis.when_up(60)
        records = await self.records()
        self.assertEqual(Counter(one.number for one in records), Counter(NUMBERS))
        self.assertEqual(Counter(self.switch_log().numbers), Counter(NUMBERS))
        self.assert_accounted_for(records)
        await self.nothing_in_flight()
        self.assertEqual(await self.queue(), [])

    def longest_pause(self) -> float:
        """Return the longest time between two calls, in seconds, by the switch's clock."""
        moments = [line.time for line in self.switch_log().originates]
        return max(later - earlier for earlier, later in pairwise(sorted(moments)))

    async def test_nothing_is_lost_and_nobody_called_twice(self) -> None:
        self.start_daemon(redis=WAITS)
        await self.recorded(len(NUMBERS) // 4)
        await self.kill_master()
        await self.check_all()
        log.info(
            "The longest pause between two calls was {pause:.2f} s", pause=self.longest_pause()
        )

    async def test_what_no_replica_has_is_not_dialed(self) -> None:
        """The replicas have nothing of what came between, and one of them becomes the master."""
        self.start_daemon(redis=WAITS)
        await self.recorded(len(NUMBERS) // 4)
        await self.watched.cut_off()
        await self.is_told("redis.wait_replicas")
        await self.kill_master()
        await self.check_all()
