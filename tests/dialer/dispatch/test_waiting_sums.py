"""How many numbers wait, and why: counted now and then, and logged once."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.contract.record import Kind
from ctidialer.contract.status import Later
from ctidialer.contract.waiting import Carried, WaitReason
from ctidialer.dialer.dispatch.waiting_sums import LOOK_INTERVAL, MAX_NAMED, WaitingSums
from ctidialer.rules.tables import Tables
from ctidialer.store.waiting import Waiting
from tests.dialer.fakes import NOW, MemoryStore, clock, let_run

SHARED = Waiting(keys.TEMPLATE, Kind.QUEUE, "t")
OWN = Waiting("fs1", Kind.QUEUE, "t")


class CountingStore(MemoryStore):
    """Counts what waits, as the scripts do."""

    asked = 0

    def waiting_counts(
        self, scopes: Sequence[str]
    ) -> Deferred[dict[Waiting, dict[WaitReason, int]]]:
        self.asked += 1
        found: dict[Waiting, dict[WaitReason, int]] = {}
        for where, there in self.waiting.items():
            for _, carried, _ in there if where.scope in scopes else ():
                counts = found.setdefault(where, {})
                counts[carried.reason] = counts.get(carried.reason, 0) + 1
        return self._done(found)


class SumsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = clock()
        self.store = CountingStore(self.clock)
        self.sums = WaitingSums(self.clock, self.store, Tables("fs1", "fs1", "x"), "UTC")
        self.sums.start()
        self.addCleanup(self.sums.stop)

    def put(self, where: Waiting, due: float, reason: WaitReason) -> None:
        there = self.store.waiting.setdefault(where, [])
        there.append((NOW + due, Carried("i", NOW, NOW, reason), b"1001"))

    def said(self) -> list[str]:
        with capturedLogs() as events:
            let_run(self.clock, LOOK_INTERVAL + 0.5, step=0.05)
        return [formatEvent(event) for event in events]

    def test_over_the_template_and_the_host(self) -> None:
        self.put(SHARED, 600, WaitReason.RETRY)
        self.put(OWN, 300, WaitReason.RETRY)
        self.put(OWN, 900, WaitReason.HOURS)
        (line,) = self.said()
        self.assertEqual(self.sums.of(Kind.QUEUE, "t"), Later(2, 1, 0, NOW + 300))
        self.assertEqual(
            line,
            "Task t: numbers wait: 2 for another try, 1 for their callees' hours; the next is due "
            "2023-11-14 22:18:20 (UTC)",
        )

    def test_said_once_and_when_none_waits_any_more(self) -> None:
        self.put(SHARED, 600, WaitReason.CAP)
        self.assertEqual(len(self.said()), 1)
        self.put(SHARED, 600, WaitReason.CAP)
        self.assertEqual(self.said(), [])
        self.store.waiting.clear()
        self.assertEqual(self.said(), ["Task t: no number waits any more"])
        self.assertIsNone(self.sums.of(Kind.QUEUE, "t"))

    def test_those_that_are_due_already(self) -> None:
        for due in (-60, -5, 600):
            self.put(SHARED, due, WaitReason.RETRY)
        self.put(OWN, -30, WaitReason.CAP)
        self.said()
        later = self.sums.of(Kind.QUEUE, "t")
        assert later is not None
        self.assertEqual((later.total, later.overdue, later.next_due), (4, 3, NOW - 60))

    def test_nothing_is_counted_while_nothing_waits(self) -> None:
        self.assertEqual(self.said(), [])
        self.assertEqual(self.store.asked, 0)

    def test_of_many_tasks_some_are_named(self) -> None:
        for one in range(MAX_NAMED + 5):
            self.put(Waiting("fs1", Kind.SCHEDULE, f"c{one}"), 600, WaitReason.HOURS)
        said = self.said()
        self.assertEqual(len(said), MAX_NAMED + 1)
        self.assertTrue(said[0].startswith("Configuration c0: "), said[0])
        self.assertEqual(said[-1], "5 more tasks: numbers wait, or none does any more")
