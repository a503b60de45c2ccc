"""Asks FreeSWITCH, while it refuses calls, whether somebody has paused it (``fsctl pause``).

A refusal itself does not say: too many sessions, too many a second and a pause look the same.
"""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ctidialer.dialer.dispatch.node_limits import NodeLimits
from ctidialer.dialer.life.calls import SwitchPort
from ctidialer.esl.errors import EslError
from ctidialer.glue import Repeated

LOOK = 1.0
"""Seconds between two questions; none is asked while calls are taken."""

QUESTION = "fsctl pause_check outbound"


class PauseWatch:
    """Keeps ``limits.is_paused`` true to what FreeSWITCH says."""

    log = Logger()

    def __init__(self, clock: IReactorTime, switch: SwitchPort, limits: NodeLimits) -> None:
        self._switch = switch
        self._limits = limits
        self._asking = False
        self._looks = Repeated(clock, self._look, self.log, "A look for a pause")

    def start(self) -> None:
        """Look from now on."""
        self._looks.start(LOOK)

    def stop(self) -> None:
        """Look no more."""
        self._looks.stop()

    def _look(self) -> None:
        if not self._limits.backpressure.pause:
            self._limits.is_paused = False
        elif not self._asking:
            self._asking = True
            asking = self._switch.api(QUESTION)
            asking.addCallbacks(self._told, self._not_told).addBoth(self._asked)

    def _told(self, answer: str) -> None:
        self._limits.is_paused = answer.strip() == "true"

    def _not_told(self, failure: Failure) -> None:
        self._limits.is_paused = False  # it is away, or may not be asked: then nobody knows
        if not failure.check(EslError):
            self.log.failure("Asking for a pause failed", failure)

    def _asked(self, _: None) -> None:
        self._asking = False
