"""The short form of ``make chaos ARGS="--hosts 3"``: some hosts are lost for good."""

from __future__ import annotations

from chaos.faults import Target
from chaos.report import Plan
from tests.chaos.campaign_case import CampaignCase

SEED = 1
LOST = 3
"""Hosts that are lost in a campaign of few faults: one is replaced, two are not."""


class HostsTests(CampaignCase):
    async def test_lost_hosts_lose_nothing_and_shared_trunks_hold(self) -> None:
        report = await self.run_campaign(Plan(SEED, numbers=600, faults=8, hosts=3))
        self.assertEqual(report.faults, ())
        self.assertEqual(report.findings.outcomes.total(), 600)
        kinds = [strike.kind for fault in report.struck for strike in fault.strikes]
        self.assertEqual([kind.target for kind in kinds].count(Target.HOST), LOST)
        self.assertGreater(report.adoptions.by_hand + report.adoptions.by_themselves, 0)
        self.assertGreater(report.abandoned.answered, 0)
        for shared in (report.plan.shares.trunk, *report.plan.shares.tasks.values()):
            self.assertGreater(report.shared.most[shared.name].at_once, 1, shared)
        unknown = report.findings.unknown.total
        print(f"chaos: {unknown} unknown of {report.findings.noted} noted at the faults", end=" ")

    async def test_counts_that_do_not_hold_and_numbers_called_again_are_found_out(self) -> None:
        wrong: dict[str, object] = {"break_count": True, "break_adopt": True}
        report = await self.run_campaign(Plan(SEED, numbers=300, faults=4, hosts=3, orders=wrong))
        self.assertIn("calls at once", " ".join(report.shared.faults))
        self.assertIn("stands in no record", " ".join(report.findings.faults))
