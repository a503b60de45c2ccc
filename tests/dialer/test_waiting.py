"""Numbers that wait, in a real Redis: for another try, for their callee's hours, for a cap."""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from msgspec.structs import replace

from ctidialer.contract import keys
from ctidialer.contract.record import Kind, Outcome, Record
from ctidialer.contract.waiting import WaitReason
from ctidialer.rules.reasons import Reason
from ctidialer.settings import Records
from ctidialer.store.reading import NodeReading
from ctidialer.store.waiting import Waiting
from tests.dialer.schedule_case import ScheduleTestCase, member
from tests.dialer.switch_case import LONG, SwitchTestCase
from tests.support.node import HOST

HERE = Waiting(keys.TEMPLATE, Kind.QUEUE, "t")
BUSY = {"result": "busy"}
TALKS = {"result": "answer", "talk": 0.02}
RINGS = {"result": "answer", "ring": 3600.0}
AGAIN = [{"outcome": ["busy"], "after": [0.3, 0.6], "count": 2}]
LATER = [{"outcome": ["busy"], "after": 3600, "count": 1}]


class WaitingCase(SwitchTestCase):
    """What waits, and what was recorded."""

    async def waiting(self, where: Waiting = HERE) -> dict[WaitReason, int]:
        found = await NodeReading(self.redis, HOST).waiting_counts([where.scope])
        return found.get(where, {})

    async def all_wait(self, count: int, where: Waiting = HERE) -> None:
        async def they_do() -> int:
            return sum((await self.waiting(where)).values())

        await self.until_count(f"{count} numbers wait", count, they_do)
        await self.nothing_in_flight()

    async def its_time_comes(self, where: Waiting = HERE) -> None:
        """Let the one number that waits be due, as if its time were over; no daemon is there."""
        found = await self.call("ZRANGE", where.key, 0, -1)
        assert isinstance(found, list)
        (member,) = found
        assert isinstance(member, bytes)
        now = repr(time.time())
        await self.call("ZADD", where.key, "XX", now, member)
        await self.call("ZADD", keys.waiting_next(where.scope), "XX", now, where.field)

    async def final(self, count: int) -> dict[str, Record]:
        """Wait until so many numbers have their last record; return these by number."""

        async def ended() -> int:
            return sum(one.is_final for one in await self.records())

        await self.until_count(f"{count} numbers have ended", count, ended)
        await self.nothing_in_flight()
        return {one.number or "": one for one in await self.records() if one.is_final}


