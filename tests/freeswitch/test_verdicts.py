"""What FreeSWITCH, a gateway or a limit lacks is no verdict on a number, however long it lasts.

``CTIDIALER_TEST_OUTAGE`` (seconds, 5 unless it is set) is how long each of them lasts here, and
``CTIDIALER_TEST_FREESWITCH_DOWN_GATEWAY`` names a gateway that is down.
"""

from __future__ import annotations

import os

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import SkipTest

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from tests.freeswitch.real_switch import NULL, RealSwitchTestCase
from tests.support.node import outcomes

OUTAGE = float(os.environ.get("CTIDIALER_TEST_OUTAGE", "5"))
DOWN_GATEWAY = os.environ.get("CTIDIALER_TEST_FREESWITCH_DOWN_GATEWAY", "")
NUMBERS = [f"139{index:08d}" for index in range(500)]
LIMIT = 50
COUNT = "return redis.call('LLEN', KEYS[1]) + redis.call('HLEN', KEYS[2])"
"""KEYS: the queue, the numbers in flight."""


class NoVerdictTests(RealSwitchTestCase):
    """500 numbers each: none ends while it lasts, and afterwards each ends as it really did."""

    timeout = 180 + 2 * int(OUTAGE)

    async def begin(self, dialstring: str = NULL) -> None:
        """Start the daemon on 500 numbers."""
        await self.real_tables(limit=LIMIT, talk=20, dialstring=dialstring)
        await self.put_numbers(NUMBERS)
        self.start_dialer()

    async def nothing_ends(self) -> None:
        """Let the outage last; no number has ended, and none is lost."""
        await deferLater(reactor, OUTAGE)
        self.assertEqual(await self.call("XLEN", keys.records(self.host)), 0)
        self.assertEqual(self.witness.created, [])
        # In one step: refused numbers go back into the queue all the time.
        counted = await self.call("EVAL", COUNT, 2, "q", keys.in_flight(self.host))
        self.assertEqual(counted, len(NUMBERS))

    async def all_end_well(self) -> None:
        """Each number is called once, and answered."""
        records = await self.real_records(len(NUMBERS))
        self.assertEqual(sorted(record.number or "" for record in records), NUMBERS)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: len(NUMBERS)})
        self.assertEqual(len(self.witness.created), len(NUMBERS))
        await self.assert_unharmed()

    async def test_a_gateway_that_does_not_exist(self) -> None:
        await self.begin("sofia/gateway/no-such-gateway/${destination_number}")
        await self.nothing_ends()
        await self.put_line(dialstring=NULL, count=1000)
        await self.all_end_well()

    async def test_a_gateway_that_is_down(self) -> None:
        if not DOWN_GATEWAY:
            raise SkipTest("needs a gateway that is down: CTIDIALER_TEST_FREESWITCH_DOWN_GATEWAY")
        await self.begin(f"sofia/gateway/{DOWN_GATEWAY}/${{destination_number}}")
        await self.nothing_ends()
        await self.put_line(dialstring=NULL, count=1000)
        await self.all_end_well()

    async def test_a_pause(self) -> None:
        self.addCleanup(self.socket.api, "fsctl resume")
        await self.socket.api("fsctl pause")
        await self.begin()
        await self.nothing_ends()
        await self.socket.api("fsctl resume")
        await self.all_end_well()

    async def test_too_many_sessions(self) -> None:
        before = (await self.socket.api("fsctl max_sessions")).rpartition(" ")[2].strip()
        self.addCleanup(self.socket.api, f"fsctl max_sessions {before}")
        await self.socket.api("fsctl max_sessions 1")
        await self.socket.api("originate {cti_host=other}null/1 &park")
        self.addCleanup(self.socket.api, "hupall NORMAL_CLEARING cti_host other")
        await self.begin()
        await self.nothing_ends()
        await self.socket.api(f"fsctl max_sessions {before}")
        await self.all_end_well()
