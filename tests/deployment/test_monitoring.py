"""``etc/prometheus`` and ``etc/grafana``: rules that hold, about metrics that there are."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.error import ConnectionRefusedError
from twisted.trial.unittest import SkipTest, SynchronousTestCase
from twisted.web.client import Agent, readBody

from tests.support.node import NodeTestCase

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "etc" / "prometheus"
RULES = PROMETHEUS / "ctidialer.rules.yml"
RULE_TESTS = PROMETHEUS / "tests" / "ctidialer.test.yml"
DASHBOARD = ROOT / "etc" / "grafana" / "ctidialer.json"
RUNBOOK = ROOT / "docs" / "runbook.rst"

SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}


def expressions() -> Iterator[str]:
    """Yield every expression of an alert."""
    text = RULES.read_text("utf-8")
    for one in re.findall(r"(?m)^ +expr: (?:\|\n((?: {10,}.*\n)+)|(.*)\n)", text):
        yield "".join(one)


def panels() -> list[dict[str, Any]]:
    dashboard: dict[str, Any] = json.loads(DASHBOARD.read_text("utf-8"))
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def states_in(expression: str) -> set[str]:
    """Return the states of agents that an expression names."""
    named = re.findall(r'ctidialer_agents\{[^}]*state=~"([a-z_|]+)"', expression)
    return {state for one in named for state in one.split("|")}


def metrics_in(expression: str) -> set[str]:
    """Return the metrics of ours, and of the process, that an expression names."""
    return set(re.findall(r"\b((?:ctidialer|process)_[a-z_]+)\b", expression))


class RuleTests(SynchronousTestCase):
    def promtool(self, *words: str) -> None:
        program = shutil.which("promtool")
        if program is None:
            raise SkipTest("promtool (of Debian's package prometheus) is not on this machine")
        done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_promtool_finds_no_fault(self) -> None:
        self.promtool("check", "rules", str(RULES))
        self.promtool("check", "config", "--syntax-only", str(PROMETHEUS / "prometheus.yml"))

    def test_each_alert_fires_when_it_should_and_not_else(self) -> None:
        self.promtool("test", "rules", str(RULE_TESTS))

    def test_every_alert_is_tried_and_has_its_section_in_the_runbook(self) -> None:
        rules = RULES.read_text("utf-8")
        alerts = set(re.findall(r"- alert: (\w+)", rules))
        self.assertGreater(len(alerts), 10)
        tried = set(re.findall(r"alertname: (\w+)", RULE_TESTS.read_text("utf-8")))
        self.assertEqual(alerts, tried)
        sections = re.findall(r'runbook: "(.*)"', rules)
        self.assertEqual(len(sections), len(alerts))
        runbook = RUNBOOK.read_text("utf-8")
        for section in sections:
            self.assertIn(f"\n{section}\n{'-' * len(section)}\n", runbook)


class DashboardTests(SynchronousTestCase):
    def test_every_panel_has_a_title_a_unit_and_a_query(self) -> None:
        self.assertGreater(len(panels()), 15)
        for panel in panels():
            self.assertTrue(panel["title"])
            self.assertTrue(panel["fieldConfig"]["defaults"]["unit"], panel["title"])
            self.assertTrue(all(target["expr"] for target in panel["targets"]), panel["title"])
            self.assertEqual(panel["datasource"]["uid"], "${datasource}")

    def test_ids_are_unique_and_nothing_overlaps(self) -> None:
        dashboard = json.loads(DASHBOARD.read_text("utf-8"))
        ids = [panel["id"] for panel in dashboard["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        cells = [
            (x, y)
            for panel in dashboard["panels"]
            for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
            for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
        ]
        self.assertEqual(len(cells), len(set(cells)))
        self.assertLess(max(x for x, _ in cells), 24)


class MetricTests(NodeTestCase):
    """What alerts and panels name is what a real daemon tells."""

    async def test_only_metrics_that_there_are(self) -> None:
        url = self.start_http()
        await self.usual_tables()
        await self.put_numbers(["1001", "1002"])
        await self.records_of(2)
        there = await self.told(url)
        for what in (*expressions(), *(t["expr"] for p in panels() for t in p["targets"])):
            self.assertEqual(metrics_in(what) - there, set(), what)
        tested = set(re.findall(r"series: (ctidialer_\w+)", RULE_TESTS.read_text("utf-8")))
        self.assertEqual(tested - there, set())

    async def test_only_states_of_agents_that_there_are(self) -> None:
        url = self.start_http()
        await self.usual_tables(agent_group="sales")
        named = {state for p in panels() for t in p["targets"] for state in states_in(t["expr"])}
        self.assertIn("wrap_up", named)

        async def are_told() -> bool:
            told = re.findall(r'ctidialer_agents\{.*state="(\w+)"', await self.page(url))
            return named <= set(told)

        await self.until(f"{named} are told of", are_told)

    def start_http(self) -> str:
        """Start a daemon; return where its metrics are."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.start_daemon(extra=f'[http]\nlisten = "127.0.0.1:{port}"\n')
        return f"http://127.0.0.1:{port}/metrics"

    async def page(self, url: str) -> str:
        """Return the metrics; empty while the daemon does not listen yet."""
        try:
            response = await Agent(reactor).request(b"GET", url.encode())
        except ConnectionRefusedError:
            return ""
        self.assertEqual(response.code, 200)
        return (await readBody(response)).decode()

    async def told(self, url: str) -> set[str]:
        """Return the names of all metrics, with those of a histogram's parts."""
        text = await self.page(url)
        kinds = dict(re.findall(r"(?m)^# TYPE (\w+) (\w+)$", text))
        parts = {name + end for name, kind in kinds.items() for end in SUFFIXES.get(kind, ())}
        return kinds.keys() | parts