class RetryTests(WaitingCase):
    async def test_each_try_has_its_record_and_nothing_is_left(self) -> None:
        await self.usual_tables(retry_plan=AGAIN)
        await self.sim(number={"1001": [BUSY, BUSY, TALKS]}, default=TALKS)
        await self.put_numbers(["1001", "1002"])
        self.start_dialer()
        final = await self.final(2)
        self.assertEqual(final["1001"].try_number, 3)
        self.assertIs(final["1001"].outcome, Outcome.ANSWERED)
        tries = [one for one in await self.records() if one.number == "1001"]
        self.assertEqual([one.outcome for one in tries[:2]], [Outcome.BUSY, Outcome.BUSY])
        for one in tries[:2]:
            assert one.next_at is not None
        for before, after in pairwise(tries):
            assert before.next_at is not None
            self.assertGreaterEqual(after.attempts[0].dialed_at, before.next_at)
        self.assertEqual(await self.call("EXISTS", *HERE.names), 0)
        self.assert_accounted_for(await self.records())

    async def test_a_uuid_of_the_producers_own_is_for_the_first_call_alone(self) -> None:
        await self.usual_tables(retry_plan=AGAIN)
        await self.sim(default=BUSY)
        entry = {"params": {"number": "1001"}, "variables": {"origination_uuid": "mine"}}
        await self.put_numbers([json.dumps(entry)])
        self.start_dialer()
        await self.final(1)
        uuids = [one.attempts[0].uuid for one in await self.records()]
        self.assertEqual(uuids[0], "mine")
        self.assertEqual(len(set(uuids)), 3)
        self.assertEqual({one.requested_uuid for one in await self.records()}, {"mine"})
        self.assert_accounted_for(await self.records())

    async def test_retry_count_bounds_them(self) -> None:
        await self.usual_tables(retry_plan=AGAIN, retry_count=1)
        await self.sim(default=BUSY)
        await self.put_numbers(["1001"])
        self.start_dialer()
        self.assertEqual((await self.final(1))["1001"].try_number, 2)

    async def test_numbers_of_a_withdrawn_task_stay_and_are_called_when_it_is_back(self) -> None:
        await self.usual_tables(retry_plan=AGAIN)
        await self.sim(number={"1001": [BUSY, TALKS]})
        await self.put_numbers(["1001"])
        self.start_dialer()

        async def was_busy() -> bool:
            return bool(await self.records())

        await self.until("the first record", was_busy)
        await self.call("HDEL", keys.at(keys.TASK, keys.TEMPLATE), "t")
        await self.published(keys.TASK, "t")
        await self.put_task("other", number_queue="others")
        await self.published(keys.TASK, "other")
        await self.put_numbers(["2001"], "others")
        await self.final(1)
        await self.put_task(retry_plan=AGAIN)
        await self.published(keys.TASK, "t")
        self.assertIs((await self.final(2))["1001"].outcome, Outcome.ANSWERED)

    async def test_in_the_name_of_the_host_where_the_task_is_its_own(self) -> None:
        await self.usual_tables()
        await self.put_task("own", keys.at(keys.TASK, HOST), number_queue="own", retry_plan=LATER)
        await self.sim(default=BUSY)
        await self.put_numbers(["1001"], "own")
        self.start_dialer()
        await self.all_wait(1, Waiting(HOST, Kind.QUEUE, "own"))

    async def test_many_due_at_once_are_worked_off_and_others_keep_their_pace(self) -> None:
        many = [str(3000 + one) for one in range(300)]
        plan = [{"outcome": ["busy"], "after": 0.5}]
        await self.usual_tables(limit=50, retry_plan=plan)
        talks = {"result": "answer", "talk": 0.2}
        await self.sim(number={one: [BUSY, talks] for one in many}, default=talks)
        await self.put_numbers(many)
        self.start_dialer()

        async def all_were_busy() -> int:
            return len({one.number for one in await self.records()})

        await self.until_count("busy numbers", 300, all_were_busy)
        await self.put_task(limit=0, retry_plan=plan)
        await self.put_task("other", number_queue="others", limit=0)
        await self.published(keys.TASK)
        others = [str(7000 + one) for one in range(300)]
        await self.put_numbers(others, "others")
        await self.nothing_in_flight()
        before = await self.final(len([one for one in await self.records() if one.is_final]))
        usual = {"enable": True, "line_group": ["g"], "limit": 10, "destination_extension": "8888"}
        both = {
            name: {"params": {**usual, "number_queue": queue, "retry_plan": plan}}
            for name, queue in (("t", "q"), ("other", "others"))
        }
        await self.put(keys.at(keys.TASK, keys.TEMPLATE), both)
        await self.published(keys.TASK)
        final = await self.final(600)
        self.assertEqual({one.outcome for one in final.values()}, {Outcome.ANSWERED})
        self.assertEqual({final[one].try_number for one in many}, {2})
        # A task that may dial again finds its due numbers with the next look, a second later at
        # most.  Apart from that neither keeps the other from its share: they end side by side.
        after = [one for one in final.values() if one.number not in before]
        half = sorted(after, key=lambda one: one.ended_at)[: len(after) // 2]
        of_each = Counter(one.task for one in half)
        self.assertGreater(min(of_each["t"], of_each["other"]), len(half) // 20, of_each)
        self.assert_accounted_for(await self.records())

    async def test_it_is_told_while_it_happens_and_explained(self) -> None:
        await self.usual_tables(retry_plan=LATER)
        await self.sim(default=BUSY)
        await self.put_numbers(["1001"])
        dialer = self.start_dialer(replace(self.settings(), records=Records(events="events")))
        await self.all_wait(1)

        async def told() -> list[dict[str, Any]]:
            reply: Any = await self.call("XRANGE", "events", "-", "+")
            events = [json.loads(fields[1]) for _, fields in reply]
            return [one for one in events if one["event"] == "waiting"]

        async def one_is() -> int:
            return len(await told())

        await self.until_count("the event", 1, one_is)
        (event,), (record,) = await told(), await self.records()
        self.assertEqual((event["number"], event["id"], event["task"]), ("1001", record.id, "t"))
        self.assertEqual((event["reason"], event["due"]), ("retry", record.next_at))

        async def is_explained() -> bool:
            found = dialer.parts.explainer.explain("t", time.time())
            return found.reason is Reason.NUMBERS_WAIT

        await self.until("it is explained", is_explained)
        found = dialer.parts.explainer.explain("t", time.time())
        assert record.next_at is not None
        self.assertAlmostEqual(found.changes_at or 0.0, record.next_at, places=3)
        self.assertIn("for another try: 1", found.text)


class HoursTests(WaitingCase):
    async def test_who_sleeps_waits_and_is_called_when_his_hours_begin(self) -> None:
        now = datetime.now(UTC)
        begin = now + timedelta(seconds=3)
        hours = [{"begin": f"{begin:%H:%M:%S}", "end": f"{begin + timedelta(hours=2):%H:%M:%S}"}]
        await self.usual_tables(callee_hour=hours)
        await self.sim(default=TALKS)
        asleep = json.dumps({"params": {"number": "1001", "timezone": "UTC"}})
        awake = json.dumps({"params": {"number": "1002", "timezone": "Etc/GMT-1"}})
        await self.put_numbers([asleep, awake])
        self.start_dialer()
        final = await self.final(2)
        self.assertGreaterEqual(final["1001"].attempts[0].dialed_at, begin.timestamp() - 1)
        self.assertIs(final["1001"].outcome, Outcome.ANSWERED)

    async def test_ten_thousand_that_sleep_keep_nobody_from_being_called(self) -> None:
        away = datetime.now(UTC) + timedelta(hours=6)
        hours = [{"begin": f"{away:%H:%M}", "end": f"{away + timedelta(hours=2):%H:%M}"}]
        await self.usual_tables(limit=2, cps=5, callee_hour=hours, callee_timezone="UTC")
        await self.sim(default=TALKS)
        at_work = f"Etc/GMT-{6 if away.minute < 59 else 7}"
        last = json.dumps({"params": {"number": "1002", "timezone": at_work}})
        await self.put_numbers([*(str(100_000 + one) for one in range(10_000)), last])
        self.start_dialer()
        final = await self.final(1)
        self.assertEqual(list(final), ["1002"])
        await self.all_wait(10_000)
        self.assertEqual(await self.waiting(), {WaitReason.HOURS: 10_000})
        self.assertEqual(self.switch_log().numbers, ("1002",))


class DoNotCallTests(WaitingCase):
    async def test_before_the_first_call(self) -> None:
        await self.usual_tables(dnc=["out"], callee_region="CN")
        await self.sim(default=TALKS)
        await self.call("SADD", "out", "+8613800138000")
        await self.put_numbers(["13800138000", "13800138001"])
        self.start_dialer()
        final = await self.final(2)
        self.assertIs(final["13800138000"].outcome, Outcome.DNC)
        self.assertEqual(final["13800138000"].attempts, ())
        self.assertEqual(self.switch_log().numbers, ("13800138001",))

    async def test_written_while_it_rings_it_counts_before_the_redial(self) -> None:
        await self.usual_tables(dnc=["out"], retry_plan=AGAIN)
        await self.put_group(redialer_count=1, rest=10)
        await self.sim(number={"1001": [{**BUSY, "ring": 3600}, TALKS]})
        await self.put_numbers(["1001"])
        self.start_dialer()
        (ringing,) = await self.dialed(1)
        await self.call("SADD", "out", "1001")
        await self.order(f"uuid_kill {ringing.uuid_asked} USER_BUSY")
        record = (await self.final(1))["1001"]
        self.assertIs(record.outcome, Outcome.DNC)
        self.assertEqual(len(record.attempts), 1)
        self.assertEqual(self.switch_log().numbers, ("1001",))

    async def test_before_another_try(self) -> None:
        await self.usual_tables(dnc=["out"], retry_plan=LATER)
        await self.sim(default=BUSY)
        await self.put_numbers(["1001"])
        dialer = self.start_dialer()
        await self.all_wait(1)
        await dialer.stopService()
        await self.call("HSET", "out", "1001", json.dumps({"reason": "by letter"}))
        await self.its_time_comes()
        self.start_dialer()
        record = (await self.final(1))["1001"]
        self.assertIs(record.outcome, Outcome.DNC)
        self.assertEqual((record.try_number, record.attempts), (2, ()))
        self.assertIn("by letter", record.reason)

    async def test_who_opts_out_is_on_the_list_with_his_record(self) -> None:
        await self.usual_tables(dnc_add="out", callee_region="CN", retry_plan=AGAIN)
        await self.sim(default={**TALKS, "variables": {"cti_dnc": "true"}})
        await self.put_numbers(["13800138000"])
        self.start_dialer()
        await self.final(1)
        self.assertEqual(await self.call("SMEMBERS", "out"), [b"+8613800138000"])


class CapTests(WaitingCase):
    async def test_a_retry_waits_until_it_may(self) -> None:
        caps = [{"count": 1, "time": 2}]
        await self.usual_tables(callee_limit=caps, retry_plan=AGAIN)
        await self.sim(number={"1001": [BUSY, TALKS]})
        await self.put_numbers(["1001"])
        self.start_dialer()
        self.assertIs((await self.final(1))["1001"].outcome, Outcome.ANSWERED)
        first, second = await self.records()
        # The cap counts from when Redis permitted the first call: after it was taken.
        self.assertGreaterEqual(second.attempts[0].dialed_at, first.taken_at + 2)

    async def test_two_tasks_share_a_callee(self) -> None:
        caps = [{"count": 1, "time": 3600}]
        await self.usual_tables(callee_limit=caps)
        await self.put_task("u", number_queue="u", callee_limit=caps)
        await self.sim(default=TALKS)
        await self.put_numbers(["1001"])
        self.start_dialer()
        await self.final(1)
        await self.put_numbers(["1001"], "u")
        await self.all_wait(1, Waiting(keys.TEMPLATE, Kind.QUEUE, "u"))
        self.assertEqual(self.switch_log().numbers, ("1001",))

    async def test_and_do_not_where_each_counts_its_own(self) -> None:
        own: dict[str, Any] = {
            "callee_limit": [{"count": 1, "time": 3600}],
            "callee_limit_scope": "task",
        }
        await self.usual_tables(**own)
        await self.put_task("u", number_queue="u", **own)
        await self.sim(default=TALKS)
        await self.put_numbers(["1001"])
        await self.put_numbers(["1001"], "u")
        self.start_dialer()
        await self.records_of(2)
        self.assertEqual(self.switch_log().numbers, ("1001", "1001"))

    async def test_a_redial_over_the_cap_is_not_placed(self) -> None:
        await self.usual_tables(callee_limit=[{"count": 1, "time": 3600}])
        await self.put_group(redialer_count=3, rest=10)
        await self.sim(default=BUSY)
        await self.put_numbers(["1001"])
        self.start_dialer()
        record = (await self.final(1))["1001"]
        self.assertIs(record.outcome, Outcome.BUSY)
        self.assertEqual(len(record.attempts), 1)

    async def test_a_call_that_freeswitch_refuses_does_not_count(self) -> None:
        await self.usual_tables(callee_limit=[{"count": 1, "time": 3600}])
        await self.sim(number={"1001": [{"result": "refused"}, TALKS]})
        await self.put_numbers(["1001"])
        self.start_dialer()
        self.assertIs((await self.final(1))["1001"].outcome, Outcome.ANSWERED)


class ScheduledTests(ScheduleTestCase, WaitingCase):
    where = Waiting(HOST, Kind.SCHEDULE, "c")

    async def test_a_retry(self) -> None:
        await self.usual_schedule()
        await self.put_config(retry_plan=AGAIN)
        await self.sim(number={"1001": [BUSY, TALKS]})
        await self.plan(member("1001"))
        self.start_dialer()
        record = (await self.final(1))["1001"]
        self.assertEqual((record.outcome, record.try_number), (Outcome.ANSWERED, 2))
        self.assertEqual(await self.call("EXISTS", *self.where.names), 0)

    async def test_no_retry_after_it_expires(self) -> None:
        await self.usual_schedule()
        await self.put_config(retry_plan=LATER)
        await self.sim(default=BUSY)
        await self.plan(member("1001", expires=time.time() + 60))
        self.start_dialer()
        self.assertIs((await self.final(1))["1001"].outcome, Outcome.BUSY)

    async def test_a_retry_that_waits_counts_in_its_configuration(self) -> None:
        await self.usual_schedule()
        await self.put_config(retry_plan=LATER)
        await self.sim(default=BUSY)
        await self.plan(member("1001"), member("1002"))
        self.start_dialer()
        await self.all_wait(2, self.where)
        self.assertEqual(await self.waiting(self.where), {WaitReason.RETRY: 2})


class DrainTests(WaitingCase):
    async def test_what_was_claimed_and_not_called_waits_on_when_the_daemon_stops(self) -> None:
        await self.usual_tables(limit=1, retry_plan=LATER)
        await self.sim(number={"1001": [BUSY, TALKS], "1002": [LONG]}, default=TALKS)
        await self.put_numbers(["1001"])
        dialer = self.start_dialer()
        await self.all_wait(1)
        await dialer.stopService()
        await self.nothing_in_flight()
        self.assertEqual(await self.waiting(), {WaitReason.RETRY: 1})
        await self.its_time_comes()
        self.start_dialer()
        self.assertIs((await self.final(1))["1001"].outcome, Outcome.ANSWERED)
