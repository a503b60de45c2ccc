"""The daemon: what has to be in place before it dials, what it loses, how it stops."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from ctidialer.dialer.readiness import Condition
from ctidialer.dialer.service import DialerService
from ctidialer.settings import Node, Settings, completed
from ctidialer.store.store import Store
from tests.support.node import HOST, NodeTestCase, outcomes

SHORT = 0.6
"""Seconds that a lease lasts in these tests."""


class BeforeAnythingTests(SynchronousTestCase):
    """Neither Redis nor FreeSWITCH ever answers."""

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.refusals: list[str] = []
        self.stopping: list[bool] = []
        self.service = DialerService(
            completed(Settings(node=Node(host="fs1", drain_timeout=5.0))),
            self.reactor,
            refuse=self.refusals.append,
            stopping=lambda: self.stopping.append(True),
        )

    def test_all_is_missing(self) -> None:
        self.assertEqual(self.service.parts.readiness.missing, tuple(Condition))

    def test_after_the_start_all_but_its_own_readiness_is(self) -> None:
        self.service.startService()
        missing = self.service.parts.readiness.missing
        self.assertNotIn(Condition.RUNNING, missing)
        for condition in (Condition.REDIS, Condition.LEASE, Condition.TABLES):
            self.assertIn(condition, missing)
        for condition in (Condition.FREESWITCH, Condition.RECOVERY):
            self.assertIn(condition, missing)
        self.reactor.pump([0.1] * 100)
        self.assertEqual(self.service.parts.readiness.missing, missing)
        self.assertEqual(self.refusals, [])

    def test_it_stops_at_once_and_leaves_no_timer(self) -> None:
        self.service.startService()
        self.reactor.pump([0.1] * 20)
        stopped = self.service.stopService()
        self.reactor.pump([0.1] * 20)
        self.assertIsNone(self.successResultOf(stopped))
        self.assertEqual(self.stopping, [True])
        self.assertFalse(self.service.parts.readiness.gate.is_open)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_a_drain_ends_when_its_time_is_over(self) -> None:
        self.service.startService()
        self.service.parts.slots.asked = 1  # a claim that is never answered
        stopped = self.service.stopService()
        self.reactor.pump([0.1] * 45)
        self.assertNoResult(stopped)
        self.reactor.pump([0.1] * 20)
        self.successResultOf(stopped)


class ServiceCase(NodeTestCase):
    async def set_up(self) -> None:
        await super().set_up()
        self.killed = Store(self.redis, HOST, "a killed daemon", 1000, lease=SHORT)
        # Its lease is long: what keeps this process for a second must not let it lapse.
        self.other = Store(self.redis, HOST, "another daemon", 1000, lease=60.0)

    def start_with_short_lease(self) -> DialerService:
        return self.start_dialer(self.settings(lease=SHORT))

    async def ready(self, dialer: DialerService) -> None:
        async def is_ready() -> bool:
            return dialer.parts.readiness.gate.is_open

        await self.until("the daemon is ready", is_ready)

    async def missing(self, dialer: DialerService, *conditions: Condition) -> None:
        async def are_missing() -> bool:
            return set(conditions) <= set(dialer.parts.readiness.missing)

        await self.until(f"missing: {conditions}", are_missing)

    async def refused(self) -> str:
        async def has_refused() -> bool:
            return bool(self.refusals)

        await self.until("the daemon refuses to work", has_refused)
        return self.refusals[0]


class LeaseTests(ServiceCase):
    """One daemon a host."""

    async def test_it_waits_for_the_lease_of_a_daemon_that_was_killed(self) -> None:
        await self.usual_tables()
        await self.put_numbers(["1001"])
        await self.killed.acquire_lease()
        dialer = self.start_with_short_lease()
        await self.missing(dialer, Condition.LEASE)
        records = await self.records_of(1)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 1})
        self.assertEqual(self.refusals, [])

    async def test_it_refuses_beside_a_daemon_that_lives_and_names_it(self) -> None:
        await self.usual_tables()
        await self.put_numbers(["1001"])
        await self.other.acquire_lease()
        living = self.keep_renewing()
        dialer = self.start_with_short_lease()
        self.assertIn("another daemon", await self.refused())
        living.cancel()
        self.assertEqual(await self.queue(), [b"1001"])
        self.assertFalse(dialer.parts.readiness.gate.is_open)

    async def test_a_lease_that_is_lost_stops_it_and_nothing_is_written(self) -> None:
        await self.usual_tables()
        dialer = self.start_with_short_lease()
        await self.ready(dialer)
        deleted = self.call("DEL", keys.lease(HOST))
        await self.other.acquire_lease()  # sent in the same breath, before a renewal comes between
        await deleted
        living = self.keep_renewing()
        self.assertIn("another daemon", await self.refused())
        await self.put_numbers(["1001"])
        self.assertFalse(dialer.parts.readiness.gate.is_open)
        self.assertIn(Condition.LEASE, dialer.parts.readiness.missing)
        living.cancel()
        self.assertEqual(await self.queue(), [b"1001"])

    async def test_renewing_goes_on_after_an_error(self) -> None:
        await self.usual_tables()
        await self.call("SET", keys.lease(HOST), "somebody's own key")
        dialer = self.start_with_short_lease()
        await self.missing(dialer, Condition.LEASE)
        await self.call("DEL", keys.lease(HOST))
        await self.ready(dialer)
        await self.put_numbers(["1001"])
        await self.records_of(1)
        self.assertEqual(self.refusals, [])

    def keep_renewing(self) -> Deferred[None]:
        """Renew the other daemon's lease until the Deferred is cancelled."""
        stopped: Deferred[None] = Deferred()

        def renew() -> None:
            if not stopped.called:
                self.other.renew_lease().addErrback(lambda _: None)
                timers[:] = [reactor.callLater(SHORT / 6, renew)]

        timers: list[Any] = []
        renew()
        stopped.addErrback(lambda _: timers[0].cancel())
        self.addCleanup(stopped.cancel)
        return stopped


