"""Numbers that are called at a time (docs/redis-contract.rst)."""

from __future__ import annotations

import json
from time import time

from ctidialer.contract.record import Kind, Outcome
from tests.dialer.line_case import ways
from tests.dialer.schedule_case import ScheduleTestCase, member, so
from tests.support.node import outcomes


class DueTests(ScheduleTestCase):
    """A member is called when its time has come, not before, and once."""

    async def test_called_at_its_time(self) -> None:
        await self.usual_schedule()
        self.start()
        due = time() + 1.5
        await self.plan(member("1001"), at=due)
        await self.plan(member("1002"), at=due + 3600)
        (record,) = await self.records_of(1)
        (call,) = self.switch_log().originates
        self.assertEqual(call.number, "1001")
        self.assertGreaterEqual(call.time, due)
        self.assertIs(record.outcome, Outcome.ANSWERED)
        self.assertEqual(list(await self.planned()), [member("1002")])
        self.assert_accounted_for([record])
        await self.nothing_in_flight()

    async def test_the_record(self) -> None:
        await self.usual_schedule()
        await self.plan(member("+8613800138000", variables={"kind": "回访"}))
        self.start()
        await self.records_of(1)
        (document,) = await self.raw_records()
        self.assertEqual((document["kind"], document["config"]), ("schedule", "c"))
        self.assertIsNone(document.get("task"))
        self.assertEqual(document["number"], "+8613800138000")
        entry = member("+8613800138000", variables={"kind": "回访"})
        self.assertEqual(document["entry"].encode(), entry)
        self.assertEqual((document["line"], document["line_group"]), ("l", "g"))
        (call,) = self.switch_log().originates
        self.assertEqual((call.extension, call.dialplan, call.context), ("6/v3", "XML", "default"))
        self.assertEqual(call.variables["cti_task_name"], "c")
        self.assertEqual(call.variables["cti_dial_number"], "+8613800138000")

    async def test_the_earliest_first(self) -> None:
        await self.usual_schedule(count=1)
        await self.put_config("other", line_group=["g"])
        for index, number in enumerate(["1003", "1001", "1002"]):
            await self.plan(member(number), at=1_600_000_000 - index)
        # With a poll each second: who waits for the one line over a whole one is told of it.
        self.start_dialer()
        await self.records_of(3)
        self.assertEqual(self.switch_log().numbers, ("1002", "1001", "1003"))

    async def test_odd_scores(self) -> None:
        await self.usual_schedule()
        now = time()
        await self.plan(member("1001"), at=now - 0.25)
        await self.plan(member("1002"), at="-5")
        await self.plan(member("1003"), at="-inf")
        await self.plan(member("1004"), at="0")
        later = {
            member("2001"): "inf",
            member("2002"): "1e300",
            member("2003"): repr(now + 86_400.5),
            member("2004"): repr(now * 1000),  # milliseconds: the year 50,000
        }
        for one, score in later.items():
            await self.plan(one, at=score)
        self.start()
        records = await self.records_of(4)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 4})
        self.assertEqual(sorted(self.switch_log().numbers), ["1001", "1002", "1003", "1004"])
        self.assertEqual(await self.planned(), {one: float(at) for one, at in later.items()})

    async def test_the_same_member_twice_is_one_call(self) -> None:
        await self.usual_schedule()
        await self.plan(member("1001"), at=time() - 5)
        await self.plan(member("1001"), at=time() - 1)
        await self.plan(member("1001", variables={"second": "1"}))
        self.start()
        await self.records_of(2)
        self.assertEqual(self.switch_log().numbers, ("1001", "1001"))

    async def test_a_member_that_is_planned_anew_while_it_is_called(self) -> None:
        await self.sim(default={"result": "answer", "talk": 0.5})
        await self.usual_schedule()
        await self.plan(member("1001"))
        self.start()
        await self.dialed(1)
        await self.plan(member("1001"), at=time() + 0.3)
        records = await self.records_of(2)
        self.assert_accounted_for(records)
        self.assertEqual(await self.planned(), {})

    async def test_untouched_while_freeswitch_is_away(self) -> None:
        await self.usual_schedule()
        await self.usual_tables()
        port = self.switch.port
        dialer = self.start()
        await self.until("ready", lambda: so(dialer.parts.readiness.gate.is_open))
        await self.switch.kill()
        await self.until("FreeSWITCH is away", lambda: so(not dialer.parts.readiness.gate.is_open))
        due = time() - 7.25
        await self.plan(member("1001"), at=due)
        for _ in range(5):
            dialer.parts.schedule_dialer.tick()
            dialer.parts.queue_dialer.tick()
        self.assertEqual(await self.planned(), {member("1001"): due})
        self._socket = None
        self.switch = await self.start_switch(listen=f"127.0.0.1:{port}")
        (record,) = await self.records_of(1)
        self.assertIs(record.outcome, Outcome.ANSWERED)

    async def test_what_freeswitch_refuses_goes_back_with_its_time(self) -> None:
        await self.usual_schedule()
        await self.order("fsctl pause")
        await self.plan(member("1001"), at=1_600_000_000.5)
        dialer = self.start()
        await self.dialed(1)
        await self.nothing_in_flight()
        self.assertTrue(dialer.parts.limits.backpressure.pause)
        await self.order("fsctl resume")
        (record,) = await self.records_of(1)
        self.assertIs(record.outcome, Outcome.ANSWERED)

    async def test_what_is_in_hand_counts_for_the_node(self) -> None:
        await self.sim(default={"result": "answer", "talk": 0.5})
        await self.usual_schedule()
        await self.plan(*(member(str(number)) for number in range(1000, 1012)))
        self.start_dialer(self.quick(max_calls=4))
        records = await self.records_of(12)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 12})
        self.assertEqual(self.most_at_once(), 4)


