"""Daemons of the test build as child processes, and a supervisor that restarts what died."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

import ctidialer
from ctidialer.stage.daemon import DaemonProcess

RESTART_PAUSE = 0.3
"""Seconds after which a daemon that ended is started again."""


class ChaosDaemon(DaemonProcess):
    """A daemon that can also be stopped and continued.  ``pid`` stays what it was."""

    pid = 0

    def connectionMade(self) -> None:
        """Learn the process id."""
        assert self.transport is not None
        self.pid = self.transport.pid or 0

    def send(self, name: str) -> None:
        """Send a signal (``KILL``, ``STOP``, ``CONT``…), if the process is still there."""
        if self.running:
            os.kill(self.pid, signal.Signals[f"SIG{name}"])


def start_chaos_daemon(
    reactor: Any, config: Path, log_path: Path, orders: Mapping[str, object]
) -> ChaosDaemon:
    """Start ``twistd ctidialer`` with the settings ``config``; it appends to ``log_path``."""
    process = ChaosDaemon(log_path)
    root = str(Path(ctidialer.__file__).resolve().parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    twistd = ["--nodaemon", "--pidfile=", "ctidialer", "--config", str(config)]
    command = [sys.executable, "-m", "chaos.entry", json.dumps(orders), *twistd]
    with process.log_path.open("ab") as log:
        reactor.spawnProcess(
            process,
            command[0],
            command,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            path=str(config.parent),
            childFDs={1: log.fileno(), 2: log.fileno()},
        )
    return process


class Supervisor:
    """Keeps one daemon running, as supervisord or systemd would; counts how they ended.

    Exit status 1 is what a daemon ends with while another one's lease has not lapsed: it is started
    again until it gets in.
    """

    def __init__(
        self, reactor: Any, config: Path, log_path: Path, orders: Mapping[str, object]
    ) -> None:
        self._reactor = reactor
        self._config = config
        self._log_path = log_path
        self._orders = orders
        self._generation = 0
        self.down_for = RESTART_PAUSE
        self.statuses: Counter[int] = Counter()
        self._pause: Deferred[None] | None = None
        self.current: ChaosDaemon

    def start(self) -> None:
        """Begin."""
        self._start(self._generation)

    def replace_stopped(self) -> ChaosDaemon:
        """Stop the daemon (SIGSTOP) and keep another one from now on; return the stopped one."""
        former = self.current
        former.send("STOP")
        self._start_no_other()
        self._start(self._generation)
        return former

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

    def _start(self, generation: int) -> None:
        daemon = start_chaos_daemon(self._reactor, self._config, self._log_path, self._orders)
        self.current = daemon
        Deferred.fromCoroutine(self._ended(daemon, generation))

    async def _ended(self, daemon: ChaosDaemon, generation: int) -> None:
        status = await daemon.ended()
        self.statuses[status] += 1
        if generation == self._generation:
            self._pause = deferLater(self._reactor, self.down_for)
            with suppress(CancelledError):
                await self._pause
                self._start(generation)
