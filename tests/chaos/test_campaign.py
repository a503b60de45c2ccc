"""The short form of ``make chaos``: nothing is lost, nobody called twice; and a fault is found."""

from __future__ import annotations

from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from chaos.campaign import Campaign, Plan, Report
from chaos.faults import Target
from tests.support.redis import new_directory

SEED = 1


class ChaosTests(TestCase):
    kind = "integration"
    timeout = 600

    def run_campaign(self, plan: Plan) -> Deferred[Report]:
        """Run it; what is said on the way stands in the test's log."""
        said: list[str] = []
        campaign = Campaign(reactor, plan, Path(new_directory(self)), said.append)
        return Deferred.fromCoroutine(campaign.run())

    async def test_a_campaign_under_faults_loses_nothing_and_calls_nobody_twice(self) -> None:
        report = await self.run_campaign(Plan(SEED, numbers=2000, faults=12))
        self.assertEqual(report.faults, ())
        self.assertEqual(report.findings.outcomes.total(), 2000)
        struck = {strike.kind.target for fault in report.struck for strike in fault.strikes}
        self.assertEqual(struck, set(Target))
        unknown = report.findings.unknown.total
        self.assertLessEqual(unknown, report.findings.noted)
        print(f"chaos: {unknown} unknown of {report.findings.noted} noted at the faults", end=" ")

    async def test_a_settle_that_loses_and_repeats_is_found_out(self) -> None:
        report = await self.run_campaign(Plan(SEED, numbers=400, faults=1, break_settle=20))
        self.assertIn("without a record", " ".join(report.faults))
        self.assertIn("too many", " ".join(report.faults))
