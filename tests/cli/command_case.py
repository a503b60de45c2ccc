"""Runs ``ctidialer`` as its users do: as a process, against a real Redis."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

from attrs import frozen
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from ctidialer.contract import keys
from tests.support.redis import RedisTestCase, new_directory

HOST = "fs1"
COMMAND = "from ctidialer.cli import main; main()"

GOOD_TASK: dict[str, Any] = {
    "enable": True,
    "line_group": ["g"],
    "limit": 5,
    "number_queue": "q",
    "destination_extension": "8888",
}


@frozen
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        """Return what it printed, read as JSON."""
        return json.loads(self.out)


class CommandProcess(ProcessProtocol):
    """A command that runs; ``done`` fires when it has ended."""

    def __init__(self, stdin: bytes) -> None:
        self._stdin = stdin
        self._out = bytearray()
        self._err = bytearray()
        self._expected: list[tuple[str, Deferred[None]]] = []
        self.done: Deferred[Done] = Deferred()

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(self._stdin)
        self.transport.closeStdin()

    def outReceived(self, data: bytes) -> None:
        self._out += data
        for one in list(self._expected):
            if one[0] in self.out:
                self._expected.remove(one)
                one[1].callback(None)

    def errReceived(self, data: bytes) -> None:
        self._err += data

    @property
    def out(self) -> str:
        return self._out.decode("utf-8", "replace")

    def printed(self, text: str) -> Deferred[None]:
        """Fire when ``text`` has been printed; the test's own timeout is the deadline."""
        expected: Deferred[None] = Deferred()
        if text in self.out:
            expected.callback(None)
        else:
            self._expected.append((text, expected))
        return expected

    def signal(self, name: str) -> None:
        assert self.transport is not None
        self.transport.signalProcess(name)

    def processEnded(self, reason: Failure) -> None:
        status = getattr(reason.value, "exitCode", None)
        done = Done(-1 if status is None else status, self.out, self._err.decode())
        for _, expected in self._expected:
            expected.errback(AssertionError(f"the command has ended: {done}"))
        self.done.callback(done)


def command_process(
    test: TestCase,
    directory: Path,
    arguments: Sequence[str],
    stdin: bytes = b"",
    environ: Mapping[str, str] = MappingProxyType({}),
) -> CommandProcess:
    """Start ``ctidialer`` in ``directory``; it is killed should it outlive the test."""
    process = CommandProcess(stdin)
    kept = {key: value for key, value in os.environ.items() if "CTIDIALER" not in key}
    # Its own directory is no checkout: what is imported must be what the tests import.
    path = os.pathsep.join(sys.path)
    running = reactor.spawnProcess(
        process,
        sys.executable,
        [sys.executable, "-c", COMMAND, *arguments],
        env={**kept, "PYTHONPATH": path, "TZ": "UTC", "LC_ALL": "C.UTF-8", **environ},
        path=str(directory),
    )
    test.addCleanup(_ended, running, process)
    return process


class CommandTestCase(RedisTestCase):
    """Tests that run commands; they work in a directory of their own, ``self.directory``."""

    async def set_up(self) -> None:
        await super().set_up()
        self.directory = Path(new_directory(self))

    def start(self, *arguments: str, stdin: bytes = b"", **environ: str) -> CommandProcess:
        """Start ``ctidialer`` with ``arguments`` and nothing else that says where Redis is."""
        return command_process(self, self.directory, arguments, stdin, environ)

    async def run_command(self, *arguments: str, stdin: bytes = b"", **environ: str) -> Done:
        """Run ``ctidialer`` to its end."""
        return await self.start(*arguments, stdin=stdin, **environ).done

    async def on_node(self, command: str, *arguments: str, stdin: bytes = b"") -> Done:
        """Run a command about the node ``fs1`` and this test's Redis."""
        return await self.run_command(
            command, "--redis", self.url, "--host", HOST, *arguments, stdin=stdin
        )

    def write(self, name: str, content: bytes | str) -> str:
        """Write a file in the command's directory; return its name."""
        raw = content.encode() if isinstance(content, str) else content
        (self.directory / name).write_bytes(raw)
        return name

    async def put(self, key: str, documents: Mapping[str, object]) -> None:
        """Write documents into a hash; a text or bytes as it is, anything else as JSON."""
        for name, document in documents.items():
            raw = document if isinstance(document, str | bytes) else json.dumps(document)
            await self.call("HSET", key, name, raw)

    async def put_task(self, name: str = "t", **params: object) -> None:
        """Write a task that dials the list ``q`` through the line group ``g``."""
        document = {"params": {**GOOD_TASK, **params}}
        await self.put(keys.at(keys.TASK, keys.TEMPLATE), {name: document})

    async def put_lines(self) -> None:
        """Write the line group ``g`` and its line."""
        line = {"params": {"dialstring": "user/${destination_number}"}}
        await self.put(keys.at(keys.LINE, HOST), {"l": line})
        await self.put(keys.at(keys.LINE_GROUP, HOST), {"g": {"line": [["l"]]}})


def _ended(running: Any, process: CommandProcess) -> Deferred[Done] | None:
    if process.done.called:
        return None
    with suppress(ProcessExitedAlready):
        running.signalProcess("KILL")
    return process.done
