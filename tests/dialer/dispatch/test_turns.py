"""Every originate counts against the rates, and further calls go before fresh numbers."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.dialer.dispatch.task_runs import TaskRun
from ctidialer.dialer.dispatch.turns import Turns
from tests.dialer.fakes import NOW, hang_up_event
from tests.dialer.world import World


class TurnsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.world.put_task(cps=2)
        self.slots = self.world.slots
        self.turns = Turns(self.world.clock, self.slots)
        self.got: list[int] = []

    @property
    def run_of_t(self) -> TaskRun:
        run = self.world.runs.get("t")
        assert run is not None
        return run

    def wait(self, name: int) -> Any:
        return self.turns.wait(self.run_of_t).addCallback(lambda _: self.got.append(name))

    def test_at_once_where_the_rates_allow_it(self) -> None:
        self.assertTrue(self.turns.start(self.run_of_t))
        self.assertFalse(self.turns.start(self.run_of_t))
        self.assertTrue(self.turns.start(None))  # the node has no rate

    def test_in_the_order_in_which_they_came_and_at_the_rate(self) -> None:
        self.assertTrue(self.turns.start(self.run_of_t))
        for name in range(4):
            self.wait(name)
        self.world.runs_for(1.1)
        self.assertEqual(self.got, [0, 1])
        self.world.runs_for(1.1)
        self.assertEqual(self.got, [0, 1, 2, 3])
        self.assertEqual(self.world.clock.getDelayedCalls(), [])

    def test_fresh_numbers_have_no_room_while_one_waits(self) -> None:
        self.turns.start(self.run_of_t)
        self.wait(1)
        self.world.clock.advance(0.6)
        self.assertEqual(self.got, [1])
        waiting = self.wait(2)
        later = NOW + 10
        self.assertEqual(self.slots.room(self.run_of_t, later, 5), 0)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.assertEqual(self.slots.room(self.run_of_t, later, 5), 1)
        self.assertEqual(self.world.clock.getDelayedCalls(), [])

    def test_who_waits_for_its_task_keeps_no_other_waiting(self) -> None:
        self.turns.start(self.run_of_t)
        self.wait(1)
        self.assertTrue(self.turns.start(None))

    def test_after_refusals_they_wait_for_the_node(self) -> None:
        self.world.put_task()
        self.slots.limits.refused("u", NOW, NOW)
        self.assertFalse(self.turns.start(self.run_of_t))
        self.wait(1)
        self.world.runs_for(0.4)
        self.assertEqual(self.got, [])
        self.world.runs_for(0.2)
        self.assertEqual(self.got, [1])

    def test_a_rate_that_is_edited(self) -> None:
        self.world.put_task(cps=0.001)
        self.turns.start(self.run_of_t)
        self.wait(1)
        self.world.put_task(cps=100)
        self.world.runs_for(1.1)
        self.assertEqual(self.got, [1])


class WireTests(SynchronousTestCase):
    """All originates of a task, as they go out."""

    def dial(self, *, max_cps: float = 0.0, **params: Any) -> World:
        """Dial 40 numbers that are busy as soon as they are called, for ten seconds."""
        world = World(max_cps=max_cps)
        world.put_group("main", "gw1", redialer_count=2)
        world.put_task(limit=5, **params)
        world.put_numbers(*(str(1000 + index) for index in range(40)))
        world.start()
        for _ in range(1000):
            world.clock.advance(0.01)
            for attempt in list(world.calls):
                world.calls.event(hang_up_event(attempt.uuid, "USER_BUSY", 486))
        return world

    def test_redials_and_further_groups_count_against_the_rate_of_the_task(self) -> None:
        world = self.dial(cps=4)
        self.assertIn(len(world.switch.placed), range(39, 43))

    def test_and_against_the_rate_of_the_node(self) -> None:
        world = self.dial(max_cps=4)
        self.assertIn(len(world.switch.placed), range(39, 43))

    def test_they_go_before_fresh_numbers(self) -> None:
        world = self.dial(cps=4)
        numbers = [placed.number for placed in world.switch.placed]
        # Four calls each: at most five numbers are on their way at once.
        self.assertLessEqual(len(set(numbers)), len(numbers) // 4 + 5)
        self.assertEqual(numbers.count("1000"), 4)

    def test_those_of_a_line_count_too(self) -> None:
        world = World()
        world.put_line("gw1", cps=4)
        world.put_group("main", "gw1", redialer_count=2)
        world.put_task(limit=5, line_group=["main"])
        world.put_numbers(*(str(1000 + index) for index in range(40)))
        world.start()
        for _ in range(1000):
            world.clock.advance(0.01)
            for attempt in list(world.calls):
                world.calls.event(hang_up_event(attempt.uuid, "USER_BUSY", 486))
        numbers = [placed.number for placed in world.switch.placed]
        self.assertIn(len(numbers), range(39, 43))
        self.assertLessEqual(len(set(numbers)), len(numbers) // 3 + 5)
