"""Each benchmark of the Event Socket runs, with a few items, and prints one line of JSON.

Nothing is timed here: how fast a machine is that runs tests says nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).resolve().parent.parent.parent
SPREAD = {"min", "median", "max"}


class EventSocketBenchmarks(SynchronousTestCase):
    kind = "integration"
    timeout = 600

    def run_one(self, name: str, *arguments: str) -> dict[str, Any]:
        command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        (line,) = done.stdout.splitlines()
        figures: dict[str, Any] = json.loads(line)
        self.assertEqual(figures["benchmark"], name)
        self.assertLessEqual(
            {"machine", "cores", "python", "packages", "load"}, set(figures["environment"])
        )
        return figures

    def assert_costs(self, client: dict[str, Any]) -> None:
        self.assertEqual(set(client), {"cpu_us", "wall_us", "per_cpu_second", "per_second"})
        for kind in ("cpu_us", "wall_us"):
            self.assertEqual(set(client[kind]), SPREAD)
            self.assertGreater(client[kind]["min"], 0)

    def test_events(self) -> None:
        figures = self.run_one("esl_events", "--events", "250", "--runs", "1")
        self.assertEqual(figures["headers"], 207)
        self.assertGreater(figures["event_bytes"], 8000)
        for name in ("ours", "bare"):
            self.assertEqual(figures["events"][name], 250)
            self.assert_costs(figures["clients"][name])
        self.assertEqual(set(figures["ours_over_bare"]), {"cpu", "wall"})
        self.assertEqual(set(figures["over_ours"]), set(figures["clients"]) - {"ours", "bare"})

    def test_commands(self) -> None:
        figures = self.run_one("esl_commands", "--commands", "700", "--runs", "1")
        self.assertEqual((figures["commands"], figures["in_flight"]), (700, 500))
        for name in ("ours", "bare"):
            for form in ("api_bgapi", "bgapi"):
                self.assert_costs(figures["clients"][f"{name} {form}"])
        self.assertLessEqual(set(figures["greenswitch_over_ours"]), {"api_bgapi", "bgapi"})

    def test_the_share_of_a_call(self) -> None:
        figures = self.run_one("esl_call", "--calls", "40", "--runs", "2")
        for form in ("bgapi", "api_bgapi"):
            self.assertEqual(set(figures[form]["cpu_us_per_call"]), SPREAD)
            self.assertEqual(
                set(figures[form]["of_these"]), {"command", "reply", "job", "answer", "hang_up"}
            )
