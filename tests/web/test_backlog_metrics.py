"""Metrics of what stays undone: bounded, and silent where nothing is known."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.backlog import RECORD_LIST, Backlog, GoneHost, UnreadRecords
from ctidialer.contract.shared_use import Holder, SharedUse
from ctidialer.contract.status import Explained, Later, NodeStatus, ScheduleStatus, TaskStatus
from ctidialer.web.backlog_metrics import backlog_metrics
from tests.contract.test_status import STATUS

NOW = 1000.0
LATE = Later(retry=3, next_due=400.0, overdue=2)


def task(name: str, reason: str, later: Later | None = LATE) -> TaskStatus:
    return TaskStatus(name, 0, 5, "q", Explained(reason, ""), later=later)


def told(status: NodeStatus) -> dict[tuple[str, ...], float]:
    """Return every sample: its name without ``ctidialer_``, then the values of its labels."""
    return {
        (sample.name.removeprefix("ctidialer_"), *sample.labels.values()): sample.value
        for family in backlog_metrics(status, NOW)
        for sample in family.samples
    }


class BacklogMetricsTests(SynchronousTestCase):
    NONE = evolve(STATUS, tasks=(), schedules=())

    def test_nothing_is_known(self) -> None:
        self.assertEqual(told(self.NONE), {})

    def test_what_was_found(self) -> None:
        unread = (UnreadRecords(RECORD_LIST, 4, 900.0), UnreadRecords("crm", None))
        found = Backlog(999.0, 7, 700.0, unread, (GoneHost("fs2", 1.0, 5),))
        gateways = {"a": "up", "b": "down", "c": "unknown", "d": "untold"}
        self.assertEqual(
            told(evolve(self.NONE, backlog=found, gateways=gateways)),
            {
                ("scheduled_due_numbers",): 7.0,
                ("scheduled_overdue_seconds",): 300.0,
                ("unread_records", RECORD_LIST): 4.0,
                ("unread_records_age_seconds", RECORD_LIST): 100.0,
                ("unread_records_age_seconds", "crm"): 0.0,
                ("gone_hosts",): 1.0,
                ("gone_host_numbers", "fs2"): 5.0,
                **{("gateways", state): 1.0 for state in ("up", "down", "unknown", "untold")},
                ("gateway_up", "a"): 1.0,
                ("gateway_up", "b"): 0.0,
                ("gateway_up", "c"): 0.0,
            },
        )

    def test_what_hosts_share(self) -> None:
        holders = (Holder("fs1", 4), Holder("fs2", 3, 5.0))
        shared = (
            SharedUse("gateway", "a", 7, 9, 2.0, holders),
            SharedUse("line", "b", None, None, 2.0),
        )
        self.assertEqual(
            told(evolve(self.NONE, shared=shared)),
            {
                ("shared_used", "gateway", "a"): 7.0,
                ("shared_count", "gateway", "a"): 9.0,
                ("shared_held_by_gone", "gateway", "a", "fs2"): 3.0,
            },
        )

    def test_numbers_that_are_late(self) -> None:
        """Those of a task that people or the clock hold are not, nor those that are due later."""
        tasks = (
            task("open", "no_free_line"),
            task("paused", "paused"),
            task("closed", "outside_hours"),
            task("soon", "numbers_wait", Later(retry=1, next_due=NOW + 1)),
            task("none", "dialing", None),
        )
        schedules = (ScheduleStatus("s", 0, later=Later(hours=1, next_due=990.0, overdue=1)),)
        self.assertEqual(
            told(evolve(self.NONE, tasks=tasks, schedules=schedules)),
            {
                ("waiting_due_numbers", "queue", "open"): 2.0,
                ("waiting_overdue_seconds", "queue", "open"): 600.0,
                ("waiting_due_numbers", "schedule", "s"): 1.0,
                ("waiting_overdue_seconds", "schedule", "s"): 10.0,
            },
        )
