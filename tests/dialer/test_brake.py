"""A dead trunk and a producer's bug cost no list, on a whole node."""

from __future__ import annotations

import time
from typing import Any

from ctidialer.contract.control import Order
from ctidialer.contract.record import Outcome
from ctidialer.dialer.service import DialerService
from ctidialer.nodes.orders import NodeOrders
from ctidialer.rules.brake import TRY_INTERVAL
from ctidialer.rules.explanation import Explanation
from ctidialer.rules.reasons import Reason
from tests.dialer.line_case import ANSWERS, UNAVAILABLE, LineTestCase
from tests.support.node import HOST

COUNT = 500
BRAKE_AFTER = 50
LIMIT = 10


class BrakeTests(LineTestCase):
    script: Any = {"default": UNAVAILABLE}  # noqa: RUF012 - tests only read it

    def explained(self, dialer: DialerService) -> Explanation:
        return dialer.parts.explainer.explain("t", time.time())

    async def brake(self, numbers: list[str]) -> DialerService:
        """Dial numbers until the task is braked, and no call of it is up."""
        await self.usual_tables(limit=LIMIT)
        await self.put_numbers(numbers)
        dialer = self.start_dialer(self.quick())

        async def is_braked() -> bool:
            is_over = not len(dialer.parts.numbers)
            return is_over and self.explained(dialer).reason is Reason.BRAKED

        await self.until("the task is braked", is_braked)
        return dialer

    async def test_a_dead_trunk(self) -> None:
        dialer = await self.brake([f"138{index:08d}" for index in range(COUNT)])
        records = await self.records()
        self.assertEqual({record.outcome for record in records}, {Outcome.FAILED})
        self.assertLessEqual(len(records), BRAKE_AFTER + LIMIT)
        self.assertEqual(len(await self.queue()), COUNT - len(records))
        found = self.explained(dialer)
        self.assertIn("line l", found.text)
        self.assertIn("SIP 503", found.text)
        assert found.changes_at is not None
        first_end = min(record.ended_at for record in records)
        self.assertGreaterEqual(found.changes_at, first_end + TRY_INTERVAL)

        await self.sim(default=ANSWERS)
        await NodeOrders(self.redis, HOST).resume("t", Order(time.time(), "ann"))
        await self.records_of(COUNT)
        self.assertEqual(await self.queue(), [])

    async def test_a_producers_bug(self) -> None:
        await self.brake([f"tel {index}" for index in range(COUNT)])
        records = await self.records()
        self.assertEqual([record.outcome for record in records], [Outcome.INVALID] * BRAKE_AFTER)
        left = [f"tel {index}".encode() for index in range(BRAKE_AFTER, COUNT)]
        self.assertEqual(await self.queue(), left)

    async def test_a_mended_line_lets_go(self) -> None:
        await self.brake([f"138{index:08d}" for index in range(COUNT)])
        await self.sim(default=ANSWERS)
        await self.change_line(count=90)
        await self.records_of(COUNT)
