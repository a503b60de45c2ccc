"""``twistd ctidialer``: its options, and its exit status where they cannot be used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from twisted.application.service import IServiceCollection
from twisted.internet.threads import deferToThread
from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase, TestCase

from ctidialer import tap
from ctidialer.dialer.service import DialerService
from ctidialer.stage.daemon import TWISTD

ROOT = Path(__file__).resolve().parent.parent


class OptionsTests(SynchronousTestCase):
    def parse(self, text: str | None, *arguments: str) -> tap.Options:
        options = tap.Options()
        if text is not None:
            path = Path(self.mktemp())
            path.write_text(text, "utf-8")
            arguments = ("--config", str(path), *arguments)
        options.parseOptions(list(arguments))
        return options

    def fault(self, text: str | None, *arguments: str) -> str:
        return str(self.assertRaises(usage.UsageError, self.parse, text, *arguments))

    def test_a_file_that_can_be_used(self) -> None:
        options = self.parse('[node]\nhost = "fs1"')
        self.assertEqual(options.settings.node.host, "fs1")
        services = list(IServiceCollection(tap.makeService(options)))
        self.assertIsInstance(services[0], DialerService)

    def test_what_is_wrong_is_a_usage_error(self) -> None:
        self.assertIn("nofile", self.fault(None, "--config", "nofile"))
        self.assertIn("$.node", self.fault("[node]\nhots = 'fs1'"))
        self.assertIn("$.redis.url", self.fault("[redis]\nurl = 'http://x'"))
        self.assertTrue(self.fault("", "more"))
        self.assertIn("json, text", self.fault("", "--log-format", "xml"))

    def test_a_redis_url_with_a_password_is_not_repeated(self) -> None:
        said = self.fault("[redis]\nurl = 'redis//:geheim@x'")
        self.assertNotIn("geheim", said)


class ProcessTests(TestCase):
    """The command itself, as supervisord would run it."""

    kind = "integration"
    timeout = 600

    async def run_twistd(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", TWISTD, "--nodaemon", "--pidfile=", "ctidialer"]
        directory = Path(self.mktemp())
        directory.mkdir()

        def run() -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [*command, *arguments],
                cwd=directory,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )

        return await deferToThread(run)

    async def test_settings_that_cannot_be_used(self) -> None:
        done = await self.run_twistd("--config", "nofile.toml")
        self.assertEqual(done.returncode, 1)
        said = done.stdout + done.stderr
        self.assertIn("nofile.toml: cannot be read", said)
        self.assertNotIn("Traceback", said)
