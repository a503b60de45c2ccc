"""Scheduled numbers on a clock of ours: due, expired, without a line, backlog."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import Outcome, Record
from ctidialer.dialer.dispatch.schedule_errand import DUE_AGAIN_AFTER
from ctidialer.dialer.life.closing import GATHER_INTERVAL
from ctidialer.dialer.readiness import Condition
from ctidialer.rules.sharing import MAX_SHARE
from ctidialer.store.errors import StoreUnavailable
from tests.dialer.fakes import NOW, ZSET, hang_up_event
from tests.dialer.line_case import logged
from tests.dialer.world import World


class ScheduleCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.world.put_schedule()
        self.switch, self.store = self.world.switch, self.world.store

    def put(
        self, number: str = "1001", due: float = NOW, config: str = "s", **params: object
    ) -> bytes:
        document = {"params": {"number": number, "config": config, **params}}
        member = json.dumps(document).encode()
        self.store.due.setdefault(ZSET, {})[member] = due
        return member

    def start(self) -> None:
        self.world.schedule_dialer.start(1.0)
        self.world.runs_for(0.1)

    def no_lines(self) -> None:
        for line in ("gw1", "gw2"):
            self.world.put_line(line, count=0)

    def record(self) -> Record:
        (record,) = self.store.records
        return record

    def hang_up(self) -> None:
        for attempt in list(self.world.calls):
            self.world.calls.event(hang_up_event(attempt.uuid, talked=1))

    def check_even(self) -> None:
        self.world.schedule_dialer.stop()
        self.world.runs_for(0.1)
        self.assertEqual(self.world.left_behind(), {})
        self.assertEqual(self.store.flying, {})
        self.assertEqual(self.world.clock.getDelayedCalls(), [])


class DueTests(ScheduleCase):
    def test_called_when_it_is_due_and_not_before(self) -> None:
        self.put(due=NOW + 5)
        self.start()
        self.world.runs_for(4.8)
        self.assertEqual(self.switch.placed, [])
        self.world.runs_for(1.2)
        self.assertEqual([one.number for one in self.switch.placed], ["1001"])
        self.world.ends(answered=True)
        self.assertEqual((self.record().kind.value, self.record().task), ("schedule", "s"))
        self.check_even()

    def test_the_earliest_first(self) -> None:
        for number, due in (("3", NOW), ("1", NOW - 20), ("2", NOW - 10)):
            self.put(number, due)
        self.start()
        self.assertEqual([one.number for one in self.switch.placed], ["1", "2", "3"])
        self.hang_up()
        self.check_even()

    def test_failover_is_that_of_queue_dialing(self) -> None:
        self.put()
        self.start()
        self.world.ends("NORMAL_TEMPORARY_FAILURE", 503)
        self.world.ends(answered=True)
        self.assertEqual([one.line for one in self.record().attempts], ["gw1", "gw2"])
        self.check_even()


class NotCalledTests(ScheduleCase):
    def test_expired(self) -> None:
        self.put(expires=NOW - 1)
        self.start()
        self.assertIs(self.record().outcome, Outcome.EXPIRED)
        self.assertEqual(self.switch.placed, [])
        self.check_even()

    def test_zero_never_expires(self) -> None:
        self.put(expires=0)
        self.start()
        self.world.ends(answered=True)
        self.assertIs(self.record().outcome, Outcome.ANSWERED)

    def test_what_is_no_member(self) -> None:
        self.store.due[ZSET] = {b"[]": NOW, b"1001": NOW}
        self.start()
        self.assertEqual([one.outcome for one in self.store.records], [Outcome.INVALID] * 2)
        self.check_even()


class NoConfigTests(ScheduleCase):
    """An unknown configuration is no verdict on the number."""

    def test_it_is_due_again_until_the_configuration_is_there(self) -> None:
        member = self.put(config="late")
        said = logged(self, "Scheduled numbers wait")
        self.start()
        for minute in range(3):
            ((one, due),) = self.store.due[ZSET].items()
            self.assertEqual(one, member)
            self.assertLess(abs(due - self.world.clock.seconds() - DUE_AGAIN_AFTER), 1.5, minute)
            self.world.runs_for(DUE_AGAIN_AFTER + 1)
        self.assertEqual((self.store.records, self.switch.placed), ([], []))
        self.assertEqual(len(said), 1)
        self.assertIn("'late'", said[0])
        self.world.put_schedule("late")
        self.world.runs_for(DUE_AGAIN_AFTER + 1.2)
        self.world.ends(answered=True)
        self.assertIs(self.record().outcome, Outcome.ANSWERED)
        self.check_even()

    def test_it_expires_meanwhile(self) -> None:
        self.put(config="never", expires=NOW + 90)
        self.start()
        self.world.runs_for(DUE_AGAIN_AFTER + 1)
        self.assertEqual(self.store.records, [])
        self.world.runs_for(DUE_AGAIN_AFTER + 1)
        self.assertIs(self.record().outcome, Outcome.EXPIRED)
        self.check_even()


class NoLineTests(ScheduleCase):
    def test_written_back_for_later_while_it_has_not_expired(self) -> None:
        member = self.put(expires=NOW + 1000)
        self.no_lines()
        self.start()
        (due,) = self.store.due[ZSET].values()
        self.assertLess(abs(due - NOW - DUE_AGAIN_AFTER), 0.1)
        self.assertEqual(list(self.store.due[ZSET]), [member])
        self.world.put_line("gw1", count=1)
        self.world.runs_for(DUE_AGAIN_AFTER + 1.2)
        self.world.ends(answered=True)
        self.assertIs(self.record().outcome, Outcome.ANSWERED)
        self.check_even()

    def test_without_expires_it_ends(self) -> None:
        self.put()
        self.put("1002", expires=0)
        self.no_lines()
        self.start()
        self.assertEqual([one.outcome for one in self.store.records], [Outcome.NO_LINE] * 2)
        self.assertEqual(self.store.due[ZSET], {})
        self.check_even()

    def test_a_backlog_does_not_burn_while_lines_are_busy(self) -> None:
        self.world.put_line("gw1", count=2)
        self.world.put_line("gw2", count=0)
        for index in range(500):
            self.put(str(1000 + index), NOW - 1)
        self.start()
        for _ in range(30):
            self.world.runs_for(0.3)
            self.hang_up()
        answered = [one for one in self.store.records if one.outcome is Outcome.ANSWERED]
        self.assertEqual(len(answered), len(self.store.records))
        self.assertGreater(len(answered), 50)


class TroubleTests(ScheduleCase):
    def test_nothing_is_taken_while_the_gate_is_shut(self) -> None:
        self.put()
        self.world.readiness.lost(Condition.FREESWITCH)
        self.start()
        self.world.runs_for(3)
        self.assertEqual(self.store.asked_for, [])
        self.world.readiness.met(Condition.FREESWITCH, Condition.RECOVERY)
        self.world.runs_for(1.2)
        self.assertEqual(len(self.switch.placed), 1)

    def test_redis_is_away_for_a_claim(self) -> None:
        self.put()
        self.store.error = StoreUnavailable("away", True)
        self.start()
        self.world.runs_for(1)
        self.assertEqual(self.world.slots.asked, 0)
        self.store.error = None
        self.world.runs_for(1.2)
        self.world.ends(answered=True)
        self.assertEqual(len(self.store.records), 1)
        self.check_even()

    def test_a_refused_member_keeps_its_time(self) -> None:
        member = self.put(due=NOW - 7)
        self.start()
        self.world.is_refused()
        self.world.schedule_dialer.stop()
        self.assertEqual(self.store.due[ZSET], {member: NOW - 7})
        self.check_even()

    def test_an_exception_does_not_end_the_looking(self) -> None:
        def fails(now: float) -> int:
            raise ZeroDivisionError

        room = self.world.slots.node_room
        self.put()
        self.patch(self.world.slots, "node_room", fails)
        self.start()
        self.assertTrue(self.flushLoggedErrors(ZeroDivisionError))
        self.patch(self.world.slots, "node_room", room)
        self.world.runs_for(1.2)
        self.assertEqual(len(self.switch.placed), 1)

    def test_the_drain_gives_back_what_was_on_its_way(self) -> None:
        member = self.put(due=NOW - 3)
        self.world.schedule_dialer.start(1.0)
        self.assertEqual(self.store.due[ZSET], {})
        self.world.stop()
        self.world.runs_for(GATHER_INTERVAL + 0.1)
        self.assertEqual(self.store.due[ZSET], {member: NOW - 3})
        self.assertEqual(self.switch.placed, [])
        self.check_even()


class BacklogTests(ScheduleCase):
    def test_it_is_worked_off_claim_by_claim(self) -> None:
        self.world.put_line("gw1", count=1000)
        for index in range(3 * MAX_SHARE):
            self.put(str(1000 + index), NOW - 1)
        self.start()
        self.world.runs_for(0.6)
        self.assertEqual(len(self.switch.placed), 3 * MAX_SHARE)
        self.assertEqual(max(self.store.asked_for), MAX_SHARE)
        self.hang_up()
        self.check_even()
