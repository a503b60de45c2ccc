"""A benchmark that is run as a command, with few calls."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import TestCase

import ctidialer

ROOT = Path(ctidialer.__file__).resolve().parent.parent


class BenchmarkCase(TestCase):
    """Runs it, and checks what each of them prints."""

    kind = "integration"
    timeout = 600

    async def run_benchmark(self, name: str, *options: str) -> dict[str, Any]:
        """Run one benchmark with few calls; return the one line it prints."""
        command = ["-m", f"benchmarks.{name}", *options]
        output, errors, status = await getProcessOutputAndValue(
            sys.executable, command, dict(os.environ), str(ROOT), reactor
        )
        self.assertEqual(status, 0, errors.decode()[-2000:])
        (line,) = output.splitlines()
        figures: dict[str, Any] = json.loads(line)
        self.assertEqual(figures["benchmark"], name)
        self.assertIn("load", figures["environment"])
        self.assertTrue(figures["target"])
        return figures
