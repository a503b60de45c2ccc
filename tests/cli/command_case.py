"""Runs ``ctidialer`` as its users do: as a process, against a real Redis."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from attrs import frozen
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from ctidialer.contract import keys
from ctidialer.stage.child_process import spawn
from tests.support.redis import RedisTestCase, new_directory
from tests.support.speaking import HEARD, SpeakingProcess

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


class CommandProcess(SpeakingProcess):
    """A command that runs; ``done`` fires when it has ended."""

    def __init__(self, stdin: bytes) -> None:
        super().__init__()
        self._stdin = stdin
        self.done: Deferred[Done] = self.ended().addCallback(
            lambda status: Done(status, self.out, self.err)
        )

    def connectionMade(self) -> None:
        super().connectionMade()
        assert self.transport is not None
        self.transport.write(self._stdin)
        self.transport.closeStdin()


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
    spawn(
        reactor,
        process,
        [sys.executable, "-c", COMMAND, *arguments],
        directory,
        environ={**kept, "PYTHONPATH": path, "TZ": "UTC", "LC_ALL": "C.UTF-8", **environ},
        pipes={0: "w", **HEARD},
    )
    test.addCleanup(process.kill)
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
