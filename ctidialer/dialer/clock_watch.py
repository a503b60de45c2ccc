"""Timers that go on when the machine's clock is set back.

Twisted's timers are due at moments of the wall clock.  If that clock were set back by an hour, no
lease would be renewed and no queue looked at for an hour.  If it is put on, every wait ends at
once, which does no harm: what is looked at too early is looked at again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

LOOK_INTERVAL = 0.25
"""Seconds between two looks at the clocks."""

MIN_JUMP = 0.5
"""A clock that is off by this many seconds at once was set; a smaller step does no harm."""

UNNOTICED_WITHIN = 1.0
"""Seconds within which a step is noticed.  Timers set after the step are in the new time already
and are not moved."""


class ClockWatch:
    """Compares the reactor's clock with ``monotonic``, and brings the timers forward with it.

    It looks from a thread of its own: a timer of the reactor would stand still with all others.
    """

    log = Logger()

    def __init__(self, reactor: Any, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._reactor = reactor
        self._monotonic = monotonic
        self._offset = self._present_offset()

    def start(self) -> None:
        """Begin to look; ends with the process."""
        self._offset = self._present_offset()
        threading.Thread(target=self._look_for_ever, name="clock watch", daemon=True).start()

    def look(self) -> None:
        """Move the timers if the clock was set back since the last look; call it in the reactor."""
        offset = self._present_offset()
        step, self._offset = offset - self._offset, offset
        if abs(step) < MIN_JUMP:
            return
        self.log.warn("The clock was set by {step} s", step=round(step, 1))
        earliest = self._reactor.seconds() - step - UNNOTICED_WITHIN
        timers: Sequence[IDelayedCall] = self._reactor.getDelayedCalls()
        for timer in timers:
            if step < 0 and timer.active() and timer.getTime() >= earliest:
                timer.reset(max(0.0, timer.getTime() + step - self._reactor.seconds()))

    def _present_offset(self) -> float:
        now: float = self._reactor.seconds()
        return now - self._monotonic()

    def _look_for_ever(self) -> None:
        while True:
            time.sleep(LOOK_INTERVAL)
            if abs(self._present_offset() - self._offset) >= MIN_JUMP:
                self._reactor.callFromThread(self.look)
