"""The permit of a call when Redis takes no writes, or when its answer is lost on the way."""

from __future__ import annotations

from ctidialer.contract import keys
from ctidialer.dialer.readiness import Condition
from ctidialer.store.scripts import PERMIT
from tests.dialer.test_outages import LIMIT, NUMBERS, OutageCase

TWICE_A_DAY = [{"count": 2, "time": 86400}, {"count": 2, "time": 86400, "talk": True}]


class PermitFaultTests(OutageCase):
    """Every number may be called twice a day; none of them is on the list."""

    async def campaign(self) -> None:
        await self.usual_tables(limit=LIMIT, callee_limit=TWICE_A_DAY, dnc=["out"])
        await self.call("SADD", "out", "999")
        await self.call("SCRIPT", "LOAD", PERMIT.text)
        await self.put_numbers(NUMBERS)

    async def counted(self, number: str) -> list[bytes]:
        """Return what is counted for a callee."""
        found = await self.call("ZRANGE", keys.callee_calls(number), 0, -1)
        assert isinstance(found, list)
        return [one for one in found if isinstance(one, bytes) and one != b" keep"]

    async def each_was_called_and_counted_once(self) -> None:
        """Check the end: one answered call each, and in Redis that call and its conversation."""
        await self.all_answered()
        called = {line.number: line.uuid_asked for line in self.switch_log().originates}
        self.assertEqual(sorted(called), sorted(NUMBERS))
        for number, uuid in called.items():
            counted = {f"{uuid}".encode(), f"talk {uuid}".encode()}
            self.assertEqual(set(await self.counted(number)), counted, number)

    async def test_redis_has_no_memory_left(self) -> None:
        await self.campaign()
        dialer = self.start_dialer()
        self.hurry(dialer)
        await self.dialed(LIMIT + 2)
        await self.call("CONFIG", "SET", "maxmemory", "1")
        await self.missing(dialer, Condition.WRITES)
        await self.nothing_is_dialed()
        await self.call("CONFIG", "SET", "maxmemory", "0")
        await self.each_was_called_and_counted_once()

    async def test_the_answer_is_lost(self) -> None:
        await self.campaign()
        self.redis_proxy.hold_answer_to(PERMIT.digest.encode())
        dialer = self.start_dialer()
        self.hurry(dialer)

        async def has_run() -> bool:
            return bool(await self.counted(NUMBERS[0]))

        await self.until("the first call is counted", has_run)
        self.assertEqual(self.switch_log().originates, ())
        self.redis_proxy.cut()
        self.redis_proxy.release()
        await self.each_was_called_and_counted_once()
