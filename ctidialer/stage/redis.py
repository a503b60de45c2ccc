"""A Redis (or Valkey) server of our own as a child process."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from urllib.parse import quote

from attrs import evolve, frozen
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from ctidialer.stage.child_process import ChildProcess, dying_with_us, spawn
from ctidialer.stage.redis_binary import NoServer, ServerBinary, find_server
from ctidialer.store.address import parse_address
from ctidialer.store.connection import ResponseError, WatchedConnection
from ctidialer.store.endpoint import Dialup
from ctidialer.store.errors import StoreError, StoreUnavailable

START_TIMEOUT = 20.0
"""Seconds a server has to answer PING; loading a large append-only file takes a while."""

LOOK_INTERVAL = 0.005
"""Seconds between two looks whether the server answers."""

MAX_SOCKET_PATH_LENGTH = 100
"""A unix socket's path has room for 104 to 108 bytes, depending on the system."""


class RedisProcess(ChildProcess):
    """A running server.  ``url`` is where it answers, ``description`` what it is."""

    def __init__(self, binary: ServerBinary, where: _Where) -> None:
        super().__init__(where.directory / "redis.log")
        self.url = where.url()
        self.port = where.port
        self.description = str(binary)
        self._where = where

    def processEnded(self, reason: Failure) -> None:
        """Clear away what is only there while it runs."""
        self._where.clear()
        super().processEnded(reason)


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
    if port is None and len(os.fsencode(where.socket_path())) > MAX_SOCKET_PATH_LENGTH:
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
        if len(os.fsencode(path)) <= MAX_SOCKET_PATH_LENGTH:
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
    spawn(reactor, process, dying_with_us([binary.path, str(path), *options]), directory)
    await _answering(reactor, process)
    return process


async def _answering(reactor: Any, process: RedisProcess) -> None:
    """Wait until the server answers; raise StoreUnavailable if it ends or takes too long."""
    dialup = Dialup(reactor, reactor, parse_address(process.url))
    give_up = reactor.seconds() + START_TIMEOUT
    while not await _answers(dialup, WatchedConnection(reactor)):
        if not process.running or reactor.seconds() > give_up:
            await process.kill()
            words = [line.strip() for line in process.last_words(4).splitlines()]
            said = " / ".join(filter(None, words))
            raise StoreUnavailable(f"{process.description} did not start: {said}")
        await deferLater(reactor, LOOK_INTERVAL)


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
