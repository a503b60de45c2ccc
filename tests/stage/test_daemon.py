"""The real daemon in a process of its own: how it ends, and that there is one for each host."""

from __future__ import annotations

import signal
from functools import partial

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from ctidialer.stage.daemon import DaemonProcess
from tests.dialer.queue_case import NUMBERS, QueueCase
from tests.dialer.switch_case import LONG
from tests.support.node import HOST, outcomes

DRAINED = (0, 143, -15)
"""Exit statuses after a SIGTERM (docs/faults.rst: 0 or 143)."""


class DrainTests(QueueCase):
    """SIGTERM: no new call, those that are up are followed to their end."""

    async def begin(self, node: str = "") -> DaemonProcess:
        """Start a daemon whose five calls do not end by themselves."""
        await self.usual_tables(limit=5)
        await self.sim(default=LONG)
        await self.put_numbers(NUMBERS[:20])
        daemon = self.start_daemon(node=f"lease = 1\n{node}")
        await self.dialed(5)

        async def are_up() -> bool:
            return "5 total" in await self.order("show channels count")

        await self.until("five calls up", are_up)
        return daemon

    async def test_calls_are_followed_to_their_end(self) -> None:
        daemon = await self.begin()
        stopping = daemon.stop()
        await self.says(daemon, "No new call is placed")
        await self.hang_up()
        self.assertIn(await stopping, DRAINED, daemon.last_words())
        records = await self.records_of(5)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 5})
        self.assert_accounted_for(records)
        self.assertEqual(await self.queue(), [number.encode() for number in NUMBERS[5:20]])
        self.assertEqual(await self.call("HLEN", keys.in_flight(HOST)), 0)
        self.assertEqual(await self.call("EXISTS", keys.lease(HOST)), 0)

    async def test_what_is_left_after_the_time_is_taken_up_by_the_next(self) -> None:
        daemon = await self.begin(node="drain_timeout = 0.2")
        self.assertIn(await daemon.stop(), DRAINED, daemon.last_words())
        await self.assert_the_next_goes_on()

    async def test_a_second_signal_ends_it_at_once_and_loses_nothing(self) -> None:
        daemon = await self.begin()
        stopping = daemon.stop()
        await self.says(daemon, "No new call is placed")
        self.assertNoResult(stopping)
        self.assertEqual(await daemon.stop(), 128 + signal.SIGTERM)
        self.assertEqual(await self.records(), ())
        await self.assert_the_next_goes_on()

    async def test_it_is_killed(self) -> None:
        daemon = await self.begin()
        self.assertEqual(await daemon.kill(), -9)
        await self.assert_the_next_goes_on()

    async def says(self, daemon: DaemonProcess, words: str) -> None:
        async def has_said() -> bool:
            return words in daemon.log_path.read_text("utf-8")

        await self.until(f"the daemon says {words!r}", has_said)

    async def assert_the_next_goes_on(self) -> None:
        """A daemon that comes after follows the five calls, dials what is left, no number twice.

        One that was ended at once left its lease behind, which lapses by itself.
        """
        self.assertEqual(await self.call("HLEN", keys.in_flight(HOST)), 5)
        await self.sim(default={"result": "answer", "talk": 0.02})

        async def lease_is_gone() -> bool:
            return await self.call("EXISTS", keys.lease(HOST)) == 0

        await self.until("the lease has lapsed", lease_is_gone)
        await self.says(self.start_daemon("next"), "and 5 are followed")
        await self.hang_up()
        records = await self.records_of(20)
        self.assertEqual(sorted(record.number or "" for record in records), NUMBERS[:20])
        self.assertEqual(sorted(self.switch_log().numbers), NUMBERS[:20])
        self.assert_accounted_for(records)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 20})


class OneDaemonTests(QueueCase):
    """Two daemons that claim one host name: the second refuses to start."""

    async def test_the_second_one_ends_and_names_the_first(self) -> None:
        await self.usual_tables()
        first = self.start_daemon("first")
        await self.put_numbers(NUMBERS[:2])
        await self.records_of(2)
        second = self.start_daemon("second")
        self.assertEqual(await second.ended(), 1)
        words = second.last_words()
        assert first.transport is not None
        self.assertIn(str(first.transport.pid), words)
        self.assertIn("ctidialer stops: another daemon works under the host name 'fs1'", words)
        self.assertNotIn("Traceback", words)
        self.assertTrue(first.running)
        await self.put_numbers(NUMBERS[2:4])
        self.assert_accounted_for(await self.records_of(4))
        self.assertIn(await first.stop(), DRAINED)
        third = self.start_daemon("third")
        await self.put_numbers(NUMBERS[4:6])
        self.assert_accounted_for(await self.records_of(6))
        self.assertIn(await third.stop(), DRAINED)

    async def test_another_host_beside_it(self) -> None:
        await self.usual_tables(limit=3)
        await self.sim(default=LONG)
        await self.put_numbers(NUMBERS[:60])
        self.start_daemon("first")
        self.start_daemon("second", host="fs2")
        for host in (HOST, "fs2"):
            await self.until_count(f"numbers of {host}", 3, partial(self.in_flight, host))
        await self.dialed(6)
        await self.sim(default={"result": "answer", "talk": 0.05})
        await self.hang_up()

        async def recorded() -> int:
            return len(await self.records() + await self.records("fs2"))

        await self.until_count("records of both hosts", 60, recorded)
        mine, theirs = await self.records(), await self.records("fs2")
        self.assert_accounted_for(mine + theirs)
        self.assertEqual(len(mine + theirs), 60)
        self.assertGreaterEqual(len(mine), 3)
        self.assertGreaterEqual(len(theirs), 3)

    async def in_flight(self, host: str) -> int:
        return await self.back_end.length("HLEN", keys.in_flight(host))
