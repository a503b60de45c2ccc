"""The version before and this one, one after the other under one host's name, and side by side.

The version before is what ``$CTIDIALER_TEST_BEFORE`` names (a commit), else the last commit but
one; without git, or without that commit, these tests skip.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SkipTest

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from ctidialer.contract.status import decode_status
from ctidialer.stage.daemon import DaemonProcess
from tests.dialer.switch_case import SwitchTestCase
from tests.dialer.test_two_hosts import TwoHostsCase
from tests.support.node import HOST, NodeTestCase
from tests.support.redis import new_directory

ROOT = Path(__file__).resolve().parents[2]
BEFORE = os.environ.get("CTIDIALER_TEST_BEFORE", "HEAD~1")
PARTS = ("ctidialer", "twisted", "setup.cfg")

RETRIED = ("2001", "2002")
ANSWERED = tuple(str(1000 + index) for index in range(12))
SCRIPT: dict[str, Any] = {
    "default": {"result": "answer", "talk": 3600},
    "numbers": {number: {"result": "sip", "status": 486} for number in RETRIED},
}


def version_before(directory: str) -> Path:
    """Put the version before into a directory; raises SkipTest where it cannot be had."""
    try:
        archive = subprocess.run(
            ["git", "-C", str(ROOT), "archive", BEFORE, *PARTS], capture_output=True, check=True
        )
        subprocess.run(["tar", "-x", "-C", directory], input=archive.stdout, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SkipTest(f"there is no version before ({BEFORE}): {error}") from error
    return Path(directory)


class UpgradeCase(NodeTestCase):
    """``begin`` starts a daemon of either version."""

    async def set_up(self) -> None:
        self.before = await deferToThread(version_before, new_directory(self))
        await super().set_up()

    def begin(self, is_old: bool, name: str, host: str = HOST) -> DaemonProcess:
        """Start a daemon that takes over a name a second after the one before was killed."""
        environ = {"PYTHONPATH": str(self.before)} if is_old else {}
        node = "lease = 1\ncall_check_interval = 1\n"
        return self.start_daemon(name, host=host, node=node, environ=environ)


class OneAfterTheOtherTests(UpgradeCase, SwitchTestCase):
    script = SCRIPT

    async def test_the_version_before_is_what_runs(self) -> None:
        command = [sys.executable, "-c", "import ctidialer; print(ctidialer.__file__)"]
        environ = {**os.environ, "PYTHONPATH": str(self.before)}
        found = await deferToThread(subprocess.check_output, command, env=environ)
        self.assertTrue(found.decode().startswith(str(self.before)), found)

    async def killed(self, daemon: DaemonProcess) -> None:
        daemon.kill()
        await daemon.ended()

    async def test_forward_and_back_with_calls_up(self) -> None:
        """Each daemon is killed with calls up and numbers that wait; the next one goes on."""
        plan = [{"outcome": ["busy"], "after": 1, "count": 2}]
        await self.usual_tables(limit=3, retry_plan=plan)
        await self.put_line(count=100)
        await self.put_numbers([*RETRIED, *ANSWERED])
        for turn, is_old in enumerate((True, False, True, False)):
            await self.put_task(limit=3 * (turn + 1), retry_plan=plan)
            daemon = self.begin(is_old, f"daemon{turn}")
            await self.dialed(3 * (turn + 1))
            await self.killed(daemon)
        self.begin(is_old=False, name="last")

        async def are_done() -> bool:
            await self.hang_up()
            ends = [record.number for record in await self.records() if record.is_final]
            return len(ends) >= len(RETRIED) + len(ANSWERED)

        await self.until("every number has ended", are_done)
        await self.nothing_in_flight()
        records = await self.records()
        final = Counter(record.number for record in records if record.is_final)
        self.assertEqual(final, Counter([*RETRIED, *ANSWERED]))
        dialed = Counter(self.switch_log().numbers)
        for record in records:
            if record.number in ANSWERED:
                # A daemon that is killed between its note and its command has called nobody.
                least = 0 if record.outcome is Outcome.UNKNOWN else 1
                self.assertIn(dialed[record.number], {least, 1})
        for number in RETRIED:
            self.assertLessEqual(dialed[number], 3)
        uuids = [attempt.uuid for record in records for attempt in record.attempts]
        self.assertEqual(len(uuids), len(set(uuids)))
        ends = {record.outcome for record in records if record.number in ANSWERED}
        self.assertLessEqual(ends, {Outcome.ANSWERED, Outcome.UNKNOWN})


class SideBySideTests(UpgradeCase, TwoHostsCase):
    script = SCRIPT

    async def dialed_on(self, host: str, count: int) -> None:
        async def are_dialed() -> bool:
            return len(self.dialed_by(host)) >= count

        await self.until(f"{host} has dialed {count}", are_dialed)

    async def test_both_work_on_one_list_and_read_each_other(self) -> None:
        await self.usual_tables(limit=3)
        await self.put_line(count=100)
        for is_old, host in ((True, "fs1"), (False, "fs2")):
            self.switch = self.switches[host]
            self.begin(is_old, host, host)

        async def are_both_ready() -> bool:
            raws = [await self.call("GET", keys.status(host)) for host in ("fs1", "fs2")]
            said = [decode_status(raw) for raw in raws if isinstance(raw, bytes)]
            return [status.ready for status in said] == [True, True]

        await self.until("both are ready", are_both_ready)
        await self.put_numbers(ANSWERED[:6])
        await self.dialed_on("fs1", 3)
        await self.dialed_on("fs2", 3)
        dialed = Counter([*self.dialed_by("fs1"), *self.dialed_by("fs2")])
        self.assertEqual(dialed, Counter(ANSWERED[:6]))
