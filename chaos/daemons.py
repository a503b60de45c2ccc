"""Daemons of the test build as child processes, and a supervisor that restarts what died."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, FailureGroup, race
from twisted.internet.defer import TimeoutError as TimedOut
from twisted.internet.task import deferLater

from ctidialer.stage.child_process import with_our_packages
from ctidialer.stage.daemon import DaemonProcess, start_daemon

RESTART_PAUSE = 0.3
"""Seconds after which a daemon that ended is started again."""


def start_chaos_daemon(
    reactor: Any,
    directory: Path,
    settings: str,
    orders: Mapping[str, object],
    name: str = "daemon",
) -> DaemonProcess:
    """Start the test build with the TOML ``settings`` and ``orders`` (:mod:`chaos.entry`)."""
    return start_daemon(
        reactor,
        directory,
        settings,
        name,
        program=(sys.executable, "-m", "chaos.entry", json.dumps(orders)),
        environ={"PYTHONPATH": with_our_packages(os.environ)["PYTHONPATH"]},
    )


class Supervisor:
    """Keeps one daemon running, as supervisord or systemd would; counts how they ended.

    Exit status 1 is what a daemon ends with while another one's lease has not lapsed: it is started
    again until it gets in.
    """

    def __init__(self, reactor: Any, start: Callable[[], DaemonProcess]) -> None:
        self._reactor = reactor
        self._start_one = start
        self._generation = 0
        self.down_for = RESTART_PAUSE
        self.statuses: Counter[int] = Counter()
        self._pause: Deferred[None] | None = None
        self.current: DaemonProcess

    def start(self) -> None:
        """Begin."""
        self._start()

    def replace_stopped(self) -> DaemonProcess:
        """Stop the daemon (SIGSTOP) and keep another one from now on; return the stopped one."""
        former = self.current
        former.pause()
        self._start_no_other()
        self._start()
        return former

    async def keep_one(self, former: DaemonProcess, patience: float) -> int:
        """Wait until one of ``former`` and the current daemon has ended; keep the other one.

        Returns the exit status of the one that ended.  Raises `twisted.internet.defer.TimeoutError`
        after ``patience`` seconds, and keeps the current one.
        """
        rivals = (former, self.current)
        self._start_no_other()
        first = race([rival.ended() for rival in rivals])
        loser = 0
        try:
            loser, status = await first.addTimeout(patience, self._reactor)
        except FailureGroup:  # the race was cancelled: an end never fails otherwise
            raise TimedOut(patience, "seconds, and both go on") from None
        finally:
            self._keep(rivals[1 - loser])
        return status

    async def stop(self) -> int:
        """Let the daemon drain, start no other, and return its exit status."""
        self._start_no_other()
        return await self.current.stop()

    async def kill(self) -> None:
        """Kill the daemon and start no other."""
        self._start_no_other()
        await self.current.kill()

    def _start_no_other(self) -> None:
        self._generation += 1
        if self._pause is not None:
            self._pause.cancel()

    def _start(self) -> None:
        daemon = self._start_one()
        daemon.ended().addCallback(self._count)
        self._keep(daemon)

    def _count(self, status: int) -> None:
        self.statuses[status] += 1

    def _keep(self, daemon: DaemonProcess) -> None:
        self.current = daemon
        Deferred.fromCoroutine(self._start_again(daemon, self._generation))

    async def _start_again(self, daemon: DaemonProcess, generation: int) -> None:
        """Start another one when ``daemon`` has ended, unless another generation has begun."""
        await daemon.ended()
        if generation == self._generation:
            self._pause = deferLater(self._reactor, self.down_for)
            with suppress(CancelledError):
                await self._pause
                self._start()
