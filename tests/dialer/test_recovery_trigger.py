"""When what an earlier daemon left is taken up, and the calls are asked for."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.dialer.readiness import Condition, Readiness
from ctidialer.dialer.recovery_trigger import NEEDED, RETRY_INTERVAL, RecoveryTrigger
from ctidialer.store.errors import StoreUnavailable


class RecoveryTriggerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.readiness = Readiness()
        self.runs: list[Deferred[None]] = []
        self.trigger = RecoveryTrigger(self.clock, self.readiness, self.recover)

    def recover(self) -> Deferred[None]:
        self.runs.append(Deferred())
        return self.runs[-1]

    @property
    def is_recovered(self) -> bool:
        return Condition.RECOVERY not in self.readiness.missing

    def begin(self) -> None:
        self.readiness.met(*NEEDED)

    def test_it_waits_for_all_that_it_needs(self) -> None:
        for condition in NEEDED:
            self.assertEqual(self.runs, [])
            self.readiness.met(condition)
        self.assertEqual(len(self.runs), 1)
        self.assertFalse(self.is_recovered)
        self.runs[0].callback(None)
        self.assertTrue(self.is_recovered)

    def test_it_is_done_once(self) -> None:
        self.begin()
        self.runs[0].callback(None)
        self.readiness.lost(Condition.RECORDS)
        self.readiness.met(*Condition)
        self.assertEqual(len(self.runs), 1)

    def test_it_is_done_again_after_each_connection_that_was_lost(self) -> None:
        self.begin()
        self.runs[0].callback(None)
        for count, condition in enumerate((Condition.FREESWITCH, Condition.REDIS), start=2):
            self.readiness.lost(condition)
            self.readiness.met(*NEEDED)
            self.assertEqual(len(self.runs), count)
            self.assertFalse(self.is_recovered)
            self.runs[-1].callback(None)
            self.assertTrue(self.is_recovered)

    def test_one_during_which_a_connection_went_does_not_count(self) -> None:
        self.begin()
        self.readiness.lost(Condition.FREESWITCH)
        self.readiness.met(Condition.FREESWITCH)
        self.assertEqual(len(self.runs), 1)
        self.runs[0].callback(None)
        self.assertFalse(self.is_recovered)
        self.assertEqual(len(self.runs), 2)
        self.runs[1].callback(None)
        self.assertTrue(self.is_recovered)

    def test_one_during_which_a_connection_is_away_does_not_count_either(self) -> None:
        self.begin()
        self.readiness.lost(Condition.FREESWITCH)
        self.runs[0].callback(None)
        self.assertFalse(self.is_recovered)
        self.assertEqual(len(self.runs), 1)
        self.readiness.met(Condition.FREESWITCH)
        self.assertEqual(len(self.runs), 2)

    def test_a_lapse_of_the_lease_asks_for_it_again(self) -> None:
        self.begin()
        self.runs[0].callback(None)
        self.trigger.again()
        self.assertFalse(self.is_recovered)
        self.trigger.again()
        self.runs[1].callback(None)
        self.assertEqual(len(self.runs), 3)
        self.runs[2].callback(None)
        self.assertTrue(self.is_recovered)

    def test_one_that_redis_broke_off_is_tried_again(self) -> None:
        self.begin()
        self.runs[0].errback(StoreUnavailable("loading"))
        self.assertFalse(self.is_recovered)
        self.assertEqual(len(self.runs), 1)
        self.clock.advance(RETRY_INTERVAL)
        self.assertEqual(len(self.runs), 2)
        self.runs[1].callback(None)
        self.assertTrue(self.is_recovered)

    def test_a_fault_of_ours_is_logged_and_tried_again(self) -> None:
        self.begin()
        self.runs[0].errback(KeyError("x"))
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)
        self.clock.advance(RETRY_INTERVAL)
        self.assertEqual(len(self.runs), 2)

    def test_it_tries_no_more_once_it_is_stopped(self) -> None:
        self.begin()
        self.runs[0].errback(StoreUnavailable("loading"))
        self.trigger.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
