"""Numbers that wait: for their callee's hours, and for another try; due ones go first."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, ClassVar

from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import Kind, Outcome
from ctidialer.contract.waiting import WaitReason
from ctidialer.dialer.dispatch.due_watch import LOOK_INTERVAL
from ctidialer.dialer.dispatch.queue import AHEAD_INTERVAL, MAX_AHEAD
from ctidialer.dialer.life.number_in_hand import Progress
from ctidialer.rules.attempt import Attempt
from ctidialer.rules.itinerary import Itinerary
from ctidialer.store.errors import Denied, StoreError, StoreUnavailable, WrongType
from ctidialer.store.in_flight import Claimed
from ctidialer.store.waiting import Waiting
from tests.dialer.fakes import NOW, ZSET, answer_event, hang_up_event, let_run
from tests.dialer.world import World
from tests.support.logbook import logged_by

HERE = Waiting("fs1", Kind.QUEUE, "t")
HOUR = 3600.0
# NOW is a Tuesday, 22:13:20 UTC: 14:13 in Los Angeles, 17:13 in New York, 06:13 in Shanghai.
NINE_IN_SHANGHAI = datetime(2023, 11, 15, 1, tzinfo=UTC).timestamp()
BUSY_TWICE = [{"outcome": ["busy"], "after": [2, 5], "count": 2}]


def entry(number: str, zone: str) -> str:
    return f'{{"params":{{"number":"{number}","timezone":"{zone}"}}}}'


class WaitingCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.world.due_watch.start()
        self.addCleanup(self.world.stop)

    def begin(self, *entries: str, **params: object) -> None:
        self.put_task(**params)
        self.world.put_numbers(*entries)
        self.world.start()
        self.world.runs_for(0.1)

    def put_task(self, **params: object) -> None:
        document: dict[str, Any] = {"line_group": ["main"], **params}
        self.world.put_task(**document)

    def waiting(self, where: Waiting = HERE) -> list[tuple[float, WaitReason]]:
        there = self.world.store.waiting.get(where, [])
        return [(due, carried.reason) for due, carried, _ in sorted(there, key=lambda one: one[0])]

    def dialed(self) -> list[str]:
        return [placed.number for placed in self.world.switch.placed]

    def assert_even(self) -> None:
        self.assertEqual(self.world.left_behind(), {})
        self.assertEqual(self.world.store.flying, {})


class RetryTests(WaitingCase):
    def test_each_try_has_a_record_and_one_is_the_last(self) -> None:
        self.begin("1001", retry_plan=BUSY_TWICE)
        for after in (2, 5):
            self.world.ends("USER_BUSY", 486)
            (waiting,) = self.waiting()
            self.assertIs(waiting[1], WaitReason.RETRY)
            self.assert_even()
            self.world.runs_for(after - 0.5)
            self.assertEqual(len(self.waiting()), 1)
            self.world.runs_for(0.6)
            self.assertEqual(self.waiting(), [])
        self.world.ends("USER_BUSY", 486)
        self.assertEqual(self.waiting(), [])
        records = self.world.store.records
        self.assertEqual([one.try_number for one in records], [1, 2, 3])
        self.assertEqual([one.is_final for one in records], [False, False, True])
        self.assertEqual({one.first_id for one in records}, {records[0].id})
        self.assertEqual(len({one.id for one in records}), 3)
        self.assertEqual({one.taken_at for one in records}, {records[0].taken_at})
        self.assertEqual(records[0].next_at, records[0].ended_at + 2)
        self.assertIsNone(records[2].next_at)
        self.assertEqual(self.world.closing.outcomes, {Outcome.BUSY: 1})
        self.assert_even()

    def test_an_outcome_that_no_rule_names_is_final(self) -> None:
        self.begin("1001", retry_plan=BUSY_TWICE)
        self.world.ends(answered=True)
        (record,) = self.world.store.records
        self.assertTrue(record.is_final)
        self.assertEqual(self.waiting(), [])

    def test_not_at_or_after_the_end_of_the_task(self) -> None:
        stop = datetime.fromtimestamp(NOW + 2, UTC)
        self.begin("1001", retry_plan=BUSY_TWICE, stop_time=f"{stop:%Y-%m-%d %H:%M:%S}")
        self.world.ends("USER_BUSY", 486)
        (record,) = self.world.store.records
        self.assertTrue(record.is_final)

    def test_an_edited_plan_counts_for_numbers_that_wait(self) -> None:
        self.begin("1001", retry_plan=BUSY_TWICE)
        self.world.ends("USER_BUSY", 486)
        self.put_task(retry_plan=[{"outcome": ["no_answer"], "after": 1, "count": 1}])
        self.world.runs_for(2.2)
        self.world.ends("USER_BUSY", 486)
        self.assertEqual([one.is_final for one in self.world.store.records], [False, True])

    def test_the_list_that_it_came_from_is_known_after_a_restart(self) -> None:
        self.begin("1001", retry_plan=BUSY_TWICE)
        (entry,) = self.world.store.flying.values()
        self.world = later = World()
        self.addCleanup(later.stop)
        self.put_task(retry_plan=BUSY_TWICE)
        later.store.flying[entry.id] = entry
        up = Attempt("u1", "gw1", "main", dialed_at=NOW)
        errand = later.queue_dialer.errand_of(entry)
        later.numbers.resume(errand, up, Progress(Itinerary(groups=("main",))))
        later.calls.event(hang_up_event("u1", "USER_BUSY", 486))
        later.runs_for(0.1)
        ((_, carried, _),) = later.store.waiting[HERE]
        self.assertEqual((carried.queue, carried.side), ("q", "left"))

    def test_they_stay_while_their_task_is_gone_and_go_on_when_it_is_back(self) -> None:
        self.begin("1001", retry_plan=BUSY_TWICE)
        self.world.ends("USER_BUSY", 486)
        self.world.put("cti_queue_dialer_task@fs1", "t", None)
        self.world.runs_for(5)
        self.assertEqual(len(self.waiting()), 1)
        self.put_task(retry_plan=BUSY_TWICE)
        self.world.runs_for(LOOK_INTERVAL + 0.1)
        self.assertEqual(self.dialed(), ["1001", "1001"])

    def test_due_ones_go_before_fresh_ones_the_oldest_first(self) -> None:
        self.begin("1001", "1002", retry_plan=BUSY_TWICE, limit=2)
        first, second = self.world.switch.placed
        self.world.ends("USER_BUSY", 486, placed=first)
        self.world.ends("USER_BUSY", 486, placed=second)
        self.put_task(retry_plan=BUSY_TWICE, limit=0)
        self.world.put_numbers("1003", "1004")
        self.world.runs_for(4)
        self.put_task(retry_plan=BUSY_TWICE, limit=2)
        self.world.runs_for(0.1)
        self.assertEqual(self.dialed(), ["1001", "1002", "1001", "1002"])

    def test_a_scheduled_number(self) -> None:
        self.world.put_schedule(line_group=["main"], retry_plan=BUSY_TWICE)
        member = b'{"params":{"number":"1001","config":"s"}}'
        self.world.store.due[ZSET] = {member: NOW}
        self.world.schedule_dialer.start(1.0)
        self.world.runs_for(0.1)
        self.world.ends("USER_BUSY", 486)
        self.assertEqual(len(self.waiting(Waiting("fs1", Kind.SCHEDULE, "s"))), 1)
        self.world.runs_for(2.1)
        self.assertEqual(self.dialed(), ["1001", "1001"])
        self.world.ends(answered=True)
        self.assertEqual([one.is_final for one in self.world.store.records], [False, True])
        self.assert_even()


class SpoiltPlaceTests(WaitingCase):
    """Numbers of the configurations ``s`` and ``z`` wait; the place of one gives none."""

    def setUp(self) -> None:
        super().setUp()
        for name, number in (("s", "1001"), ("z", "1002")):
            self.world.put_schedule(name, line_group=["main"], retry_plan=BUSY_TWICE)
            member = json.dumps({"params": {"number": number, "config": name}}).encode()
            self.world.store.due.setdefault(ZSET, {})[member] = NOW
        self.world.schedule_dialer.start(1.0)
        self.world.runs_for(0.1)
        self.assertEqual(len(self.dialed()), 2)
        for placed in self.world.switch.placed:
            self.world.calls.event(hang_up_event(placed.uuid, "USER_BUSY", 486))
        self.world.runs_for(0.1)

    def spoil(self, name: str, error: StoreError) -> None:
        whole = self.world.store.claim_waiting

        def spoilt(where: Waiting, count: int, task: str | None) -> Deferred[list[Claimed]]:
            return fail(error) if where.name == name else whole(where, count, task)

        self.patch(self.world.store, "claim_waiting", spoilt)

    def check_others(self, spoilt: str, called: str) -> None:
        book = logged_by(self)
        self.spoil(spoilt, WrongType("there", "string", "zset"))
        self.world.runs_for(5)
        self.assertEqual(self.dialed()[2:], [called])
        said = [one for one in book if one["log_format"].startswith("No scheduled numbers")]
        self.assertEqual(len(said), 1)
        self.world.ends(answered=True)
        self.assert_even()

    def test_a_key_of_another_type_keeps_nobody_behind_it(self) -> None:
        self.check_others("s", "1002")

    def test_nor_before_it(self) -> None:
        self.check_others("z", "1001")

    def test_what_was_taken_before_redis_went_is_called(self) -> None:
        self.spoil("z", StoreUnavailable("away", may_have_been_executed=False))
        self.world.runs_for(5)
        self.assertEqual(self.dialed()[2:], ["1001"])
        self.world.ends(answered=True)
        self.assert_even()


HOURS = {"callee_hour": [{"begin": "9:00", "end": "21:00"}]}


class HoursTests(WaitingCase):
    def test_who_sleeps_waits_and_those_behind_are_called(self) -> None:
        asleep, awake = entry("1001", "Asia/Shanghai"), entry("1002", "America/New_York")
        self.begin(asleep, awake, **HOURS)
        self.assertEqual(self.dialed(), ["1002"])
        self.assertEqual(self.waiting(), [(NINE_IN_SHANGHAI, WaitReason.HOURS)])
        self.world.ends(answered=True)
        self.world.clock.advance(NINE_IN_SHANGHAI - self.world.clock.seconds() - 1)
        self.world.runs_for(0.5)
        self.assertEqual(self.dialed(), ["1002"])
        self.world.runs_for(0.7)
        self.assertEqual(self.dialed(), ["1002", "1001"])
        self.world.ends(answered=True)
        self.assertEqual([one.try_number for one in self.world.store.records], [1, 1])
        self.assert_even()

    def test_a_number_of_which_nobody_knows_where_it_is_ends_closed(self) -> None:
        self.begin("1001", **HOURS)
        (record,) = self.world.store.records
        self.assertIs(record.outcome, Outcome.CLOSED)
        self.assertIn("callee_timezone", record.reason)
        self.assertEqual(record.number, "1001")
        self.assert_even()

    def test_many_that_sleep_hold_no_slot_and_spend_no_rate(self) -> None:
        asleep = [entry(str(2000 + one), "Asia/Shanghai") for one in range(1000)]
        self.begin(*asleep, entry("1002", "America/New_York"), limit=1, cps=0.5, **HOURS)
        self.world.runs_for(1.0)
        self.assertEqual(self.dialed(), ["1002"])
        self.assertEqual(len(self.waiting()), 1000)
        self.assertLess(len(self.world.store.asked_for), 40)

    def test_however_many_sleep_only_so_many_a_second_are_read(self) -> None:
        asleep = [entry(str(2000 + one), "Asia/Shanghai") for one in range(12_000)]
        self.begin(*asleep, limit=20, **HOURS)
        before = len(self.waiting())
        let_run(self.world.clock, 1.0, step=0.002)
        put_aside = len(self.waiting()) - before
        self.assertLessEqual(put_aside, (1.0 / AHEAD_INTERVAL + 1) * MAX_AHEAD)
        self.assertGreater(put_aside, 1000)

    def test_what_was_claimed_ahead_goes_back_in_order(self) -> None:
        asleep = [entry(str(2000 + one), "Asia/Shanghai") for one in range(3)]
        awake = [entry(str(1000 + one), "America/New_York") for one in range(5)]
        self.begin(*asleep, *awake, limit=1, **HOURS)
        self.world.runs_for(0.3)
        self.assertEqual(self.dialed(), ["1000"])
        self.assertEqual(self.world.queue, awake[1:])

    def test_a_further_call_is_not_placed_when_they_have_closed(self) -> None:
        self.world.put_group("main", "gw1", redialer_count=1, rest=20_000)
        self.begin(
            entry("1001", "America/New_York"), callee_hour=[{"begin": "9:00", "end": "17:13:30"}]
        )
        self.world.ends("USER_BUSY", 486)
        self.world.runs_for(25)
        (record,) = self.world.store.records
        self.assertIs(record.outcome, Outcome.BUSY)
        self.assertEqual(len(record.attempts), 1)
        self.assertIn("outside of the callee's hours", record.reason)


class PermitTests(WaitingCase):
    ONE_A_MINUTE: ClassVar = [{"count": 1, "time": 60}]

    def cap(self, seconds: float) -> Denied:
        return Denied(None, until=self.world.clock.seconds() + seconds)

    def test_what_redis_is_asked_with_the_note(self) -> None:
        self.begin("13800138000", dnc=["out"], callee_limit=self.ONE_A_MINUTE, callee_region="CN")
        (permit,) = self.world.store.permits
        self.assertEqual(permit.dnc, ("out",))
        self.assertIn("+8613800138000", permit.spellings)
        self.assertEqual(permit.cap_key, "cti_dialer_callee:+8613800138000")

    def test_the_scope_of_a_task(self) -> None:
        self.begin("1001", callee_limit=self.ONE_A_MINUTE, callee_limit_scope="task")
        (permit,) = self.world.store.permits
        self.assertEqual(permit.cap_key, "cti_dialer_callee:1001:t")

    def test_who_was_called_often_enough_waits(self) -> None:
        self.world.store.denials = [self.cap(30)]
        self.begin("1001", callee_limit=self.ONE_A_MINUTE)
        self.assertEqual([reason for _, reason in self.waiting()], [WaitReason.CAP])
        self.assertEqual(self.dialed(), [])
        self.assert_even()
        self.world.runs_for(31)
        self.assertEqual(self.dialed(), ["1001"])

    def test_not_until_after_the_end_of_the_task(self) -> None:
        stop = datetime.fromtimestamp(NOW + 20, UTC)
        self.world.store.denials = [self.cap(30)]
        self.begin("1001", callee_limit=self.ONE_A_MINUTE, stop_time=f"{stop:%Y-%m-%d %H:%M:%S}")
        (record,) = self.world.store.records
        self.assertIs(record.outcome, Outcome.CAPPED)
        self.assert_even()

    def test_a_redial_over_the_cap_is_not_placed(self) -> None:
        self.world.put_group("main", "gw1", redialer_count=1, rest=10)
        self.begin("1001", callee_limit=self.ONE_A_MINUTE, retry_plan=BUSY_TWICE)
        self.world.store.denials = [self.cap(60)]
        self.world.ends("USER_BUSY", 486)
        self.world.runs_for(0.2)
        (record,) = self.world.store.records
        self.assertIs(record.outcome, Outcome.BUSY)
        self.assertFalse(record.is_final)
        self.assertEqual(len(record.attempts), 1)
        self.assertEqual([reason for _, reason in self.waiting()], [WaitReason.RETRY])
        self.assert_even()

    def test_a_number_on_a_list_is_not_called(self) -> None:
        self.world.store.denials = [Denied("out", "asked by letter")]
        self.begin("1001", dnc=["out"])
        (record,) = self.world.store.records
        self.assertIs(record.outcome, Outcome.DNC)
        self.assertEqual(record.reason, "the number is on the list out: asked by letter")
        self.assertEqual(self.dialed(), [])
        self.assert_even()

    def test_who_may_not_be_called_spends_no_rate(self) -> None:
        self.world.store.denials = [Denied("out") for _ in range(30)]
        numbers = [str(1001 + one) for one in range(31)]
        self.begin(*numbers, dnc=["out"], cps=0.5, limit=5)
        self.world.runs_for(1.5)
        self.assertEqual(self.dialed(), [numbers[-1]])
        self.assertEqual(len(self.world.store.records), 30)

    def test_nor_called_further(self) -> None:
        self.world.put_group("main", "gw1", redialer_count=1, rest=10)
        self.begin("1001", dnc=["out"], retry_plan=BUSY_TWICE)
        self.world.store.denials = [Denied("out")]
        self.world.ends("USER_BUSY", 486)
        self.world.runs_for(0.2)
        (record,) = self.world.store.records
        self.assertIs(record.outcome, Outcome.DNC)
        self.assertTrue(record.is_final)
        self.assertEqual(len(record.attempts), 1)
        self.assert_even()

    def test_a_call_that_was_not_sent_does_not_count(self) -> None:
        self.begin("1001", callee_limit=self.ONE_A_MINUTE, limit=1)
        uuid = self.world.switch.last.uuid
        self.world.is_refused()
        self.assertEqual(self.world.store.uncounted[:1], [uuid])

    def test_a_callee_who_opts_out_is_not_called_again(self) -> None:
        self.begin("1001", dnc_add="out", retry_plan=[{"outcome": ["answered"], "after": 1}])
        uuid = self.world.switch.last.uuid
        self.world.calls.event(answer_event(uuid))
        self.world.calls.event(hang_up_event(uuid, talked=1, more={"variable_cti_dnc": "true"}))
        self.world.runs_for(0.1)
        (record,) = self.world.store.records
        self.assertTrue(record.is_final)
        self.assertEqual(self.waiting(), [])


class QueuesTests(WaitingCase):
    def test_the_first_that_holds_anything_is_taken_from(self) -> None:
        self.world.put_numbers("1003", queue="later")
        self.begin("1001", number_queue=["q", "later"], limit=1)
        self.assertEqual(self.dialed(), ["1001"])
        self.world.put_numbers("1002")
        self.world.ends(answered=True)
        self.world.ends(answered=True)
        self.world.runs_for(0.1)
        self.assertEqual(self.dialed(), ["1001", "1002", "1003"])

    def test_an_empty_first_one_keeps_nobody_from_the_second(self) -> None:
        self.begin(number_queue=["q", "later"])
        self.world.runs_for(1)
        self.world.put_numbers("1003", queue="later")
        self.world.runs_for(0.2)
        self.assertEqual(self.dialed(), ["1003"])
