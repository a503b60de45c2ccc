"""The ways in which a call can end, and in which FreeSWITCH can fail to say so."""

from __future__ import annotations

from typing import Any

from ctidialer.contract.record import Outcome, Record
from ctidialer.rules import backpressure
from tests.dialer.queue_case import NUMBERS, QueueCase
from tests.support.node import outcomes

ORDERS = ("before", "first", "middle", "last")
"""Where the job's result stands among the events of the hang-up."""


class EndsCase(QueueCase):
    async def dial(self, *behaviours: dict[str, Any], **node: Any) -> list[Record]:
        """Dial one number for each behaviour; return their records in that order."""
        await self.usual_tables(limit=100)
        await self.put_group(redialer_count=0)
        numbers = NUMBERS[: len(behaviours)]
        await self.sim(number=dict(zip(numbers, behaviours, strict=True)))
        await self.put_numbers(numbers)
        self.start_dialer(self.settings(**node))
        records = await self.records_of(len(numbers))
        self.assert_accounted_for(records)
        self.assertEqual(self.switch_log().numbers, tuple(numbers))
        return sorted(records, key=lambda record: record.number or "")


class EndsTests(EndsCase):
    """Whatever comes in whatever order, each call has its right outcome."""

    async def test_answered_and_gone_at_once(self) -> None:
        """CHANNEL_ANSWER decides, although the job says -ERR."""
        records = await self.dial(*({"talk": 0, "job": order} for order in ORDERS))
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: len(ORDERS)})
        for record in records:
            self.assertIsNotNone(record.attempts[0].answered_at)

    async def test_busy_in_every_order(self) -> None:
        records = await self.dial(
            *({"result": "busy", "job": order} for order in ORDERS),
            *({"result": "busy", "job": order, "create_last": True} for order in ORDERS),
        )
        self.assertEqual(outcomes(records), {Outcome.BUSY: 2 * len(ORDERS)})
        self.assertEqual({record.attempts[0].sip_code for record in records}, {486})

    async def test_early_media_is_no_answer(self) -> None:
        early = {"progress": "early", "ring": 0.2}
        records = await self.dial(
            {"result": "busy", **early},
            {"result": "sip", "status": 404, **early},
            {"result": "answer", "talk": 0.05, **early},
        )
        got = [record.outcome for record in records]
        self.assertEqual(got, [Outcome.BUSY, Outcome.UNALLOCATED, Outcome.ANSWERED])
        self.assertTrue(all(record.attempts[0].progress_at for record in records))

    async def test_early_media_that_counts_as_success_is_no_answer_either(self) -> None:
        """Without ignore_early_media the job says +OK at the 183."""
        await self.put_line(variables={"ignore_early_media": "false"})
        await self.put_group()
        await self.put_task()
        await self.sim(default={"result": "busy", "progress": "early", "ring": 0.3})
        await self.put_numbers(NUMBERS[:1])
        self.start_dialer()
        (record,) = await self.records_of(1)
        self.assertIs(record.outcome, Outcome.BUSY)
        self.assertIsNone(record.attempts[0].answered_at)

    async def test_no_answer_in_time(self) -> None:
        (record,) = await self.dial({"result": "no_answer"}, originate_timeout=1)
        self.assertIs(record.outcome, Outcome.NO_ANSWER)
        self.assertEqual(record.attempts[0].hangup_cause, "NO_ANSWER")

    async def test_ends_without_an_event_of_a_channel(self) -> None:
        causes = {
            "USER_BUSY": {"result": "error", "cause": "USER_BUSY"},
            "NORMAL_TEMPORARY_FAILURE": {"result": "unreachable"},
        }
        records = await self.dial(*causes.values())
        self.assertEqual([record.attempts[0].hangup_cause for record in records], [*causes])
        self.assertEqual(outcomes(records), {Outcome.FAILED: 1, Outcome.BUSY: 1})


