"""What `check` says of tasks whose hosts do not count abandoned calls together."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.check.ledgers import ledger_findings
from ctidialer.check.node_tables import NodeTables
from ctidialer.settings import Node

NOW = 1_795_994_000.0  # 29 November 2026, 23:13 in UTC
TEMPLATE, OWN = "cti_queue_dialer_task@template", "cti_queue_dialer_task@h"
GOOD = {
    "enable": True,
    "line_group": ["g"],
    "limit": 5,
    "number_queue": "q",
    "destination_extension": "8888",
    "agent_group": "sales",
}


class LedgerTests(SynchronousTestCase):
    def said(self, zones: dict[str, str], *, key: str = TEMPLATE, **params: Any) -> list[str]:
        """Return what is said of a task on the host ``h``, whose settings say Asia/Shanghai."""
        node = Node(host="h", domain="h", timezone="Asia/Shanghai")
        document = json.dumps({"params": {**GOOD, **params}}).encode()
        of = NodeTables(node, {key: {"t": document}})
        self.assertEqual(of.tables.faults, {})
        found = list(ledger_findings(of, zones, NOW))
        places = [(one.key, one.name, one.path) for one in found]
        self.assertEqual(places, [(TEMPLATE, "t", "$.params")] * len(found))
        return [one.problem for one in found]

    def test_hosts_of_different_zones_count_apart(self) -> None:
        zones = {"h": "Asia/Shanghai", "fs2": "Europe/London"}
        for period in ("24h", "30d"):
            (problem,) = self.said(zones, abandon_period=period)
            self.assertIn('Asia/Shanghai here, Europe/London on "fs2"', problem)

    def test_what_the_daemon_of_this_host_says_is_truer_than_the_settings_of_the_command(
        self,
    ) -> None:
        self.assertEqual(self.said({"h": "Etc/UTC", "fs2": "Etc/UTC"}), [])
        self.assertNotEqual(self.said({"fs2": "Etc/UTC"}), [])

    def test_zones_whose_periods_begin_together_are_as_good_as_one(self) -> None:
        self.assertEqual(self.said({"fs2": "Asia/Taipei"}, abandon_period="24h"), [])
        start = {"start_time": "2026-11-01 00:00:00"}
        self.assertNotEqual(self.said({"fs2": "Etc/UTC"}, **start), [])
        start = {"start_time": "2026-11-01T00:00:00+08:00"}
        self.assertEqual(self.said({"fs2": "Etc/UTC"}, **start), [])

    def test_nothing_to_say(self) -> None:
        other = {"fs2": "Etc/UTC"}
        self.assertEqual(self.said({}), [])
        self.assertEqual(self.said({"fs2": "Not/Known"}), [])
        self.assertEqual(self.said(other, timezone="Asia/Shanghai"), [])
        self.assertEqual(self.said(other, key=OWN), [])
        self.assertEqual(self.said(other, agent_group=None), [])
