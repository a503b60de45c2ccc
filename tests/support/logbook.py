"""What is logged while a test runs."""

from __future__ import annotations

from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer


@implementer(ILogObserver)
class Logbook(list[LogEvent]):
    """All events of our own loggers, in order."""

    def __call__(self, event: LogEvent) -> None:
        if event.get("log_namespace", "").startswith("ctidialer."):
            self.append(event)


def logged_by(case: SynchronousTestCase) -> Logbook:
    """Return what is logged from now on, until the test ends."""
    logbook = Logbook()
    globalLogPublisher.addObserver(logbook)
    case.addCleanup(globalLogPublisher.removeObserver, logbook)
    return logbook
