"""The real daemon as a child process: ``twistd --nodaemon ctidialer``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from twisted.internet.interfaces import IReactorProcess

from ctidialer.settings import IN_A_FILE, SECRETS, FreeSwitch
from ctidialer.stage.child_process import ChildProcess, dying_with_us, spawn

TWISTD = "from twisted.scripts.twistd import run; run()"
PROGRAM = (sys.executable, "-c", TWISTD)


class DaemonProcess(ChildProcess):
    """A running daemon; ``ended`` fires with its exit status, negative = killed by that signal."""

    @property
    def log_path(self) -> Path:
        """The file that has the daemon's log."""
        return self.output


def settings_text(
    host: str,
    redis_url: str,
    freeswitch: FreeSwitch,
    *,
    node: str = "",
    redis: str = "",
    more: str = "",
) -> str:
    """Return a settings file.

    ``node`` and ``redis`` are further keys of these tables, ``more`` further tables.
    """
    return "\n".join(
        [
            f"[node]\nhost = {json.dumps(host)}",
            node,
            f"[redis]\nurl = {json.dumps(redis_url)}",
            redis,
            f"[freeswitch]\naddress = {json.dumps(freeswitch.address)}",
            f"password = {json.dumps(freeswitch.password)}",
            more,
            "",
        ]
    )


def start_daemon(
    reactor: IReactorProcess,
    directory: Path,
    settings: str,
    name: str = "daemon",
    *,
    twistd: Sequence[str] = (),
    environ: Mapping[str, str] = MappingProxyType({}),
    program: Sequence[str] = PROGRAM,
) -> DaemonProcess:
    """Start a daemon with the TOML ``settings``; its files and its log stand in ``directory``.

    ``twistd`` are further options of twistd, ``environ`` further variables; ``program`` is what
    takes twistd's arguments.  The daemon dies with this process (on Linux).
    """
    config = directory.absolute() / f"{name}.toml"
    config.touch(mode=0o600)
    config.write_text(settings, "utf-8")
    process = DaemonProcess(config.with_suffix(".log"))
    options = ["--nodaemon", "--pidfile=", *twistd, "ctidialer", "--config", str(config)]
    spawn(
        reactor,
        process,
        dying_with_us([*program, *options]),
        config.parent,
        environ={**_without_secrets(os.environ), **environ},
    )
    return process


def _without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """Leave out the secrets of this machine's real node.

    They count before the settings: the daemon would work on the real Redis.
    """
    return {
        name: value
        for name, value in environ.items()
        if name.removesuffix(IN_A_FILE) not in SECRETS
    }
