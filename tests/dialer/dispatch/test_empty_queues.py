"""Queues that ran out of numbers are looked at together, and claimed from when they hold some."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.task import Side
from ctidialer.dialer.dispatch import empty_queues, task_runs
from ctidialer.dialer.dispatch.empty_queues import QUEUES_PER_LOOK, EmptyQueues
from ctidialer.dialer.dispatch.task_runs import TaskRun
from ctidialer.store.errors import StoreUnavailable
from ctidialer.store.store import Store
from tests.dialer.fakes import ROUND_TRIP
from tests.dialer.world import World
from tests.support.redis import RedisTestCase


class EmptyQueueTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.store = self.world.store

    def start(self) -> None:
        self.world.start()
        self.world.runs_for(0.2)
        self.store.asked_for.clear()

    def test_an_empty_queue_is_not_claimed_from_again_and_again(self) -> None:
        self.start()
        self.world.runs_for(1.0)
        self.assertEqual(self.store.asked_for, [])

    def test_a_number_is_taken_within_one_look(self) -> None:
        self.start()
        self.world.put_numbers("1001")
        self.world.runs_for(0.06)
        self.assertEqual([placed.number for placed in self.world.switch.placed], ["1001"])

    def test_a_slot_that_comes_free_asks_nothing_of_an_empty_queue(self) -> None:
        self.world.put_numbers("1001")
        self.start()
        self.world.ends(answered=True)
        self.assertEqual(self.store.asked_for, [])

    def test_the_queue_of_a_task_that_was_edited_is_another(self) -> None:
        self.start()
        self.world.put_task(number_queue="other")
        self.world.put_numbers("1001", queue="other")
        self.world.queue_dialer.tick()
        self.assertEqual(self.store.asked_for, [10])

    def test_redis_goes_away_and_comes_back(self) -> None:
        self.start()
        self.store.error = StoreUnavailable("away", True)
        self.world.runs_for(0.3)
        self.store.error = None
        self.world.put_numbers("1001")
        self.world.runs_for(0.06)
        self.assertEqual(len(self.world.switch.placed), 1)

    def test_more_queues_than_are_asked_for_at_once_take_turns(self) -> None:
        self.world.put_task()
        (run,) = self.world.runs
        waiting = [
            TaskRun(run.task, run.opening, queue_is_empty=True) for _ in range(QUEUES_PER_LOOK + 5)
        ]
        refilled: list[int] = []
        queues = EmptyQueues(self.store, lambda _, runs: refilled.append(len(runs)))
        self.world.put_numbers("1001")
        for _ in range(3):
            queues.look(waiting)
            queues.look(waiting)  # while the first is under way: not asked twice
            self.world.clock.advance(ROUND_TRIP)
        self.assertEqual(refilled, [QUEUES_PER_LOOK, 5, QUEUES_PER_LOOK])

    def test_a_paused_task_is_passed_over(self) -> None:
        self.world.put_task()
        (run,) = self.world.runs
        paused = TaskRun(run.task, run.opening, queue_is_empty=True, paused=True)
        waiting = TaskRun(run.task, run.opening, queue_is_empty=True)
        refilled: list[TaskRun] = []
        queues = EmptyQueues(self.store, lambda _, runs: refilled.extend(runs))
        self.world.put_numbers("1001")
        for runs in ([paused, waiting], [paused]):
            queues.look(runs)
            self.world.clock.advance(ROUND_TRIP)
        self.assertEqual(refilled, [waiting])
        self.assertTrue(paused.queue_is_empty)


class UnseenQueueTests(SynchronousTestCase):
    """More open tasks than one look takes, at whose queues nobody has looked yet."""

    def setUp(self) -> None:
        self.patch(task_runs, "RUNS_PER_SLICE", 3)
        self.patch(empty_queues, "QUEUES_PER_LOOK", 4)
        self.world = World()
        self.store = self.world.store
        for index in range(10):
            self.world.put_task(f"t{index}", number_queue=f"q{index}")

    def placed(self) -> list[str]:
        return sorted(placed.number for placed in self.world.switch.placed)

    def test_no_empty_queue_is_claimed_from(self) -> None:
        self.world.put_numbers("1001", queue="q2")
        self.world.put_numbers("1002", queue="q9")
        self.world.start()
        self.world.runs_for(0.5)
        self.assertEqual(self.placed(), ["1001", "1002"])
        self.assertLessEqual(len(self.store.asked_for), 2 + 3)  # the last ones are few
        self.assertEqual(len(self.world.runs.waiting), 11)  # the world has one already

    def test_a_number_that_comes_later_is_taken(self) -> None:
        self.world.start()
        self.world.runs_for(0.5)
        self.world.put_numbers("1001", queue="q5")
        self.world.runs_for(0.3)
        self.assertEqual(self.placed(), ["1001"])

    def test_all_have_numbers(self) -> None:
        for index in range(10):
            self.world.put_numbers(f"100{index}", queue=f"q{index}")
        self.world.start()
        self.world.runs_for(0.5)
        self.assertEqual(self.placed(), [f"100{index}" for index in range(10)])

    def test_redis_is_away_at_first(self) -> None:
        self.world.put_numbers("1001", queue="q9")
        self.store.error = StoreUnavailable("away", True)
        self.world.start()
        self.world.runs_for(0.2)
        self.store.error = None
        self.world.runs_for(0.5)
        self.assertEqual(self.placed(), ["1001"])

    def test_the_queue_of_a_task_that_was_edited_is_another(self) -> None:
        for index in range(10):
            self.world.put_numbers(*["1001"] * 30, queue=f"q{index}")
        self.world.start()
        self.world.runs_for(0.5)
        self.world.put_task("t5", number_queue="other", limit=20)
        self.world.put_numbers("1777", queue="other")
        self.world.runs_for(0.5)
        self.assertIn("1777", self.placed())


class FilledTests(RedisTestCase):
    async def test_filled(self) -> None:
        store = Store(self.redis, "fs1", "daemon", 1000)
        await store.acquire_lease()
        await self.call("RPUSH", "full", "1")
        await self.call("SET", "string", "x")
        await self.call("RPUSH", 'odd "name"\\\n名', "1")
        queues = ["full", "none", "string", 'odd "name"\\\n名']
        self.assertEqual(await store.filled(queues), [0, 2, 3])
        await store.claim("full", Side.LEFT, 1, task="t")
        self.assertEqual(await store.filled(["full"]), [])
