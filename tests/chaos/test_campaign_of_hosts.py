"""The short form of ``make chaos ARGS="--hosts 3"``: some hosts are lost for good."""

from __future__ import annotations

from chaos.faults import Target
from chaos.report import Plan
from tests.chaos.campaign_case import CampaignCase

SEED = 1
LOST = 3
"""Hosts that are lost in a campaign of few faults: one is replaced, two are not."""


MAX_LUCK = 5
"""Campaigns of a broken program in which its faults must have shown."""


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


class BrokenTests(CampaignCase):
    timeout = 600 * MAX_LUCK

    async def test_counts_that_do_not_hold_and_numbers_called_again_are_found_out(self) -> None:
        """Whether wrong counts and adoptions do harm depends on the moments of the faults, so that
        one campaign may be lucky; the next ones are not all of them."""
        wrong: dict[str, object] = {"break_count": True, "break_adopt": True}
        looked_for = {"calls at once", "stands in no record"}
        for seed in range(SEED, SEED + MAX_LUCK):
            plan = Plan(seed, numbers=300, faults=8, hosts=3, orders=wrong)
            report = await self.run_campaign(plan)
            said = " ".join((*report.shared.faults, *report.findings.faults))
            looked_for = {what for what in looked_for if what not in said}
            if not looked_for:
                return
        self.fail(f"nobody has found out: {looked_for}")
