"""The benchmark of dialing for agents, short: each record agrees with what FreeSWITCH says."""

from __future__ import annotations

import shutil

from tests.benchmarks.running import BenchmarkCase
from tests.freeswitch.real_switch import ADDRESS, NO_SWITCH, PASSWORD
from tests.freeswitch.test_agents import QUEUE

SHORT = (
    *("--agents", "4", "--seconds", "40", "--warm-up", "10", "--talk", "2", "6"),
    *("--wrap-up", "2", "--answered-after", "1", "3", "--ring-out", "4"),
)


class LiveTests(BenchmarkCase):
    skip = NO_SWITCH or (None if shutil.which("sipp") else "needs sipp (Debian: sip-tester)")

    async def test_records_and_freeswitch_agree(self) -> None:
        where = ("--address", ADDRESS, "--password", PASSWORD, "--queue", QUEUE)
        figures = await self.run_benchmark("agents_live", *where, *SHORT)
        self.assertEqual((figures["disagreements"], figures["they_are"]), (0, []))
        self.assertEqual(figures["calls"], figures["records"])
        self.assertGreater(figures["bridged"], 3)
        self.assertGreater(figures["use_percent"], 10)
