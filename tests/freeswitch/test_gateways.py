"""``ctidialer check`` asks a real FreeSWITCH for its gateways and its queues."""

from __future__ import annotations

from twisted.internet import reactor

from ctidialer.check.findings import Severity
from ctidialer.check.gateways import Use
from ctidialer.check.queues import QueueUse
from ctidialer.cli.gateways import ask_for_gateways, ask_for_queues
from tests.freeswitch.real_switch import GATEWAY, NO_GATEWAY, RealSwitchTestCase
from tests.freeswitch.test_agents import QUEUE


class CheckTests(RealSwitchTestCase):
    """The answers are read as those of recording 73 are."""

    skip = NO_GATEWAY or None

    async def test_one_that_is_there_and_one_that_is_not(self) -> None:
        uses = [Use(name, "cti_line@fs1", name, "$") for name in (GATEWAY, "no-such-gateway")]
        (finding,) = await ask_for_gateways(reactor, self.freeswitch(), uses)
        self.assertIs(finding.severity, Severity.FAULT)
        self.assertEqual(finding.name, "no-such-gateway")


class QueueTests(RealSwitchTestCase):
    async def test_one_that_is_there_and_one_that_is_not(self) -> None:
        uses = [QueueUse(name, "cti_queue_dialer_task@fs1", "t", "$") for name in (QUEUE, "none")]
        (finding,) = await ask_for_queues(reactor, self.freeswitch(), uses)
        self.assertIs(finding.severity, Severity.FAULT)
        self.assertIn('no queue "none"', finding.problem)
