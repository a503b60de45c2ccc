"""The daemon: in which order its parts start, recover and stop.

Nothing is taken from any queue before every :class:`~ctidialer.dialer.readiness.Condition` is met,
and nothing from the moment on which one is lost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from ctidialer.contract.notice import ConfigChange
from ctidialer.dialer.assembly import Parts
from ctidialer.dialer.gate import Gate
from ctidialer.dialer.readiness import Condition
from ctidialer.esl.events import Event
from ctidialer.settings import Settings
from ctidialer.store.errors import LeaseHeld, LeaseLost, StoreError

DRAIN_LOOK = 0.05
"""Seconds between two looks at whether the last call is over."""

CLOCK_ERROR = 0.02
"""Seconds by which Redis' clock and ours may part between two looks at a lease."""

LOOKS_A_RENEWAL = 3
"""How often another daemon's lease is looked at in the time in which it would be renewed."""


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
        self._recovering = DeferredLock()
        self._lapses_at: float | None = None
        self._next_look: IDelayedCall | None = None
        # Neither waits for its work, so that neither can stall or end with it.
        self._renewals = LoopingCall(self._go_on_with_lease)
        self._watch = LoopingCall(self._go_on_with_calls)
        for loop in (self._renewals, self._watch):
            loop.clock = reactor
        self.parts = Parts(settings, reactor, self)
        self.stopped = Gate()
        """Open once the drain is over and everything is closed."""

    # --- start and stop ----------------------------------------------------------------------

    def startService(self) -> None:
        """Connect to Redis and FreeSWITCH; dialing begins when both are there."""
        super().startService()
        parts, settings = self.parts, self._settings
        # IN_SERVICE, unless the operator says otherwise: that is read together with the tables.
        parts.readiness.met(Condition.RUNNING, Condition.RECORDS, Condition.IN_SERVICE)
        parts.link.add_listener(self)
        parts.link.start()
        parts.changes.start()
        parts.switch.startService()
        parts.configuration.start(settings.config.poll_interval)
        parts.queue_dialer.start(settings.queue.dispatch_interval)
        parts.schedule_dialer.start(settings.schedule.poll_interval)
        parts.status.start()
        parts.pause_watch.start()
        self._renewals.start(parts.store.renewal_period, now=False)
        self._watch.start(settings.node.call_check_interval, now=False)

    def stopService(self) -> Deferred[None]:
        """Drain: no new call, the calls in progress are followed to their end (docs/faults.rst)."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self._stopping()
        parts = self.parts
        parts.readiness.lost(Condition.RUNNING)
        parts.queue_dialer.stop()
        parts.schedule_dialer.stop()
        parts.pursuit.drain()
        self.log.info(
            "No new call is placed; those of {count} numbers are followed to their end",
            count=len(parts.numbers),
        )
        await self._drained()
        for loop in (self._renewals, self._watch):
            if loop.running:
                loop.stop()
        if self._next_look is not None and self._next_look.active():
            self._next_look.cancel()
        parts.configuration.stop()
        parts.pause_watch.stop()
        await parts.switch.stopService()
        await parts.status.withdraw()
        await self._release_lease()
        await parts.changes.stop()
        await parts.link.stop()
        self.stopped.open()

    async def _drained(self) -> None:
        """Wait for the last call and the last record, as long as ``drain_timeout`` allows."""
        parts = self.parts
        deadline = self._clock.seconds() + self._settings.node.drain_timeout
        while len(parts.numbers) or parts.closing.unwritten or parts.limits.asked:
            if self._clock.seconds() >= deadline:
                self.log.warn(
                    "The drain has timed out: {count} numbers stay in flight for the next start",
                    count=len(parts.numbers),
                )
                return
            await deferLater(self._clock, DRAIN_LOOK)

    async def _release_lease(self) -> None:
        try:
            await self.parts.store.release_lease()
        except StoreError as error:
            self.log.info("The lease is left to lapse: {problem}", problem=str(error))

    # --- Redis -------------------------------------------------------------------------------

    def store_up(self) -> None:
        """Redis is there: take the host's name, read the tables, recover."""
        self.log.info("Redis is there: {address}", address=self.parts.link.address.safe)
        self.parts.readiness.met(Condition.REDIS)
        self._go_on_with_lease()

    def store_down(self, reason: str) -> None:
        """Redis is away: nothing can be taken, nothing recorded."""
        self.log.warn("Redis is away: {reason}", reason=reason)
        self.parts.writable.shut()
        # Changes that are published meanwhile are not heard: nothing is dialed by the old tables.
        # And another daemon may have worked under this host's name, and have left numbers behind.
        self.parts.readiness.lost(
            Condition.REDIS, Condition.LEASE, Condition.TABLES, Condition.RECOVERY
        )

    def subscribed(self) -> None:
        """The change channels are listened to from now on: what was missed is read."""
        self._go(self.parts.configuration.read_all(), "Reading the tables")

    def change(self, change: ConfigChange) -> None:
        """A back end has changed something."""
        self._go(self.parts.configuration.change(change), "Reading a change")

    def tables_read(self) -> None:
        """All tables have been read."""
        self.parts.readiness.met(Condition.TABLES)
        self._go(self._recover(), "Recovering")

    async def _keep_lease(self) -> None:
        """Take the host's name, or keep it; what waited for it goes on."""
        if not self.parts.link.is_up:
            return
        store, is_held = self.parts.store, self.parts.writable.is_open
        asked_at = self._clock.seconds()
        try:
            has_lapsed = await (store.renew_lease() if is_held else store.acquire_lease())
        except LeaseHeld as error:
            self._held_by_another(error, asked_at)
        except LeaseLost as error:
            self._lost_lease(str(error))
        except StoreError as error:
            self.log.warn("The lease could not be renewed: {problem}", problem=str(error))
        else:
            await self._held_lease(bool(has_lapsed))

    def _held_by_another(self, error: LeaseHeld, asked_at: float) -> None:
        """Refuse to work beside a daemon that lives; wait for the lease of one that was killed.

        One that lives renews its lease before long: then it lapses later than it would have.
        """
        before, self._lapses_at = self._lapses_at, self._clock.seconds() + error.expires_in
        if before is not None and asked_at + error.expires_in > before + CLOCK_ERROR:
            self._lost_lease(str(error))
            return
        if before is None:
            self.log.warn(
                "{problem}; unless it is renewed, its lease lapses in {seconds} s",
                problem=str(error),
                seconds=round(error.expires_in, 1),
            )
        if self._next_look is None or not self._next_look.active():
            wait = self.parts.store.renewal_period / LOOKS_A_RENEWAL
            self._next_look = self._clock.callLater(wait, self._go_on_with_lease)

    async def _held_lease(self, has_lapsed: bool) -> None:
        self._lapses_at = None
        if self.parts.writable.is_open:
            if has_lapsed:  # another daemon may have had the name, and have left numbers behind
                self.parts.readiness.lost(Condition.RECOVERY)
                await self._recover()
            return
        self.parts.writable.open()
        self.parts.readiness.met(Condition.LEASE)
        await self.parts.configuration.read_all()

    def _lost_lease(self, reason: str) -> None:
        self._lapses_at = None
        self.parts.writable.shut()
        self.parts.readiness.lost(Condition.LEASE)
        self._refuse(reason)

    # --- FreeSWITCH --------------------------------------------------------------------------

    def switch_up(self) -> None:
        """FreeSWITCH is there: the calls of before are asked for, then dialing begins."""
        self.log.info("FreeSWITCH is there")
        self.parts.readiness.met(Condition.FREESWITCH)
        self._go(self._recover(), "Recovering")

    def switch_down(self, reason: str) -> None:
        """FreeSWITCH is away: no call can be placed; those that are up are asked for later."""
        self.log.warn("FreeSWITCH is away: {reason}", reason=reason)
        self.parts.calls.unheard()
        self.parts.readiness.lost(Condition.FREESWITCH, Condition.RECOVERY)

    def switch_event(self, event: Event) -> None:
        """Take in one channel event."""
        self.parts.calls.event(event)

    async def _recover(self) -> None:
        """Take up what is in flight and ask for every call; again after each lost connection."""
        await self._recovering.acquire()
        try:
            if Condition.RECOVERY not in self.parts.readiness.missing or not self._can_recover():
                return
            found = self.parts.recovery.take_up(await self.parts.store.in_flight())
            if found.given_back or found.followed:
                self.log.info(
                    "Of an earlier daemon's numbers {given_back} go back to their queue and "
                    "{followed} are followed",
                    given_back=found.given_back,
                    followed=found.followed,
                )
            await self.parts.calls.ask()
            if self._can_recover():
                self.parts.readiness.met(Condition.RECOVERY)
        finally:
            self._recovering.release()

    def _can_recover(self) -> bool:
        needed = {Condition.REDIS, Condition.LEASE, Condition.TABLES, Condition.FREESWITCH}
        return not needed.intersection(self.parts.readiness.missing)

    async def _ask_for_silent_calls(self) -> None:
        if self.parts.switch.up:
            await self.parts.calls.ask(self._settings.node.call_check_interval)

    # -----------------------------------------------------------------------------------------

    def _go_on_with_lease(self) -> None:
        self._go(self._keep_lease(), "Keeping the host's name")

    def _go_on_with_calls(self) -> None:
        self._go(self._ask_for_silent_calls(), "Asking for calls")

    def _go(self, work: Awaitable[None], what: str) -> None:
        """Let some work run; Redis going away meanwhile is no surprise."""
        running = Deferred.fromCoroutine(_awaited(work))
        running.addErrback(partial(self._stopped_short, what))

    def _stopped_short(self, what: str, failure: Failure) -> None:
        if failure.check(StoreError):
            self.log.info("{what}: {problem}", what=what, problem=failure.getErrorMessage())
        else:
            self.log.failure("{what} failed", failure, what=what)


async def _awaited(work: Awaitable[None]) -> None:
    await work
