"""The brakes of the tasks, with the whole dialer on a clock of ours."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.control import Control, Order
from ctidialer.contract.record import AttemptRecord, Outcome
from ctidialer.dialer.control import Orders
from ctidialer.dialer.dispatch.task_runs import TaskRun
from ctidialer.rules.progress import Finished
from tests.dialer.fakes import answer_event, hang_up_event
from tests.dialer.line_case import logged
from tests.dialer.world import World

COUNT = 200


class BrakesCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World(brake_after=5)
        self.world.put_task(line_group=["main"], limit=2)

    @property
    def run_of_t(self) -> TaskRun:
        run = self.world.runs.get("t")
        assert run is not None
        return run

    def fails_for(self, seconds: float, cause: str = "NORMAL_TEMPORARY_FAILURE") -> None:
        """Let so many seconds pass in which every call fails at once."""
        for _ in range(round(seconds * 20)):
            self.world.runs_for(0.05)
            for attempt in list(self.world.calls):
                self.world.calls.event(hang_up_event(attempt.uuid, cause, 503))

    def brake(self) -> None:
        self.world.put_numbers(*(str(1000 + index) for index in range(COUNT)))
        self.world.start()
        self.fails_for(3)
        self.assertTrue(self.run_of_t.brake.is_on)


class OnTests(BrakesCase):
    def test_a_dead_trunk_costs_no_more_than_that_and_what_is_in_hand(self) -> None:
        said = logged(self, "Task {task} is braked")
        self.brake()
        self.assertLessEqual(len(self.world.store.records), 5 + 2)
        self.assertGreaterEqual(len(self.world.queue), COUNT - 7)
        self.assertEqual(len(said), 1)
        self.assertIn("all ended as failed, line gw1, NORMAL_TEMPORARY_FAILURE, SIP 503", said[0])

    def test_entries_that_are_none_cost_no_more_either(self) -> None:
        self.world.put_task(line_group=["main"], limit=100)
        self.world.put_numbers(*(f"x{index}" for index in range(COUNT)))
        self.world.start()
        self.world.runs_for(3)
        self.assertEqual([one.outcome for one in self.world.store.records], [Outcome.INVALID] * 5)
        self.assertEqual(self.world.queue, [f"x{index}" for index in range(5, COUNT)])
        self.assertEqual(self.world.slots.calls, 0)

    def test_a_task_may_say_otherwise(self) -> None:
        self.world.put_task(line_group=["main"], limit=2, brake_after=0)
        self.world.put_numbers(*(str(1000 + index) for index in range(40)))
        self.world.start()
        self.fails_for(5)
        self.assertEqual(len(self.world.store.records), 40)


class NoAgentTests(BrakesCase):
    """All who answer are abandoned, as where the extension leads to no queue."""

    def end(
        self,
        count: int,
        *,
        bridged_at: float | None = None,
        ended_at: float = 9.0,
        **more: str,
    ) -> None:
        variables = {"sip_hangup_disposition": "send_bye", **more}
        call = AttemptRecord("u", "gw1", "main", 0.0, 0.5, 1.0, ended_at, "NORMAL_CLEARING", 200)
        call = replace(call, bridged_at=bridged_at, said=variables)
        for _ in range(count):
            end = Finished(Outcome.ANSWERED, "", (call,))
            self.world.brakes.number_ended(self.run_of_t, b"1", end, 10.0)

    def put_paced_task(self, **params: Any) -> None:
        agents: dict[str, Any] = {"agent_queue": "q@d", "dial_mode": "progressive"}
        self.world.put_task(line_group=["main"], **{**agents, **params})

    def test_the_task_is_braked(self) -> None:
        self.put_paced_task()
        said = logged(self, "Task {task} is braked")
        self.end(4)
        self.assertFalse(self.run_of_t.brake.is_on)
        self.end(1)
        self.assertIn("the last 5 who answered were all abandoned; the last one: 1. Does", said[0])
        self.assertEqual(len(said), 1)
        self.end(1, bridged_at=1.5)
        self.assertFalse(self.run_of_t.brake.is_on)

    def test_one_that_was_braked_for_its_line_says_so_anew(self) -> None:
        self.put_paced_task()
        said = logged(self, "Task {task} is braked")
        for _ in range(5):
            failed = Finished(Outcome.FAILED, "no line")
            self.world.brakes.number_ended(self.run_of_t, b"1", failed, 10.0)
        for _ in range(2):
            self.end(5)
        self.assertEqual(["all ended as failed" in one for one in said], [True, False])

    def test_an_agent_who_comes_late_is_one(self) -> None:
        self.put_paced_task()
        self.end(20, bridged_at=8.0)
        self.assertFalse(self.run_of_t.brake.is_on)

    def test_who_stays_for_a_minute_talks_to_somebody(self) -> None:
        self.put_paced_task()
        self.end(20, ended_at=61.0)
        self.assertFalse(self.run_of_t.brake.is_on)

    def test_machines_are_not_abandoned(self) -> None:
        rule = {"variable": "amd", "value": "machine", "outcome": "machine"}
        self.put_paced_task(outcome_rule=[rule])
        self.end(20, amd="machine")
        self.assertFalse(self.run_of_t.brake.is_on)

    def test_a_task_that_is_not_paced_by_agents_goes_on(self) -> None:
        self.put_paced_task(dial_mode="batch")
        self.end(20)
        self.assertFalse(self.run_of_t.brake.is_on)


class HeldTests(BrakesCase):
    def test_one_number_a_minute_is_tried(self) -> None:
        self.brake()
        before = len(self.world.store.records)
        self.fails_for(180)
        self.assertEqual(len(self.world.store.records) - before, 3)
        self.assertTrue(self.run_of_t.brake.is_on)

    def test_one_that_goes_well_lets_go(self) -> None:
        self.brake()
        said = logged(self, "Task {task} is no longer braked")
        self.world.runs_for(61)
        (attempt,) = self.world.calls
        self.world.calls.event(answer_event(attempt.uuid))
        self.world.calls.event(hang_up_event(attempt.uuid, talked=1))
        self.world.runs_for(0.1)
        self.assertEqual(len(said), 1)
        self.assertEqual(len(self.world.calls), 2)

    def lets_go(self) -> None:
        self.assertFalse(self.run_of_t.brake.is_on)
        self.world.runs_for(0.1)
        self.assertEqual(len(self.world.calls), 2)

    def test_an_edit_of_the_task_lets_go(self) -> None:
        self.brake()
        self.world.put_task(line_group=["main"], limit=2, cps=100)
        self.lets_go()

    def test_an_edit_of_a_line_of_it_lets_go(self) -> None:
        self.brake()
        self.world.put_line("gw2", count=7)
        self.assertTrue(self.run_of_t.brake.is_on)
        self.world.put_line("gw1", count=7)
        self.lets_go()

    def test_an_edit_of_a_line_group_of_it_lets_go(self) -> None:
        self.brake()
        self.world.put_group("main", "gw2")
        self.lets_go()

    def test_the_log_says_who_resumed_it_and_why(self) -> None:
        self.brake()
        orders = Orders(self.world.runs, self.world.brakes, self.world.readiness)
        with capturedLogs() as events:
            orders.obey(Control(resumed={"t": Order(1.0, "ann@pbx1", "a bad list")}))
        said = "Task t is no longer braked: it was resumed by ann@pbx1: a bad list"
        self.assertIn(said, [formatEvent(event) for event in events])

    def test_an_order_to_resume_lets_go(self) -> None:
        self.brake()
        orders = Orders(self.world.runs, self.world.brakes, self.world.readiness)
        orders.obey(Control(resumed={"t": Order(1.0, "ann")}))
        self.lets_go()
        self.fails_for(3)
        self.assertTrue(self.run_of_t.brake.is_on)
        orders.obey(Control(resumed={"t": Order(1.0, "ann")}))
        self.assertTrue(self.run_of_t.brake.is_on)  # the same order counts once
        orders.obey(Control(resumed={"t": Order(2.0, "ann")}))
        self.lets_go()
