"""Limit, cps and pause of schedule configurations, through a real Redis and a switch."""

from __future__ import annotations

from bisect import bisect_left
from time import time

from ctidialer.contract.control import Order
from ctidialer.contract.record import Outcome
from ctidialer.nodes.orders import NodeOrders
from tests.dialer.schedule_case import NUMBERS, ScheduleTestCase, member
from tests.support.node import HOST, outcomes

HELD = 100_000


class HeldTests(ScheduleTestCase):
    """Numbers of a paused configuration stand in front of all others."""

    async def test_a_hundred_thousand_keep_nobody_waiting(self) -> None:
        await self.sim(default={"result": "answer", "talk": 0.05})
        await self.usual_schedule(count=600)
        await self.put_config("held")
        orders = NodeOrders(self.redis, HOST)
        await orders.pause("held", Order(time(), "ann"), is_schedule=True)
        early = time() - 1000
        await self.plan(*(member(f"1{at:06d}", "held") for at in range(HELD)), at=early)
        await self.plan(*(member(f"2{at:03d}") for at in range(500)))
        dialer = self.start()
        records = await self.records_of(500)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 500})
        starts = sorted(one.attempts[0].dialed_at for one in records)
        print(f"\n500 numbers behind {HELD} held ones in {starts[-1] - starts[0]:.2f} s")
        # One that comes in front of them, or behind them, is called as well.
        await self.plan(member("3000"), at=early - 1)
        await self.plan(member("3001"))
        await self.records_of(502)
        self.assertEqual(await self.call("ZCOUNT", NUMBERS, repr(early), repr(early)), HELD)
        self.assertFalse({one[0] for one in self.switch_log().numbers} - {"2", "3"})
        await orders.resume("held", Order(time(), "ann"), is_schedule=True)

        async def is_called() -> bool:
            return any(one.startswith("1") for one in self.switch_log().numbers)

        await self.until("numbers of the resumed configuration are called", is_called)
        await self.call("DEL", NUMBERS)
        await dialer.stopService()


class RestartTests(ScheduleTestCase):
    """Overdue members follow limit and cps, also after the daemon was killed."""

    LIMIT, CPS = 3, 10

    async def test_killed_with_overdue_members(self) -> None:
        await self.sim(default={"result": "answer", "talk": 0.4})
        await self.usual_schedule(count=50)
        await self.put_config("limited", limit=self.LIMIT)
        await self.put_config("paced", cps=self.CPS)
        await self.plan(*(member(f"1{at:03d}", "limited") for at in range(30)))
        await self.plan(*(member(f"2{at:03d}", "paced") for at in range(50)))
        daemon = self.start_daemon(node="lease = 1\n")
        await self.dialed(20)
        await daemon.kill()
        self.start_dialer(self.quick(lease=1.0))
        records = await self.records_of(80)
        await self.nothing_in_flight()
        numbers = sorted(str(one.number) for one in records)
        expected = [f"1{at:03d}" for at in range(30)] + [f"2{at:03d}" for at in range(50)]
        self.assertEqual(numbers, expected)
        self.assert_accounted_for(records, after_a_kill=True)
        self.assertEqual(await self.call("ZCARD", NUMBERS), 0)
        self.assertLessEqual(self.most_up("1"), self.LIMIT)
        paced = sorted(one.attempts[0].dialed_at for one in records if one.task == "paced")
        most = max(bisect_left(paced, start + 1) - at for at, start in enumerate(paced))
        self.assertLessEqual(most, self.CPS + 1)

    def most_up(self, first: str) -> int:
        """Return how many calls to numbers that begin so were up at once, by the switch."""
        log = self.switch_log()
        begun = {one.call: one.time for one in log.originates if one.number.startswith(first)}
        moments = [(moment, 1) for moment in begun.values()]
        moments += [(one.time, -1) for one in log.ends if one.call in begun]
        most = up = 0
        for _, step in sorted(moments):
            up += step
            most = max(most, up)
        return most
