"""Asks FreeSWITCH, while it refuses calls, whether somebody has paused it (``fsctl pause``).

A refusal does not say why: too many sessions, too high a rate and a pause look the same.
"""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ctidialer.dialer.dispatch.node_limits import NodeLimits
from ctidialer.dialer.life.switch_port import SwitchPort
from ctidialer.esl.errors import EslError
from ctidialer.glue import Repeated

LOOK_INTERVAL = 1.0
"""Seconds between two questions; none is asked while FreeSWITCH accepts calls."""

QUESTION = "fsctl pause_check outbound"


class PauseWatch:
    """Keeps ``limits.is_paused`` as FreeSWITCH says it."""

    log = Logger()

    def __init__(self, clock: IReactorTime, switch: SwitchPort, limits: NodeLimits) -> None:
        self._clock = clock
        self._switch = switch
        self._limits = limits
        self._looks = Repeated(clock, self._look, self.log, "A look for a pause")

    def start(self) -> None:
        """Look from now on."""
        self._looks.start(LOOK_INTERVAL)

    def stop(self) -> None:
        """Look no more."""
        self._looks.stop()

    async def _look(self) -> None:
        is_refused = self._limits.is_refused(self._clock.seconds())
        self._limits.is_paused = is_refused and await self._is_paused()

    async def _is_paused(self) -> bool:
        try:
            return (await self._switch.api(QUESTION)).strip() == "true"
        except EslError:
            return False  # it is away, or may not be asked: no pause is known of
