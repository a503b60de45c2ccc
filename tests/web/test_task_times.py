"""Histograms of how long calls rang, took to connect and were talked, by task."""

from __future__ import annotations

from msgspec.structs import replace
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import AttemptRecord, Kind, Outcome, Record
from ctidialer.web.metrics import Counted
from ctidialer.web.task_times import MAX_TASKS, OTHER

TALKED = AttemptRecord("u", "l", "g", 10.0, 12.0, 20.0, 65.0, "NORMAL_CLEARING", 200, 20.5)
SILENT = AttemptRecord("u", "l", "g", 10.0, None, None, 10.1, "UNALLOCATED_NUMBER", 404)
RECORD = Record("i", Kind.QUEUE, "t", "1", b"1", Outcome.ANSWERED, 1.0, 65.0, "h", (SILENT, TALKED))


class TaskTimesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.registry = CollectorRegistry()
        self.counted = Counted(self.registry)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"ctidialer_{name}", labels)

    def test_each_time_by_task(self) -> None:
        self.counted.number_ended(RECORD)
        for name, count, total in (("ring", 1, 8.0), ("connect", 1, 0.5), ("talk", 1, 44.5)):
            self.assertEqual(self.value(f"{name}_seconds_count", task="t"), count, name)
            self.assertEqual(self.value(f"{name}_seconds_sum", task="t"), total, name)
        buckets = [self.value("ring_seconds_bucket", task="t", le=le) for le in ("7.5", "10.0")]
        self.assertEqual(buckets, [0, 1])
        self.assertEqual(self.value("ring_seconds_bucket", task="t", le="+Inf"), 1)

    def test_the_bound_itself_is_within(self) -> None:
        self.counted.number_ended(replace(RECORD, attempts=(replace(TALKED, progress_at=10.0),)))
        self.assertEqual(self.value("ring_seconds_bucket", task="t", le="10.0"), 1)

    def test_the_answer_rate_is_of_those_dialed(self) -> None:
        self.counted.number_ended(RECORD)
        self.counted.number_ended(replace(RECORD, outcome=Outcome.INVALID, attempts=()))
        self.assertEqual(self.value("dialed_numbers_total", kind="queue", task="t"), 1)
        self.assertIsNone(self.value("talk_seconds_count", task="other"))

    def test_beyond_the_bound_all_are_one(self) -> None:
        for number in range(MAX_TASKS + 5):
            self.counted.number_ended(replace(RECORD, task=f"t{number}"))
        self.assertEqual(self.value("ring_seconds_count", task="t0"), 1)
        self.assertIsNone(self.value("ring_seconds_count", task=f"t{MAX_TASKS}"))
        self.assertEqual(self.value("ring_seconds_count", task=OTHER), 5)

    def test_odd_names_can_be_read(self) -> None:
        self.counted.number_ended(replace(RECORD, task='a"} 1\n\ud800'))
        text = generate_latest(self.registry).decode()
        families = {one.name: one for one in text_string_to_metric_families(text)}
        labels = {one.labels["task"] for one in families["ctidialer_ring_seconds"].samples}
        self.assertEqual(labels, {'a"} 1\n?'})
