"""Runs long looks in a process of their own, so that no call waits for them."""

from __future__ import annotations

import os
import sys
from typing import Any

import msgspec
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.error import ProcessDone
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from ctidialer.glue import Waiters
from ctidialer.settings import IN_A_FILE, SECRETS, Settings

PROGRAM = "ctidialer.cli.aside"

LOOK_TIMEOUT = 120.0
"""Seconds after which a look is given up."""

MAX_ANSWER = 256 * 1024 * 1024
MAX_COMPLAINT = 4096


class LookFailed(Exception):
    """A look has failed; the message says why."""


class Aside:
    """Runs looks one after another; requests for the same look share it."""

    def __init__(self, reactor: Any, settings: Settings) -> None:
        self._reactor = reactor
        self._settings = settings
        self._turn = DeferredLock()
        self._asked: dict[bytes, Waiters[bytes]] = {}

    def look(self, name: str, **details: object) -> Deferred[bytes]:
        """Return the JSON of a look; fails with LookFailed.

        ``details`` are further members of the order, as ``ctidialer.cli.aside`` has it.
        """
        order = {"look": name, "settings": self._settings, **details}
        wanted = msgspec.json.encode(order)
        waiters = self._asked.get(wanted)
        if waiters is None:
            waiters = self._asked[wanted] = Waiters()
            looking: Deferred[bytes] = self._turn.run(self._start, wanted)
            looking.addBoth(self._answer, wanted)
        return waiters.wait()

    def _answer(self, answer: bytes | Failure, wanted: bytes) -> None:
        waiters = self._asked.pop(wanted)
        if isinstance(answer, bytes):
            waiters.fire(answer)
        else:
            waiters.fail(answer.value if isinstance(answer.value, LookFailed) else _bug(answer))

    def _start(self, order: bytes) -> Deferred[bytes]:
        looking = _Looking(self._reactor, order)
        command = [sys.executable, "-m", PROGRAM]
        self._reactor.spawnProcess(looking, command[0], command, env=_environment())
        return looking.ended


class _Looking(ProcessProtocol):
    """One process; ``ended`` fires with what it printed, or fails with LookFailed."""

    def __init__(self, reactor: Any, order: bytes) -> None:
        self._order = order
        self._answer: list[bytes] = []
        self._size = 0
        self._complaint = b""
        self._deadline: IDelayedCall = reactor.callLater(
            LOOK_TIMEOUT, self._give_up, "took too long"
        )
        self.ended: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        """Part of IProcessProtocol: say what is wanted."""
        assert self.transport is not None
        self.transport.write(self._order)
        self.transport.closeStdin()

    def outReceived(self, data: bytes) -> None:
        """Part of IProcessProtocol: a piece of the answer."""
        self._answer.append(data)
        self._size += len(data)
        if self._size > MAX_ANSWER:
            self._give_up("has too long an answer")

    def errReceived(self, data: bytes) -> None:
        """Part of IProcessProtocol: a complaint."""
        self._complaint = (self._complaint + data)[-MAX_COMPLAINT:]

    def processEnded(self, reason: Failure) -> None:
        """Part of IProcessProtocol: tell what came of it."""
        if self._deadline.active():
            self._deadline.cancel()
        if reason.check(ProcessDone) and not self._complaint:
            self.ended.callback(b"".join(self._answer))
        else:
            words = self._complaint.decode("utf-8", "replace").strip().splitlines()
            self.ended.errback(LookFailed(words[-1] if words else reason.getErrorMessage()))

    def _give_up(self, problem: str) -> None:
        self._complaint = f"the look {problem}".encode()
        self._answer.clear()
        if self.transport is not None and self.transport.pid:
            self.transport.signalProcess("KILL")


def _environment() -> dict[str, str]:
    """Return our environment without the secrets; PYTHONPATH lets the child find our packages."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.removesuffix(IN_A_FILE) not in SECRETS
    }
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _bug(failure: Failure) -> LookFailed:
    Logger().failure("A look could not be started", failure)
    return LookFailed("the look could not be started; the log says why")
