"""The README and the quick start, typed as a reader types them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from ctidialer.contract.record import Outcome
from ctidialer.contract.record_document import decode_record, encode_record
from tests.docs.blocks import ROOT, Block, blocks, commands
from tests.docs.docs_case import DocsCase
from tests.support.redis import new_directory

README = ROOT / "README.rst"
QUICK_START = ROOT / "docs" / "quickstart.rst"


def block_with(page: Path, text: str) -> Block:
    """Return the one block of a page that holds ``text``."""
    (found,) = [block for block in blocks(page) if text in block.text]
    return found


def line_with(page: Path, text: str) -> str:
    """Return the one command of a page's shell blocks that holds ``text``."""
    shell = [block for block in blocks(page) if block.is_shell]
    (found,) = [line for block in shell for line in commands(block.text) if text in line]
    return found


class ReadmeTests(DocsCase):
    """A task, three numbers, three records, exactly as the README says it."""

    async def test_the_quick_start(self) -> None:
        self.settings_file()
        daemon = self.start_shell(line_with(README, "twistd --nodaemon"))
        await self.type_block(block_with(README, "HSET cti_queue_dialer_task"))
        records = await self.records_of(3, socket.gethostname())
        self.assertEqual(
            sorted(record.number or "" for record in records),
            ["13800138000", "13800138001", "13800138002"],
        )
        self.assertEqual({record.outcome for record in records}, {Outcome.ANSWERED})
        ways = {(attempt.line_group, attempt.line) for one in records for attempt in one.attempts}
        self.assertEqual(ways, {("carrier1", None)})
        shown = await self.type(line_with(README, "XRANGE"))
        read = [line for line in shown.splitlines() if line.startswith("{")]
        self.assertEqual([decode_record(line.encode()) for line in read], list(records))
        started = sorted(attempt.dialed_at for one in records for attempt in one.attempts)
        self.assertGreater(started[-1] - started[0], 0.6, "three calls at two a second")
        self.assertIsNone(daemon.poll())
        asked = block_with(README, "ctidialer explain")
        status, explained, told = await self.type_block(asked)
        self.assertIn(f"node {socket.gethostname()}: ready", status)
        while "queue_empty" not in explained:  # for half a second the task waits for its cps
            _, explained, _ = await self.type_block(asked)
        self.assertIn("13800138002", told)

    def test_the_record_shown_has_the_keys_of_a_record(self) -> None:
        (block,) = [block for block in blocks(README) if block.language == "json"]
        record = decode_record(block.text.encode())
        self.assertEqual((record.outcome, record.attempts[0].sip_code), (Outcome.BUSY, 486))
        self.assertEqual(json.loads(block.text), json.loads(encode_record(record)))


class QuickStartTests(DocsCase):
    """The steps with a real FreeSWITCH, with the simulated one in its place."""

    async def test_task_records_and_the_reason(self) -> None:
        settings = self.settings_file()
        text = settings.read_text(encoding="utf-8")
        settings.write_text(text.replace('# host = "fs1"', 'host = "fs1"'), encoding="utf-8")
        self.assertIn('\nhost = "fs1"', settings.read_text(encoding="utf-8"))
        start = line_with(QUICK_START, "twistd --nodaemon").removeprefix("/opt/ctidialer/bin/")
        self.start_shell(start)
        await self.type_block(block_with(QUICK_START, "HSET cti_queue_dialer_task@template"))
        records = await self.records_of(2)
        read = line_with(QUICK_START, "XREAD").replace("$(hostname)", "fs1")
        shown = [line for line in (await self.type(read)).splitlines() if line.startswith("{")]
        self.assertEqual([decode_record(line.encode()) for line in shown], list(records))
        await self.nothing_in_flight()
        explain = line_with(QUICK_START, "ctidialer explain").removeprefix("/opt/ctidialer/bin/")
        said = await self.type(explain)
        while "queue_empty" not in said:  # for half a second the task waits for its cps
            said = await self.type(explain)
        self.assertEqual(said.strip(), block_with(QUICK_START, "queue_empty").text)

    async def test_a_host_opts_out(self) -> None:
        await self.type_block(block_with(QUICK_START, "HSET cti_queue_dialer_task@template"))
        await self.type_block(block_with(QUICK_START, "cti_queue_dialer_task@fs2"))
        said = await self.type("ctidialer explain --host fs2 welcome")
        self.assertIn("welcome on fs2: disabled", said)
        self.assertIn("no_daemon", await self.type("ctidialer explain --host fs3 welcome"))


class InstallationTests(TestCase):
    kind = "integration"
    """The lines that install it; that the hashes and the wheel are right is checked by
    ``make check-wheel``."""

    timeout = 600

    async def test_the_lines_of_the_readme(self) -> None:
        make, pinned, ours, activate = commands(block_with(README, "--require-hashes").text)
        self.assertTrue(pinned.endswith("--require-hashes -r requirements/daemon.txt"))
        self.assertTrue(ours.endswith("install --no-deps --no-build-isolation ."))
        place = Path(new_directory(self)) / "ctidialer"
        make = make.replace("/opt/ctidialer", str(place)).replace("python3", sys.executable, 1)
        activate = activate.replace("/opt/ctidialer", str(place))
        script = f"set -e\n{make}\n{place}/bin/pip --version\n{activate}\ncommand -v python"
        done = await deferToThread(
            subprocess.run, ["/bin/sh", "-c", script], capture_output=True, text=True
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"{place}/bin/python", done.stdout)