class WayTests(ScheduleTestCase):
    """The way of a number is that of queue dialing."""

    async def test_who_wins_with_variables(self) -> None:
        await self.put_line(variables={"all": "line", "line_config": "line", "line_number": "line"})
        await self.put_group()
        await self.put_config(
            variables={
                "all": "config",
                "line_config": "config",
                "config_number": "config",
                "empty": "",
            }
        )
        names = ("all", "line_number", "config_number", "only_number", "empty")
        of_number = dict.fromkeys(names, "number")
        await self.plan(member("1001", variables=of_number))
        self.start()
        await self.records_of(1)
        (call,) = self.switch_log().originates
        expected = {
            "all": "line",
            "line_config": "line",
            "line_number": "line",
            "config_number": "config",
            "only_number": "number",
            "empty": "number",
        }
        self.assertEqual({name: call.variables[name] for name in expected}, expected)

    async def test_failover_and_redial(self) -> None:
        await self.put_lines("down", "good")
        await self.put_group("first", line=[["down"]], redialer_count=1)
        await self.put_group("second", line=[["good"]])
        await self.put_config(line_group=["first", "second"])
        await self.plan(member("1001"))
        self.start()
        (record,) = await self.records_of(1)
        self.assertEqual(ways(record), [("down", "first"), ("down", "first"), ("good", "second")])
        self.assertIs(record.outcome, Outcome.ANSWERED)
        self.assertIs(record.kind, Kind.SCHEDULE)
        self.assert_accounted_for([record])

    async def test_fallbacks_of_line_groups(self) -> None:
        await self.put_line("single")
        await self.put_config("line", line_group=["single"])
        await self.put_config("default", line_group=["carrier"])
        await self.plan(member("1001", "line"), member("1002", "default"))
        self.start()
        records = await self.records_of(2)
        self.assertEqual(
            {record.number: ways(record) for record in records},
            {"1001": [("single", "single")], "1002": [(None, "carrier")]},
        )

    async def test_the_requested_uuid(self) -> None:
        await self.usual_schedule()
        await self.plan(member("1001", variables={"origination_uuid": "crm-42"}))
        self.start()
        (record,) = await self.records_of(1)
        self.assertEqual((record.attempts[0].uuid, record.requested_uuid), ("crm-42", "crm-42"))


