"""A callee whom no agent takes in time, on a real FreeSWITCH: he hears a message, and it counts."""

from __future__ import annotations

from ctidialer.contract.record import Outcome
from tests.freeswitch.standby import StandbyTestCase


class AbandonedTests(StandbyTestCase):
    """One agent, two callees at once."""

    async def test_he_hears_the_message_and_is_connected_to_nobody_later(self) -> None:
        await self.go_to_work("2001")
        await self.begin(2, dial_mode="batch")

        async def both_are_there() -> bool:
            return len(self.crowd.created) == 2 and bool(self.crowd.bridged)

        await self.until("one talks, one waits", both_are_there)
        (talks,) = [uuid for uuid in self.crowd.created if uuid in self.crowd.bridged]
        (waits,) = [uuid for uuid in self.crowd.created if uuid not in self.crowd.bridged]
        await self.runs(waits, "play_and_get_digits")
        await self.ask(f"uuid_kill {talks}")  # now the agent is free, or in wrap-up
        await self.ask(f"uuid_recv_dtmf {waits} 9")
        records = {one.attempts[0].uuid: one for one in await self.real_records(2)}
        left, served = records[waits], records[talks]
        self.assertTrue(left.abandoned)
        self.assertIs(left.outcome, Outcome.ANSWERED)
        self.assertEqual(left.variables, {"opt_out_key": "9"})
        self.assertEqual((left.agent, left.attempts[0].bridged_at), (None, None))
        self.assertNotIn(waits, self.crowd.bridged)
        self.assertEqual((served.agent, served.abandoned), ("2001@default", False))
        assert left.attempts[0].bill_seconds is not None
        self.assertGreater(left.attempts[0].bill_seconds, 2.0)
        await self.assert_unharmed()

    async def test_the_agent_is_at_work_until_he_hangs_up(self) -> None:
        own = await self.go_to_work("2001")
        await self.begin(2)

        async def talks() -> bool:
            return bool(self.crowd.bridged)

        await self.until("the first callee is connected", talks)
        await self.ask(f"uuid_kill {self.crowd.created[0]}")
        self.assertEqual((await self.ask(f"uuid_exists {own}")).strip(), "true")
        await self.has_status("2001", "Available")

        async def second() -> bool:
            return len(self.crowd.bridged.intersection(self.crowd.created)) == 2

        await self.until("after his wrap-up he has the second", second)
        await self.ask(f"uuid_kill {own}")
        await self.has_status("2001", "Logged Out")
        for record in await self.real_records(2):
            self.assertEqual((record.agent, record.abandoned), ("2001@default", False))
