"""Runs the simulated switch as a child process, for the demo and the tests."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IProcessTransport, IReactorProcess
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

import ctidialer


class SwitchFailed(Exception):
    """The simulated switch did not start; the text is what it wrote to standard error."""


class SwitchProcess(ProcessProtocol):
    """A running simulated switch.

    ``ended`` fires with None when the process is gone, however it went.  It never fails.
    """

    def __init__(self, log_path: Path) -> None:
        self.log_path = log_path
        self.port = 0
        self.ready: Deferred[SwitchProcess] = Deferred()
        self.ended: Deferred[None] = Deferred()
        self._output = b""
        self._errors = b""

    @property
    def pid(self) -> int | None:
        """The process's id, None once it is gone."""
        transport = self.transport
        return transport.pid if IProcessTransport.providedBy(transport) else None

    def kill(self) -> Deferred[None]:
        """Send SIGKILL; fires when the process is gone."""
        return self._signal("KILL")

    def stop(self) -> Deferred[None]:
        """Send SIGTERM, on which it ends as FreeSWITCH does; fires when the process is gone."""
        return self._signal("TERM")

    def _signal(self, name: str) -> Deferred[None]:
        done: Deferred[None] = Deferred()
        self.ended.addCallback(lambda _: done.callback(None))
        transport = self.transport
        try:
            if IProcessTransport.providedBy(transport):
                transport.signalProcess(name)
        except ProcessExitedAlready:
            pass
        return done

    def pause(self) -> None:
        """Stop the process with SIGSTOP: everything it holds open stays open and silent."""
        self._send(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let a paused process run again."""
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        if self.pid is not None:
            os.kill(self.pid, number)

    def outReceived(self, data: bytes) -> None:
        """Learn the port from the first line."""
        self._output += data
        line, newline, _ = self._output.partition(b"\n")
        if newline and not self.ready.called:
            self.port = int(json.loads(line)["port"])
            self.ready.callback(self)

    def errReceived(self, data: bytes) -> None:
        """Keep the end of what it complains about."""
        self._errors = (self._errors + data)[-4000:]

    def processEnded(self, reason: Failure) -> None:
        """Tell that the process is gone."""
        if not self.ready.called:
            text = self._errors.decode("utf-8", "replace").strip()
            self.ready.errback(SwitchFailed(text or reason.getErrorMessage()))
        self.ended.callback(None)


def start_switch(
    reactor: IReactorProcess,
    directory: Path,
    script: dict[str, Any] | None = None,
    **options: object,
) -> Deferred[SwitchProcess]:
    """Start a switch on a free loopback port; fires once it listens, fails with `SwitchFailed`.

    ``directory`` gets its log, ``calls.jsonl``, which a later start in the same directory goes on
    with, and the script.  ``options`` are those of the command line, with underscores:
    ``heartbeat=1.0``, ``listen="127.0.0.1:18021"``; ``True`` stands for a switch without a value.
    The process ends when its parent does.
    """
    protocol = SwitchProcess(directory / "calls.jsonl")
    arguments = ["--log", str(protocol.log_path), "--die-with-parent"]
    if script is not None:
        path = directory / "script.json"
        path.write_text(json.dumps(script))
        arguments += ["--script", str(path)]
    for name, value in options.items():
        arguments += _option(name, value)
    command = [sys.executable, "-m", "ctidialer.switchsim", *arguments]
    reactor.spawnProcess(protocol, command[0], command, env=_environment())
    return protocol.ready


def _option(name: str, value: object) -> list[str]:
    flag = "--" + name.replace("_", "-")
    if value is None or value is False:
        return []
    return [flag] if value is True else [flag, str(value)]


def _environment() -> dict[str, str]:
    """Give the child this process's way of finding the package."""
    root = str(Path(ctidialer.__file__).resolve().parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
