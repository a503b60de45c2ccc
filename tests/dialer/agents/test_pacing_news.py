"""What the log says of agents and of the ceiling: each thing once."""

from __future__ import annotations

from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.agent_dialing import AgentDialing, DialMode
from ctidialer.contract.said import Said
from ctidialer.dialer.agents.pacer import TaskPacer
from ctidialer.dialer.agents.pacing_news import PacingNews
from ctidialer.rules.agents import AgentsNow, NoAgents
from ctidialer.rules.prediction.feedback import Ledger
from tests.support.logbook import logged_by

GONE = AgentsNow(problem=Said("no heart", "没有心跳"))
THERE = AgentsNow(free=3)


class PacingNewsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.pacer = TaskPacer(AgentDialing(mode=DialMode.PREDICTIVE, queue="q"))
        self.news = PacingNews()
        self.logbook = logged_by(self)

    def tell(self, *agents: AgentsNow) -> list[str]:
        for one in agents:
            self.news.tell("t", self.pacer, one)
        return [formatEvent(event) for event in self.logbook]

    def test_agents_who_go_and_come(self) -> None:
        texts = self.tell(THERE, GONE, GONE, THERE, THERE)
        self.assertEqual(texts, ["Task t has no agents: no heart", "Task t has agents again"])

    def test_that_they_are_asked_for_is_no_news(self) -> None:
        asked = AgentsNow(problem=NoAgents.NOT_ASKED.of(name="q"))
        self.assertEqual(self.tell(asked, THERE), [])

    def test_the_ceiling(self) -> None:
        self.pacer.own = Ledger(200, 6)
        self.tell(THERE, THERE)
        self.pacer.own = Ledger(1000, 6)
        texts = self.tell(THERE)
        self.assertEqual(len(texts), 2)
        self.assertIn("6 of 200", texts[0])
        self.assertIn("ahead of its agents again", texts[1])
