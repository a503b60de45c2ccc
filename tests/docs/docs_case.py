"""A shell as the reader of a page has it: ``redis-cli``, ``ctidialer`` and ``twistd`` on the PATH,
a private Redis and a simulated FreeSWITCH where the page says that they are.

``redis-cli`` is the real one, or Valkey's, where there is one on the PATH.  Where there is none its
lines are split as a shell splits them and sent as they are through a connection of our own; what
comes back is shown as ``redis-cli`` shows it to a pipe.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT, Popen
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.threads import deferToThread

from ctidialer.contract import keys
from ctidialer.contract.status import decode_status
from tests.docs.blocks import ROOT, Block, commands
from tests.support.node import HOST, PASSWORD, NodeTestCase
from tests.support.redis import link_to, new_directory, own_redis

WITHIN = 90.0
"""Seconds that one command of a page may take."""

CLIENTS = ("redis-cli", "valkey-cli")
PYTHON = f'exec {shlex.quote(sys.executable)} -c "from {{}} import {{}}; {{}}({{}})" "$@"'
PROGRAMS: Mapping[str, str] = {
    "ctidialer": PYTHON.format("ctidialer.cli", "main", "main", "prog_name='ctidialer'"),
    "twistd": PYTHON.format("twisted.scripts.twistd", "run", "run", ""),
    "python": f'exec {shlex.quote(sys.executable)} "$@"',
}


class DocsCase(NodeTestCase):
    """Runs what pages show; ``self.directory`` is where the commands run."""

    async def set_up(self) -> None:
        """Start a Redis of this test's own, on a port, as every client can reach it."""
        await super().set_up()
        self.server = await own_redis(self, new_directory(self), port=0)
        self.url = self.server.url
        self.redis = link_to(self, self.url)
        await self.redis.when_up(60)
        self.port = urlsplit(self.url).port
        self.client = next(filter(None, map(shutil.which, CLIENTS)), None)
        self._programs = self.directory / "bin"
        self._programs.mkdir()
        for name, script in {**PROGRAMS, **self._client_script()}.items():
            self._write_program(name, script)

    def _client_script(self) -> dict[str, str]:
        if self.client is None:
            return {}
        return {"redis-cli": f'exec {shlex.quote(self.client)} -p {self.port} "$@"'}

    def _write_program(self, name: str, script: str) -> None:
        path = self._programs / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def environ(self, more: Mapping[str, str]) -> dict[str, str]:
        """Return what a reader's shell has in its environment, Redis's place in it."""
        kept = {key: value for key, value in os.environ.items() if "CTIDIALER" not in key}
        return {
            **kept,
            "PATH": os.pathsep.join([str(self._programs), os.environ.get("PATH", "")]),
            "PYTHONPATH": os.pathsep.join(sys.path),
            "CTIDIALER_REDIS_URL": self.url,
            "CTIDIALER_ESL_PASSWORD": PASSWORD,
            "COLUMNS": "160",
            "TZ": "UTC",
            **more,
        }

    def settings_file(self) -> Path:
        """Put the sample settings where the pages say, with this test's FreeSWITCH in them."""
        text = (ROOT / "etc" / "ctidialer.toml").read_text(encoding="utf-8")
        address = self.freeswitch().address
        self.assertIn('address = "127.0.0.1:8021"', text)
        path = self.directory / "etc" / "ctidialer.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace("127.0.0.1:8021", address), encoding="utf-8")
        return path

    def start_shell(
        self, line: str, environ: Mapping[str, str] = MappingProxyType({})
    ) -> Popen[str]:
        """Start a line in a shell of its own; it is killed, with its children, with the test."""
        process = Popen(
            ["/bin/sh", "-ec", line],
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            text=True,
            cwd=self.directory,
            env=self.environ(environ),
            start_new_session=True,
        )
        self.addCleanup(_end, process)
        return process

    async def ended(self, process: Popen[str]) -> tuple[int, str]:
        """Wait until a started line has ended; return its status and what it printed."""
        said, _ = await deferToThread(process.communicate, timeout=WITHIN)
        return process.returncode, said

    async def type(
        self, line: str, environ: Mapping[str, str] = MappingProxyType({}), status: int = 0
    ) -> str:
        """Run one line to its end and return what it printed; it must end with ``status``."""
        if self.client is None and line.startswith("redis-cli "):
            return await self._send(line)
        found, said = await self.ended(self.start_shell(line, environ))
        self.assertEqual(found, status, f"{line}\n{said}")
        return said

    async def type_block(self, block: Block) -> list[str]:
        """Run all lines of a block, one after the other; return what each printed."""
        return [await self.type(line) for line in commands(block.text)]

    async def is_ready(self) -> None:
        """Wait until the daemon says that it dials, and hears of changes."""
        channels = [keys.at(keys.CHANGE_CHANNEL, suffix) for suffix in (keys.EVERY_HOST, HOST)]

        async def says_so() -> bool:
            raw = await self.call("GET", keys.status(HOST))
            heard: Any = await self.call("PUBSUB", "NUMSUB", *channels)
            is_ready = isinstance(raw, bytes) and decode_status(raw).ready
            return is_ready and heard[1::2] == [1, 1]

        await self.until("the daemon is ready", says_so)

    async def _send(self, line: str) -> str:
        said = line.replace("\\\n", "").replace("$(hostname)", socket.gethostname())
        return _shown(await self.call(*shlex.split(said)[1:]))


def _shown(reply: object) -> str:
    """Return a reply as redis-cli prints it to a pipe."""
    if isinstance(reply, bytes):
        return reply.decode() + "\n"
    if isinstance(reply, list):
        return "".join(map(_shown, reply))
    return f"{'' if reply is None else reply}\n"


def _end(process: Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
