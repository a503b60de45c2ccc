"""What became of a call: bridge, agent, variables and rules, through the whole daemon."""

from __future__ import annotations

from msgspec.structs import replace

from ctidialer.contract.record import Outcome
from ctidialer.settings import Records
from tests.dialer.queue_case import NUMBERS, QueueCase


class AfterCallTests(QueueCase):
    async def test_who_talked_and_for_how_long(self) -> None:
        queue = {"cc_agent": "1001@default", "da2_result": "ring", "billsec": "7"}
        await self.sim(default={"result": "answer", "talk": 0.4, "bridge": 0.1, "variables": queue})
        await self.usual_tables(record_variables=["da2_result", "number:billsec"])
        await self.put_numbers(NUMBERS[:1])
        self.start_dialer()
        (record,) = await self.records_of(1)
        (attempt,) = record.attempts
        self.assertEqual(record.agent, "1001@default")
        self.assertEqual(record.variables, {"da2_result": "ring", "billsec": 7.0})
        assert attempt.bridged_at
        assert attempt.answered_at
        assert attempt.ended_at
        self.assertTrue(attempt.answered_at < attempt.bridged_at < attempt.ended_at)

    async def test_a_machine_is_no_person(self) -> None:
        await self.sim(default={"result": "answer", "variables": {"amd_result": "MACHINE"}})
        rule = {"variable": "amd_result", "value": "machine", "outcome": "machine"}
        await self.usual_tables(outcome_rule=[rule])
        await self.put_numbers(NUMBERS[:1])
        dialer = self.start_dialer()
        (record,) = await self.records_of(1)
        self.assertIs(record.outcome, Outcome.MACHINE)
        self.assertIsNotNone(record.attempts[0].answered_at)
        self.assertIsNone(record.attempts[0].bridged_at)
        self.assertEqual(dict(dialer.parts.closing.outcomes), {Outcome.MACHINE: 1})

    async def test_variables_that_all_records_carry(self) -> None:
        await self.usual_tables()
        await self.put_numbers(['{"params": {"number": "1001"}, "variables": {"customer": "42"}}'])
        settings = replace(self.settings(), records=Records(variables=("id:customer", "none")))
        self.start_dialer(settings)
        (record,) = await self.records_of(1)
        self.assertEqual(record.variables, {"id": "42"})
