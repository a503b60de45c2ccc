"""What every part that waits, repeats or complains uses."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.logger import Logger
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.glue import (
    MAX_COMPLAINTS,
    Complaints,
    Gate,
    Idle,
    Outage,
    Repeated,
    Waiters,
    background,
    thin_out,
)

log = Logger()


class BackgroundTests(SynchronousTestCase):
    def test_a_coroutine_runs_to_its_end(self) -> None:
        step: Deferred[None] = Deferred()
        done: list[str] = []

        async def work() -> None:
            await step
            done.append("done")

        over = background(work(), log, "Working")
        self.assertNoResult(over)
        step.callback(None)
        self.successResultOf(over)
        self.assertEqual(done, ["done"])

    def test_a_fault_is_logged_and_goes_no_further(self) -> None:
        async def work() -> None:
            raise KeyError("x")

        self.assertIsNone(self.successResultOf(background(work(), log, "Working")))
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_an_expected_error_is_no_traceback(self) -> None:
        failed: Deferred[int] = fail(OSError("away"))
        over = background(failed, log, "Working", expected=(OSError,))
        self.assertIsNone(self.successResultOf(over))
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_it_can_be_cancelled_without_a_word(self) -> None:
        step: Deferred[None] = Deferred()
        over = background(step, log, "Working")
        over.cancel()
        self.assertIsNone(self.successResultOf(over))
        self.assertEqual(self.flushLoggedErrors(), [])


class RepeatedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.ticks = 0
        self.work: list[Deferred[None]] = []

    def works(self) -> Deferred[None]:
        self.ticks += 1
        self.work.append(Deferred())
        return self.work[-1]

    def fails(self) -> None:
        self.ticks += 1
        raise ValueError("no")

    def test_it_ticks_until_it_is_stopped(self) -> None:
        seen: list[float] = []
        repeated = Repeated(self.clock, lambda: seen.append(self.clock.seconds()), log, "Looking")
        repeated.start(2.0)
        self.clock.pump([1.0] * 5)
        self.assertEqual(seen, [2.0, 4.0])
        repeated.stop()
        repeated.stop()
        self.clock.pump([1.0] * 5)
        self.assertEqual(seen, [2.0, 4.0])
        self.assertFalse(repeated.running)

    def test_it_may_begin_at_once(self) -> None:
        Repeated(self.clock, self.works, log, "Looking").start(1.0, now=True)
        self.assertEqual(self.ticks, 1)

    def test_an_exception_does_not_end_it(self) -> None:
        repeated = Repeated(self.clock, self.fails, log, "Looking")
        repeated.start(1.0)
        self.clock.pump([1.0] * 3)
        self.assertEqual(self.ticks, 3)
        self.assertTrue(repeated.running)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 3)

    def test_work_that_fails_does_not_end_it(self) -> None:
        repeated = Repeated(self.clock, self.works, log, "Looking")
        repeated.start(1.0)
        self.clock.advance(1.0)
        self.work[0].errback(ValueError("no"))
        self.clock.advance(1.0)
        self.assertEqual(self.ticks, 2)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_no_tick_begins_while_the_last_one_is_at_work(self) -> None:
        Repeated(self.clock, self.works, log, "Looking").start(1.0)
        self.clock.pump([1.0] * 3)
        self.assertEqual(self.ticks, 1)
        self.work[0].callback(None)
        self.clock.advance(1.0)
        self.assertEqual(self.ticks, 2)

    def test_work_that_is_over_at_once_holds_nothing_up(self) -> None:
        def at_once() -> Deferred[None]:
            self.ticks += 1
            return succeed(None)

        Repeated(self.clock, at_once, log, "Looking").start(1.0)
        self.clock.pump([1.0] * 3)
        self.assertEqual(self.ticks, 3)

    def test_work_that_never_ends_is_given_up(self) -> None:
        Repeated(self.clock, self.works, log, "Looking", patience=5.0).start(1.0)
        self.clock.pump([1.0] * 5)
        self.assertEqual(self.ticks, 1)
        self.clock.advance(1.0)
        self.assertEqual(self.ticks, 2)
        self.assertTrue(self.work[0].called)
        self.clock.pump([1.0] * 2)
        self.assertEqual(self.ticks, 2)

    def test_a_process_that_stood_still_does_not_give_up(self) -> None:
        Repeated(self.clock, self.works, log, "Looking", patience=5.0).start(1.0)
        self.clock.advance(1.0)
        self.clock.advance(100.0)
        self.assertEqual(self.ticks, 1)


class WaitersTests(SynchronousTestCase):
    def test_all_who_wait_are_told_and_nobody_who_comes_later(self) -> None:
        waiters: Waiters[int] = Waiters()
        one, other = waiters.wait(), waiters.wait()
        waiters.fire(7)
        self.assertEqual([self.successResultOf(one), self.successResultOf(other)], [7, 7])
        self.assertNoResult(waiters.wait())

    def test_they_may_be_told_that_it_will_not_happen(self) -> None:
        waiters: Waiters[int] = Waiters()
        one = waiters.wait()
        waiters.fail(OSError("no"))
        self.failureResultOf(one, OSError)
        self.assertEqual(len(waiters), 0)

    def test_one_may_give_up(self) -> None:
        waiters: Waiters[int] = Waiters()
        one, other = waiters.wait(), waiters.wait()
        one.cancel()
        self.failureResultOf(one, CancelledError)
        waiters.fire(1)
        self.successResultOf(other)


class GateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.gate = Gate()

    def test_it_is_shut_at_first(self) -> None:
        self.assertFalse(self.gate.is_open)
        waiting = self.gate.passed()
        self.assertNoResult(waiting)
        self.gate.open()
        self.successResultOf(waiting)

    def test_who_comes_while_it_is_open_passes_at_once(self) -> None:
        self.gate.open()
        self.successResultOf(self.gate.passed())
        self.gate.shut()
        self.assertNoResult(self.gate.passed())

    def test_those_who_wait_longest_go_first(self) -> None:
        order: list[int] = []

        def passes(_: None, index: int) -> None:
            order.append(index)

        for index in range(3):
            self.gate.passed().addCallback(passes, index)
        self.gate.open()
        self.assertEqual(order, [0, 1, 2])

    def test_one_may_give_up(self) -> None:
        one, other = self.gate.passed(), self.gate.passed()
        one.cancel()
        self.failureResultOf(one, CancelledError)
        self.gate.open()
        self.successResultOf(other)
        other.cancel()

    def test_one_who_passes_may_shut_it_behind_those_who_waited(self) -> None:
        first, second = self.gate.passed(), self.gate.passed()
        again: list[Deferred[None]] = []

        def shut(_: None) -> None:
            self.gate.shut()
            again.append(self.gate.passed())

        first.addCallback(shut)
        self.gate.open()
        self.successResultOf(second)
        self.assertNoResult(again[0])

    def test_one_who_passes_may_cancel_another(self) -> None:
        first, second, third = (self.gate.passed() for _ in range(3))
        first.addCallback(lambda _: second.cancel())
        self.gate.open()
        self.failureResultOf(second, CancelledError)
        self.successResultOf(third)


class IdleTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.left = 2
        self.looks = 0
        self.idle = Idle(self.clock, self.is_idle)

    def is_idle(self) -> bool:
        self.looks += 1
        return not self.left

    def finish(self) -> None:
        self.left -= 1
        self.idle.look()

    def test_it_is_reached_when_the_last_thing_is_finished(self) -> None:
        reached = self.idle.reached()
        self.finish()
        self.clock.advance(0)
        self.assertNoResult(reached)
        self.finish()
        self.assertNoResult(reached)
        self.clock.advance(0)
        self.successResultOf(reached)

    def test_what_is_idle_already_is_reached_in_the_next_turn(self) -> None:
        self.left = 0
        reached = self.idle.reached()
        self.clock.advance(0)
        self.successResultOf(reached)

    def test_the_looks_of_one_turn_are_one(self) -> None:
        self.idle.reached()
        self.clock.advance(0)
        before = self.looks
        for _ in range(100):
            self.idle.look()
        self.clock.advance(0)
        self.assertEqual(self.looks, before + 1)

    def test_nothing_is_looked_at_while_nobody_waits(self) -> None:
        self.finish()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_who_waits_may_give_up(self) -> None:
        reached = self.idle.reached()
        reached.cancel()
        self.failureResultOf(reached, CancelledError)
        self.clock.advance(0)


class ComplaintsTests(SynchronousTestCase):
    def test_a_problem_is_news_once_until_it_changes_or_is_over(self) -> None:
        complaints = Complaints()
        said = [complaints.is_news(problem) for problem in ("a", "a", "b", "a", "a")]
        self.assertEqual(said, [True, False, True, True, False])
        self.assertTrue(complaints.over())
        self.assertFalse(complaints.over())
        self.assertTrue(complaints.is_news("a"))

    def test_each_thing_has_its_own(self) -> None:
        complaints = Complaints()
        self.assertTrue(complaints.is_news("a", "one"))
        self.assertTrue(complaints.is_news("a", "two"))
        self.assertFalse(complaints.is_news("a", "one"))

    def test_of_very_many_things_the_first_are_said_once_more(self) -> None:
        complaints = Complaints()
        self.assertTrue(complaints.is_news("a", 0))
        for about in range(1, MAX_COMPLAINTS):
            complaints.is_news("a", about)
        self.assertFalse(complaints.is_news("a", 0))
        complaints.is_news("a", MAX_COMPLAINTS)
        self.assertTrue(complaints.is_news("a", 0))
        self.assertFalse(complaints.is_news("a", MAX_COMPLAINTS))


class ThinningTests(SynchronousTestCase):
    def test_what_is_not_used_is_dropped(self) -> None:
        entries = {"a": 1, "b": 0, "c": 2}
        self.assertEqual(thin_out(entries, bool, least=3), 4)
        self.assertEqual(entries, {"a": 1, "c": 2})
        self.assertEqual(thin_out(entries, bool, least=10), 10)


class OutageTests(SynchronousTestCase):
    def test_it_is_said_once_and_in_the_end_for_how_long(self) -> None:
        clock = Clock()
        outage = Outage(clock)
        self.assertEqual(outage.over(), "")
        self.assertTrue(outage.begins())
        clock.advance(17)
        self.assertFalse(outage.begins())
        self.assertEqual(outage.over(), " again after 17.0 s")
        self.assertEqual(outage.over(), "")
        self.assertTrue(outage.begins())
