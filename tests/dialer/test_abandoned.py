"""Records say which callees found no agent in time."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.dialer.fakes import answer_event, bridge_event, hang_up_event
from tests.dialer.world import World


class AbandonedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.world.put_task(abandon_time=2, line_group=["main"])
        self.world.start()

    def call(
        self,
        bridged_after: float | None,
        ends_after: float,
        *,
        stamp: float | None = None,
        **said: str,
    ) -> bool:
        """Let a callee answer, get an agent and hang up; ``stamp``: seconds before the end at which
        FreeSWITCH says that he was bridged.  Return whether his record says abandoned."""
        world = self.world
        world.put_numbers("13800000001")
        world.runs_for(0.1)
        uuid = world.switch.last.uuid
        world.calls.event(answer_event(uuid))
        if bridged_after is not None:
            world.runs_for(bridged_after)
            world.calls.event(bridge_event(uuid))
        world.runs_for(ends_after)
        talked = (bridged_after or 0.0) + ends_after
        more = {f"variable_{name}": value for name, value in said.items()}
        if stamp is not None:
            more["Caller-Channel-Bridged-Time"] = str(1_600_000_000_000_000 - round(stamp * 1e6))
        world.calls.event(hang_up_event(uuid, talked=talked, more=more))
        world.runs_for(0.1)
        return world.store.records[-1].abandoned

    def test_a_callee_who_waits_in_vain(self) -> None:
        self.assertTrue(self.call(None, 5.0))

    def test_a_callee_who_hangs_up_sooner(self) -> None:
        self.assertFalse(self.call(None, 1.0))

    def test_an_agent_in_time(self) -> None:
        self.assertFalse(self.call(1.5, 5.0))

    def test_an_agent_too_late(self) -> None:
        self.assertTrue(self.call(2.5, 5.0))

    def test_the_stamp_of_freeswitch_where_no_bridge_was_heard(self) -> None:
        self.assertFalse(self.call(None, 5.0, stamp=4.0))
        self.assertTrue(self.call(None, 5.0, stamp=2.0))

    def test_a_transfer_to_a_colleague_does_not_make_it_late(self) -> None:
        self.assertFalse(self.call(1.0, 30.0, stamp=5.0))

    def test_a_machine_is_none(self) -> None:
        rule = [{"variable": "amd_result", "value": "MACHINE", "outcome": "machine"}]
        self.world.put_task(abandon_time=2, line_group=["main"], outcome_rule=rule)
        self.assertFalse(self.call(None, 5.0, amd_result="MACHINE"))
        self.assertTrue(self.call(None, 5.0, amd_result="HUMAN"))

    def test_a_task_that_does_not_judge(self) -> None:
        self.world.put_task(line_group=["main"])
        self.assertFalse(self.call(None, 5.0))

    def test_a_schedule_configuration_that_judges(self) -> None:
        self.world.put_schedule(abandon_time=2)
        self.assertIsNotNone(self.world.tables.schedules["s"].agents)
