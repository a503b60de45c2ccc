"""Scheduled dialing: members of the sorted set are called when their time has come.

A number goes the same way as in queue dialing.  Only three things differ: where it comes from, that
it can expire, and what becomes of it if no line is free.

While no configuration has a limit or a rate or is paused, the earliest members are taken as they
come; else they are chosen first (`ctidialer.dialer.dispatch.due_choice`) and taken by name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence

from attrs import define, field, frozen
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from ctidialer.contract import keys
from ctidialer.contract.record import Kind
from ctidialer.dialer.dispatch.due_choice import DueChooser
from ctidialer.dialer.dispatch.due_watch import DueWatch
from ctidialer.dialer.dispatch.intake import Intake
from ctidialer.dialer.dispatch.schedule_errand import ScheduledErrand, ScheduleDesk
from ctidialer.dialer.dispatch.schedule_runs import ConfigRun, ScheduleRuns
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
from ctidialer.store.errors import NotAllowed, StoreError, WrongType
from ctidialer.store.in_flight import Claimed, InFlight
from ctidialer.store.waiting import Waiting

MIN_LIMITED_LOOK_INTERVAL = 0.02
"""Seconds between two looks for the next number of a configuration with a limit or a rate."""


@frozen(eq=False)
class ScheduleSource:
    """The sorted set ``key``, and how its members are read."""

    key: str
    number_pattern: re.Pattern[str]
    tables: Tables

    def groups(self, room: Mapping[str, int]) -> tuple[str, ...]:
        """Return the line groups of the configurations that have room.

        ``room`` has the limited configurations; all others have room.
        """
        configs = (one for one in self.tables.schedules.values() if room.get(one.name) != 0)
        return tuple(dict.fromkeys(group for config in configs for group in config.line_groups))


@define
class _Haul:
    """What one claim has brought; ``has_more``: more may be due that can be taken."""

    wanted: int
    taken: list[Claimed] = field(factory=list)
    has_more: bool = False

    @property
    def room(self) -> int:
        """How many more are wanted."""
        return self.wanted - len(self.taken)

    def add(self, claims: Sequence[Claimed], has_more: bool) -> None:
        """These were taken; ``has_more``: perhaps not all that are due there."""
        self.taken += claims
        self.has_more = self.has_more or has_more


class ScheduleDialer:
    """Calls the scheduled numbers of this node's domain when they are due."""

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        schedule: ScheduleSource,
        slots: Slots,
        intake: Intake,
        due: DueWatch,
    ) -> None:
        self._clock = clock
        self._schedule = schedule
        self._slots = slots
        self._intake = intake
        self.runs = ScheduleRuns(schedule.tables)
        self._desk = ScheduleDesk(
            clock,
            schedule.number_pattern,
            schedule.tables,
            self.runs,
            slots,
            Turns(clock, slots),
            self._met_no_line,
            self._met_no_config,
            self._slot_is_free,
            due,
        )
        self._due = due
        due.came[Kind.SCHEDULE] = self._numbers_are_due
        self._chooser = DueChooser(intake.store, schedule.key)
        self._ticks = Repeated(clock, self.tick, self.log, "A look at the due numbers")
        self._again: IDelayedCall | None = None
        self._claiming = False
        self._is_woken = False
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
        """Take the due members that can be called now."""
        self._look(is_poll=True)

    def errand_of(self, entry: InFlight) -> ScheduledErrand:
        """Return what is to be done with a member that an earlier daemon took."""
        return self._desk.errand(entry.claimed)

    def _numbers_are_due(self, _: str) -> None:
        """Numbers of a configuration that waited are due."""
        if self._ticks.running and self._again is None:
            self._look()

    def _look(self, *, is_poll: bool = False) -> None:
        self._look_no_more()
        if self._claiming or not self._intake.is_open:
            return
        limited, now = self.runs.limited, self._clock.seconds()
        room = {name: run.room(now) for name, run in limited.items()}
        groups = self._schedule.groups(room)
        facts = self._facts(groups, is_poll)
        found = look(self._turn, facts)
        self._turn = looked(self._turn, facts, found)
        self._slots.keep(found.kept, groups)
        if isinstance(found, Claim):
            background(self._claim(found.count, limited), self.log, "Claiming due numbers")
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

    async def _claim(self, count: int, limited: Mapping[str, ConfigRun]) -> None:
        self._claiming, self._is_woken = True, False
        self._slots.ask(None, count)
        haul = _Haul(count)
        try:
            await self._fill(haul, limited)
            self._complaints.over()
        except StoreError as error:
            self._complain(str(error))
            if not haul.taken:
                return
        finally:
            self._claiming = False
            self._slots.answered(None, count)
            self._slots.keep(NOTHING_KEPT, ())
        self._take_all(haul.taken)
        self._turn = claimed(self._turn, haul.has_more, self._without_line)
        if self._ticks.running:
            self._plan_next_look(limited)

    async def _fill(self, haul: _Haul, limited: Mapping[str, ConfigRun]) -> None:
        """Take numbers, those that waited first.

        What was taken before a source failed is in hand, whatever becomes of the others.
        """
        for name in self._due.names(Kind.SCHEDULE):
            for where in self._due.due(Kind.SCHEDULE, name):
                room = haul.room
                if name in limited:
                    room = min(room, limited[name].room(self._clock.seconds()))
                if name in self._schedule.tables.schedules and room > 0:
                    await self._claim_waiting(haul, where, room)
        if haul.room:
            claims, has_more = await self._claim_due(haul.room, limited)
            haul.add(claims, has_more)

    async def _claim_waiting(self, haul: _Haul, where: Waiting, room: int) -> None:
        """Take numbers that waited there; a key that cannot be used keeps only its own."""
        try:
            claims = await self._intake.store.claim_waiting(where, room, None)
        except (NotAllowed, WrongType) as error:
            self._complain(str(error), where)
            return
        self._complaints.over(where)
        haul.add(claims, len(claims) == room)
        if len(claims) < room:
            self._due.emptied(where)

    async def _claim_due(
        self, count: int, limited: Mapping[str, ConfigRun]
    ) -> tuple[list[Claimed], bool]:
        store, key, now = self._intake.store, self._schedule.key, self._clock.seconds()
        if not limited:
            self._chooser.forget()
            claims = await store.claim_due(key, count, now)
            return claims, len(claims) == count
        room = {name: run.room(now) for name, run in limited.items()}
        choice = await self._chooser.choose(room, count, now)
        members = [(member.entry, member.place) for member in choice.taken]
        claims = await store.claim_members(key, members, now) if members else []
        self._chooser.took(choice)
        return claims, not choice.is_all

    def _take_all(self, claims: list[Claimed]) -> None:
        errands = [self._desk.errand(claim) for claim in claims]
        held = [errand.claim for errand in errands if errand.held()]
        self._intake.numbers.give_back(held)  # it was paused while they were on their way
        taken = [one for one in errands if not (one.held() or self._is_put_aside(one))]
        for run, count in Counter(errand.run for errand in taken).items():
            self._slots.enter(run, count, self._clock.seconds())
        self._taken += len(taken)
        self._without_line = 0
        for errand in taken:
            self._intake.numbers.take(errand)

    def _is_put_aside(self, errand: ScheduledErrand) -> bool:
        """Let a number end, or wait, that may not be called now; it needs no slot for that."""
        barred = errand.barred()
        if barred is None:
            return False
        self._intake.numbers.divert(errand, *barred)
        return True

    def _plan_next_look(self, limited: Mapping[str, ConfigRun]) -> None:
        """Look again when there is more that can be taken now, or when a rate allows it."""
        now = self._clock.seconds()
        if self._turn.more_due:
            self._look_again(BACKLOG_LOOK_INTERVAL)
        elif self._is_woken:
            self._look_again(MIN_LIMITED_LOOK_INTERVAL)
        elif starts := list(self._paced_starts(limited, now)):
            self._look_again(max(MIN_LIMITED_LOOK_INTERVAL, min(starts) - now))

    def _paced_starts(self, limited: Mapping[str, ConfigRun], now: float) -> Iterator[float]:
        """Yield when their rates allow the next call, for the configurations with due numbers."""
        for name, run in limited.items():
            start = run.next_start(now)
            if start is not None and self._chooser.has_due(name):
                yield start

    def _slot_is_free(self, run: ConfigRun) -> None:
        """Look soon for a number for the free slot of a configuration with a limit."""
        self._is_woken = self._is_woken or run.limit is not None
        if run.limit is None or self._claiming or not self._ticks.running:
            return
        soon = self._clock.seconds() + MIN_LIMITED_LOOK_INTERVAL
        if self._chooser.has_due(run.name) and (
            self._again is None or self._again.getTime() > soon
        ):
            self._look_no_more()
            self._look_again(MIN_LIMITED_LOOK_INTERVAL)

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

    def _complain(self, problem: str, about: Hashable = None) -> None:
        if self._complaints.is_news(problem, about):
            self.log.warn("No scheduled numbers: {problem}", problem=problem)
