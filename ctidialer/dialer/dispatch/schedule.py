"""Scheduled dialing: members of the sorted set are called when their time has come.

The same way of a number as in queue dialing; different are only where it comes from, that it can
expire, and what becomes of it when no line is free.
"""

from __future__ import annotations

import re
from functools import partial

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from ctidialer.contract.faults import ContractError, Fault
from ctidialer.contract.record import Kind, Outcome
from ctidialer.contract.schedule import ScheduleConfig, ScheduledNumber
from ctidialer.contract.schedule_document import decode_scheduled_number
from ctidialer.contract.task import Destination
from ctidialer.contract.variables import merge_variables, requested_uuid
from ctidialer.dialer.dispatch.lines import LineAccounts
from ctidialer.dialer.dispatch.node_limits import NodeLimits
from ctidialer.dialer.gate import Gate
from ctidialer.dialer.life.closing import Closing
from ctidialer.dialer.life.number_in_hand import Finished, NotDialed, NumberInHand, Progress
from ctidialer.dialer.life.numbers import Errand, Numbers, Reading
from ctidialer.rules.itinerary import Itinerary
from ctidialer.rules.tables import Tables
from ctidialer.store.errors import StoreError
from ctidialer.store.in_flight import Claimed, InFlight
from ctidialer.store.store import Store

AT_MOST = 100
"""Members taken by one claim."""

BACKLOG_LOOK = 0.05
"""Seconds between two looks while more is due: a backlog is worked off at 2,000 calls a second,
more than one FreeSWITCH places, and everybody else has a turn between two claims."""

ASKED_LOOK = 0.01
"""Seconds after which the answers to the queue tasks' claims, which ask for all room, are there."""

KEPT = 10
"""Calls kept free for a backlog on a node, or on lines, that are full, in turns with the queue
tasks."""

WITHOUT_LINE = 20
"""Members taken by one poll although all lines are busy: they are told so, the others wait."""

WAIT_FOR_LINE = 60.0
"""Seconds after which a number for which no line was free is due again (the seed says 60)."""

NOWHERE = Destination("")
"""Where the call of a number without a valid configuration would go: it is never placed."""


