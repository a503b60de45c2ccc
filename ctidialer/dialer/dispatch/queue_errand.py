"""What is to be done with a number that was taken from a queue."""

from __future__ import annotations

import re
from collections.abc import Callable

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from ctidialer.contract.callee import NO_CALLEE_RULES
from ctidialer.contract.faults import ContractError
from ctidialer.contract.number_document import decode_number
from ctidialer.contract.record import Kind
from ctidialer.contract.task import Destination, Task
from ctidialer.contract.variables import merge_variables, requested_uuid
from ctidialer.dialer.dispatch.brakes import Brakes
from ctidialer.dialer.dispatch.due_watch import DueWatch
from ctidialer.dialer.dispatch.slots import Slots
from ctidialer.dialer.dispatch.task_runs import TaskRun
from ctidialer.dialer.dispatch.turns import Turns
from ctidialer.dialer.life.clearance import before_first
from ctidialer.dialer.life.errand import GoesBack, ReadEntry
from ctidialer.dialer.life.number_in_hand import (
    Finished,
    NotDialed,
    NumberInHand,
    Progress,
    Terms,
    Verdict,
    Waits,
)
from ctidialer.rules.callee_hours import CalleeHours
from ctidialer.rules.calling_hours import stops_at
from ctidialer.rules.itinerary import Itinerary
from ctidialer.rules.permission import LastMoments
from ctidialer.rules.table_names import NO_NAMES, Named
from ctidialer.store.in_flight import Claimed, InFlight
from ctidialer.store.waiting import Waiting

NOWHERE = Destination("")
"""The destination of a number without a task: no call goes there."""


@frozen(eq=False)
class QueueDesk:
    """What all numbers of queues have in common.

    ``wake`` is called with a task when one of its slots comes free.
    """

    clock: IReactorTime
    number_pattern: re.Pattern[str]
    slots: Slots
    turns: Turns
    brakes: Brakes
    wake: Callable[[TaskRun], None]
    due: DueWatch
    hours: CalleeHours = field(factory=CalleeHours)

    def terms(self, task: Task, own_zone: str | None) -> Terms | None:
        """Return what rules whether a number may be called; None = nothing does."""
        if task.callee is NO_CALLEE_RULES:
            return None
        home = self.slots.zone
        last = LastMoments(stops=stops_at(task.hours, home))
        return Terms(task.callee, self.hours, task.hours.timezone or home, own_zone, last)


