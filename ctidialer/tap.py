"""``twistd ctidialer``: the options of the command line, and the service they make."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Mapping
from types import FrameType
from typing import Any, TextIO

from twisted.application.app import ServerOptions
from twisted.application.service import IService, IServiceCollection, MultiService
from twisted.internet import reactor
from twisted.internet.task import LoopingCall
from twisted.logger import ILogObserver, Logger
from twisted.python import usage
from twisted.python.components import Componentized

from ctidialer.dialer.clock_watch import ClockWatch
from ctidialer.dialer.service import DialerService
from ctidialer.logs import LINES, LogFile, Write, line_observer, to_syslog
from ctidialer.notify import systemd_notice
from ctidialer.settings import Settings, SettingsError, find_file, read_settings
from ctidialer.store.address import AddressError, parse_address
from ctidialer.web.service import WebService

MIN_GARBAGE = 20_000
"""New containers after which the garbage collector looks for cycles.

A call leaves none behind, and at 3,000 calls a second the default of 700 has it look 500 times a
second: an eighth of the daemon's time.
"""

REFUSED = 1
"""Exit status of a daemon that may not work: another one does under its host name, or the port of
its HTTP interface is taken."""

CATCH_UP_INTERVAL = 1.0
"""Seconds after which lines that found no room in the log are tried again."""

FAREWELL_TIMEOUT = 1.0
"""Seconds for which the end of the process waits for a reader of the log."""

log = Logger()


class Options(usage.Options):
    """The options of ``twistd ctidialer``."""

    synopsis = "[--config FILE] [--log-format FORMAT]"
    optParameters = (
        ("config", "c", None, "The settings (TOML); else $CTIDIALER_CONFIG, etc/, the system's."),
        ("log-format", None, None, "text or json, in place of the settings' [log] format."),
    )
    settings: Settings

    def postOptions(self) -> None:
        """Read the settings, so that what is wrong with them is said as a usage error."""
        try:
            given = {("log", "format"): self["log-format"] or ""}
            self.settings = read_settings(find_file(self["config"]), given=given)
            parse_address(self.settings.redis.url)
        except SettingsError as error:
            raise usage.UsageError(str(error)) from error
        except AddressError as error:
            raise usage.UsageError(f"$.redis.url: {error}") from error
        if self["log-format"] not in (None, *LINES):
            raise usage.UsageError(f"--log-format is one of {', '.join(sorted(LINES))}")
        if self.parent is not None and "fileLogObserverFactory" in self.parent:
            self.parent["fileLogObserverFactory"] = self.twist_observer

    def twist_observer(self, file: TextIO) -> ILogObserver:
        """Return the observer for ``twist``, which opens the file and sets the level itself."""
        return log_observer(self.settings, lambda line, _: print(line, file=file, flush=True))

    def twistd_observer(self) -> ILogObserver:
        """Return the observer for ``twistd``, as its --logfile, --nodaemon and --syslog want it."""
        return log_observer(self.settings, log_writer(self.parent or {}))


class Logged(MultiService):
    """The services of the daemon; tells ``twistd``, whose application it joins, how to log."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        self._options = options

    def setServiceParent(self, parent: IServiceCollection) -> None:
        """Part of IService: ``parent`` is the application, and nothing has been logged yet."""
        if isinstance(parent, Componentized) and isinstance(self._options.parent, ServerOptions):
            parent.setComponent(ILogObserver, self._options.twistd_observer())
        super().setServiceParent(parent)


def log_observer(settings: Settings, write: Write) -> ILogObserver:
    """Return the observer that the settings ask for; it hides the secrets that they hold."""
    return line_observer(settings.log.format, settings.log.level, secrets_of(settings), write)


def log_writer(twistd: Mapping[str, Any]) -> Write:
    """Return what writes a line where the options of ``twistd`` say; SIGUSR1 reopens a file."""
    if twistd.get("syslog"):
        return to_syslog
    path, foreground = twistd.get("logfile"), twistd.get("nodaemon")
    if path == "-" and not foreground:
        raise SystemExit("A daemon cannot log to the standard output: add --nodaemon")
    to_stdout = path == "-" or (foreground and not path)
    file = LogFile(None if to_stdout else path or "twistd.log")
    signal.signal(signal.SIGUSR1, file.reopen)
    reactor.callWhenRunning(catch_up, file)
    return file.write


def catch_up(file: LogFile) -> None:
    """Write every second what could not be written to the log, and say what was lost of it."""

    def look() -> None:
        file.flush()
        lost = file.take_lost()
        if lost:
            log.warn("{lost} lines of the log were lost: nobody took them", lost=lost)

    looking = LoopingCall(look)
    looking.clock = reactor
    looking.start(CATCH_UP_INTERVAL, now=False)
    reactor.addSystemEventTrigger("after", "shutdown", file.flush, FAREWELL_TIMEOUT)


def secrets_of(settings: Settings) -> list[str]:
    """Return every secret that the settings hold."""
    redis = parse_address(settings.redis.url)
    passwords = (redis.credentials.password, redis.sentinel_credentials.password)
    found = (*passwords, settings.freeswitch.password, settings.http.token)
    return [secret for secret in found if secret]


def makeService(options: Options) -> IService:
    """Return the service that ``twistd`` runs: one daemon beside one FreeSWITCH."""
    reactor.callWhenRunning(ClockWatch(reactor).start)
    reactor.callWhenRunning(spare_the_collector)
    services = Logged(options)
    dialer = DialerService(
        options.settings, reactor, refuse=refuse, stopping=end_at_the_second_signal
    )
    dialer.setServiceParent(services)
    if options.settings.http.listen:
        web = WebService(
            options.settings,
            dialer.parts.shown,
            dialer.parts.link,
            reactor,
            dialer.stopped,
            cannot_listen=refuse,
        )
        web.setServiceParent(services)
    # The last of them is the first that is stopped: systemd hears of the drain when it begins.
    notice = systemd_notice(reactor, lambda: in_one_line(dialer))
    if notice is not None:
        notice.setServiceParent(services)
        reactor.addSystemEventTrigger("after", "shutdown", notice.end)
    return services


def in_one_line(dialer: DialerService) -> str:
    """Return what the daemon is doing, for people who ask ``systemctl status``."""
    parts = dialer.parts
    missing = [condition.text for condition in parts.readiness.missing]
    state = f"not dialing: {'; '.join(missing)}" if missing else "dialing"
    return f"{state}; calls in progress: {len(parts.calls)}"


def spare_the_collector() -> None:
    """Have the garbage collector look less often, and never again at what stands since the start.

    Modules, classes and functions are most of what it would walk through, and are never garbage.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(MIN_GARBAGE)


def end_at_the_second_signal() -> None:
    """Let a second SIGTERM or SIGINT end the process at once (docs/faults.rst).

    Twisted's own handler only says that the reactor is stopping already.  Nothing is lost by going
    now: whatever is in flight stands in Redis.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end_now)


def refuse(reason: str) -> None:
    """End the process: this daemon may write nothing, so there is nothing to drain."""
    log.critical("ctidialer stops: {reason}", reason=reason)
    reactor.callLater(0, os._exit, REFUSED)


def _end_now(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)