class ScheduleDialer:
    """Calls the scheduled numbers of this node's domain when they are due."""

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        key: str,
        number_pattern: re.Pattern[str],
        tables: Tables,
        lines: LineAccounts,
        limits: NodeLimits,
        store: Store,
        numbers: Numbers,
        closing: Closing,
        ready: Gate,
    ) -> None:
        self._clock = clock
        self._key = key
        self._number_pattern = number_pattern
        self._tables = tables
        self._lines = lines
        self._limits = limits
        self._store = store
        self._numbers = numbers
        self._closing = closing
        self._ready = ready
        self._ticks = LoopingCall(self._tick)
        self._ticks.clock = clock
        self._again: IDelayedCall | None = None
        self._claiming = False
        self._more_due = False
        self._waited = False
        self._had_line = False
        self._taken = 0
        self._others_started = 0
        self._without_line = 0
        self._complained = ""

    def start(self, interval: float) -> None:
        """Begin to look for due members, every ``interval`` seconds."""
        self._ticks.start(interval).addErrback(
            lambda failure: self.log.failure("Looking for due numbers has stopped", failure)
        )

    def stop(self) -> None:
        """Take no more numbers; those in hand go on."""
        if self._ticks.running:
            self._ticks.stop()
        self._look_no_more()

    def tick(self) -> None:
        """Take what is due, as far as it can be called now.

        Numbers for which all lines are busy wait where they are, for one that comes free: only
        when none has for a whole interval, or none can, are some of them taken, to be told so.
        """
        in_vain = (self._waited and not self._had_line) or not self._may_have_line()
        self._waited = self._had_line = False
        self._look(WITHOUT_LINE if in_vain else 0)

    def _tick(self) -> None:
        try:
            self.tick()
        except Exception:  # noqa: BLE001 - an exception would end the LoopingCall for good
            self.log.failure("A look at the due numbers failed")

    def _look(self, without_line: int = 0) -> None:
        self._look_no_more()
        if self._claiming or not self._ready.is_open:
            return
        now = self._clock.seconds()
        room, free = self._limits.scheduled_room(now), self._line_room(now)
        on_lines = max(0, min(free - self._limits.asked, AT_MOST))
        count = min(room, on_lines or without_line)
        if not room:
            self._limits.kept = self._share()
            self._look_again(ASKED_LOOK if self._limits.asked else BACKLOG_LOOK)
        elif free and not on_lines:  # the queue tasks have asked for numbers to fill these lines
            self._look_again(ASKED_LOOK)
        elif count:
            self._had_line = self._had_line or on_lines > 0
            claiming = Deferred.fromCoroutine(self._claim(count))
            claiming.addErrback(partial(self.log.failure, "Claiming due numbers failed"))
        else:
            self._wait_for_line()

    def _wait_for_line(self) -> None:
        self._waited = True
        groups = self._groups()
        kept = self._share() if groups else 0
        self._lines.keep(groups, kept)
        if kept or self._more_due:
            self._look_again()

    def _share(self) -> int:
        """Return how much is to be kept for the scheduled numbers of what comes free next, where
        the queue tasks fill node or lines: nothing before they, too, have started a call."""
        if self._limits.started - self._taken == self._others_started:
            return 0
        return KEPT if self._more_due else 1

    def _groups(self) -> tuple[str, ...]:
        configs = self._tables.schedules.values()
        return tuple(dict.fromkeys(group for config in configs for group in config.line_groups))

    def _line_room(self, now: float) -> int:
        """Return how many calls the lines of all configurations have room for, as far as it may
        matter."""
        most = AT_MOST + self._limits.asked
        return self._lines.scheduled_room(self._tables.routes, self._groups(), now, most)

    def _may_have_line(self) -> bool:
        now = self._clock.seconds()
        return self._lines.may_come_free(self._tables.routes, self._groups(), now)

    async def _claim(self, count: int) -> None:
        self._claiming = True
        self._limits.kept = 0
        self._lines.keep(self._groups(), count)  # while they are on their way
        self._others_started = self._limits.started - self._taken
        self._limits.asked += count
        try:
            claims = await self._store.claim_due(self._key, count, self._clock.seconds())
        except StoreError as error:
            self._complain(str(error))
            return
        finally:
            self._claiming = False
            self._limits.asked -= count
            self._lines.keep((), 0)
        self._complained = ""
        self._take_all(claims)
        # Where some met no line, the next ones most likely would, too: they wait for the next tick.
        self._more_due = len(claims) == count and not self._without_line
        if self._more_due and self._ticks.running:
            self._look_again()

    def _take_all(self, claims: list[Claimed]) -> None:
        self._limits.taken(len(claims), self._clock.seconds())
        self._taken += len(claims)
        self._without_line = 0
        for claim in claims:
            self._numbers.take(self.errand(claim))

    def _look_again(self, wait: float = BACKLOG_LOOK) -> None:
        self._again = self._clock.callLater(wait, self._look_at_backlog)

    def _look_at_backlog(self) -> None:
        self._again = None
        self._look()

    def _look_no_more(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def errand(self, claim: Claimed) -> Errand:
        """Return what is to be done with a member that was taken."""
        return Errand(
            claim=claim,
            kind=Kind.SCHEDULE,
            name=self._config_name(claim),
            read=partial(self._read, claim),
            may_dial=lambda: True,
            unplaced=self._unplaced,
            freed=lambda verdict: None,
        )

    def errand_of(self, entry: InFlight) -> Errand:
        """Return what is to be done with a member that an earlier daemon took."""
        return self.errand(entry.claimed)

    def _decode(self, claim: Claimed) -> ScheduledNumber:
        return decode_scheduled_number(claim.entry, self._number_pattern)

    def _config_name(self, claim: Claimed) -> str:
        try:
            return self._decode(claim).config
        except ContractError:
            return ""

    def _read(self, claim: Claimed) -> Reading:
        scheduled = self._decode(claim)
        config = self._tables.schedules.get(scheduled.config)
        number = self._number(claim, scheduled, config)
        if _has_expired(scheduled, self._clock.seconds()):
            return number, Finished(Outcome.EXPIRED, "its time to be called had passed")
        if config is None:
            problem = f"there is no valid schedule configuration {scheduled.config!r}"
            fault = Fault("$.params.config", problem)
            return number, Finished(Outcome.INVALID, str(ContractError([fault])))
        return number, Progress(Itinerary(config.line_groups))

    def _number(
        self, claim: Claimed, scheduled: ScheduledNumber, config: ScheduleConfig | None
    ) -> NumberInHand:
        return NumberInHand(
            claim=claim,
            kind=Kind.SCHEDULE,
            name=scheduled.config,
            number=scheduled.number,
            destination=config.destination if config else NOWHERE,
            variables=merge_variables(scheduled.variables, config.variables if config else {}),
            requested_uuid=requested_uuid(scheduled.variables),
        )

    def _unplaced(self, claim: Claimed, verdict: NotDialed) -> Finished | None:
        if not verdict.no_line:
            self._closing.give_back(claim)
            return None
        self._without_line += 1
        now = self._clock.seconds()
        scheduled = self._decode(claim)
        if scheduled.expires is None or now > scheduled.expires:
            return Finished(Outcome.NO_LINE, "no line was free when it was due")
        self._closing.write_back(claim, now + WAIT_FOR_LINE)
        return None

    def _complain(self, problem: str) -> None:
        if self._complained != problem:
            self._complained = problem
            self.log.warn("No scheduled numbers: {problem}", problem=problem)


def _has_expired(scheduled: ScheduledNumber, now: float) -> bool:
    return scheduled.expires is not None and now > scheduled.expires
