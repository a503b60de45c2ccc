"""For how long scheduled numbers have been due, as the daemon sees it."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.backlog import GoneHost, UnreadRecords
from ctidialer.dialer.backlog_watch import LOOK_INTERVAL, LOOKS_PER_HOSTS, BacklogWatch
from ctidialer.nodes.backlog import BacklogReader, Scheduled
from ctidialer.store.errors import StoreUnavailable
from tests.dialer.fakes import clock


class Told(BacklogReader):
    """Says what the test says."""

    def __init__(self) -> None:
        self.due = Scheduled(0, None)
        self.is_away = False
        self.is_slow = False
        self.looks_at_hosts = 0

    async def scheduled(self, now: float) -> Scheduled:
        if self.is_slow:
            await Deferred()
        if self.is_away:
            raise StoreUnavailable("away")
        return self.due

    async def unread(self) -> tuple[UnreadRecords, ...]:
        return (UnreadRecords("crm", 1, 2.0),)

    async def gone(self, now: float) -> tuple[GoneHost, ...]:
        self.looks_at_hosts += 1
        return (GoneHost("fs2", 1.0, 3),)


class BacklogWatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock: Clock = clock()
        self.reader = Told()
        self.watch = BacklogWatch(self.clock, self.reader)
        self.watch.start()
        self.addCleanup(self.watch.stop)
        self.began = self.clock.seconds()

    def since(self) -> float | None:
        self.clock.advance(LOOK_INTERVAL)
        assert self.watch.found is not None
        return self.watch.found.scheduled_since

    def test_none_is_due(self) -> None:
        self.assertIsNone(self.since())

    def test_it_counts_from_when_it_was_due(self) -> None:
        self.since()
        self.reader.due = Scheduled(2, self.began + 7.0)
        self.assertEqual([self.since(), self.since()], [self.began + 7.0, self.began + 7.0])

    def test_a_number_of_the_year_1970_is_not_that_late(self) -> None:
        self.since()
        self.reader.due = Scheduled(1, 0.0)
        self.assertEqual([self.since(), self.since()], [self.began + LOOK_INTERVAL] * 2)
        self.reader.due = Scheduled(0, None)
        self.assertIsNone(self.since())

    def test_redis_is_away(self) -> None:
        self.since()
        self.reader.is_away = True
        self.clock.advance(LOOK_INTERVAL)
        self.assertIsNone(self.watch.found)
        self.reader.is_away = False
        self.assertIsNone(self.since())
        found = self.watch.found
        assert found is not None
        self.assertEqual(found.gone, (GoneHost("fs2", 1.0, 3),))

    def test_what_was_found_is_told_during_the_next_look(self) -> None:
        self.since()
        self.reader.is_slow = True
        self.clock.advance(LOOK_INTERVAL)
        self.assertIsNotNone(self.watch.found)

    def test_the_hosts_are_looked_at_more_seldom(self) -> None:
        for _ in range(2 * LOOKS_PER_HOSTS):
            self.since()
        self.assertEqual(self.reader.looks_at_hosts, 3)