class LostEventsTests(EndsCase):
    """What FreeSWITCH does not report is asked for, every ``call_check_interval`` seconds."""

    async def test_jobs_lost(self) -> None:
        lost = {"lose": "BACKGROUND_JOB"}
        records = await self.dial(
            {"result": "busy", **lost},
            {"result": "answer", "talk": 0.05, **lost},
            {"result": "answer", "talk": 0, **lost},
        )
        self.assertEqual(outcomes(records), {Outcome.BUSY: 1, Outcome.ANSWERED: 2})

    async def test_answers_lost(self) -> None:
        (record,) = await self.dial({"result": "answer", "lose": "CHANNEL_ANSWER"})
        self.assertIs(record.outcome, Outcome.ANSWERED)
        self.assertIsNotNone(record.attempts[0].answered_at)

    async def test_hang_ups_lost(self) -> None:
        records = await self.dial(
            {"result": "answer", "talk": 0.1, "lose": "hangup"},
            {"result": "busy", "lose": "hangup"},
            {"result": "busy", "lose": ["hangup", "BACKGROUND_JOB"]},
            call_check_interval=0.2,
        )
        got = [record.outcome for record in records]
        self.assertEqual(got, [Outcome.ANSWERED, Outcome.BUSY, Outcome.UNKNOWN])
        self.assertNotEqual(records[2].reason, "")
        await self.nothing_in_flight()

    async def test_a_long_call_is_not_given_up(self) -> None:
        (record,) = await self.dial(
            {"result": "answer", "ring": 0.8, "talk": 2.5}, call_check_interval=0.2
        )
        (attempt,) = record.attempts
        assert attempt.answered_at
        assert attempt.ended_at
        self.assertGreater(attempt.ended_at - attempt.answered_at, 1.5)


class RefusalTests(QueueCase):
    """FreeSWITCH's refusals under load are no verdict: the number goes back and is dialed later."""

    async def begin(self, numbers: list[str], **params: Any) -> None:
        await self.put_line(fault_threshold=1, fault_try_interval=60_000)
        await self.put_group()
        await self.put_task(**params)
        await self.put_numbers(numbers)
        self.start_dialer()

    async def test_a_refused_number_is_dialed_later_and_keeps_its_place(self) -> None:
        await self.sim(number={NUMBERS[0]: [{"result": "refused"}, {"result": "answer"}]})
        await self.begin(NUMBERS[:3], limit=1)
        records = await self.records_of(3)
        self.assertEqual([record.number for record in records], NUMBERS[:3])
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 3})
        self.assertEqual([len(record.attempts) for record in records], [1, 1, 1])
        self.assertEqual(self.numbers_dialed(), [NUMBERS[0], *NUMBERS[:3]])

    async def test_refused_five_times_while_others_are_not_it_is_failed(self) -> None:
        self.patch(backpressure, "MAX_PAUSE", 0.05)  # else the pauses alone take fifteen seconds
        answers = {"result": "answer", "talk": 0.2}  # so that there are others until the end
        await self.sim(number={NUMBERS[0]: {"result": "refused"}}, default=answers)
        await self.begin(NUMBERS[:40], limit=2)
        records = {record.number: record for record in await self.records_of(40)}
        failed = records.pop(NUMBERS[0])
        self.assertIs(failed.outcome, Outcome.FAILED)
        self.assertIn("refuses", failed.reason)
        self.assertEqual(outcomes(records.values()), {Outcome.ANSWERED: 39})
        self.assertEqual(self.numbers_dialed().count(NUMBERS[0]), 5)

    async def test_refused_for_long_it_is_still_there(self) -> None:
        self.patch(backpressure, "MAX_PAUSE", 0.05)
        await self.order("fsctl pause")
        await self.begin(NUMBERS[:1], limit=1)
        await self.dialed(12)
        await self.order("fsctl resume")
        (record,) = await self.records_of(1)
        self.assertIs(record.outcome, Outcome.ANSWERED)

    async def test_a_pause_of_freeswitch(self) -> None:
        await self.order("fsctl pause")
        await self.begin(NUMBERS[:10], limit=20)
        await self.dialed(1)
        await self.order("fsctl resume")
        records = await self.records_of(10)
        self.assertEqual(sorted(record.number or "" for record in records), NUMBERS[:10])
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 10})
        await self.nothing_in_flight()

    async def test_more_calls_than_freeswitch_takes(self) -> None:
        await self.sim(max_sessions=3, default={"result": "answer", "talk": 0.05})
        await self.begin(NUMBERS[:12], limit=5)
        records = await self.records_of(12)
        self.assertEqual(sorted(record.number or "" for record in records), NUMBERS[:12])
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 12})
