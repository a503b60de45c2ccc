"""Obeys the orders that take a line out of use, put it back, or have it tried now."""

from __future__ import annotations

import math
from collections.abc import Mapping

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from ctidialer.contract.control import Control, LineOff
from ctidialer.dialer.control import given_by
from ctidialer.dialer.dispatch.lines import LineAccounts
from ctidialer.rules.explaining import local_time
from ctidialer.rules.line_state import TakenOut

MAX_WAIT = 3600.0
"""Seconds after which it is looked again whether the time of an order is over: the clock may be set
meanwhile."""


class LineOrders:
    """Does with the lines what operators have ordered, and logs who ordered what, and why."""

    log = Logger()

    def __init__(self, clock: IReactorTime, lines: LineAccounts, zone: str) -> None:
        """``zone`` is that of the times in the log."""
        self._clock = clock
        self._lines = lines
        self._zone = zone
        self._given = Control()
        self._in_force: Mapping[str, LineOff] = {}
        self._next_look: IDelayedCall | None = None

    def obey(self, control: Control) -> None:
        """Obey all orders as they stand now; undo those that were taken back."""
        before, self._given = self._given, control
        self._look()
        for line, order in control.lines_tried.items():
            if before.lines_tried.get(line) != order and self._lines.try_now(line):
                self.log.info("Line {line} is tried now{given}", line=line, given=given_by(order))

    def stop(self) -> None:
        """Look no more whether the time of an order is over."""
        if self._next_look is not None:
            self._next_look.cancel()
            self._next_look = None

    def _look(self) -> None:
        now = self._clock.seconds()
        given = self._given.lines_off
        in_force = {line: order for line, order in given.items() if order.holds(now)}
        before, self._in_force = self._in_force, in_force
        self._lines.take_out({line: _as_state(order) for line, order in in_force.items()})
        for line, order in in_force.items():
            if before.get(line) != order:
                self._tell_out(line, order)
        for line in before.keys() - in_force.keys():
            self._tell_back(line)
        self._look_again(now)

    def _look_again(self, now: float) -> None:
        self.stop()
        ends = (one.until for one in self._in_force.values() if one.until is not None)
        next_end = min(ends, default=None)
        if next_end is not None:
            self._next_look = self._clock.callLater(min(next_end - now, MAX_WAIT), self._ended)

    def _ended(self) -> None:
        self._next_look = None
        self._look()

    def _tell_out(self, line: str, off: LineOff) -> None:
        until = "" if off.until is None else f" until {local_time(off.until, self._zone)}"
        self.log.info(
            "Line {line} is taken out of use{until}{given}",
            line=line,
            until=until,
            given=given_by(off.order),
        )

    def _tell_back(self, line: str) -> None:
        if line in self._given.lines_off:
            given = ": the time of the order is over"
        else:
            given = given_by(self._given.lines_on.get(line))
        self.log.info("Line {line} is put back into use{given}", line=line, given=given)


def _as_state(off: LineOff) -> TakenOut:
    until = math.inf if off.until is None else off.until
    return TakenOut(until, off.order.by, off.order.why)
