"""``ctidialer demo``: a whole campaign on a fresh machine, and nothing left of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections import Counter
from pathlib import Path
from subprocess import PIPE, Popen
from time import monotonic, sleep
from typing import Any
from urllib.request import urlopen

from attrs import evolve
from click.testing import CliRunner
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SkipTest, SynchronousTestCase, TestCase

from ctidialer.cli import demo as demo_module
from ctidialer.cli import main
from ctidialer.cli.demo_campaign import DemoReport, demo_entries
from ctidialer.contract.record import Kind, Outcome, Record
from ctidialer.stage.audit import Audit

ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = [sys.executable, "-c", "from ctidialer.cli import main; main()", "demo"]
DEADLINE = 120.0

RECORD = Record("id", Kind.QUEUE, "demo", "1", b"1", Outcome.BUSY, 1.0, 2.0, "demo")


class DemoCase(TestCase):
    """Runs the command with a temporary directory of its own."""

    kind = "integration"
    timeout = 2 * DEADLINE

    def setUp(self) -> None:
        self.directory = Path(self.mktemp()).absolute()
        self.directory.mkdir()

    def start(self, *arguments: str, **environ: str) -> Popen[str]:
        process = Popen(
            [*COMMAND, *arguments],
            stdout=PIPE,
            stderr=PIPE,
            text=True,
            cwd=self.directory,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "TMPDIR": str(self.directory),
                "COLUMNS": "120",
                **environ,
            },
        )
        self.addCleanup(process.kill)
        return process

    async def ended(self, process: Popen[str]) -> tuple[int, str, str]:
        said, complaints = await deferToThread(process.communicate, timeout=DEADLINE)
        return process.returncode, said, complaints

    def left_behind(self) -> list[str]:
        """Return the files, and the command lines of the processes, that are left."""
        files = [str(path) for path in self.directory.iterdir()]
        return files + commands_naming(str(self.directory))


def commands_naming(text: str) -> list[str]:
    """Return the command lines of all processes that name ``text``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode("utf-8", "replace").replace("\0", " ")
        except OSError:
            continue
        if text in words:
            found.append(words)
    return found


