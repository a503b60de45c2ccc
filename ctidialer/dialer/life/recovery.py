"""After a restart: what an earlier daemon of this host left in flight (docs/faults.rst).

An entry that was taken but never dialed goes back to the head of its queue.  If its call may have
been placed, it is not dialed again before FreeSWITCH was asked: the call is followed if FreeSWITCH
knows it; if not, the number is closed with what is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import frozen
from msgspec.structs import replace
from twisted.logger import Logger

from ctidialer.contract.record import Kind
from ctidialer.dialer.life.closing import Closing
from ctidialer.dialer.life.errand import Errand
from ctidialer.dialer.life.number_in_hand import Progress
from ctidialer.dialer.life.numbers import Numbers
from ctidialer.rules.attempt import Attempt, answered
from ctidialer.rules.itinerary import Itinerary
from ctidialer.store.in_flight import NO_CALL, Dialing, InFlight

ErrandFor = Callable[[InFlight], Errand]
"""Makes the errand of an entry; if its task is gone, the errand allows no further call."""


@frozen
class Recovered:
    """How many entries were found, and what became of them."""

    given_back: int
    followed: int


class Recovery:
    """Takes up the entries in flight that no running daemon has in hand.

    ``daemon`` is this daemon's own token: an entry with it is in hand, or its claim is under way.
    """

    log = Logger()

    def __init__(
        self, daemon: str, numbers: Numbers, closing: Closing, errands: dict[Kind, ErrandFor]
    ) -> None:
        self._daemon = daemon
        self._numbers = numbers
        self._closing = closing
        self._errands = errands

    def take_up(self, entries: Iterable[InFlight]) -> Recovered:
        """Give back or go on with every entry, in the order in which they were taken."""
        untouched: list[InFlight] = []
        dialed: list[InFlight] = []
        for entry in sorted(filter(self._is_left_over, entries), key=lambda entry: entry.order):
            (untouched if entry.dialing is None else dialed).append(entry)
        for entry in untouched:
            self._closing.give_back(entry.claimed)
        for entry in dialed:
            self._go_on(entry)
        return Recovered(len(untouched), len(dialed))

    def _is_left_over(self, entry: InFlight) -> bool:
        return entry.daemon != self._daemon and entry.id not in self._numbers

    def _go_on(self, entry: InFlight) -> None:
        assert entry.dialing is not None
        progress = self._progress(entry.dialing, entry)
        errand = self._errands[entry.kind](entry)
        under_way = _under_way(entry, entry.dialing, progress)
        self._numbers.resume(errand, under_way, replace(progress, dialed_at=None))

    def _progress(self, dialing: Dialing, entry: InFlight) -> Progress:
        try:
            return Progress.decode(dialing.progress)
        except ValueError as error:
            # The attempts before it are lost, but the call is not: it is followed all the same.
            self.log.warn(
                "What was before call {call_uuid} cannot be read: {error}",
                call_uuid=dialing.uuid,
                error=str(error),
                entry_id=entry.id,
                task=entry.task,
            )
            return Progress(Itinerary(groups=(dialing.group,)))


def _under_way(entry: InFlight, dialing: Dialing, progress: Progress) -> Attempt | None:
    """Return the call that may be up; None = the number was between two calls."""
    if dialing.uuid == NO_CALL:
        return None
    dialed_at = entry.taken_at if progress.dialed_at is None else progress.dialed_at
    sent = Attempt(dialing.uuid, dialing.line, dialing.group, dialed_at=dialed_at)
    return sent if dialing.answered_at is None else answered(sent, dialing.answered_at)
