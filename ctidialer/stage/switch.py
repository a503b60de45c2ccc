"""The simulated switch as a child process."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorProcess
from twisted.python.failure import Failure

from ctidialer.stage.child_process import ChildProcess, spawn, with_our_packages

PIPES = {0: "w", 1: "r"}
"""It ends when its standard input does, and says its port on its standard output."""


class SwitchFailed(Exception):
    """The simulated switch did not start; the text is what it wrote to standard error."""


class SwitchProcess(ChildProcess):
    """A running simulated switch; ``log_path`` is its own log of calls."""

    def __init__(self, log_path: Path) -> None:
        super().__init__(log_path.with_name("switch.log"))
        self.log_path = log_path
        self.port = 0
        self.ready: Deferred[SwitchProcess] = Deferred()
        self._said = b""

    def outReceived(self, data: bytes) -> None:
        """Learn the port from the first line."""
        self._said += data
        line, newline, _ = self._said.partition(b"\n")
        if newline and not self.ready.called:
            self.port = int(json.loads(line)["port"])
            self.ready.callback(self)

    def processEnded(self, reason: Failure) -> None:
        """Tell that the process is gone."""
        super().processEnded(reason)
        if not self.ready.called:
            self.ready.errback(SwitchFailed(self.last_words().strip() or reason.getErrorMessage()))


def start_switch(
    reactor: IReactorProcess,
    directory: Path,
    script: dict[str, Any] | None = None,
    **options: object,
) -> Deferred[SwitchProcess]:
    """Start a switch on a free loopback port; fires once it listens, fails with `SwitchFailed`.

    ``directory`` gets its log, ``calls.jsonl``, which a later start in the same directory goes on
    with, and the script.  ``options`` are those of the command line, with underscores:
    ``heartbeat=1.0``, ``listen="127.0.0.1:18021"``; ``True`` stands for a switch without a value,
    an object for a file that holds it: ``callcenter={…}``.
    The process ends when its parent does.
    """
    place = directory.absolute()
    protocol = SwitchProcess(place / "calls.jsonl")
    arguments = ["--log", str(protocol.log_path), "--die-with-parent"]
    for name, value in {"script": script, **options}.items():
        arguments += _option(name, value, place)
    command = [sys.executable, "-m", "ctidialer.switchsim", *arguments]
    environ = with_our_packages(os.environ)
    spawn(reactor, protocol, command, place, environ=environ, pipes=PIPES)
    return protocol.ready


def _option(name: str, value: object, place: Path) -> list[str]:
    flag = "--" + name.replace("_", "-")
    if isinstance(value, dict):
        path = place / f"{name}.json"
        path.write_text(json.dumps(value))
        return [flag, str(path)]
    if value is None or value is False:
        return []
    return [flag] if value is True else [flag, str(value)]
