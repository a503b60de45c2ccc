"""Why the agents of a task allow no more calls."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.pacing import PacingStatus
from ctidialer.rules.agent_explaining import explain_agents
from ctidialer.rules.explaining import explain
from ctidialer.rules.explanation import Reason
from tests.rules.test_explaining import FACTS, NODE

BUSY = PacingStatus("predictive", 0.0, queue="q", free=2, busy=9, ringing=4, waiting=1)


class AgentReasonTests(SynchronousTestCase):
    def check(self, pacing: PacingStatus | None, reason: Reason, *parts: str) -> None:
        found = explain(evolve(FACTS, pacing=pacing), NODE)
        self.assertIs(found.reason, reason)
        for part in parts:
            self.assertIn(part, found.text)
        self.assertRegex(found.in_("zh"), "[一-鿿]")
        self.assertNotIn("?", found.in_("zh"))

    def test_a_task_without_agents(self) -> None:
        self.assertIsNone(explain_agents(None))
        self.check(None, Reason.DIALING)

    def test_room_for_a_call(self) -> None:
        self.check(evolve(BUSY, may_place=True), Reason.DIALING)

    def test_why_no_agents_are_known(self) -> None:
        gone = PacingStatus("progressive", 0.0, problem="no heart", problem_zh="没有心跳")
        self.check(gone, Reason.NO_AGENTS, "no agents: no heart")
        self.assertIn("没有心跳", explain(evolve(FACTS, pacing=gone), NODE).in_("zh"))

    def test_nobody_at_work(self) -> None:
        nobody = PacingStatus("progressive", 0.0, away=3, stale=1)
        self.check(nobody, Reason.NO_AGENTS, "no agent is at work", "away: 3")

    def test_as_many_as_the_agents_allow(self) -> None:
        self.check(BUSY, Reason.AGENTS_BUSY, "calls on their way: 5", "free: 2", "busy: 9")

    def test_because_of_the_ceiling(self) -> None:
        held = evolve(BUSY, is_progressive=True, abandoned=7, answered=210, ceiling=0.03)
        self.check(held, Reason.AGENTS_BUSY, "7 of 210", "3 %")

    def test_progressive_by_its_mode_is_not_because_of_the_ceiling(self) -> None:
        found = explain_agents(evolve(BUSY, mode="progressive", is_progressive=True))
        assert found is not None
        self.assertEqual(found.form, "")
