"""More open tasks than are told one by one: none is left out of the count."""

from __future__ import annotations

import json

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.dialer.node_view import MAX_TASKS
from ctidialer.dialer.service import DialerService
from ctidialer.settings import Node, Settings
from ctidialer.web.metrics import Metrics
from tests.web.test_metrics import samples_of, value

TASK = {
    "enable": True,
    "line_group": ["g"],
    "limit": 5,
    "number_queue": "q",
    "destination_extension": "8888",
}


class ManyTasksTests(SynchronousTestCase):
    def tasks_told(self, count: int) -> tuple[float, float, float]:
        """Return how many tasks are told in all, how many as "(other)", how many by name."""
        clock = Clock()
        settings = Settings(node=Node(host="h", domain="h", timezone="UTC"))
        parts = DialerService(settings, clock, refuse=self.fail).parts
        document = json.dumps({"params": TASK}).encode()
        table = {f"t{number}": document for number in range(count)}
        changed = parts.tables.replace(keys.at(keys.TASK, "h"), table)
        parts.runs.update(parts.tables.tasks, changed.names, clock.seconds())
        text = self.successResultOf(Metrics(parts.shown, parts.link, clock).render()).decode()
        samples = samples_of(text)
        by_name = sum(name == "ctidialer_task_limit" for name, _ in samples)
        other = value(samples, "ctidialer_tasks", reason="(other)")
        return value(samples, "ctidialer_tasks"), other, by_name

    def test_beyond_the_bound(self) -> None:
        told = self.tasks_told(MAX_TASKS + 20)
        self.assertEqual(told, (MAX_TASKS + 20, 20, MAX_TASKS))

    def test_below_the_bound(self) -> None:
        total, other, by_name = self.tasks_told(3)
        self.assertEqual((total, by_name), (3, 3))
        self.assertNotEqual(other, other)  # not a number: there is no such sample