class StartTests(ServiceCase):
    async def test_nothing_is_taken_before_freeswitch_is_there(self) -> None:
        await self.usual_tables()
        await self.put_numbers(["1001"])
        await self.switch.kill()
        dialer = self.start_dialer()
        await self.missing(dialer, Condition.FREESWITCH, Condition.RECOVERY)

        async def only_freeswitch_is_missing() -> bool:
            return dialer.parts.readiness.missing == (Condition.FREESWITCH, Condition.RECOVERY)

        await self.until("all but FreeSWITCH is there", only_freeswitch_is_missing)
        self.assertEqual(await self.queue(), [b"1001"])

    async def test_a_record_that_cannot_be_written_stops_the_dialing_until_it_can(self) -> None:
        await self.usual_tables(limit=1)
        await self.call("SET", keys.records(HOST), "somebody's own key")
        await self.put_numbers([str(1000 + index) for index in range(10)])
        dialer = self.start_dialer()
        await self.missing(dialer, Condition.RECORDS)
        left = len(await self.queue())
        self.assertGreaterEqual(left, 7)
        await self.call("DEL", keys.records(HOST))
        records = await self.records_of(10)
        self.assert_accounted_for(records)
        await self.nothing_in_flight()

    async def test_redis_away_loses_the_tables_and_the_recovery_too(self) -> None:
        dialer = self.start_dialer()
        await self.ready(dialer)
        dialer.store_down("a test says so")
        missing = set(dialer.parts.readiness.missing)
        lost = {Condition.REDIS, Condition.LEASE, Condition.TABLES, Condition.RECOVERY}
        self.assertEqual(missing, lost)
        self.assertFalse(dialer.parts.writable.is_open)
        dialer.store_up()
        await self.ready(dialer)

    async def test_freeswitch_goes_during_the_recovery(self) -> None:
        dialer = self.start_dialer()
        await self.ready(dialer)
        dialer.switch_down("a test says so")
        dialer.switch_up()
        dialer.switch_down("once more")
        self.assertIn(Condition.RECOVERY, dialer.parts.readiness.missing)
        dialer.switch_up()
        dialer.store_down("a test says so")
        dialer.store_up()
        await self.ready(dialer)
        await self.usual_tables()
        await self.put_numbers(["1001"])
        await self.records_of(1)
