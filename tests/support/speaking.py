"""A program that runs as our child, and is heard: what it prints is kept, and can be waited for."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from ctidialer.stage.child_process import ChildProcess

HEARD = {1: "r", 2: "r"}
"""The pipes with which `spawn` is to start it."""


class SpeakingProcess(ChildProcess):
    """A child process; ``out`` is what it has printed, ``err`` what it has complained of."""

    def __init__(self) -> None:
        super().__init__(Path(os.devnull))
        self._out = bytearray()
        self._err = bytearray()
        self._expected: list[tuple[str, Deferred[None]]] = []

    @property
    def out(self) -> str:
        """What it has printed so far."""
        return self._out.decode("utf-8", "replace")

    @property
    def err(self) -> str:
        """What it has written to standard error so far."""
        return self._err.decode("utf-8", "replace")

    def printed(self, text: str) -> Deferred[None]:
        """Fire when ``text`` has been printed; the test's own timeout is the deadline."""
        expected: Deferred[None] = Deferred()
        if text in self.out:
            expected.callback(None)
        else:
            self._expected.append((text, expected))
        return expected

    def outReceived(self, data: bytes) -> None:
        self._out += data
        for one in list(self._expected):
            if one[0] in self.out:
                self._expected.remove(one)
                one[1].callback(None)

    def errReceived(self, data: bytes) -> None:
        self._err += data

    def processEnded(self, reason: Failure) -> None:
        super().processEnded(reason)
        for text, expected in self._expected:
            said = f"{self.out}\n{self.err}"
            expected.errback(AssertionError(f"it has ended, and never printed {text!r}: {said}"))
