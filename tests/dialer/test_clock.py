"""The machine's clock is set while the daemon works."""

from __future__ import annotations

from typing import Any

from ctidialer.contract.record import Outcome
from tests.dialer.life.fault_case import FaultCase
from tests.support.node import outcomes

HOUR = 3600
NUMBERS = [str(1000 + index) for index in range(30)]
TALK: dict[str, Any] = {"default": {"result": "answer", "talk": 0.3}}


class ClockTests(FaultCase):
    """Timers go on: the lease is renewed, the lists are looked at, silent calls are asked for."""

    script = TALK

    async def jumped(self, seconds: float) -> None:
        """Set the clock in the middle of a campaign, and see it through."""
        await self.usual_tables(limit=4)
        await self.put_numbers(NUMBERS)
        daemon = self.launch(clock_jump=seconds)
        await self.dialed(6)
        daemon.send("USR2")
        records = await self.records_of(len(NUMBERS))
        self.assert_one_record_each(records, NUMBERS)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: len(NUMBERS)})
        # What comes in later is seen, too: it is a timer that looks.
        await self.put_numbers(["2000"])
        await self.records_of(len(NUMBERS) + 1)
        self.assertTrue(daemon.running)
        self.assertEqual(await self.holder(), daemon.pid)

    async def test_set_back(self) -> None:
        await self.jumped(-HOUR)

    async def test_set_on(self) -> None:
        await self.jumped(HOUR)
