"""What is to be done with a number that was taken: one class for each place that it can come from.

A number from a queue is a :class:`~ctidialer.dialer.dispatch.queue_errand.QueueErrand`, one whose
task is gone an :class:`~ctidialer.dialer.dispatch.queue_errand.OrphanErrand`, one of the schedule a
:class:`~ctidialer.dialer.dispatch.schedule_errand.ScheduledErrand`.
"""

from __future__ import annotations

from typing import Protocol

from attrs import frozen
from twisted.internet.defer import Deferred

from ctidialer.contract.record import Kind
from ctidialer.dialer.life.number_in_hand import (
    Finished,
    NotDialed,
    NumberInHand,
    Progress,
    Verdict,
)
from ctidialer.rules.table_names import Named
from ctidialer.store.in_flight import Claimed

ReadEntry = tuple[NumberInHand, Progress | Finished | NotDialed] | Finished
"""A number and how far it has got, or how it ends (or why it goes back) before it begins; what
cannot be read is only finished.
"""


@frozen
class GoesBack:
    """The number goes back where it was: to the head of its queue, or (a scheduled one) to be
    called at ``due`` (unix seconds)."""

    due: float | None = None


class Errand(Protocol):
    """A number that was taken, and what is to be done at the turns of its life."""

    @property
    def claim(self) -> Claimed:
        """The entry, as it was taken."""

    @property
    def kind(self) -> Kind:
        """Where it was taken from."""

    @property
    def name(self) -> str:
        """The task or schedule configuration, as its record will name it."""

    def unknown(self) -> Named:
        """Return what has to be looked up in Redis before the entry can be read."""

    def read(self) -> ReadEntry:
        """Return the number of the entry, or how it ends before it begins (expired, say).

        Raises ContractError where the entry is none.
        """

    def resumed(self) -> None:
        """It was in flight when this daemon, or the one before, stopped: it takes its slot."""

    def may_dial(self) -> bool:
        """Say whether a further call may be placed; asked before every call but the first."""

    def held(self) -> bool:
        """Say whether a further call has to wait for now."""

    def waits(self, due: float) -> None:
        """No call of it is up: it waits for its next one, which is due at ``due``."""

    def goes_on(self) -> None:
        """It waits no longer."""

    def starts(self) -> bool:
        """Start a further call if the rates allow one now: it is counted.  Say whether."""

    def turn(self) -> Deferred[bool]:
        """Wait until a further call is started and counted; the Deferred fires with True."""

    def sent(self, decided: float) -> None:
        """A call was sent; it was decided on at ``decided`` (unix seconds)."""

    def unplaced(self, verdict: NotDialed) -> Finished | GoesBack:
        """The number was not dialed: return what becomes of it."""

    def over(self, verdict: Verdict) -> None:
        """The last call is over, and the slot is free: before the record is written."""
