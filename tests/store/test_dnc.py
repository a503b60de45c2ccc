"""Lists of numbers that are not called, as people and back ends write them."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.store.dnc import MAX_WRITTEN, DoNotCall, Entry, Listed
from ctidialer.store.errors import Denied, WrongType
from ctidialer.store.in_flight import Dialing
from ctidialer.store.permit import Permit
from tests.store.test_claim import StoreTestCase


class DncTests(StoreTestCase):
    async def set_up(self) -> None:
        await super().set_up()
        self.dnc = DoNotCall(self.redis, "dnc:us")

    async def test_a_set(self) -> None:
        self.assertIsNone(await self.dnc.is_hash())
        self.assertEqual(await self.dnc.add([Entry("1"), Entry("2"), Entry("1")], as_hash=False), 2)
        self.assertIs(await self.dnc.is_hash(), False)
        self.assertEqual(await self.dnc.size(), 2)
        self.assertEqual(await self.dnc.find(["+1", "1"]), [Listed("1")])
        self.assertEqual(await self.dnc.remove(["+1", "1"]), 1)
        self.assertEqual(await self.dnc.find(["+1", "1"]), [])

    async def test_a_hash_keeps_reason_and_end(self) -> None:
        entry = Entry("1", 'asked "us"', 2_000_000_000.5)
        self.assertEqual(await self.dnc.add([entry], as_hash=True), 1)
        self.assertEqual(await self.dnc.add([entry], as_hash=True), 0)
        self.assertIs(await self.dnc.is_hash(), True)
        (found,) = await self.dnc.find(["2", "1"])
        assert found.text is not None
        said = {"reason": 'asked "us"', "until": 2_000_000_000.5}
        self.assertEqual(json.loads(found.text), said)
        self.assertEqual(await self.dnc.remove(["1"]), 1)

    async def test_many_are_written_with_few_commands(self) -> None:
        numbers = (Entry(str(number)) for number in range(2 * MAX_WRITTEN + 1))
        self.assertEqual(await self.dnc.add(numbers, as_hash=False), 2 * MAX_WRITTEN + 1)
        self.assertEqual(await self.dnc.size(), 2 * MAX_WRITTEN + 1)

    async def test_another_type_is_said_with_its_key(self) -> None:
        await self.call("RPUSH", "dnc:us", "1")
        for asked in (self.dnc.is_hash(), self.dnc.size(), self.dnc.find(["1"])):
            with self.assertRaises(WrongType) as caught:
                await asked
            self.assertIn("dnc:us", str(caught.exception))

    async def test_a_call_is_denied_by_what_was_written(self) -> None:
        await self.dnc.add([Entry("1", "asked us", 4e9)], as_hash=True)
        await self.call("RPUSH", "q", "1")
        (claimed,) = await self.claim(1)
        permit = Permit(dnc=("dnc:us",), spellings=("+1", "1"))
        with self.assertRaises(Denied):
            await self.store.note_dialing(claimed.id, Dialing("u", None, "g", 1), permit)
        await self.dnc.remove(["1"])
        await self.store.note_dialing(claimed.id, Dialing("u", None, "g", 1), permit)


class ListedTests(SynchronousTestCase):
    """A value of a hash is read as the daemon reads it."""

    def said(self, text: bytes | None) -> tuple[str, float | None]:
        one = Listed("1", text)
        return one.reason, one.until

    def test_what_we_write(self) -> None:
        self.assertEqual(self.said(Entry("1", "asked", 7.5).text()), ("asked", 7.5))
        self.assertEqual(self.said(Entry("1").text()), ("", None))

    def test_what_others_write(self) -> None:
        for text, reason, until in (
            (None, "", None),
            (b"cti_dnc", "cti_dnc", None),
            (b'{"until": "9"}', '{"until": "9"}', 9.0),
            (b'{"reason": "x", "until": "soon"}', "x", None),
            (b'{"reason": "x", "until": true}', "x", None),
            (b"7", "7", None),
            (b"\xff", "\ufffd", None),
        ):
            self.assertEqual(self.said(text), (reason, until), text)
