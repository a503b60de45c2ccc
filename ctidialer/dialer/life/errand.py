"""What is to be done with a number that was taken: one class for each place it can come from.

* :class:`~ctidialer.dialer.dispatch.queue_errand.QueueErrand`: a number from a queue;
* :class:`~ctidialer.dialer.dispatch.queue_errand.OrphanErrand`: one whose task is gone;
* :class:`~ctidialer.dialer.dispatch.schedule_errand.ScheduledErrand`: one of the schedule.
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
from ctidialer.store.waiting import Waiting

ReadEntry = tuple[NumberInHand, Progress | Finished | NotDialed] | Finished
"""A number with how far it has got, how it ends without a call, or why it goes back.  An entry of
which no number is known has only its end.
"""


@frozen
class GoesBack:
    """The number goes back where it was: to the head of its queue, or, if scheduled, to its time.

    ``due``: it is to be called then instead (unix seconds).
    """

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
        """The name of the task or schedule configuration, for the record."""

    def unknown(self) -> Named:
        """Return the names that have to be looked up in Redis before the entry can be read."""

    def read(self) -> ReadEntry:
        """Return the number of the entry, or how it ends before it begins (expired, say).

        Raises ContractError if the entry is malformed.
        """

    def resumed(self) -> None:
        """Take the slot of a number that was in flight at a restart."""

    def may_dial(self) -> bool:
        """Say whether a further call may be placed; asked before every call but the first."""

    def held(self) -> bool:
        """Say whether its task is paused: a further call has to wait."""

    def waits(self, due: float) -> None:
        """No call of it is up: it waits for its next one, which is due at ``due``."""

    def goes_on(self) -> None:
        """It waits no longer."""

    def starts(self) -> bool:
        """Count a further call if the rates allow one now; say whether they do."""

    def turn(self) -> Deferred[bool]:
        """Return a Deferred that fires with True when the rates allow a further call: it counts."""

    def sent(self, decided: float) -> None:
        """A call was sent; it was decided on at ``decided`` (unix seconds)."""

    def unspent(self) -> None:
        """A call that the rates have counted is not placed: its callee may not be called now."""

    @property
    def source(self) -> tuple[str | None, str | None]:
        """The list that it was taken from first, and the end of it; None = scheduled."""

    def place(self) -> Waiting:
        """Return where it waits, if it may not be called yet or is called again later."""

    def unplaced(self, verdict: NotDialed) -> Finished | GoesBack:
        """Return what becomes of a number that was not dialed."""

    def over(self, verdict: Verdict) -> None:
        """The last call is over: the slot is free, before the record is written."""
