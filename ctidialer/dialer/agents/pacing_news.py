"""Logs what keeps a task from dialing for its agents: once, and again when it is over."""

from __future__ import annotations

from twisted.logger import Logger

from ctidialer.dialer.agents.pacer import TaskPacer
from ctidialer.glue import Complaints
from ctidialer.rules.agents import AgentsNow, NoAgents


class PacingNews:
    """Says that a task has no agents, or is held at its ceiling of abandoned calls."""

    log = Logger()

    def __init__(self) -> None:
        self._said = Complaints()

    def tell(self, task: str, pacer: TaskPacer, agents: AgentsNow) -> None:
        """Tell what is new."""
        self._of_agents(task, pacer, agents)
        self._of_ceiling(task, pacer)

    def _of_agents(self, task: str, pacer: TaskPacer, agents: AgentsNow) -> None:
        dialing = pacer.dialing
        asked = NoAgents.NOT_ASKED.of(name=dialing.queue or dialing.group or "")
        about = "agents", task
        if agents.problem is None:
            if self._said.over(about):
                self.log.info("Task {task} has agents again", task=task)
        elif dialing.is_paced and agents.problem != asked:
            problem = agents.problem.en
            if self._said.is_news(problem, about):
                self.log.warn("Task {task} has no agents: {problem}", task=task, problem=problem)

    def _of_ceiling(self, task: str, pacer: TaskPacer) -> None:
        about = "ceiling", task
        if not pacer.is_progressive:
            if self._said.over(about):
                self.log.info("Task {task} is dialed ahead of its agents again", task=task)
        elif self._said.is_news("", about):
            ledger = pacer.ledger
            self.log.warn(
                "Task {task} is dialed for free agents only: {abandoned} of {answered} answered "
                "calls were abandoned",
                task=task,
                abandoned=ledger.abandoned,
                answered=ledger.answers,
            )
