"""The short form of ``make chaos``: nothing is lost, nobody called twice; and a fault is found."""

from __future__ import annotations

from chaos.faults import Target
from chaos.report import Plan
from ctidialer.contract.record import Outcome
from tests.chaos.campaign_case import CampaignCase

SEED = 1


class ChaosTests(CampaignCase):
    async def test_a_campaign_under_faults_loses_nothing_and_calls_nobody_twice(self) -> None:
        report = await self.run_campaign(Plan(SEED, numbers=2000, faults=12))
        self.assertEqual(report.faults, ())
        self.assertEqual(report.findings.outcomes.total(), 2000)
        self.assertGreater(report.findings.tries, 2000)
        self.assertGreater(report.findings.outcomes[Outcome.DNC], 0)
        struck = {strike.kind.target for fault in report.struck for strike in fault.strikes}
        self.assertEqual(struck, set(Target) - {Target.HOST})
        unknown = report.findings.unknown.total
        self.assertLessEqual(unknown, report.findings.noted)
        print(f"chaos: {unknown} unknown of {report.findings.noted} noted at the faults", end=" ")

    async def test_a_settle_that_loses_and_repeats_is_found_out(self) -> None:
        report = await self.run_campaign(
            Plan(SEED, numbers=400, faults=1, orders={"break_settle": 20})
        )
        self.assertIn("without a record", " ".join(report.faults))
        self.assertIn("too many", " ".join(report.faults))
