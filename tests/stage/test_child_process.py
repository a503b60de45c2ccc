"""What Redis, the switch and the daemon have in common as our children."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import SkipTest, SynchronousTestCase, TestCase

from ctidialer.stage.child_process import ChildProcess, dying_with_us, spawn
from ctidialer.stage.watching import Stalled, watch


class ChildProcessTests(TestCase):
    """A small program of our own."""

    kind = "integration"
    timeout = 120

    def setUp(self) -> Any:
        # A child that ended before the reactor runs would end the test while the reactor starts,
        # and trial's next test would not hear of its children.
        return deferLater(reactor, 0)

    def start(self, program: str) -> ChildProcess:
        directory = Path(self.mktemp()).absolute()
        directory.mkdir()
        return self.start_in(directory, program)

    def start_in(self, directory: Path, program: str) -> ChildProcess:
        child = ChildProcess(directory / "output")
        spawn(reactor, child, dying_with_us([sys.executable, "-S", "-c", program]), directory)
        self.addCleanup(child.kill)
        return child

    async def test_its_exit_status_and_its_last_words(self) -> None:
        child = self.start("print('one\\ntwo'); import sys; sys.exit('three')")
        self.assertTrue(child.running)
        self.assertEqual(await child.ended(), 1)
        self.assertFalse(child.running)
        self.assertEqual(sorted(child.last_words().splitlines()), ["one", "three", "two"])
        self.assertEqual(await child.ended(), 1)

    async def test_one_that_ends_well(self) -> None:
        self.assertEqual(await self.start("pass").ended(), 0)

    async def test_a_signal_that_ends_it(self) -> None:
        child = self.start("import time; time.sleep(1000)")
        pid = child.pid
        self.assertEqual(await child.kill(), -signal.SIGKILL)
        self.assertEqual((child.status, child.pid), (-signal.SIGKILL, pid))
        self.assertEqual(await child.stop(), -signal.SIGKILL)
        child.pause()
        child.go_on()

    async def test_its_last_words_are_its_own(self) -> None:
        first = self.start("print('the first')")
        await first.ended()
        second = self.start_in(first.output.parent, "print('the second')")
        await second.ended()
        self.assertEqual(second.last_words(), "the second")
        self.assertEqual(first.output.read_text(), "the first\nthe second\n")

    async def test_a_paused_one_goes_on(self) -> None:
        child = self.start("import os; os.kill(os.getpid(), 19); print('again')")
        stat = Path(f"/proc/{child.pid}/stat")
        if not stat.exists():
            raise SkipTest("the state of a process is read in /proc")

        async def state() -> str:
            return stat.read_text().rpartition(")")[2].split()[0]

        await watch(reactor, state, lambda seen: seen == "T", 30)
        child.go_on()
        self.assertEqual(await child.ended(), 0)
        self.assertEqual(child.last_words(), "again")


class WatchTests(SynchronousTestCase):
    """Looking until something is so."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.seen: list[int] = []

    async def look(self) -> int:
        return self.seen.pop(0) if len(self.seen) > 1 else self.seen[0]

    def test_done_at_once(self) -> None:
        self.seen = [3]
        self.assertEqual(self.successResultOf(self.watching()), 3)

    def test_while_something_moves_it_waits(self) -> None:
        self.seen = [0, 0, 1, 1, 2, 2, 3]
        watching = self.watching()
        self.clock.pump([1.0] * 5)
        self.assertNoResult(watching)
        self.clock.advance(1.0)
        self.assertEqual(self.successResultOf(watching), 3)

    def test_nothing_moves(self) -> None:
        self.seen = [1]
        watching = self.watching()
        self.clock.pump([1.0] * 4)
        said = str(self.failureResultOf(watching, Stalled).value)
        self.assertEqual(said, "nothing has moved for 2 s: 1")

    def watching(self) -> Deferred[int]:
        watching = watch(self.clock, self.look, lambda seen: seen == 3, 2.0, 1.0)
        return Deferred.fromCoroutine(watching)
