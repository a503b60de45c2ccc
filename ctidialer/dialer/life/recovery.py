"""After a restart: what an earlier daemon of this host left in flight (docs/faults.rst).

An entry that was taken but never dialed goes back to the head of its queue.  If its call may have
been placed, it is not dialed again before FreeSWITCH was asked: the call is followed if FreeSWITCH
knows it; if not, the number is closed with what is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import frozen
from msgspec.structs import replace

from ctidialer.contract.record import Kind
from ctidialer.dialer.life.closing import Closing
from ctidialer.dialer.life.errand import Errand
from ctidialer.dialer.life.numbers import Numbers
from ctidialer.nodes.left_over import left_over
from ctidialer.store.in_flight import InFlight

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

    def __init__(
        self, daemon: str, numbers: Numbers, closing: Closing, errands: dict[Kind, ErrandFor]
    ) -> None:
        self._daemon = daemon
        self._numbers = numbers
        self._closing = closing
        self._errands = errands

    def left_over(self, entries: Iterable[InFlight]) -> list[InFlight]:
        """Return the entries that no running daemon has in hand."""
        return [entry for entry in entries if self._is_left_over(entry)]

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
        left = left_over(entry, entry.dialing)
        errand = self._errands[entry.kind](entry)
        self._numbers.resume(errand, left.under_way, replace(left.progress, dialed_at=None))
