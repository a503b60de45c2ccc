"""``etc/systemd/ctidialer.service``, as far as it can be tried without a systemd that runs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from ctidialer.settings import Settings

SAMPLE = Path(__file__).resolve().parents[2] / "etc" / "systemd" / "ctidialer.service"


def directives() -> dict[str, str]:
    """Return the last value of each directive."""
    lines = SAMPLE.read_text("utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line[:1].isalpha() and "=" in line)
    return {name: value for name, _, value in pairs}


class UnitTests(SynchronousTestCase):
    def test_systemd_finds_no_fault_in_it(self) -> None:
        program = shutil.which("systemd-analyze")
        if program is None:
            raise SkipTest("systemd-analyze is not on this machine")
        unit = Path(self.mktemp()).with_name("ctidialer.service")
        unit.parent.mkdir(parents=True, exist_ok=True)
        text = SAMPLE.read_text("utf-8")
        unit.write_text(text.replace("/opt/ctidialer/bin/twistd", sys.executable))
        done = subprocess.run(
            [program, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
        )
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_it_is_told_and_waits(self) -> None:
        found = directives()
        self.assertEqual((found["Type"], found["NotifyAccess"]), ("notify", "main"))
        self.assertGreater(float(found["TimeoutStopSec"]), Settings().node.drain_timeout)
        self.assertGreaterEqual(float(found["WatchdogSec"]), 10)
        self.assertEqual((found["KillSignal"], found["KillMode"]), ("SIGTERM", "mixed"))

    def test_its_memory_is_bounded(self) -> None:
        found = directives()
        self.assertEqual((found["MemoryHigh"], found["MemoryMax"]), ("1500M", "2G"))

    def test_no_secret_stands_where_everybody_reads_it(self) -> None:
        found = directives()
        self.assertNotIn("Environment", found)
        self.assertNotIn("CTIDIALER", found["ExecStart"])
        self.assertIn("--nodaemon", found["ExecStart"])
