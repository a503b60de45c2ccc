"""How the last numbers of each task ended."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import Kind, Outcome
from ctidialer.dialer.recent_outcomes import MAX_OUTCOMES, RecentOutcomes
from ctidialer.rules.explanation import Recent
from tests.contract.test_record_document import RECORD


class RecentOutcomesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.recent = RecentOutcomes()

    def ended(self, count: int, outcome: Outcome, **changes: Any) -> None:
        record = replace(RECORD, kind=Kind.QUEUE, task="t", outcome=outcome)
        for _ in range(count):
            self.recent.number_ended(replace(record, **changes))

    def test_failed_and_invalid_ones_are_bad(self) -> None:
        self.ended(3, Outcome.ANSWERED)
        self.ended(2, Outcome.FAILED)
        self.ended(1, Outcome.INVALID)
        self.ended(1, Outcome.UNKNOWN)
        self.assertEqual(self.recent.of("t"), Recent(7, 3))
        self.assertEqual(self.recent.of("other"), Recent())

    def test_the_last_ones_alone(self) -> None:
        self.ended(MAX_OUTCOMES, Outcome.FAILED)
        self.ended(MAX_OUTCOMES - 1, Outcome.BUSY)
        self.assertEqual(self.recent.of("t"), Recent(MAX_OUTCOMES, 1))

    def test_scheduled_numbers_are_no_tasks(self) -> None:
        self.ended(1, Outcome.FAILED, kind=Kind.SCHEDULE)
        self.ended(1, Outcome.FAILED, task=None)
        self.assertEqual(self.recent.of("t"), Recent())
