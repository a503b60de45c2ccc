"""A program that runs as our child: how it is started, signalled and ended, and what it said last.

Redis, the switch and the daemon are alike in all of this.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.interfaces import IProcessTransport, IReactorProcess
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

import ctidialer
from ctidialer.glue import Waiters

# Runs a program such that it dies with us, however we die (Linux: prctl PR_SET_PDEATHSIG).
LAUNCHER = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


class ChildProcess(ProcessProtocol):
    """A program that runs until it has ended.

    What it prints is appended to the file ``output``.  ``pid`` stays what it was; ``status`` is the
    exit status, negative = killed by that signal, None = it runs.
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        self.pid = 0
        self.status: int | None = None
        self._begins_at = output.stat().st_size if output.exists() else 0
        self._waiters: Waiters[int] = Waiters()

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.status is None

    def stop(self) -> Deferred[int]:
        """Ask it to end in good order (SIGTERM); fires with the exit status when it has."""
        return self.signal("TERM")

    def kill(self) -> Deferred[int]:
        """End it at once, as a crash would (SIGKILL); fires with the exit status."""
        return self.signal("KILL")

    def pause(self) -> None:
        """Stop it (SIGSTOP): everything it holds open stays open and silent."""
        self.send("STOP")

    def go_on(self) -> None:
        """Let it run again after a pause."""
        self.send("CONT")

    def signal(self, name: str) -> Deferred[int]:
        """Send a signal; fires when the process has ended, at once if it has already."""
        ended = self.ended()
        self.send(name)
        return ended

    def send(self, name: str) -> None:
        """Send a signal (``KILL``, ``STOP``, ``CONT``…), if the process is still there."""
        transport = self.transport
        if self.running and IProcessTransport.providedBy(transport):
            with suppress(ProcessExitedAlready):
                transport.signalProcess(signal.Signals[f"SIG{name}"])

    def ended(self) -> Deferred[int]:
        """Return a Deferred that fires with the exit status, at once if it has ended already."""
        return self._waiters.wait() if self.status is None else succeed(self.status)

    def last_words(self, lines: int = 15) -> str:
        """Return the end of what this process has printed."""
        with self.output.open("rb") as output:
            output.seek(self._begins_at)
            text = output.read().decode("utf-8", "replace")
        return "\n".join(text.splitlines()[-lines:])

    def connectionMade(self) -> None:
        """Part of IProcessProtocol: it runs."""
        if IProcessTransport.providedBy(self.transport):
            self.pid = self.transport.pid or 0

    def processEnded(self, reason: Failure) -> None:
        """Part of IProcessProtocol: tell whoever waits for the end."""
        self.status = _exit_status(reason)
        self._waiters.fire(self.status)


def spawn(
    reactor: IReactorProcess,
    child: ChildProcess,
    command: Sequence[str],
    directory: Path,
    *,
    environ: Mapping[str, str] = os.environ,
    pipes: Mapping[int, str] = MappingProxyType({}),
) -> None:
    """Start ``command`` in ``directory``.

    ``pipes`` are further file descriptors as `IReactorProcess.spawnProcess` takes them; all output
    that they do not name goes to the child's ``output``.
    """
    with open(os.devnull, "rb") as nothing, child.output.open("ab") as output:
        files: dict[int, int | str] = {
            0: nothing.fileno(),
            1: output.fileno(),
            2: output.fileno(),
            **pipes,
        }
        reactor.spawnProcess(
            child, command[0], list(command), environ, str(directory), childFDs=files
        )


def dying_with_us(command: Sequence[str]) -> list[str]:
    """Return a command that runs ``command`` and dies when this process does (on Linux only)."""
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", "-c", LAUNCHER, str(os.getpid()), *command]


def with_our_packages(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which a child's Python finds this package, and what stands by it."""
    root = str(Path(ctidialer.__file__).resolve().parent.parent)
    paths = [root, *filter(None, [environ.get("PYTHONPATH")])]
    return {**environ, "PYTHONPATH": os.pathsep.join(paths)}


def _exit_status(reason: Failure) -> int:
    if reason.check(ProcessDone):
        return 0
    if not isinstance(reason.value, ProcessTerminated):
        raise TypeError(f"no process ends so: {reason.value!r}")
    ended = reason.value
    return int(ended.exitCode) if ended.signal is None else -int(ended.signal)
