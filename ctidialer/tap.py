"""``twistd ctidialer``: the options of the command line, and the service they make."""

from __future__ import annotations

import gc
import os
import signal
from types import FrameType

from twisted.application.service import IService
from twisted.internet import reactor
from twisted.logger import Logger
from twisted.python import usage

from ctidialer.dialer.clock_watch import ClockWatch
from ctidialer.dialer.service import DialerService
from ctidialer.settings import Settings, SettingsError, find_file, read_settings
from ctidialer.store.address import AddressError, parse_address

COLLECT_AFTER = 20_000
"""New containers after which the garbage collector looks for cycles.

A call leaves none behind, and at 3,000 calls a second the default of 700 has it look 500 times a
second: an eighth of the daemon's time.
"""

REFUSED = 1
"""Exit status of a daemon that may not work: another one does under its host name."""

log = Logger()


class Options(usage.Options):
    """The options of ``twistd ctidialer``."""

    synopsis = "[--config FILE]"
    optParameters = (
        ("config", "c", None, "The settings (TOML); else $CTIDIALER_CONFIG, etc/, the system's."),
    )
    settings: Settings

    def postOptions(self) -> None:
        """Read the settings, so that what is wrong with them is said as a usage error."""
        try:
            self.settings = read_settings(find_file(self["config"]))
            parse_address(self.settings.redis.url)
        except SettingsError as error:
            raise usage.UsageError(str(error)) from error
        except AddressError as error:
            raise usage.UsageError(f"$.redis.url: {error}") from error


def makeService(options: Options) -> IService:
    """Return the service that ``twistd`` runs: one daemon beside one FreeSWITCH."""
    reactor.callWhenRunning(ClockWatch(reactor).start)
    reactor.callWhenRunning(spare_the_collector)
    return DialerService(
        options.settings, reactor, refuse=refuse, stopping=end_at_the_second_signal
    )


def spare_the_collector() -> None:
    """Have the garbage collector look less often, and never again at what stands since the start.

    Modules, classes and functions are most of what it would walk through, and are never garbage.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


def end_at_the_second_signal() -> None:
    """Let a second SIGTERM or SIGINT end the process at once (SPEC 6).

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
