"""One task's huge entries: each ends as invalid, and the others keep their pace."""

from __future__ import annotations

import re
from hashlib import sha256

from ctidialer.contract import keys
from ctidialer.contract.record import Outcome
from ctidialer.store.oversize import MAX_CLAIM_BYTES, MAX_KEPT_BYTES
from tests.dialer.switch_case import SwitchTestCase
from tests.support.node import HOST, outcomes

HUGE = b"\x01" * 5_000_000
UNREADABLE = b"\xff" * 300_000
COUNT = 20


class OversizeTests(SwitchTestCase):
    async def test_the_other_task_dials_on(self) -> None:
        await self.usual_tables()
        await self.put_task("bad", number_queue="bad")
        await self.put_numbers([HUGE, *[UNREADABLE] * COUNT, "1999"], "bad")
        await self.put_numbers([str(1000 + index) for index in range(50)])
        before = await self.sent()
        self.start_dialer()
        records = await self.records_of(COUNT + 52)
        self.assert_accounted_for(records)
        self.assertEqual(outcomes(records), {Outcome.ANSWERED: 51, Outcome.INVALID: COUNT + 1})
        invalid = [record for record in records if record.outcome is Outcome.INVALID]
        for record, entry in zip(invalid, [HUGE, *[UNREADABLE] * COUNT], strict=True):
            self.assertEqual(record.entry, entry[:MAX_KEPT_BYTES])
            self.assertEqual(record.entry_length, len(entry))
            self.assertEqual(record.entry_sha256, sha256(entry).hexdigest())
            self.assertIn("max_entry", record.reason)
        # Every byte was sent once, in slices, and nothing of it stays behind.
        read = len(HUGE) + COUNT * len(UNREADABLE)
        self.assertLess(await self.sent() - before, read + MAX_CLAIM_BYTES)
        left = await self.call("KEYS", f"{keys.in_flight(HOST)}*")
        assert isinstance(left, list)
        self.assertEqual([key for key in left if await self.call("GET", bytes_of(key))], [])

    async def test_after_a_daemon_was_killed(self) -> None:
        """Killed with long entries in flight: the next one takes them up."""
        await self.usual_tables()
        entries = [HUGE, *[UNREADABLE] * COUNT]
        await self.put_numbers(entries)
        daemon = self.start_daemon(node="lease = 1\n")

        async def is_at_it() -> bool:
            in_flight, ended = keys.in_flight(HOST), keys.records(HOST)
            return await self.call("HLEN", in_flight) != 0 or await self.call("XLEN", ended) != 0

        await self.until("it is at the long entries", is_at_it)
        await daemon.kill()
        self.start_dialer(self.settings(lease=1.0))
        records = await self.records_of(len(entries))
        self.assertEqual(outcomes(records), {Outcome.INVALID: len(entries)})
        self.assertEqual(
            sorted(record.entry_sha256 or "" for record in records),
            sorted(sha256(one).hexdigest() for one in entries),
        )

    async def sent(self) -> int:
        """Return the bytes that Redis has sent to anybody."""
        info = await self.call("INFO", "stats")
        assert isinstance(info, bytes)
        (found,) = re.findall(rb"total_net_output_bytes:(\d+)", info)
        return int(found)


def bytes_of(key: object) -> bytes:
    assert isinstance(key, bytes)
    return key
