"""``twistd ctidialer``: its options, its exit status, its signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.application.service import IServiceCollection
from twisted.internet.threads import deferToThread
from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase, TestCase

from ctidialer import tap
from ctidialer.contract import keys
from ctidialer.dialer.service import DialerService
from ctidialer.stage.daemon import TWISTD, DaemonProcess
from tests.support.node import HOST, NodeTestCase

TALKS_FOR_LONG: Mapping[str, Any] = {"default": {"result": "answer", "talk": 60}}
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


class DaemonTests(NodeTestCase):
    """The daemon in a process of its own."""

    script = TALKS_FOR_LONG

    async def a_call_is_up(self) -> None:
        await self.usual_tables()
        await self.put_numbers(["1001"])

        async def is_up() -> bool:
            return len(self.switch_log().originates) == 1

        await self.until("one call", is_up)

    async def says(self, daemon: DaemonProcess, what: str) -> None:
        async def has_said() -> bool:
            return what in daemon.last_words(200)

        await self.until(f"the daemon says {what!r}", has_said)

    async def test_one_signal_drains_and_a_second_ends_at_once(self) -> None:
        daemon = self.start_daemon()
        await self.a_call_is_up()
        ended: list[int] = []
        daemon.signal("TERM").addCallback(ended.append)
        await self.says(daemon, "No new call is placed")
        self.assertEqual(ended, [])
        status = await daemon.signal("TERM")
        self.assertEqual(status, 128 + signal.SIGTERM)
        self.assertEqual(await self.call("HLEN", keys.in_flight(HOST)), 1)
        self.assertEqual(await self.records(), ())

    async def test_the_second_daemon_of_a_host_says_why_it_ends(self) -> None:
        first = self.start_daemon("first")
        await self.a_call_is_up()
        second = self.start_daemon("second")
        status = await second.ended()
        self.assertEqual(status, 1)
        self.assertIn("ctidialer stops: ", second.last_words())
        self.assertIn("another daemon works under the host name 'fs1'", second.last_words())
        self.assertTrue(first.running)
