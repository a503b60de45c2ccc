"""Names of lines and tasks that a back end may choose: each is told as it is."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import Kind, Outcome, Record
from ctidialer.web.metrics import Counted

NAMES = (
    "\r", "a\r\nb", "\n", "\x00", "\x1b[31m", "\u2028", "\x85", "\ufeff", " ", "\t",
    "\\", "\\n", '"', '\\"', "{}=,", "任务", "# HELP",
)  # fmt: skip


class NamesTests(SynchronousTestCase):
    def test_each_name_comes_back(self) -> None:
        registry = CollectorRegistry()
        counted = Counted(registry)
        for name in NAMES:
            counted.number_ended(record_of(name))
        text = generate_latest(registry).decode()
        samples = [
            (sample.labels["task"], sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "ctidialer_numbers_total"
        ]
        self.assertEqual(sorted(samples), sorted((name, 1.0) for name in NAMES))


def record_of(task: str) -> Record:
    """Return the record of a number of this task."""
    return Record(
        id="i", kind=Kind.QUEUE, task=task, number="1", entry=b"1",
        outcome=Outcome.BUSY, taken_at=1.0, ended_at=2.0, host="h",
    )  # fmt: skip
