"""The watch over Redis' writes, by a clock of its own and answers that the test gives."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import provider

from ctidialer.contract.task import Side
from ctidialer.dialer.readiness import Condition, Readiness
from ctidialer.dialer.write_watch import (
    LOOK_INTERVAL,
    MAX_NAMED,
    MAX_QUEUES,
    RETRY_INTERVAL,
    WriteWatch,
)
from ctidialer.store.errors import NotAllowed, StoreUnavailable, WritesRefused
from ctidialer.store.rights import EVENTS, LONG_ENTRIES, Need, Rights, queue_needs

OWN = (Need("XADD", "records", "records"), Need("SET", "long", LONG_ENTRIES))
FULL = WritesRefused("OOM command not allowed")


class _Rights(Rights):
    """Answers what the test says."""

    def __init__(self) -> None:
        self.answer: Sequence[Need] | Exception = ()
        self.commands_missing = True
        self.asked: list[Sequence[Need]] = []
        self.slow: Deferred[list[Need]] | None = None

    def missing(self, needs: Sequence[Need]) -> Deferred[list[Need]]:
        self.asked.append(needs)
        if self.slow is not None:
            return self.slow
        if isinstance(self.answer, Exception):
            return fail(self.answer)
        return succeed([need for need in needs if need in self.answer])

    async def rules(self, needs: Sequence[Need], missing: Sequence[Need]) -> list[str]:
        if self.commands_missing:
            return [f"+{need.command.lower()}" for need in missing]
        return [f"~{need.name}" for need in missing]


class WatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.rights = _Rights()
        self.readiness = Readiness()
        self.readiness.met(*(one for one in Condition if one is not Condition.WRITES))
        self.readiness.lost(Condition.LEASE)
        self.origins: list[tuple[str, Side | None]] = [("q", Side.LEFT), ("p", Side.LEFT)]
        self.watch = WriteWatch(
            self.clock, self.rights, self.readiness, OWN, lambda: self.origins, "daemon"
        )
        self.watch.start()
        self.said: list[str] = []

        @provider(ILogObserver)
        def hear(event: LogEvent) -> None:
            if str(event.get("log_namespace")).endswith("WriteWatch"):
                self.said.append(formatEvent(event))

        globalLogPublisher.addObserver(hear)
        self.addCleanup(globalLogPublisher.removeObserver, hear)

    def has_the_name(self) -> None:
        self.readiness.met(Condition.LEASE)

    def pass_time(self, seconds: float) -> None:
        self.clock.pump([0.1] * round(seconds / 0.1))

    def is_met(self) -> bool:
        return Condition.WRITES not in self.readiness.missing

    def test_nothing_is_asked_without_the_name(self) -> None:
        self.pass_time(3 * LOOK_INTERVAL)
        self.watch.look()
        self.assertEqual(self.rights.asked, [])
        self.assertFalse(self.is_met())

    def test_all_is_well(self) -> None:
        self.has_the_name()
        self.assertTrue(self.is_met())
        (needs,) = self.rights.asked
        self.assertEqual(needs, (*OWN, *queue_needs("q", Side.LEFT), *queue_needs("p", Side.LEFT)))
        self.pass_time(2 * LOOK_INTERVAL + 0.5)
        self.assertEqual(len(self.rights.asked), 3)
        self.assertEqual(self.said, [])

    def test_a_missing_right_is_said_once_and_looked_at_until_it_is_there(self) -> None:
        self.rights.answer = [OWN[0]]
        self.has_the_name()
        self.assertFalse(self.is_met())
        self.assertEqual(
            self.watch.problem,
            "the user 'daemon' has no right to XADD on 'records' (records): "
            "ACL SETUSER daemon +xadd",
        )
        self.pass_time(3 * RETRY_INTERVAL + 0.5)
        self.assertEqual(len(self.said), 1)
        self.rights.answer = ()
        self.pass_time(RETRY_INTERVAL + 0.2)
        self.assertTrue(self.is_met())
        self.assertEqual(self.watch.problem, "")
        self.assertEqual(self.said[1:], ["Redis takes writes again"])

    def test_a_right_to_one_queue_keeps_that_queue_alone(self) -> None:
        self.rights.answer = queue_needs("q", Side.LEFT)
        self.rights.commands_missing = False
        self.has_the_name()
        self.assertTrue(self.is_met())
        self.assertIn("'q'", self.said[0])
        self.pass_time(3 * LOOK_INTERVAL)
        self.assertEqual(len(self.said), 1)

    def test_a_command_on_one_queue_keeps_the_node(self) -> None:
        self.rights.answer = queue_needs("q", Side.LEFT)[:1]
        self.has_the_name()
        self.assertFalse(self.is_met())

    def test_no_queue_that_can_be_used_keeps_the_node(self) -> None:
        both = [*queue_needs("q", Side.LEFT), *queue_needs("p", Side.LEFT)]
        self.rights.answer = both
        self.rights.commands_missing = False
        self.has_the_name()
        self.assertFalse(self.is_met())
        self.assertEqual(len(both), MAX_NAMED)
        both.append(OWN[0])
        self.watch.look()
        self.assertIn("and 1 more: ACL SETUSER daemon ", self.watch.problem)

    def test_long_entries_keep_nothing(self) -> None:
        self.rights.answer = OWN[1:]
        self.has_the_name()
        self.assertTrue(self.is_met())
        self.assertIn(LONG_ENTRIES, self.said[0])

    def test_events_keep_nothing(self) -> None:
        telling = Need("XADD", "events", EVENTS)
        watch = WriteWatch(
            self.clock, self.rights, self.readiness, (*OWN, telling), lambda: self.origins, "daemon"
        )
        self.rights.answer = (telling,)
        self.has_the_name()
        watch.look()
        self.assertTrue(self.is_met())
        (said,) = self.said
        self.assertTrue(said.startswith("No event can be told: the user 'daemon' has no right to"))
        self.assertIn("XADD on 'events'", watch.lesser)
        self.rights.answer = ()
        watch.look()
        self.assertEqual(watch.lesser, "")

    def test_a_full_redis(self) -> None:
        self.has_the_name()
        self.rights.answer = FULL
        self.watch.refused(FULL)
        self.assertFalse(self.is_met())
        self.assertIn("OOM command not allowed", self.watch.problem)
        self.pass_time(3 * RETRY_INTERVAL)
        self.rights.answer = ()
        self.pass_time(RETRY_INTERVAL + 0.2)
        self.assertTrue(self.is_met())
        self.assertEqual(len(self.said), 2)

    def test_a_refusal_of_rights_is_looked_into_at_once(self) -> None:
        self.has_the_name()
        self.rights.answer = OWN[:1]
        self.watch.refused(NotAllowed("XADD", "records"))
        self.assertFalse(self.is_met())

    def test_a_user_who_may_run_no_scripts(self) -> None:
        self.rights.answer = NotAllowed("", "", "NOPERM evalsha")
        self.has_the_name()
        self.assertFalse(self.is_met())
        self.assertIn("NOPERM evalsha", self.watch.problem)

    def test_redis_away_changes_nothing(self) -> None:
        self.has_the_name()
        self.rights.answer = StoreUnavailable("away")
        self.watch.look()
        self.assertTrue(self.is_met())
        self.assertEqual(self.said, [])

    def test_when_the_tables_are_read_meanwhile_it_looks_again(self) -> None:
        self.readiness.lost(Condition.TABLES)
        self.rights.slow = Deferred()
        self.has_the_name()
        self.readiness.met(Condition.TABLES)
        self.assertEqual(len(self.rights.asked), 1)
        slow, self.rights.slow = self.rights.slow, None
        slow.callback([])
        self.assertEqual(len(self.rights.asked), 2)

    def test_of_many_queues_some_are_looked_at(self) -> None:
        self.origins = [(f"q{index}", Side.LEFT) for index in range(10 * MAX_QUEUES)]
        self.has_the_name()
        (needs,) = self.rights.asked
        names = {need.name for need in needs} - {need.name for need in OWN}
        self.assertEqual(len(names), MAX_QUEUES)

    def test_it_stops_and_leaves_no_timer(self) -> None:
        self.rights.answer = FULL
        self.has_the_name()
        self.watch.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
