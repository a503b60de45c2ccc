"""The real daemon as a child process: ``twistd --nodaemon ctidialer``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.interfaces import IProcessTransport, IReactorProcess
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from ctidialer.settings import IN_A_FILE, SECRETS

TWISTD = "from twisted.scripts.twistd import run; run()"


class DaemonProcess(ProcessProtocol):
    """A running daemon; ``ended`` fires with its exit status, negative = killed by that signal."""

    def __init__(self, log_path: Path) -> None:
        self.log_path = log_path
        self.running = True
        self.status: int | None = None
        self._waiting: list[Deferred[int]] = []

    @property
    def pid(self) -> int | None:
        """The process's id, None once it is gone."""
        transport = self.transport
        return transport.pid if IProcessTransport.providedBy(transport) else None

    def stop(self) -> Deferred[int]:
        """Ask the daemon to drain and end (SIGTERM)."""
        return self.signal("TERM")

    def kill(self) -> Deferred[int]:
        """End the daemon at once, as a crash would (SIGKILL)."""
        return self.signal("KILL")

    def signal(self, name: str) -> Deferred[int]:
        """Send a signal; fires when the daemon has ended, at once if it has already."""
        ended = self.ended()
        if self.running:
            assert self.transport is not None
            self.transport.signalProcess(name)
        return ended

    def ended(self) -> Deferred[int]:
        """Return a Deferred that fires with the exit status."""
        waiting: Deferred[int] = Deferred()
        if self.status is not None:
            waiting.callback(self.status)
        else:
            self._waiting.append(waiting)
        return waiting

    def processEnded(self, reason: Failure) -> None:
        """The process is gone."""
        self.running = False
        self.status = _status(reason)
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            deferred.callback(self.status)

    def last_words(self, lines: int = 15) -> str:
        """Return the end of the daemon's log."""
        text = self.log_path.read_text("utf-8", "replace")
        return "\n".join(text.splitlines()[-lines:])


def start_daemon(
    reactor: IReactorProcess,
    directory: Path,
    settings: str,
    name: str = "daemon",
    *,
    twistd: Sequence[str] = (),
    environ: Mapping[str, str] = MappingProxyType({}),
) -> DaemonProcess:
    """Start a daemon with the TOML ``settings``; its files and its log stand in ``directory``.

    ``twistd`` are further options of twistd, ``environ`` further variables.
    """
    config = directory / f"{name}.toml"
    config.touch(mode=0o600)
    config.write_text(settings, "utf-8")
    process = DaemonProcess(directory / f"{name}.log")
    command = [sys.executable, "-c", TWISTD, "--nodaemon", "--pidfile=", *twistd, "ctidialer"]
    # The secrets of this machine's real node count before the settings: the daemon would work on
    # the real Redis.
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name.removesuffix(IN_A_FILE) not in SECRETS
    }
    with process.log_path.open("ab") as log:
        reactor.spawnProcess(
            process,
            command[0],
            [*command, "--config", str(config)],
            env={**inherited, **environ},
            path=str(directory),
            childFDs={1: log.fileno(), 2: log.fileno()},
        )
    return process


def _status(reason: Failure) -> int:
    if reason.check(ProcessDone):
        return 0
    assert isinstance(reason.value, ProcessTerminated)
    ended = reason.value
    return int(ended.exitCode) if ended.signal is None else -int(ended.signal)
