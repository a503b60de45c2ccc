"""What is to be done with a scheduled number that was taken."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from ctidialer.contract import keys
from ctidialer.contract.after_call import NOTHING_MORE
from ctidialer.contract.callee import NO_CALLEE_RULES
from ctidialer.contract.faults import ContractError, EntryError
from ctidialer.contract.record import Kind, Outcome
from ctidialer.contract.schedule import ScheduleConfig, ScheduledNumber
from ctidialer.contract.schedule_document import config_named, decode_scheduled_number
from ctidialer.contract.task import Destination
from ctidialer.contract.variables import merge_variables, requested_uuid
from ctidialer.dialer.dispatch.due_watch import DueWatch
from ctidialer.dialer.dispatch.schedule_runs import ConfigRun, ScheduleRuns
from ctidialer.dialer.dispatch.slots import Slots
from ctidialer.dialer.dispatch.turns import Turns
from ctidialer.dialer.life.clearance import before_first
from ctidialer.dialer.life.errand import GoesBack
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
from ctidialer.rules.itinerary import Itinerary
from ctidialer.rules.permission import LastMoments
from ctidialer.rules.table_names import NO_NAMES, Named
from ctidialer.rules.tables import Tables
from ctidialer.store.in_flight import Claimed
from ctidialer.store.waiting import Waiting

DUE_AGAIN_AFTER = 60.0
"""Seconds after which a number is due again if no line was free, or if it has no valid
configuration."""

NO_CONFIG = "there is no valid schedule configuration of its name"

NOWHERE = Destination("")
"""The destination of a number without a valid configuration: no call goes there."""


@frozen(eq=False)
class ScheduleDesk:
    """What all scheduled numbers have in common.

    ``met_no_line`` is called for each number for which no line was free, ``met_no_config`` with the
    name of a configuration that is missing, ``wake`` with one that has a free slot again.
    """

    clock: IReactorTime
    number_pattern: re.Pattern[str]
    tables: Tables
    runs: ScheduleRuns
    slots: Slots
    turns: Turns
    met_no_line: Callable[[], None]
    met_no_config: Callable[[str], None]
    wake: Callable[[ConfigRun], None]
    due: DueWatch
    hours: CalleeHours = field(factory=CalleeHours)

    def errand(self, claim: Claimed) -> ScheduledErrand:
        """Return what is to be done with a member that was taken."""
        # A malformed member ends as soon as it is read; one that is too long was not fetched.
        name = "" if claim.length is not None else config_named(claim.entry)
        return ScheduledErrand(self, claim, self.runs.of(name))


@define(eq=False)
class ScheduledErrand:
    """A member of the schedule that was due; ``run`` is its configuration, None = there is none."""

    desk: ScheduleDesk
    claim: Claimed
    run: ConfigRun | None

    @property
    def source(self) -> tuple[str | None, str | None]:
        """It is of no list."""
        return None, None

    def place(self) -> Waiting:
        """It waits in the name of the domain."""
        return self.desk.due.place(Kind.SCHEDULE, self.name)

    def barred(self) -> tuple[NumberInHand, Finished | Waits] | None:
        """Return how it ends, or why it waits, without a call; None = it may be called, or cannot
        be read."""
        if self.run is None or self.run.config is None:
            return None
        if self.run.config.callee is NO_CALLEE_RULES:
            return None
        try:
            number, progress = self.read()
        except ContractError:
            return None
        if not isinstance(progress, Progress):
            return None
        barred = before_first(number, self.desk.clock.seconds())
        return None if barred is None else (number, barred)

    @property
    def kind(self) -> Kind:
        """A scheduled number."""
        return Kind.SCHEDULE

    @property
    def name(self) -> str:
        """The name of its configuration, empty where none could be read."""
        try:
            return self._decoded().config
        except EntryError as error:
            return error.config or ""

    def unknown(self) -> Named:
        """Return its configuration, where the tables do not have it."""
        name = self.name
        if not name or name in self.desk.tables.schedules:
            return NO_NAMES
        return Named.of([(keys.SCHEDULE_CONFIG, name)])

    def read(self) -> tuple[NumberInHand, Progress | Finished | NotDialed]:
        """Return the number of the member, or that it has expired."""
        scheduled = self._decoded()
        config = self.desk.tables.schedules.get(scheduled.config)
        number = self._number(scheduled, config)
        if _has_expired(scheduled, self.desk.clock.seconds()):
            return number, Finished(Outcome.EXPIRED, "its time to be called had passed")
        if config is None:
            return number, NotDialed(NO_CONFIG, no_config=True)
        return number, Progress(Itinerary(config.line_groups))

    def resumed(self) -> None:
        """It takes a slot of the node and of its configuration."""
        self.desk.slots.occupy(self.run)

    def may_dial(self) -> bool:
        """Say yes: a number that was due once may be dialed."""
        return True

    def held(self) -> bool:
        """Say whether its configuration is paused."""
        return self.run is not None and self.run.held

    def waits(self, due: float) -> None:
        """Its slot is taken, and no call of it is up."""
        if self.run is not None:
            self.run.waiting[self.claim.id] = due

    def goes_on(self) -> None:
        """Its next call comes."""
        if self.run is not None:
            self.run.waiting.pop(self.claim.id, None)

    def starts(self) -> bool:
        """Start a further call if the rates of node and configuration allow one now."""
        return self.desk.turns.start(self.run)

    def turn(self) -> Deferred[bool]:
        """Wait for the rates of node and configuration."""
        return self.desk.turns.wait(self.run)

    def sent(self, decided: float) -> None:
        """The call counts in the second in which it was sent."""
        self.desk.slots.sent(self.run, decided, self.desk.clock.seconds())

    def unspent(self) -> None:
        """The rates of node and configuration allow another call."""
        self.desk.slots.unspent(self.run, self.desk.clock.seconds())

    def unplaced(self, verdict: NotDialed) -> Finished | GoesBack:
        """Return what becomes of a number that was not dialed.

        If no line was free, it is due again later, or ends if it has expired or cannot expire; but
        no order to take a line out of use ends a number.  Without its configuration it is due again
        until it expires.  Else it goes back as it was.
        """
        now = self.desk.clock.seconds()
        if verdict.no_config:
            self.desk.met_no_config(self._decoded().config)
            return GoesBack(due=now + DUE_AGAIN_AFTER)
        if not verdict.no_line:
            return GoesBack()
        self.desk.met_no_line()
        expires = self._decoded().expires
        is_last = now > expires if expires is not None else not self._lacks_lines_taken_out()
        if is_last:
            return Finished(Outcome.NO_LINE, f"no line was free when it was due: {verdict.reason}")
        return GoesBack(due=now + DUE_AGAIN_AFTER)

    def over(self, _: Verdict) -> None:
        """The slots of the node and of its configuration are free."""
        self.desk.slots.leave(self.run)
        if self.run is not None:
            self.desk.runs.left(self.run)
            self.desk.wake(self.run)

    def _lacks_lines_taken_out(self) -> bool:
        config = self.run.config if self.run else None
        return config is not None and self.desk.slots.has_taken_out(config.line_groups)

    def _decoded(self) -> ScheduledNumber:
        return decode_scheduled_number(self.claim.entry, self.desk.number_pattern)

    def _terms(self, scheduled: ScheduledNumber, config: ScheduleConfig | None) -> Terms | None:
        if config is None or config.callee is NO_CALLEE_RULES:
            return None
        last = LastMoments(expires=math.inf if scheduled.expires is None else scheduled.expires)
        desk = self.desk
        return Terms(config.callee, desk.hours, desk.slots.zone, scheduled.timezone, last)

    def _number(self, scheduled: ScheduledNumber, config: ScheduleConfig | None) -> NumberInHand:
        return NumberInHand(
            claim=self.claim,
            kind=Kind.SCHEDULE,
            name=scheduled.config,
            number=scheduled.number,
            destination=config.destination if config else NOWHERE,
            variables=merge_variables(scheduled.variables, config.variables if config else {}),
            requested_uuid=requested_uuid(scheduled.variables),
            after_call=config.after_call if config else NOTHING_MORE,
            agents=config.agents if config else None,
            terms=self._terms(scheduled, config),
        )


def _has_expired(scheduled: ScheduledNumber, now: float) -> bool:
    return scheduled.expires is not None and now > scheduled.expires
