"""Whose the host's name is: each state of the lease, and what happens in it."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.dialer.lease_keeper import LeaseKeeper
from ctidialer.dialer.readiness import Condition, Readiness
from ctidialer.glue import Gate
from ctidialer.store.errors import LeaseHeld, LeaseLost, StoreUnavailable

PERIOD = 5.0


class ScriptedLease:
    """A lease that answers when the test says so."""

    renewal_period = PERIOD

    def __init__(self) -> None:
        self.asked: list[tuple[str, Deferred[bool]]] = []
        self.released = 0

    def acquire_lease(self) -> Deferred[None]:
        asked: Deferred[bool] = Deferred()
        self.asked.append(("acquire", asked))
        return asked.addCallback(lambda _: None)

    def renew_lease(self) -> Deferred[bool]:
        asked: Deferred[bool] = Deferred()
        self.asked.append(("renew", asked))
        return asked

    def release_lease(self) -> Deferred[None]:
        self.released += 1
        released: Deferred[None] = Deferred()
        released.callback(None)
        return released


class LeaseKeeperTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.lease = ScriptedLease()
        self.writable = Gate()
        self.readiness = Readiness()
        self.told: list[str] = []
        self.keeper = LeaseKeeper(self.clock, self.lease, self.writable, self.readiness, self)
        self.keeper.start()

    def name_taken(self) -> None:
        self.told.append("taken")

    def name_lapsed(self) -> None:
        self.told.append("lapsed")

    def name_refused(self, reason: str) -> None:
        self.told.append(reason)

    def answer(self, what: str, answer: bool | Exception) -> None:
        asked, deferred = self.lease.asked.pop(0)
        self.assertEqual(asked, what)
        self.assertEqual(self.lease.asked, [])
        if isinstance(answer, Exception):
            deferred.errback(answer)
        else:
            deferred.callback(answer)

    def held_for(self, seconds: float) -> LeaseHeld:
        return LeaseHeld("fs1", "pid 7 on other", seconds)

    def assert_ours(self, is_ours: bool) -> None:
        self.assertEqual(self.writable.is_open, is_ours)
        self.assertEqual(Condition.LEASE not in self.readiness.missing, is_ours)

    def take(self) -> None:
        self.keeper.happens.redis_came()
        self.answer("acquire", True)
        self.assert_ours(True)

    def test_it_is_taken_as_soon_as_redis_is_there(self) -> None:
        self.clock.advance(PERIOD)
        self.assertEqual(self.lease.asked, [])
        self.assert_ours(False)
        self.take()
        self.assertEqual(self.told, ["taken"])

    def test_it_is_renewed_in_time(self) -> None:
        self.take()
        for _ in range(3):
            self.clock.advance(PERIOD)
            self.answer("renew", False)
        self.assert_ours(True)
        self.assertEqual(self.told, ["taken"])

    def test_one_question_is_asked_at_a_time(self) -> None:
        self.take()
        self.clock.pump([PERIOD] * 3)
        self.answer("renew", False)

    def test_a_lapse_is_told(self) -> None:
        self.take()
        self.clock.advance(PERIOD)
        self.answer("renew", True)
        self.assert_ours(True)
        self.assertEqual(self.told, ["taken", "lapsed"])

    def test_a_renewal_that_fails_is_tried_again(self) -> None:
        self.take()
        self.clock.advance(PERIOD)
        self.answer("renew", StoreUnavailable("loading"))
        self.assert_ours(True)
        self.clock.advance(PERIOD)
        self.answer("renew", False)

    def test_a_fault_of_ours_is_logged_and_tried_again(self) -> None:
        self.take()
        self.clock.advance(PERIOD)
        self.answer("renew", ValueError("nobody expects this"))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.clock.advance(PERIOD)
        self.answer("renew", LeaseLost("fs1", "pid 7 on other"))
        self.assert_ours(False)
        self.assertIn("pid 7 on other", self.told[-1])

    def test_a_name_that_another_daemon_took_ends_this_one(self) -> None:
        self.take()
        self.clock.advance(PERIOD)
        self.answer("renew", LeaseLost("fs1", "pid 7 on other"))
        self.assert_ours(False)
        self.assertIn("pid 7 on other", self.told[-1])
        self.clock.advance(PERIOD)
        self.keeper.happens.redis_went()
        self.keeper.happens.redis_came()
        self.assertEqual(self.lease.asked, [])

    def test_a_holder_that_does_not_renew_is_outlived(self) -> None:
        self.keeper.happens.redis_came()
        self.answer("acquire", self.held_for(3.0))
        self.clock.advance(PERIOD / 3)
        self.answer("acquire", self.held_for(3.0 - PERIOD / 3))
        self.assertEqual(self.told, [])
        self.clock.advance(PERIOD / 3)
        self.answer("acquire", True)
        self.assertEqual(self.told, ["taken"])
        self.assert_ours(True)

    def test_a_holder_that_renews_is_alive(self) -> None:
        self.keeper.happens.redis_came()
        self.answer("acquire", self.held_for(3.0))
        self.clock.advance(PERIOD / 3)
        self.answer("acquire", self.held_for(15.0))
        self.assert_ours(False)
        self.assertIn("pid 7 on other", self.told[-1])

    def test_a_holder_is_remembered_while_redis_is_away(self) -> None:
        self.keeper.happens.redis_came()
        self.answer("acquire", self.held_for(3.0))
        self.keeper.happens.redis_went()
        self.clock.advance(2.0)
        self.keeper.happens.redis_came()
        self.answer("acquire", self.held_for(15.0))
        self.assertIn("pid 7 on other", self.told[-1])

    def test_nothing_is_written_while_redis_is_away(self) -> None:
        self.take()
        self.keeper.happens.redis_went()
        self.assert_ours(False)
        self.clock.advance(PERIOD)
        self.assertEqual(self.lease.asked, [])
        self.take()
        self.assertEqual(self.told, ["taken", "taken"])

    def test_redis_goes_before_it_answers(self) -> None:
        self.take()
        self.clock.advance(PERIOD)
        self.answer("renew", StoreUnavailable("gone"))
        self.keeper.happens.redis_went()
        self.assert_ours(False)
        self.take()

    def test_an_answer_that_comes_after_redis_went_changes_nothing(self) -> None:
        self.keeper.happens.redis_came()
        self.keeper.happens.redis_went()
        self.answer("acquire", True)
        self.assert_ours(False)
        self.assertEqual(self.told, [])

    def test_it_is_given_up_at_the_end(self) -> None:
        self.take()
        self.successResultOf(Deferred.fromCoroutine(self.keeper.release()))
        self.assertEqual(self.lease.released, 1)
        self.clock.pump([PERIOD] * 3)
        self.assertEqual(self.lease.asked, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_it_looks_no_more_once_it_is_given_up(self) -> None:
        self.keeper.happens.redis_came()
        self.answer("acquire", self.held_for(3.0))
        self.successResultOf(Deferred.fromCoroutine(self.keeper.release()))
        self.clock.advance(PERIOD)
        self.assertEqual(self.lease.asked, [])
