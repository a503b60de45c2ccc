"""Scheduled dialing: members of the sorted set are called when their time has come.

The same way of a number as in queue dialing; different are only where it comes from, that it can
expire, and what becomes of it when no line is free.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from attrs import frozen
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from ctidialer.contract import keys
from ctidialer.dialer.dispatch.intake import Intake
from ctidialer.dialer.dispatch.schedule_errand import ScheduledErrand, ScheduleDesk
from ctidialer.dialer.dispatch.slots import Slots
from ctidialer.dialer.dispatch.turns import Turns
from ctidialer.glue import Complaints, Repeated, background
from ctidialer.rules.sharing import (
    BACKLOG_LOOK_INTERVAL,
    MAX_SHARE,
    NOTHING_KEPT,
    Claim,
    Facts,
    Turn,
    Wait,
    claimed,
    look,
    looked,
)
from ctidialer.rules.tables import Tables
from ctidialer.store.errors import StoreError
from ctidialer.store.in_flight import Claimed, InFlight


@frozen(eq=False)
class ScheduleSource:
    """The sorted set ``key``, and how its members are read."""

    key: str
    number_pattern: re.Pattern[str]
    tables: Tables

    @property
    def groups(self) -> tuple[str, ...]:
        """The line groups of all configurations."""
        configs = self.tables.schedules.values()
        return tuple(dict.fromkeys(group for config in configs for group in config.line_groups))


class ScheduleDialer:
    """Calls the scheduled numbers of this node's domain when they are due."""

    log = Logger()

    def __init__(
        self, clock: IReactorTime, schedule: ScheduleSource, slots: Slots, intake: Intake
    ) -> None:
        self._clock = clock
        self._schedule = schedule
        self._slots = slots
        self._intake = intake
        self._desk = ScheduleDesk(
            clock,
            schedule.number_pattern,
            schedule.tables,
            slots,
            Turns(clock, slots),
            self._met_no_line,
            self._met_no_config,
        )
        self._ticks = Repeated(clock, self.tick, self.log, "A look at the due numbers")
        self._again: IDelayedCall | None = None
        self._claiming = False
        self._turn = Turn()
        self._taken = 0
        self._without_line = 0
        self._complaints = Complaints()

    def start(self, interval: float) -> None:
        """Begin to look for due members, every ``interval`` seconds."""
        self._ticks.start(interval, now=True)

    def stop(self) -> None:
        """Take no more numbers; those in hand go on."""
        self._ticks.stop()
        self._look_no_more()

    def tick(self) -> None:
        """Take what is due, as far as it can be called now."""
        self._look(is_poll=True)

    def errand_of(self, entry: InFlight) -> ScheduledErrand:
        """Return what is to be done with a member that an earlier daemon took."""
        return ScheduledErrand(self._desk, entry.claimed)

    def _look(self, *, is_poll: bool = False) -> None:
        self._look_no_more()
        if self._claiming or not self._intake.is_open:
            return
        groups = self._schedule.groups
        facts = self._facts(groups, is_poll)
        found = look(self._turn, facts)
        self._turn = looked(self._turn, facts, found)
        self._slots.keep(found.kept, groups)
        if isinstance(found, Claim):
            background(self._claim(found.count), self.log, "Claiming due numbers")
        elif isinstance(found, Wait):
            self._look_again(found.until - facts.now)

    def _facts(self, groups: Sequence[str], is_poll: bool) -> Facts:
        now, slots = self._clock.seconds(), self._slots
        return Facts(
            now=now,
            node_room=slots.node_room(now),
            line_room=slots.line_room(groups, now, MAX_SHARE + slots.asked),
            asked=slots.asked,
            others_started=slots.started - self._taken,
            line_may_come=not is_poll or slots.line_may_come(groups, now),
            is_poll=is_poll,
        )

    async def _claim(self, count: int) -> None:
        self._claiming = True
        key, now = self._schedule.key, self._clock.seconds()
        self._slots.ask(None, count)
        try:
            claims = await self._intake.store.claim_due(key, count, now)
        except StoreError as error:
            self._complain(str(error))
            return
        finally:
            self._claiming = False
            self._slots.answered(None, count)
            self._slots.keep(NOTHING_KEPT, ())
        self._complaints.over()
        self._take_all(claims)
        self._turn = claimed(self._turn, count, len(claims), self._without_line)
        if self._turn.more_due and self._ticks.running:
            self._look_again(BACKLOG_LOOK_INTERVAL)

    def _take_all(self, claims: list[Claimed]) -> None:
        self._slots.enter(None, len(claims), self._clock.seconds())
        self._taken += len(claims)
        self._without_line = 0
        for claim in claims:
            self._intake.numbers.take(ScheduledErrand(self._desk, claim))

    def _met_no_line(self) -> None:
        self._without_line += 1

    def _met_no_config(self, name: str) -> None:
        faults = self._schedule.tables.faults.get((keys.SCHEDULE_CONFIG, name), ())
        problem = "; ".join(str(fault) for fault in faults) or "there is none of this name"
        if self._complaints.is_news(problem, name):
            self.log.warn(
                "Scheduled numbers wait for their configuration {config!r}: {problem}",
                config=name,
                problem=problem,
            )

    def _look_again(self, wait: float) -> None:
        self._again = self._clock.callLater(wait, self._look_at_backlog)

    def _look_at_backlog(self) -> None:
        self._again = None
        self._look()

    def _look_no_more(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def _complain(self, problem: str) -> None:
        if self._complaints.is_news(problem):
            self.log.warn("No scheduled numbers: {problem}", problem=problem)
