"""Campaigns through a real FreeSWITCH: every call that it sees is in the records, and no other."""

from __future__ import annotations

import json
from collections.abc import Iterable

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome, Record
from tests.freeswitch.real_switch import GATEWAY, NO_GATEWAY, RealSwitchTestCase
from tests.support.node import outcomes

NUMBERS = [f"138{index:08d}" for index in range(1000)]


class NullTests(RealSwitchTestCase):
    """The null endpoint answers at once; the answered call lasts as long as its destination."""

    def assert_seen(self, records: Iterable[Record]) -> None:
        """Check that the records name the channels that FreeSWITCH had, each once."""
        recorded = sorted(attempt.uuid for record in records for attempt in record.attempts)
        self.assertEqual(recorded, sorted(self.witness.created))

    async def test_a_campaign(self) -> None:
        await self.real_tables(limit=100, talk=50)
        await self.put_numbers(NUMBERS)
        self.start_dialer()
        records = await self.real_records(len(NUMBERS))
        self.assertEqual(sorted(record.number or "" for record in records), NUMBERS)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: len(NUMBERS)})
        self.assert_seen(records)
        await self.assert_unharmed()

    async def test_the_limit_is_kept(self) -> None:
        await self.real_tables(limit=7, talk=40)
        await self.put_numbers(NUMBERS[:60])
        self.start_dialer()
        await self.real_records(60)
        moments = []
        for event in self.witness.hangups.values():
            moments.append((int(event.get("Caller-Channel-Created-Time", "")), 1))
            moments.append((int(event.get("Caller-Channel-Hangup-Time", "")), -1))
        up = most = 0
        for _, step in sorted(moments):
            up += step
            most = max(most, up)
        self.assertEqual(most, 7)

    async def test_the_record_of_an_answered_call(self) -> None:
        await self.real_tables(talk=1000)
        await self.put_numbers(NUMBERS[:1])
        self.start_dialer()
        (record,) = await self.real_records(1)
        (attempt,) = record.attempts
        assert attempt.answered_at
        assert attempt.ended_at
        self.assertEqual(attempt.hangup_cause, "NORMAL_CLEARING")
        self.assertApproximates(attempt.ended_at - attempt.answered_at, 1.0, 0.3)
        self.assertTrue(record.taken_at <= attempt.dialed_at <= attempt.answered_at)

    async def test_calls_that_fail(self) -> None:
        causes = {
            "USER_BUSY": Outcome.BUSY,
            "NO_ANSWER": Outcome.NO_ANSWER,
            "CALL_REJECTED": Outcome.REJECTED,
            "UNALLOCATED_NUMBER": Outcome.UNALLOCATED,
            "NORMAL_TEMPORARY_FAILURE": Outcome.FAILED,
        }
        lines = {cause: {"dialstring": f"error/{cause}"} for cause in causes}
        for at, (cause, params) in enumerate(lines.items()):
            await self.put_line(cause, **params)
            await self.put_task(cause, line_group=[cause], number_queue=cause)
            await self.put_numbers([NUMBERS[at]], cause)
        self.start_dialer()
        records = await self.records_of(len(lines), self.host)
        got = {record.task: record for record in records}
        for cause in lines:
            self.assertIs(got[cause].outcome, causes[cause], cause)
            self.assertEqual(got[cause].attempts[0].hangup_cause, cause)

    async def test_a_callee_that_never_answers(self) -> None:
        await self.real_tables(line_variables={"null_enable_auto_answer": "false"})
        await self.put_numbers(NUMBERS[:1])
        self.start_dialer(self.settings(originate_timeout=2))
        (record,) = await self.records_of(1, self.host)
        self.assertIs(record.outcome, Outcome.NO_ANSWER)
        self.assertEqual(record.attempts[0].hangup_cause, "NO_ANSWER")

    async def test_a_requested_uuid_that_is_in_use(self) -> None:
        theirs = f"theirs-{self.host}"
        await self.socket.api(f"originate {{origination_uuid={theirs}}}null/1 &park()")
        entry = {"params": {"number": "1"}, "variables": {"origination_uuid": theirs}}
        free = {"params": {"number": "2"}, "variables": {"origination_uuid": f"own-{self.host}"}}
        await self.real_tables()
        await self.put_numbers([json.dumps(entry), json.dumps(free)])
        self.start_dialer()
        taken, own = sorted(await self.real_records(2), key=lambda record: record.number or "")
        self.assertEqual(await self.socket.api(f"uuid_exists {theirs}"), "true")
        await self.socket.api(f"uuid_kill {theirs}")
        self.assertEqual(taken.requested_uuid, theirs)
        self.assertNotEqual(taken.attempts[0].uuid, theirs)
        self.assertEqual(own.attempts[0].uuid, f"own-{self.host}")
        self.assertEqual(outcomes([taken, own]), {Outcome.ANSWERED: 2})

    async def test_a_pause(self) -> None:
        """Refusals are no verdict: the numbers are dialed when FreeSWITCH takes calls again."""
        await self.real_tables()
        self.addCleanup(self.socket.api, "fsctl resume")
        await self.socket.api("fsctl pause")
        await self.put_numbers(NUMBERS[:10])
        dialer = self.start_dialer()

        async def is_refused() -> bool:
            return dialer.parts.limits.backpressure.pause > 0

        await self.until("a call was refused", is_refused)

        async def is_known() -> bool:
            return dialer.parts.limits.is_paused

        await self.until("it is known to be paused", is_known)
        self.assertEqual(self.witness.created, [])
        await self.socket.api("fsctl resume")
        records = await self.real_records(10)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 10})
        self.assert_seen(records)

    async def test_calls_outlive_a_daemon_that_is_killed(self) -> None:
        await self.real_tables(limit=20, talk=3000)
        await self.put_numbers(NUMBERS[:20])
        first = self.start_daemon("first", self.host, node="lease = 1")

        async def all_up() -> bool:
            return len(self.witness.created) == 20 == await self.in_flight()

        await self.until("all calls are up", all_up)
        await first.kill()

        async def lease_is_gone() -> bool:
            return await self.call("EXISTS", keys.lease(self.host)) == 0

        await self.until("the lease has lapsed", lease_is_gone)
        self.start_daemon("second", self.host)
        records = await self.real_records(20)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 20})
        self.assert_seen(records)


