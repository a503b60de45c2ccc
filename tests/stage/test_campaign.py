"""Whole campaigns through the whole node: what is put in, dialed and recorded agrees."""

from __future__ import annotations

from ctidialer.contract.record import Outcome
from tests.support.node import NodeTestCase, outcomes


class CampaignTests(NodeTestCase):
    """A queue is worked off."""

    async def test_every_number_is_called_once_and_recorded_once(self) -> None:
        await self.usual_tables(limit=20)
        numbers = [f"138{index:08d}" for index in range(100)]
        await self.put_numbers(numbers)
        self.start_dialer()
        records = await self.records_of(100)
        self.assertEqual(sorted(record.number or "" for record in records), numbers)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 100})
        self.assertEqual(sorted(self.switch_log().numbers), numbers)
        self.assert_accounted_for(records)
        await self.nothing_in_flight()

    async def test_the_real_daemon_does_the_same(self) -> None:
        await self.usual_tables()
        await self.put_numbers(["13800000001", "13800000002"])
        daemon = self.start_daemon()
        records = await self.records_of(2)
        self.assert_accounted_for(records)
        self.assertIn(await daemon.stop(), (0, -15, 143))
