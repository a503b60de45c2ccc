"""The daemon: in which order its parts start and stop, and what they are told of each other.

Numbers are taken only while every :class:`~ctidialer.dialer.readiness.Condition` is met.
:mod:`~ctidialer.dialer.lease_keeper` finds out who has the host's name;
:mod:`~ctidialer.dialer.recovery_trigger` decides when numbers left in flight are taken up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TimedOut
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ctidialer.contract import keys
from ctidialer.contract.notice import AGENT_TABLES, ConfigChange
from ctidialer.dialer.adopter import adopter_of
from ctidialer.dialer.assembly import Parts
from ctidialer.dialer.lease_keeper import LeaseKeeper
from ctidialer.dialer.readiness import Condition
from ctidialer.dialer.recovery_trigger import RecoveryTrigger
from ctidialer.esl.events import Event
from ctidialer.glue import Gate, Outage, Repeated, background
from ctidialer.settings import Settings
from ctidialer.store.errors import StoreError, StoreUnavailable


class DialerService(Service):
    """One daemon beside one FreeSWITCH.

    ``refuse`` is called, with the reason, when this daemon may not work: another one that is alive
    works under its host name.  ``stopping`` is called when the drain begins.
    """

    log = Logger()
    name = "ctidialer"

    def __init__(
        self,
        settings: Settings,
        reactor: IReactorTime,
        *,
        refuse: Callable[[str], None],
        stopping: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._clock = reactor
        self._refuse = refuse
        self._stopping = stopping
        parts = self.parts = Parts(settings, reactor, self)
        self.lease = LeaseKeeper(reactor, parts.store, parts.writable, parts.readiness, self)
        self._recovery = RecoveryTrigger(reactor, parts.readiness, self._recover)
        self._questions = Repeated(
            reactor, self._ask_for_silent_calls, self.log, "Asking for silent calls"
        )
        self._adopter = adopter_of(settings, reactor, parts.link)
        self._redis, self._freeswitch = Outage(reactor), Outage(reactor)
        self.stopped = Gate()
        """Open once the drain is over and everything is closed."""

    # --- start and stop ----------------------------------------------------------------------

    def startService(self) -> None:
        """Connect to Redis and FreeSWITCH; dialing begins when both are there."""
        super().startService()
        parts, settings = self.parts, self._settings
        # IN_SERVICE is met until the tables are read: an order to drain stands among them.
        parts.readiness.met(
            Condition.RUNNING, Condition.RECORDS, Condition.IN_SERVICE, Condition.UNREADABLE
        )
        parts.link.add_listener(self)
        parts.link.start()
        parts.changes.start()
        parts.switch.startService()
        self.lease.start()
        parts.configuration.start(settings.config.poll_interval)
        parts.due_watch.start()
        parts.waiting_sums.start()
        parts.backlog.start()
        parts.gateways.start()
        parts.shared.start()
        parts.queue_dialer.start(settings.queue.dispatch_interval)
        parts.schedule_dialer.start(settings.schedule.poll_interval)
        parts.status.start()
        parts.minutes.start()
        parts.news.start()
        parts.pause_watch.start()
        parts.write_watch.start()
        self._questions.start(settings.node.call_check_interval)
        if self._adopter is not None:
            self._adopter.start()

    def stopService(self) -> Deferred[None]:
        """Drain: no new call, the calls in progress are followed to their end (docs/faults.rst)."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self._stopping()
        parts = self.parts
        if self._adopter is not None:
            self._adopter.stop()
        parts.readiness.lost(Condition.RUNNING)
        parts.due_watch.stop()
        parts.waiting_sums.stop()
        parts.backlog.stop()
        parts.gateways.stop()
        parts.shared.stop()
        parts.queue_dialer.stop()
        parts.schedule_dialer.stop()
        parts.pursuit.drain()
        parts.places.drain()
        await self._drained()
        parts.pacers.stop()
        parts.roster.stop()
        self._questions.stop()
        self._recovery.stop()
        parts.configuration.stop()
        parts.line_orders.stop()
        parts.pause_watch.stop()
        parts.write_watch.stop()
        parts.news.stop()
        parts.minutes.stop()
        await parts.switch.stopService()
        if parts.events is not None:
            await parts.events.stop()
        await parts.status.withdraw()
        await self.lease.release()
        await parts.changes.stop()
        await parts.link.stop()
        self.stopped.open()

    async def _drained(self) -> None:
        """Wait for the last call and the last record, as long as ``drain_timeout`` allows."""
        numbers = self.parts.numbers
        self.log.info(
            "No new call is placed; those of {count} numbers are followed to their end",
            count=len(numbers),
        )
        idle = self.parts.idle.reached()
        try:
            await idle.addTimeout(self._settings.node.drain_timeout, self._clock)
        except TimedOut:
            self.log.warn(
                "The drain has timed out: {count} numbers stay in flight for the next start",
                count=len(numbers),
            )
        else:
            self.log.info("The drain is over: no number is left in flight")

    # --- Redis -------------------------------------------------------------------------------

    def store_up(self) -> None:
        """Redis is there: take the host's name, read the tables, recover."""
        address = self.parts.link.address.safe
        self.log.info("Redis is there{again}: {address}", again=self._redis.over(), address=address)
        self.parts.readiness.met(Condition.REDIS)
        self.lease.happens.redis_came()

    def store_down(self, reason: str) -> None:
        """Redis is away: nothing can be taken, nothing recorded."""
        if self._redis.begins():
            self.log.warn("Redis is away: {reason}", reason=reason)
        self.lease.happens.redis_went()
        self.parts.readiness.lost(Condition.REDIS)

    def name_taken(self) -> None:
        """This daemon has its host's name: read the tables."""
        self._go(self._read_tables(), "Reading the tables")

    async def _read_tables(self) -> None:
        with suppress(StoreUnavailable):  # that Redis is away is said already
            await self.parts.configuration.read_all()

    def name_lapsed(self) -> None:
        """Another daemon may have worked under the name, and left numbers in flight."""
        self.parts.places.lapsed()
        self._recovery.again()

    def name_refused(self, reason: str) -> None:
        """Another daemon works under the name."""
        self._refuse(reason)

    def subscribed(self) -> None:
        """The change channels are heard from now on: read what was missed."""
        self._go(self._read_tables(), "Reading the tables")

    def change(self, change: ConfigChange) -> None:
        """A back end has changed something."""
        if change.table == keys.CALLS:
            self.parts.places.questions.place_is_free(change.key or "")
            return
        listener = self.parts.roster if change.table in AGENT_TABLES else self.parts.configuration
        listener.change(change)

    # --- FreeSWITCH --------------------------------------------------------------------------

    def switch_up(self) -> None:
        """FreeSWITCH is there: the calls placed before are asked for, then dialing begins."""
        self.log.info("FreeSWITCH is there{again}", again=self._freeswitch.over())
        self.parts.roster.switch_up()
        self.parts.readiness.met(Condition.FREESWITCH)

    def switch_down(self, reason: str) -> None:
        """FreeSWITCH is away: no call can be placed; those that are up are asked for later."""
        is_news = self._freeswitch.begins()
        if is_news and self.running:  # else we have closed it ourselves
            self.log.warn("FreeSWITCH is away: {reason}", reason=reason)
        self.parts.calls.unheard()
        self.parts.roster.switch_down()
        self.parts.readiness.lost(Condition.FREESWITCH)

    def switch_event(self, event: Event) -> None:
        """Take in one event of a channel, or of an agent."""
        self.parts.roster.event(event)
        self.parts.calls.event(event)

    async def _recover(self) -> None:
        """Take up what is in flight, and ask for every call."""
        parts = self.parts
        left_over = parts.recovery.left_over(await parts.store.in_flight())
        await parts.places.recover(left_over)
        found = parts.recovery.take_up(left_over)
        if found.given_back or found.followed:
            self.log.info(
                "Of an earlier daemon's numbers {given_back} go back to their queue and "
                "{followed} are followed",
                given_back=found.given_back,
                followed=found.followed,
            )
        await parts.calls.ask()
        await parts.closing.all_back.passed()  # what goes back stands before what is taken now

    async def _ask_for_silent_calls(self) -> None:
        if self.parts.switch.up:
            await self.parts.calls.ask(self._settings.node.call_check_interval)

    def _go(self, work: Awaitable[None], what: str) -> None:
        """Run some work in the background; it may fail because Redis is away."""
        background(work, self.log, what, expected=(StoreError,))
