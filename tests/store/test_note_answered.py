"""The answer of a call is noted when it is heard, so that it outlives the daemon that heard it."""

from __future__ import annotations

from twisted.internet.defer import gatherResults

from ctidialer.store.errors import StoreUnavailable
from ctidialer.store.in_flight import Dialing
from tests.store.test_claim import IN_FLIGHT, ids
from tests.store.test_settle import RecordsTestCase

HEARD = 1700000000.125


class NoteAnsweredTests(RecordsTestCase):
    """``note_answered`` patches what ``note_dialing`` wrote."""

    async def taken(self, *entries: bytes) -> list[str]:
        """Put these entries in flight; return their ids."""
        await self.call("RPUSH", "q", *entries)
        return ids(await self.claim(len(entries)))

    async def noted(self) -> list[Dialing | None]:
        return [entry.dialing for entry in await self.store.in_flight()]

    async def test_it_is_read_with_the_call(self) -> None:
        entry = b'a\n,"answered_at":1\n\0\xff'
        (one,) = await self.taken(entry)
        dialing = Dialing("u:1", "gw \n线", 'g",\\"answered_at":', 1, b"\0\n\xff")
        await self.store.note_dialing(one, dialing)
        self.assertEqual(await self.noted(), [dialing])
        self.assertIs(await self.store.note_answered(one, "u:1", HEARD), True)
        (found,) = await self.store.in_flight()
        self.assertEqual(found.entry, entry)
        self.assertEqual(
            found.dialing,
            Dialing("u:1", dialing.line, dialing.group, 1, dialing.progress, answered_at=HEARD),
        )

    async def test_the_first_answer_counts(self) -> None:
        (one,) = await self.taken(b"a")
        await self.store.note_dialing(one, Dialing("u", None, "g", 1))
        self.assertIs(await self.store.note_answered(one, "u", HEARD), True)
        self.assertIs(await self.store.note_answered(one, "u", HEARD + 1), True)
        self.assertEqual(await self.noted(), [Dialing("u", None, "g", 1, answered_at=HEARD)])

    async def test_half_a_surrogate_pair(self) -> None:
        (one,) = await self.taken(b"a")
        await self.store.note_dialing(one, Dialing("u", None, "\ud800", 1))
        self.assertIs(await self.store.note_answered(one, "u", HEARD), True)
        self.assertEqual(await self.noted(), [Dialing("u", None, "\ud800", 1, answered_at=HEARD)])

    async def test_the_next_call_was_not_answered(self) -> None:
        (one,) = await self.taken(b"a")
        await self.store.note_dialing(one, Dialing("u", None, "g", 1))
        await self.store.note_answered(one, "u", HEARD)
        await self.store.note_dialing(one, Dialing("v", None, "g", 2))
        self.assertIs(await self.store.note_answered(one, "u", HEARD), False)
        self.assertEqual(await self.noted(), [Dialing("v", None, "g", 2)])

    async def test_where_there_is_no_call(self) -> None:
        one, other = await self.taken(b"a", b"b")
        await self.store.settle(other, b"{}")
        for gone in (one, other, "nobody-1-0"):
            self.assertIs(await self.store.note_answered(gone, "u", HEARD), False)
        self.assertEqual(await self.noted(), [None])

    async def test_an_entry_that_was_answered_goes_back_as_it_came(self) -> None:
        (one,) = await self.taken(b"a\n\nb")
        await self.store.note_dialing(one, Dialing("u", None, "g", 1))
        await self.store.note_answered(one, "u", HEARD)
        self.assertEqual(await self.store.give_back([one]), 1)
        self.assertEqual(await self.queue(), [b"a\n\nb"])

    async def test_one_round_trip_with_the_other_notes(self) -> None:
        claimed = await self.taken(*(b"%d" % number for number in range(50)))
        await gatherResults(
            [self.store.note_dialing(one, Dialing(one, None, "g", 1)) for one in claimed[:25]]
        )
        before = await self.script_calls()
        answers = [self.store.note_answered(one, one, HEARD) for one in claimed[:25]]
        await gatherResults(
            [self.store.note_dialing(one, Dialing(one, None, "g", 1)) for one in claimed[25:]]
        )
        self.assertEqual(await gatherResults(answers), [True] * 25)
        self.assertLessEqual(await self.script_calls() - before, 2)  # EVALSHA, perhaps EVAL
        heard = [one and one.answered_at for one in await self.noted()]
        self.assertEqual(heard, [HEARD] * 25 + [None] * 25)

    async def test_redis_is_away(self) -> None:
        await self.redis.stop()
        await self.error_of(self.store.note_answered("x-1-0", "u", HEARD), StoreUnavailable)

    async def test_the_version_before_reads_the_call(self) -> None:
        """It looks up the fields that it knows in the second line, and passes over others."""
        (one,) = await self.taken(b"a")
        await self.store.note_dialing(one, Dialing("u", "gw", "g", 1, b"progress"))
        before = await self.call("HGET", IN_FLIGHT, one)
        await self.store.note_answered(one, "u", HEARD)
        after = await self.call("HGET", IN_FLIGHT, one)
        assert isinstance(before, bytes)
        assert isinstance(after, bytes)
        self.assertEqual(after.replace(b',"answered_at":1700000000.125', b""), before)

    async def test_a_time_that_is_none(self) -> None:
        for bad in (float("inf"), float("nan")):
            self.assertRaises(ValueError, self.store.note_answered, "x-1-0", "u", bad)
