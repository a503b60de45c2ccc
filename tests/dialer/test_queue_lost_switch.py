"""FreeSWITCH away, before and during calls (docs/faults.rst): nothing lost, nobody called twice."""

from __future__ import annotations

from ctidialer.contract.record import Outcome, Record
from ctidialer.dialer.readiness import Condition
from ctidialer.dialer.service import DialerService
from tests.dialer.line_case import logged
from tests.dialer.queue_case import NUMBERS, QueueCase
from tests.dialer.switch_case import LONG
from tests.support.node import outcomes


class LostSwitchCase(QueueCase):
    def assert_each_called_once(self, records: tuple[Record, ...], numbers: list[str]) -> None:
        """Check that every number has its record, and that none was dialed twice."""
        self.assertEqual(sorted(record.number or "" for record in records), sorted(numbers))
        dialed = self.switch_log().numbers
        self.assertEqual(len(dialed), len(set(dialed)), "a number was dialed twice")

    async def until_away(self, dialer: DialerService) -> None:
        """Wait until the daemon has all that it needs but FreeSWITCH."""

        async def only_that() -> bool:
            missing = {Condition.FREESWITCH, Condition.RECOVERY}
            return set(dialer.parts.readiness.missing) == missing

        await self.until("everything but FreeSWITCH is there", only_that)

    async def answered(self, dialer: DialerService, count: int) -> None:
        """Wait until the daemon knows of so many answers."""

        async def are_known() -> bool:
            return sum(attempt.was_answered for attempt in dialer.parts.calls) == count

        await self.until(f"{count} calls answered", are_known)


class DroppedConnectionsTests(LostSwitchCase):
    """The Event Socket is cut; FreeSWITCH and its calls go on."""

    async def test_calls_that_are_up_go_on_and_are_recorded(self) -> None:
        await self.usual_tables()
        await self.sim(default=LONG)
        await self.put_numbers(NUMBERS[:14])
        there = logged(self, "FreeSWITCH is there")
        dialer = self.start_dialer()
        await self.dialed(10)
        await self.order("sim drop others")

        async def is_back() -> bool:
            is_again = " again " in there[-1] if there else False
            return is_again and dialer.parts.readiness.gate.is_open

        await self.until("the daemon is connected again", is_back)
        await self.sim(default={"result": "answer", "talk": 0.1})
        await self.hang_up()
        records = await self.records_of(14)
        self.assert_each_called_once(records, NUMBERS[:14])
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 14})
        self.assertEqual(self.most_at_once(), 10)
        await self.nothing_in_flight()

    async def test_calls_that_end_while_nobody_listens(self) -> None:
        await self.usual_tables()
        await self.sim(default=LONG, number={NUMBERS[1]: {"result": "busy", "ring": 3600}})
        await self.put_numbers(NUMBERS[:3])
        dialer = self.start_dialer()
        calls = await self.dialed(3)
        await self.answered(dialer, 2)
        await self.sim(refuse=3)
        await self.order("sim drop others")
        await self.until_away(dialer)
        for call in calls:
            await self.order(f"uuid_kill {call.uuid_asked} USER_BUSY")
        records = await self.records_of(3)
        self.assert_each_called_once(records, NUMBERS[:3])
        by_number = {record.number: record.outcome for record in records}
        self.assertIs(by_number[NUMBERS[0]], Outcome.ANSWERED)
        # How it ended was never heard; it must not be dialed again all the same.
        self.assertIs(by_number[NUMBERS[1]], Outcome.UNKNOWN)
        await self.nothing_in_flight()

    async def test_one_drop_after_the_other_under_load(self) -> None:
        await self.usual_tables(limit=20)
        await self.sim(default={"result": "answer", "ring": [0, 0.1], "talk": [0.01, 0.3]})
        await self.put_numbers(NUMBERS)
        self.start_dialer()
        for drops, how in enumerate(("fin", "rst", "fin", "rst", "fin"), 1):
            await self.dialed(drops * 25)
            await self.order(f"sim drop {how} others")
        records = await self.records_of(len(NUMBERS))
        self.assert_each_called_once(records, NUMBERS)
        self.assertLessEqual(set(outcomes(records)), {Outcome.ANSWERED, Outcome.UNKNOWN})
        self.assertLessEqual(self.most_at_once(), 20)
        await self.nothing_in_flight()


class AwayTests(LostSwitchCase):
    """While FreeSWITCH is away nothing is taken; dialing resumes by itself."""

    async def test_nothing_is_taken_and_dialing_resumes(self) -> None:
        await self.usual_tables()
        await self.put_numbers(NUMBERS[:5])
        port = self.switch.port
        await self.switch.kill()
        dialer = self.start_dialer()
        await self.until_away(dialer)
        # Every look at the tasks would be a claim: they are looked at on the daemon's own clock.
        for _ in range(20):
            dialer.parts.queue_dialer.tick()
        await self.nothing_in_flight()
        self.assertEqual(await self.queue(), [number.encode() for number in NUMBERS[:5]])
        self.switch = await self.start_switch(listen=f"127.0.0.1:{port}")
        records = await self.records_of(5)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 5})
        self.assert_accounted_for(records)

    async def test_freeswitch_is_killed_with_calls_up(self) -> None:
        """Calls that were answered are answered; of the others nothing can be learnt."""
        await self.usual_tables(limit=6)
        await self.sim(
            default={"result": "answer", "talk": 30},
            number={number: {"result": "no_answer"} for number in NUMBERS[:3]},
        )
        await self.put_numbers(NUMBERS[:10])
        dialer = self.start_dialer()
        await self.dialed(6)
        await self.answered(dialer, 3)
        port = self.switch.port
        await self.switch.kill()
        self._socket = None
        await self.until_away(dialer)
        self.assertEqual(len(await self.queue()), 4)
        self.switch = await self.start_switch(listen=f"127.0.0.1:{port}")
        records = await self.records_of(10)
        self.assert_each_called_once(records, NUMBERS[:10])
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 7, Outcome.UNKNOWN: 3})
        unknown = {record.number for record in records if record.outcome is Outcome.UNKNOWN}
        self.assertEqual(unknown, set(NUMBERS[:3]))

    async def test_a_refused_address_ends_nothing_and_takes_nothing(self) -> None:
        await self.usual_tables()
        await self.put_numbers(NUMBERS[:2])
        port = self.switch.port
        await self.switch.kill()
        self.switch = await self.start_switch(listen=f"127.0.0.1:{port}", refuse_address=True)
        dialer = self.start_dialer()
        await self.until_away(dialer)

        async def is_said() -> bool:
            return "denied" in (dialer.parts.switch.trouble or "").lower()

        await self.until("the reason is said", is_said)
        dialer.parts.queue_dialer.tick()
        await self.nothing_in_flight()
        self.assertEqual(len(await self.queue()), 2)
        self.assertEqual(self.refusals, [])