class GatewayTests(RealSwitchTestCase):
    """SIP calls through a gateway whose far end gives the status that is asked for."""

    skip = NO_GATEWAY or None

    async def test_every_status_becomes_its_outcome(self) -> None:
        statuses = {
            404: Outcome.UNALLOCATED,
            408: Outcome.NO_ANSWER,
            410: Outcome.UNALLOCATED,
            480: Outcome.NO_ANSWER,
            484: Outcome.UNALLOCATED,
            486: Outcome.BUSY,
            487: Outcome.NO_ANSWER,
            403: Outcome.REJECTED,
            500: Outcome.FAILED,
            503: Outcome.FAILED,
            600: Outcome.BUSY,
            603: Outcome.REJECTED,
            604: Outcome.UNALLOCATED,
            607: Outcome.REJECTED,
        }
        await self.real_tables(dialstring=f"sofia/gateway/{GATEWAY}/${{destination_number}}")
        await self.put_numbers(f"{status}1234" for status in statuses)
        self.start_dialer()
        records = await self.real_records(len(statuses))
        got = {record.attempts[0].sip_code: record.outcome for record in records}
        self.assertEqual(got, statuses)

    async def test_answered_calls(self) -> None:
        await self.real_tables(
            limit=50, dialstring=f"sofia/gateway/{GATEWAY}/${{destination_number}}"
        )
        await self.put_numbers(f"5551{at:04d}" for at in range(200))
        self.start_dialer()
        records = await self.real_records(200)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 200})
        self.assertEqual(
            {record.attempts[0].hangup_cause for record in records}, {"NORMAL_CLEARING"}
        )