class NotCalledTests(ScheduleTestCase):
    """Members that end without a call: expired, invalid."""

    async def test_expired(self) -> None:
        await self.usual_schedule()
        now = time()
        await self.plan(
            member("1001", expires=now - 0.5),
            member("1002", expires=int(now) + 3600),
            member("1003", expires=0),
            member("1004", expires=None),
            member("1005", expires=str(int(now) - 100)),
        )
        self.start()
        records = {record.number: record for record in await self.records_of(5)}
        expired = {n for n, record in records.items() if record.outcome is Outcome.EXPIRED}
        self.assertEqual(expired, {"1001", "1005"})
        self.assertEqual(sorted(self.switch_log().numbers), ["1002", "1003", "1004"])
        self.assertEqual(records["1001"].attempts, ())
        self.assertNotEqual(records["1001"].reason, "")
        self.assertEqual(records["1001"].task, "c")

    async def test_what_is_not_called_keeps_its_number_and_its_join_key(self) -> None:
        await self.usual_schedule()
        key = {"origination_uuid": "crm-42"}
        await self.plan(
            member("1001", expires=1, variables=key),
            member("1002", config="unknown", expires=1, variables=key),
        )
        self.start()
        records = {record.number: record for record in await self.records_of(2)}
        self.assertEqual(outcomes(records.values()), {Outcome.EXPIRED: 2})
        self.assertEqual(records["1002"].task, "unknown")
        self.assertEqual([record.requested_uuid for record in records.values()], ["crm-42"] * 2)

    async def test_expired_beats_no_line(self) -> None:
        await self.usual_schedule(count=0)
        await self.plan(member("1001", expires=time() - 10))
        self.start()
        (record,) = await self.records_of(1)
        self.assertIs(record.outcome, Outcome.EXPIRED)

    async def test_invalid(self) -> None:
        await self.usual_schedule()
        bad = [
            json.dumps({"params": {"number": "1003"}}).encode(),
            json.dumps({"params": {"config": "c"}}).encode(),
            member("one"),
            member("1004", variables={"v": [1]}),
            member("1005", expires="tomorrow"),
            b"13800138000",
            b'"13800138000"',
            b"[]",
            b"[1]",
            b"null",
            b"{",
            b"",
            b"\xff\xfe{}",
            b'{"params": 7}',
            b'{"params": {"number": "1006", "config": "c"}} x',
        ]
        await self.plan(*bad, member("2000"))
        self.start()
        records = await self.records_of(len(bad) + 1)
        self.assertEqual(self.switch_log().numbers, ("2000",))
        self.assertEqual(
            sorted(record.entry for record in records if record.outcome is Outcome.INVALID),
            sorted(bad),
        )
        for record in records:
            self.assertIs(record.kind, Kind.SCHEDULE)
            self.assertTrue(record.reason or record.outcome is Outcome.ANSWERED)
        self.assertEqual(await self.planned(), {})

    async def test_invalid_members_need_no_line_and_no_configuration(self) -> None:
        await self.plan(b"nonsense", b"[]")
        self.start()
        records = await self.records_of(2)
        self.assertEqual(outcomes(records), {Outcome.INVALID: 2})

    async def test_a_faulty_configuration_is_waited_for_like_an_unknown_one(self) -> None:
        await self.put_config("broken", line_group={"no": "list"})
        faulty, unknown = member("1002", config="broken"), member("1001", config="unknown")
        at = time()
        await self.plan(faulty, unknown)
        self.start()

        async def are_written_back() -> bool:
            planned = await self.planned()
            return min(planned.get(faulty, 0.0), planned.get(unknown, 0.0)) > at + 50

        await self.until("both are written back", are_written_back)
        self.assertEqual(await self.records(), ())