@define(eq=False)
class QueueErrand:
    """A number of a task.

    It is dialed by ``task``, the text as it was when the number was taken, as long as ``run``, the
    task as it is now, may dial.
    """

    desk: QueueDesk
    run: TaskRun
    task: Task
    claim: Claimed
    queue: str | None = None
    _reading: NumberInHand | None = None

    @property
    def source(self) -> tuple[str | None, str | None]:
        """The list it came from, and the end of it."""
        return self.queue, self.task.queue_side.value

    def place(self) -> Waiting:
        """It waits in the name of the template or of the host, wherever its task stands now."""
        return self.desk.due.place(Kind.QUEUE, self.task.name)

    def barred(self) -> tuple[NumberInHand, Finished | Waits] | None:
        """Return how it ends, or why it waits, without a call; None = it may be called, or cannot
        be read."""
        try:
            number, _ = self.read()
        except ContractError:
            return None
        barred = before_first(number, self.desk.clock.seconds())
        return None if barred is None else (number, barred)

    @property
    def kind(self) -> Kind:
        """A number of a queue."""
        return Kind.QUEUE

    @property
    def name(self) -> str:
        """The task's name."""
        return self.task.name

    def unknown(self) -> Named:
        """Nothing: groups are looked up before each call."""
        return NO_NAMES

    def read(self) -> tuple[NumberInHand, Progress]:
        """Return the number of the entry."""
        if self._reading is None:
            self._reading = self._read()
        return self._reading, Progress(Itinerary(groups=self.task.line_groups))

    def _read(self) -> NumberInHand:
        entry, task = decode_number(self.claim.entry, self.desk.number_pattern), self.task
        variables = merge_variables(entry.variables, task.host_variables, task.template_variables)
        return NumberInHand(
            claim=self.claim,
            kind=Kind.QUEUE,
            name=task.name,
            number=entry.number,
            destination=task.destination,
            variables=variables,
            requested_uuid=requested_uuid(entry.variables),
            after_call=task.after_call,
            agents=task.agents,
            terms=self.desk.terms(task, entry.timezone),
        )

    def resumed(self) -> None:
        """It takes a slot of the node and of its task."""
        self.desk.slots.occupy(self.run)

    def may_dial(self) -> bool:
        """Say whether its task is still open."""
        return self.run.may_start(self.desk.clock.seconds())

    def held(self) -> bool:
        """Say whether its task is paused."""
        return self.run.held

    def waits(self, due: float) -> None:
        """Its slot is taken, and no call of it is up."""
        self.run.waiting[self.claim.id] = due

    def goes_on(self) -> None:
        """Its next call comes."""
        self.run.waiting.pop(self.claim.id, None)

    def starts(self) -> bool:
        """Start a further call if the rates of node and task allow one now."""
        return self.desk.turns.start(self.run)

    def turn(self) -> Deferred[bool]:
        """Wait for the rates of node and task."""
        return self.desk.turns.wait(self.run)

    def sent(self, decided: float) -> None:
        """The call counts in the second in which it was sent."""
        self.desk.slots.sent(self.run, decided, self.desk.clock.seconds())

    def unspent(self) -> None:
        """The rates of node and task allow another call."""
        self.desk.slots.unspent(self.run, self.desk.clock.seconds())

    def unplaced(self, _: NotDialed) -> GoesBack:
        """It goes back to the head of its queue."""
        return GoesBack()

    def over(self, verdict: Verdict) -> None:
        """Free the slot: it is filled at once, or by the next tick if the number was not dialed."""
        self.desk.slots.leave(self.run)
        if isinstance(verdict, Finished):
            now = self.desk.clock.seconds()
            self.desk.brakes.number_ended(self.run, self.claim.entry, verdict, now)
        if not isinstance(verdict, NotDialed):
            self.desk.wake(self.run)


@define(eq=False)
class OrphanErrand:
    """A number whose task is gone: its call is followed, and no further one is placed."""

    desk: QueueDesk
    entry: InFlight

    @property
    def claim(self) -> Claimed:
        """The entry as it was taken."""
        return self.entry.claimed

    @property
    def source(self) -> tuple[str | None, str | None]:
        """The list it came from; without its task it never waits."""
        return None, None

    def place(self) -> Waiting:
        """Return where it would wait."""
        return self.desk.due.place(Kind.QUEUE, self.name)

    @property
    def kind(self) -> Kind:
        """A number of a queue."""
        return Kind.QUEUE

    @property
    def name(self) -> str:
        """The name of the task that is gone."""
        return self.entry.task or ""

    def unknown(self) -> Named:
        """Nothing: groups are looked up before each call."""
        return NO_NAMES

    def read(self) -> ReadEntry:
        """Return the number of the entry, with nowhere to go."""
        number = decode_number(self.entry.entry, self.desk.number_pattern).number
        in_hand = NumberInHand(self.claim, Kind.QUEUE, self.name, number, NOWHERE)
        return in_hand, Progress(Itinerary(groups=()))

    def resumed(self) -> None:
        """It takes a slot of the node."""
        self.desk.slots.occupy(None)

    def may_dial(self) -> bool:
        """No further call is placed."""
        return False

    def held(self) -> bool:
        """Say no: no further call has to wait."""
        return False

    def waits(self, due: float) -> None:
        """Nobody counts those that wait."""

    def goes_on(self) -> None:
        """Nobody counts those that wait."""

    def starts(self) -> bool:
        """Start a further call if the node's rates allow one now."""
        return self.desk.turns.start(None)

    def turn(self) -> Deferred[bool]:
        """Wait for the node's rates."""
        return self.desk.turns.wait(None)

    def sent(self, decided: float) -> None:
        """No call of it is ever sent."""

    def unspent(self) -> None:
        """No call of it is ever placed."""

    def unplaced(self, _: NotDialed) -> GoesBack:
        """It goes back to the head of its queue."""
        return GoesBack()

    def over(self, _: Verdict) -> None:
        """The node's slot is free."""
        self.desk.slots.leave(None)
