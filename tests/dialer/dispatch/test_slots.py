"""The slots: counted up and down in one place, shared with the schedule."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.dialer.dispatch.task_runs import TaskRun
from ctidialer.rules.sharing import NOTHING_KEPT, Kept
from tests.dialer.fakes import NOW
from tests.dialer.world import World


class SlotsCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World(max_calls=20)
        self.slots = self.world.slots

    def run_of(self, name: str = "t") -> TaskRun:
        run = self.world.runs.get(name)
        assert run is not None
        return run


class CountTests(SlotsCase):
    def test_a_number_has_a_slot_of_its_node_and_of_its_task(self) -> None:
        run = self.run_of()
        self.slots.enter(run, 3, NOW)
        self.slots.enter(None, 2, NOW)
        self.assertEqual((self.slots.calls, self.slots.started, run.calls), (5, 5, 3))
        self.slots.leave(run)
        self.slots.leave(None)
        self.assertEqual((self.slots.calls, self.slots.started, run.calls), (3, 5, 2))

    def test_one_that_was_started_long_ago_counts_as_no_start(self) -> None:
        self.slots.occupy(self.run_of())
        self.assertEqual((self.slots.calls, self.slots.started), (1, 0))
        self.assertEqual(self.run_of().pace.recent, ())

    def test_a_claim_has_asked_for_its_slots_until_it_is_over(self) -> None:
        run, told = self.run_of(), []
        self.slots.finished = lambda: told.append(self.slots.asked)
        self.slots.ask(run, 4)
        self.assertEqual((self.slots.asked, run.asked), (4, 4))
        self.assertEqual(self.slots.node_room(NOW), 16)
        self.slots.answered(run, 4)
        self.assertEqual((self.slots.asked, run.asked), (0, 0))
        self.assertEqual(told, [0])

    def test_a_task_that_is_no_more_is_forgotten_with_its_last_call(self) -> None:
        run = self.run_of()
        self.slots.enter(run, 2, NOW)
        self.world.put("cti_queue_dialer_task@fs1", "t", None)
        self.slots.leave(run)
        self.assertIs(self.world.runs.get("t"), run)
        self.slots.leave(run)
        self.assertIsNone(self.world.runs.get("t"))


class RoomTests(SlotsCase):
    def test_the_least_of_all_limits(self) -> None:
        run = self.run_of()
        self.assertEqual(self.slots.room(run, NOW, 200), 10)  # the task's own
        self.world.put_task(limit=100)
        self.assertEqual(self.slots.room(run, NOW, 200), 20)  # the node's
        self.world.put_task(limit=100, cps=0.5)
        self.assertEqual(self.slots.room(run, NOW, 200), 1)
        self.world.put_task(limit=100)
        self.world.put_line("gw1", count=3)
        self.world.put_line("gw2", count=4)
        self.assertEqual(self.slots.room(run, NOW, 200), 7)
        self.assertEqual(self.slots.room(run, NOW, 5), 5)

    def test_what_is_kept_for_the_schedule_is_not_theirs(self) -> None:
        run = self.run_of()
        self.world.put_task(limit=100)
        self.slots.keep(Kept(node=1), ())
        self.assertEqual(self.slots.room(run, NOW, 200), 19)
        self.slots.keep(Kept(node=20), ())
        self.assertTrue(self.slots.is_full(NOW))
        self.assertEqual(self.slots.load(NOW).kept, 20)
        self.slots.keep(NOTHING_KEPT, ())
        self.assertFalse(self.slots.is_full(NOW))

    def test_lines_are_kept_only_where_both_use_them(self) -> None:
        run = self.run_of()
        self.world.put_line("gw1", count=2)
        self.world.put_line("gw2", count=3)
        for groups, room in ((("main",), 1), (("main", "backup"), 1), (("other",), 5)):
            self.slots.keep(Kept(lines=4), groups)
            self.assertEqual(self.slots.room(run, NOW, 200), room, groups)