class CampaignTests(DemoCase):
    async def test_every_number_is_accounted_for(self) -> None:
        status, said, complaints = await self.ended(self.start("--numbers", "30", "--json"))
        self.assertEqual((status, complaints), (0, ""))
        found = json.loads(said)
        self.assertEqual((found["numbers"], found["records"]), (30, 30))
        self.assertEqual(sum(found["outcomes"].values()), 30)
        self.assertTrue(set(found["outcomes"]) <= {outcome.value for outcome in Outcome})
        self.assertEqual(found["calls"], found["calls_by_the_switch"])
        self.assertGreaterEqual(found["calls"], 30)
        self.assertEqual(found["faults"], [])
        self.assertGreater(found["seconds"], 0)
        self.assertTrue(found["redis"])
        self.assertEqual(found["switch"], "simulated")
        self.assertEqual(self.left_behind(), [])

    async def test_for_agents(self) -> None:
        arguments = ("--agents", "3", "--mode", "progressive", "--numbers", "12", "--json")
        status, said, complaints = await self.ended(self.start(*arguments))
        self.assertEqual((status, complaints), (0, ""))
        found = json.loads(said)
        self.assertEqual((found["records"], found["faults"]), (12, []))
        agents = found["agents"]
        self.assertEqual((agents["agents"], agents["mode"]), (3, "progressive"))
        self.assertLessEqual(agents["answered"], found["outcomes"]["answered"])
        self.assertLessEqual(agents["abandoned"], agents["answered"])
        self.assertTrue(0.0 < agents["use"] <= 1.0)
        self.assertEqual(self.left_behind(), [])

    async def test_what_can_be_looked_at_meanwhile(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        # As slow as it must be for a busy machine to look in while it dials.
        process = self.start("--numbers", "60", "--cps", "2", "--http", str(port))
        body = await deferToThread(
            self.first_answer, f"http://127.0.0.1:{port}/api/tasks/demo/explain"
        )
        self.assertEqual(json.loads(body)["task"], "demo")
        process.send_signal(signal.SIGINT)
        _, _, said = await self.ended(process)
        self.assertIn(f"the dashboard: http://127.0.0.1:{port}/", said)
        self.assertRegex(said, "meanwhile: ctidialer forecast demo --redis .+ --host demo")
        self.assertEqual(self.left_behind(), [])

    def first_answer(self, url: str) -> bytes:
        """Return what stands at an address, as soon as something does."""
        end = monotonic() + DEADLINE
        while True:
            try:
                with urlopen(url, timeout=DEADLINE) as answer:
                    body: bytes = answer.read()
                    return body
            except OSError:
                if monotonic() > end:
                    raise
                sleep(0.05)

    async def test_for_people_and_beside_a_real_node(self) -> None:
        """The secrets of the machine's own node are not the demo's."""
        process = self.start(
            "--numbers",
            "5",
            CTIDIALER_REDIS_URL="redis://127.0.0.1:1/0",
            CTIDIALER_ESL_PASSWORD="not the demo's",
        )
        status, said, _ = await self.ended(process)
        self.assertEqual(status, 0, said)
        self.assertIn("What became of the numbers", said)
        self.assertIn("every number has exactly one record", said)
        self.assertEqual(self.left_behind(), [])

    async def test_interrupted_it_puts_everything_away(self) -> None:
        if not Path("/proc/self/cmdline").exists():
            raise SkipTest("processes are counted in /proc")
        process = self.start("--numbers", "5000", "--cps", "5")
        await deferToThread(self.wait_for_daemon)
        process.send_signal(signal.SIGINT)
        status, _, complaints = await self.ended(process)
        self.assertEqual(status, 1)
        self.assertIn("Aborted!", complaints)
        self.assertNotIn("Traceback", complaints)
        self.assertEqual(self.left_behind(), [])

    def wait_for_daemon(self) -> None:
        end = monotonic() + DEADLINE
        while not any("twistd" in one for one in commands_naming(str(self.directory))):
            if monotonic() > end:
                raise AssertionError("no daemon was started")
            sleep(0.02)


class UsageTests(DemoCase):
    async def test_what_is_no_use_is_said_with_status_2(self) -> None:
        runner = CliRunner()
        for arguments in (
            ["--numbers", "0"],
            ["--limit", "0"],
            ["--cps", "nan"],
            ["--cps", "inf"],
            ["--cps", "-1"],
            ["--freeswitch", "fs1"],
            ["--freeswitch", "127.0.0.1:1", "--agents", "2"],
            ["--agents", "2", "--mode", "batch"],
            ["more"],
        ):
            result = runner.invoke(main, ["demo", *arguments])
            self.assertEqual(result.exit_code, 2, arguments)
            self.assertNotIn("Traceback", result.output)


class FaultTests(SynchronousTestCase):
    """What is not as it should be is said, and is the exit status."""

    REPORT = DemoReport(
        audit=Audit(outcomes=Counter({Outcome.BUSY: 1}), attempts=0),
        records=(RECORD,),
        status=0,
        redis="a Redis",
        switch="simulated",
        calls=0,
    )

    def run_with(self, report: DemoReport, *arguments: str) -> Any:
        self.patch(demo_module, "run", lambda work: report)
        return CliRunner().invoke(main, ["demo", "--numbers", "1", *arguments])

    def test_without_a_fault(self) -> None:
        self.assertEqual(self.run_with(self.REPORT).exit_code, 0)

    def test_with_faults(self) -> None:
        faults = tuple(f"fault {index}" for index in range(30))
        report = evolve(self.REPORT, audit=evolve(self.REPORT.audit, faults=faults))
        result = self.run_with(report)
        self.assertEqual(result.exit_code, 1)
        self.assertIn("30 faults", result.output)
        self.assertIn("fault 19", result.output)
        self.assertNotIn("fault 20", result.output)
        self.assertIn("and 10 more", result.output)
        as_json = self.run_with(report, "--json")
        self.assertEqual(as_json.exit_code, 1)
        self.assertEqual(json.loads(as_json.output)["faults"], list(faults))

    def test_what_stands_in_brackets_is_said_as_it_is(self) -> None:
        for fault in ('the entry ["fs1"] is lost', "b'[red]' is no number", "'[/x]' has no record"):
            report = evolve(self.REPORT, audit=evolve(self.REPORT.audit, faults=(fault,)))
            result = self.run_with(report)
            self.assertEqual(result.exit_code, 1, result.exception)
            self.assertIn(f"fault: {fault}\n", result.output)

    def test_a_daemon_that_ended_badly_is_a_fault(self) -> None:
        for status in (0, -15, 143):
            self.assertEqual(evolve(self.REPORT, status=status).faults, ())
        for status in (1, -9, -11, 2):
            self.assertEqual(len(evolve(self.REPORT, status=status).faults), 1)
            self.assertEqual(self.run_with(evolve(self.REPORT, status=status)).exit_code, 1)


class EntriesTests(SynchronousTestCase):
    def test_they_are_all_different_and_some_are_json(self) -> None:
        entries = demo_entries(100)
        self.assertEqual(len(set(entries)), 100)
        self.assertEqual(sum(entry.startswith(b"{") for entry in entries), 10)
