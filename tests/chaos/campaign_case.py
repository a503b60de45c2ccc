"""Runs a short campaign of ``make chaos`` in a test."""

from __future__ import annotations

from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from chaos.campaign import Campaign
from chaos.report import Plan, Report
from tests.support.redis import new_directory


class CampaignCase(TestCase):
    kind = "integration"
    timeout = 600

    def run_campaign(self, plan: Plan) -> Deferred[Report]:
        """Run it; what is said on the way stands in the test's log."""
        said: list[str] = []
        campaign = Campaign(reactor, plan, Path(new_directory(self)), said.append)
        return Deferred.fromCoroutine(campaign.run())
