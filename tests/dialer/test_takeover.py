"""One daemon a host name, whatever stands still meanwhile (docs/faults.rst)."""

from __future__ import annotations

import signal
from typing import Any

from ctidialer.contract.record import Outcome
from ctidialer.store.scripts import NOTE
from tests.dialer.life.fault_case import FaultCase

REFUSED = 1
NUMBERS = [str(1000 + index) for index in range(20)]
LONG_TALK: dict[str, Any] = {"default": {"result": "answer", "talk": 0.5}}


class TakeoverTests(FaultCase):
    """The first daemon is stopped (SIGSTOP), a second one takes over, the first one wakes up."""

    script = LONG_TALK

    async def test_the_one_that_wakes_up_ends_and_names_the_other(self) -> None:
        await self.usual_tables(limit=4)
        await self.put_numbers(NUMBERS)
        first = self.launch()
        await self.dialed(4)
        first.send("STOP")
        second = self.launch(name="second")
        await self.holds(second)
        await self.dialed(6)
        first.send("CONT")
        self.assertEqual(await first.ended(), REFUSED)
        self.assertIn(f"pid {second.pid} on ", first.last_words())
        records = await self.records_of(len(NUMBERS))
        self.assert_one_record_each(records, NUMBERS)
        await self.nothing_in_flight()

    async def test_it_dials_nothing_although_it_was_told_that_its_call_is_noted(self) -> None:
        # The answer to the note lies in its socket while it stands still: it is the last word
        # before the originate, and by now it is no longer true.
        await self.usual_tables()
        await self.put_numbers(["1001"])
        first = self.launch()
        await self.records_of(1)
        self.redis_proxy.hold_answer_to(NOTE.digest.encode())
        await self.put_numbers(["1002"])
        uuid = await self.noted("1002")
        first.send("STOP")
        self.redis_proxy.release()
        second = self.launch(name="second")
        records = await self.records_of(2)
        self.assertEqual(records[1].outcome, Outcome.UNKNOWN)
        self.assertEqual([attempt.uuid for attempt in records[1].attempts], [uuid])
        first.send("CONT")
        self.assertEqual(await first.ended(), REFUSED)
        self.assertEqual(self.switch_log().numbers, ("1001",))
        self.assertTrue(second.running)

    async def test_what_another_one_left_behind_is_taken_up(self) -> None:
        # While the first one stands still another one comes, takes numbers, and is killed.
        await self.usual_tables(limit=2)
        first = self.launch()
        await self.holds(first)
        first.send("STOP")
        second = self.launch("claimed", name="second")
        await self.put_numbers(NUMBERS)
        self.assertEqual(await second.ended(), -signal.SIGKILL)
        self.assertEqual(len(await self.in_flight()), 2)

        async def name_is_free() -> bool:
            return await self.holder() is None

        await self.until("the second one's lease lapses", name_is_free)
        first.send("CONT")
        records = await self.records_of(len(NUMBERS))
        self.assert_one_record_each(records, NUMBERS)
        self.assertEqual({record.outcome for record in records}, {Outcome.ANSWERED})
        await self.nothing_in_flight()
        self.assertTrue(first.running)

    async def test_a_daemon_that_stood_still_while_nobody_came_goes_on(self) -> None:
        await self.usual_tables(limit=4)
        await self.put_numbers(NUMBERS)
        daemon = self.launch()
        await self.dialed(4)
        daemon.send("STOP")

        async def name_is_free() -> bool:
            return await self.holder() is None

        await self.until("the lease lapses", name_is_free)
        daemon.send("CONT")
        records = await self.records_of(len(NUMBERS))
        self.assert_one_record_each(records, NUMBERS)
        self.assertEqual({record.outcome for record in records}, {Outcome.ANSWERED})
        self.assertTrue(daemon.running)
