"""The clock of FreeSWITCH beside ours."""

from __future__ import annotations

import math
import re

from twisted.internet.interfaces import IReactorTime

from ctidialer.dialer.life import channel_events
from ctidialer.dialer.life.event_clock import ClockDifference
from ctidialer.esl.events import Event

MIN_DIFFERENCE = 1.5
"""Seconds below which whole seconds do not show a difference."""

_STAMP = re.compile("[0-9]{10,17}")


class SwitchClock:
    """What FreeSWITCH's clock shows now, as far as it has said."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._told: float | None = None
        self._heard = ClockDifference()

    @property
    def is_known(self) -> bool:
        """Whether FreeSWITCH has said what time it is."""
        return self._told is not None or not math.isinf(self._heard.ahead)

    def now(self) -> float:
        """Return unix seconds of FreeSWITCH's clock."""
        return self.at(self._clock.seconds())

    def at(self, ours: float) -> float:
        """Return what FreeSWITCH's clock shows when ours shows this."""
        ahead = self._heard.ahead
        return ours + ((self._told or 0.0) if math.isinf(ahead) else ahead)

    def forget(self) -> None:
        """Another FreeSWITCH may come."""
        self._told = None
        self._heard.forget()

    def told(self, epoch: str) -> None:
        """Take whole unix seconds, as the API command ``strepoch`` prints them; else nothing."""
        text = epoch.strip()
        ahead = float(text) - self._clock.seconds() if _STAMP.fullmatch(text) else 0.0
        self._told = ahead if abs(ahead) > MIN_DIFFERENCE else 0.0

    def heard(self, event: Event) -> None:
        """Take the time that an event bears: it says more exactly what was told before."""
        stamp = channel_events.sent_at(event)
        if stamp is not None:
            self._heard.hear(stamp, self._clock.seconds())
