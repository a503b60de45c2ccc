"""What is to be done with a scheduled number that was taken."""

from __future__ import annotations

import re
from collections.abc import Callable

from attrs import define, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from ctidialer.contract import keys
from ctidialer.contract.after_call import NOTHING_MORE
from ctidialer.contract.faults import EntryError
from ctidialer.contract.record import Kind, Outcome
from ctidialer.contract.schedule import ScheduleConfig, ScheduledNumber
from ctidialer.contract.schedule_document import config_named, decode_scheduled_number
from ctidialer.contract.task import Destination
from ctidialer.contract.variables import merge_variables, requested_uuid
from ctidialer.dialer.dispatch.schedule_runs import ConfigRun, ScheduleRuns
from ctidialer.dialer.dispatch.slots import Slots
from ctidialer.dialer.dispatch.turns import Turns
from ctidialer.dialer.life.errand import GoesBack, ReadEntry
from ctidialer.dialer.life.number_in_hand import (
    Finished,
    NotDialed,
    NumberInHand,
    Progress,
    Verdict,
)
from ctidialer.rules.itinerary import Itinerary
from ctidialer.rules.table_names import NO_NAMES, Named
from ctidialer.rules.tables import Tables
from ctidialer.store.in_flight import Claimed

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

    def read(self) -> ReadEntry:
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

    def unplaced(self, verdict: NotDialed) -> Finished | GoesBack:
        """Return what becomes of a number that was not dialed.

        If no line was free, it is due again later, or ends if it has expired or cannot expire.
        Without its configuration it is due again until it expires.  Else it goes back as it was.
        """
        now = self.desk.clock.seconds()
        if verdict.no_config:
            self.desk.met_no_config(self._decoded().config)
            return GoesBack(due=now + DUE_AGAIN_AFTER)
        if not verdict.no_line:
            return GoesBack()
        self.desk.met_no_line()
        expires = self._decoded().expires
        if expires is None or now > expires:
            return Finished(Outcome.NO_LINE, f"no line was free when it was due: {verdict.reason}")
        return GoesBack(due=now + DUE_AGAIN_AFTER)

    def over(self, _: Verdict) -> None:
        """The slots of the node and of its configuration are free."""
        self.desk.slots.leave(self.run)
        if self.run is not None:
            self.desk.runs.left(self.run)
            self.desk.wake(self.run)

    def _decoded(self) -> ScheduledNumber:
        return decode_scheduled_number(self.claim.entry, self.desk.number_pattern)

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
        )


def _has_expired(scheduled: ScheduledNumber, now: float) -> bool:
    return scheduled.expires is not None and now > scheduled.expires
