"""The clock of FreeSWITCH beside ours."""

from __future__ import annotations

import re

from twisted.internet.interfaces import IReactorTime

from ctidialer.dialer.life import channel_events
from ctidialer.esl.events import Event

MAX_STEP = 60.0
"""Seconds by which an event may be late; more than that is another clock."""

MIN_DIFFERENCE = 1.5
"""Seconds below which whole seconds do not show a difference."""

_STAMP = re.compile("[0-9]{10,17}")


class SwitchClock:
    """What FreeSWITCH's clock shows now, as far as it has said.

    An event is never early: of all differences the largest is that of the clocks.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._ahead: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether FreeSWITCH has said what time it is."""
        return self._ahead is not None

    def now(self) -> float:
        """Return unix seconds of FreeSWITCH's clock."""
        return self.at(self._clock.seconds())

    def at(self, ours: float) -> float:
        """Return what FreeSWITCH's clock shows when ours shows this."""
        return ours + (self._ahead or 0.0)

    def forget(self) -> None:
        """Another FreeSWITCH may come."""
        self._ahead = None

    def told(self, epoch: str) -> None:
        """Take whole unix seconds, as the API command ``strepoch`` prints them; else nothing."""
        text = epoch.strip()
        ahead = float(text) - self._clock.seconds() if _STAMP.fullmatch(text) else 0.0
        self._ahead = ahead if abs(ahead) > MIN_DIFFERENCE else 0.0

    def heard(self, event: Event) -> None:
        """Take the time that an event bears."""
        stamp = channel_events.sent_at(event)
        if stamp is None:
            return
        ahead = stamp - self._clock.seconds()
        is_late = self._ahead is not None and self._ahead - MAX_STEP < ahead < self._ahead
        self._ahead = self._ahead if is_late else ahead
