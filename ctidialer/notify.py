"""Tells systemd how the daemon is: a few lines of text to the socket that it names (sd_notify(3)).

Nothing here blocks or raises: what systemd does not take now is sent with the next beat.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping

from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ctidialer.glue import Complaints, Repeated

BEAT_INTERVAL = 1.0
"""Seconds between two looks at what there is to tell."""

DRAIN_EXTENSION = 10
"""Seconds for which each beat of a drain asks systemd to wait on."""


class SystemdSocket:
    """The socket to which systemd listens; says every thing until it was taken."""

    log = Logger()

    def __init__(self, address: str) -> None:
        """``address`` is a path, or the name of an abstract socket behind ``@``."""
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._unsent: dict[str, str] = {}
        self._complaints = Complaints()

    @classmethod
    def named_by(cls, environ: Mapping[str, str]) -> SystemdSocket | None:
        """Return the socket of ``$NOTIFY_SOCKET``, None where nobody listens."""
        address = environ.get("NOTIFY_SOCKET", "")
        return cls(address) if address[:1] in ("/", "@") else None

    def tell(self, **said: object) -> None:
        """Say all of ``said``, by the names of sd_notify(3), and what is still unsaid."""
        self._unsent.update({name: str(value).replace("\n", " ") for name, value in said.items()})
        text = "".join(f"{name}={value}\n" for name, value in self._unsent.items())
        try:
            self._socket.sendto(text.encode("utf-8", "replace"), self._address)
        except OSError as error:
            self._complain(error)
        else:
            self._unsent.clear()

    @property
    def has_unsent(self) -> bool:
        """Whether something was said that systemd has not taken."""
        return bool(self._unsent)

    def close(self) -> None:
        """Say no more."""
        self._socket.close()

    def _complain(self, error: OSError) -> None:
        if self._complaints.is_news("it cannot be told"):
            self.log.warn("systemd cannot be told how it goes: {problem}", problem=str(error))


def watchdog_period(environ: Mapping[str, str], pid: int) -> float | None:
    """Return after how many seconds of silence systemd takes this process for dead; None = never.

    ``$WATCHDOG_PID`` says whom systemd watches, if not everybody.
    """
    watched, limit = environ.get("WATCHDOG_PID", ""), environ.get("WATCHDOG_USEC", "")
    is_watched = watched in ("", str(pid))
    is_limit = limit.isascii() and limit.isdigit() and int(limit) > 0
    return int(limit) / 1e6 if is_watched and is_limit else None


class SystemdNotice(Service):
    """Tells systemd that the daemon runs, what it is doing, and that it is alive.

    READY is said as soon as the service has started, and not when FreeSWITCH is there: a daemon
    that waits for FreeSWITCH does what it should, and systemd would end it for that.  What is
    missing is in STATUS.
    """

    log = Logger()
    name = "systemd"

    def __init__(
        self,
        clock: IReactorTime,
        systemd: SystemdSocket,
        status: Callable[[], str],
        watchdog: float | None = None,
    ) -> None:
        """``status`` returns one line for people; ``watchdog`` is in seconds, None = none."""
        self._systemd = systemd
        self._status = status
        self._watchdog = watchdog
        self._said = ""
        self._beats = Repeated(clock, self._beat, self.log, "Telling systemd")

    def startService(self) -> None:
        """Say that the daemon runs."""
        super().startService()
        self._systemd.tell(READY=1)
        self._beats.start(
            min(BEAT_INTERVAL, self._watchdog / 2) if self._watchdog else BEAT_INTERVAL, now=True
        )

    def stopService(self) -> None:
        """Say that the drain has begun; the beats go on, that systemd waits for its end."""
        super().stopService()
        self._systemd.tell(STOPPING=1)
        self._beat()

    def end(self) -> None:
        """Say no more: the reactor has stopped."""
        self._beats.stop()
        self._systemd.close()

    def _beat(self) -> None:
        said: dict[str, object] = {}
        status = self._status()
        if status != self._said:
            said["STATUS"] = self._said = status
        if self._watchdog:
            said["WATCHDOG"] = 1
        if not self.running:
            said["EXTEND_TIMEOUT_USEC"] = DRAIN_EXTENSION * 1_000_000
        if said or self._systemd.has_unsent:
            self._systemd.tell(**said)


def systemd_notice(
    clock: IReactorTime, status: Callable[[], str], environ: Mapping[str, str] = os.environ
) -> SystemdNotice | None:
    """Return the service that tells systemd, None where systemd does not want to be told."""
    systemd = SystemdSocket.named_by(environ)
    if systemd is None:
        return None
    return SystemdNotice(clock, systemd, status, watchdog_period(environ, os.getpid()))
