"""What is found in the tables of agents."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.check.agents import AgentTables, check_agents
from ctidialer.check.findings import Severity
from ctidialer.check.node_tables import NodeTables
from tests.check.test_tables import NODE, NOW, TEMPLATE, USUAL, raw, task

AGENTS, COUNTS, HEART = "cti_agent@d", "cti_agent_count@d", "cti_agent_heart@d"
IDLE: dict[str, Any] = {"params": {"group": ["sales"], "state": "idle"}}
Found = list[tuple[Severity, str, str, str]]
FAULT, WARNING, NOTICE = Severity.FAULT, Severity.WARNING, Severity.NOTICE


def found(
    agents: Mapping[str, object],
    counts: Mapping[str, object] | None = None,
    heart: float = 8.0,
    **params: object,
) -> Found:
    tasks = {**USUAL, TEMPLATE: {"t": task(**{"agent_group": "sales", **params})}}
    documents = {
        key: {name: raw(one) for name, one in table.items()} for key, table in tasks.items()
    }
    tables = AgentTables(
        "d",
        {name: raw(one) for name, one in agents.items()},
        {name: raw(one) for name, one in (counts or {}).items()},
        heart,
    )
    found = check_agents(tables, NodeTables(NODE, documents), NOW)
    return [(one.severity, one.key, one.name, one.path) for one in found]


class AgentsTests(SynchronousTestCase):
    def test_all_is_well(self) -> None:
        self.assertEqual(found({"7": IDLE}), [])
        self.assertEqual(found({}, {"sales": {"free": 1}}), [])
        self.assertEqual(found({}, {}, heart=0, agent_group=None), [])

    def test_faults_of_documents(self) -> None:
        agents = {"7": IDLE, "8": {"state": "free"}, "9": b"{"}
        self.assertEqual(
            found(agents, {"night": {"busy": 1}}),
            [
                (FAULT, AGENTS, "8", "$.group"),
                (FAULT, AGENTS, "8", "$.state"),
                (FAULT, AGENTS, "9", "$"),
                (FAULT, COUNTS, "night", "$.free"),
            ],
        )

    def test_keys_and_times(self) -> None:
        agents = {
            "6": {"params": {"group": "sales", "state": "idle", "time": "noon"}},
            "7": {"params": {"group": "sales", "state": "idle", "time": NOW + 300}},
            "8": {"params": {"group": "sales", "state": "idle", "since": NOW, "name": "Ann"}},
        }
        self.assertEqual(
            found(agents),
            [
                (WARNING, AGENTS, "6", "$.params.time"),
                (WARNING, AGENTS, "7", "$"),
                (WARNING, AGENTS, "8", "$.params.since"),
                (NOTICE, AGENTS, "8", "$.params.name"),
            ],
        )

    def test_a_group_without_agents(self) -> None:
        for spelling in ("agent_group", "service_line_group"):
            place = (WARNING, TEMPLATE, "t", f"$.params.{spelling}")
            params: dict[str, Any] = {"agent_group": None, spelling: "nobody"}
            self.assertEqual(found({"7": IDLE}, **params), [place])

    def test_counted_twice(self) -> None:
        twice = found({"7": IDLE}, {"sales": {"free": 1}})
        self.assertEqual(twice, [(WARNING, COUNTS, "sales", "$")])

    def test_the_heart(self) -> None:
        for heart in (0.0, math.inf):
            self.assertEqual(found({"7": IDLE}, heart=heart), [(WARNING, HEART, "", "$")])
