"""Who may not be called is known in the step that notes the call; what was called is counted."""

from __future__ import annotations

import random

from twisted.internet.defer import gatherResults

from ctidialer.contract import keys
from ctidialer.contract.callee import Cap
from ctidialer.contract.task import Side
from ctidialer.rules.caps import allowed_at
from ctidialer.store.errors import Denied, NotAllowed, NotInFlight, WrongType
from ctidialer.store.in_flight import NO_CALL, Dialing
from ctidialer.store.permit import Permit
from tests.store.rights_case import RightsCase
from tests.store.test_claim import StoreTestCase, ids

KEY = keys.callee_calls("13800138000")
WEEK = 604800.0
RINGING = 120_000
"""Milliseconds that calls are kept longer than any cap looks back."""


def dialing(uuid: str) -> Dialing:
    return Dialing(uuid, "gw", "g", 1, b"progress")


def later(value: str, until: float) -> str:
    return value.replace("#", str(int(until)))


def capped(*caps: Cap) -> Permit:
    return Permit(caps=caps, cap_key=KEY)


class PermitTestCase(StoreTestCase):
    async def set_up(self) -> None:
        await super().set_up()
        await self.call("RPUSH", "q", "a", "b")
        self.one, self.two = ids(await self.claim(2))

    async def denied(self, permit: Permit, uuid: str = "u") -> Denied:
        try:
            await self.store.note_dialing(self.one, dialing(uuid), permit)
        except Denied as error:
            return error
        raise self.failureException("it was not denied")

    async def noted(self) -> Dialing | None:
        return next(one.dialing for one in await self.store.in_flight() if one.id == self.one)

    async def clock(self) -> float:
        found = await self.call("TIME")
        assert isinstance(found, list)
        seconds, micros = found
        assert isinstance(seconds, bytes)
        assert isinstance(micros, bytes)
        return int(seconds) + int(micros) / 1e6

    async def called(self, *ages: float, prefix: str = "x", now: float | None = None) -> float:
        """Count calls that were placed so many seconds before ``now``; return that time."""
        now = await self.clock() if now is None else now
        for index, age in enumerate(ages):
            await self.call("ZADD", KEY, repr(now - age), f"{prefix}{index}")
        return now


class DoNotCallTests(PermitTestCase):
    LISTS = Permit(("dnc:all", "dnc:mine"), ("+8613", "013"))

    async def test_a_number_on_no_list(self) -> None:
        await self.call("SADD", "dnc:all", "13", "8613")
        await self.store.note_dialing(self.one, dialing("u"), self.LISTS)
        self.assertEqual(await self.noted(), dialing("u"))

    async def test_each_spelling_in_each_kind_of_list(self) -> None:
        for command in (("SADD",), ("HSET",)):
            for key in self.LISTS.dnc:
                for spelling in self.LISTS.spellings:
                    more = ("x",) if command == ("HSET",) else ()
                    await self.call(*command, key, spelling, *more)
                    error = await self.denied(self.LISTS)
                    self.assertEqual((error.dnc, error.until), (key, None))
                    self.assertEqual(error.reason, more[0] if more else "")
                    self.assertIs(await self.noted(), None)
                    await self.call("DEL", key)

    async def test_reasons_and_an_end(self) -> None:
        now = await self.clock()
        for value, reason in (
            ('{"reason":"opt-out"}', "opt-out"),
            (later('{"reason":"later","until":#}', now + 1000), "later"),
            (later('{"reason":"over","until":#}', now - 1000), None),
            (later('{"until":"#"}', now - 1000), None),
            ('{"reason":"否","until":null}', "否"),
            ('{"reason":5,"until":[]}', '{"reason":5,"until":[]}'),
            ("[" * 2000, "[" * 2000),
            ("any text", "any text"),
            ("", ""),
            ("5", "5"),
            (b"\xff", "\\xff"),
        ):
            await self.call("HSET", "dnc:mine", "013", value)
            if reason is None:
                await self.store.note_dialing(self.one, dialing("u"), self.LISTS)
                await self.store.note_dialing(self.one, dialing("v"))
            else:
                self.assertEqual((await self.denied(self.LISTS)).reason, reason)

    async def test_a_list_of_another_type(self) -> None:
        await self.call("RPUSH", "dnc:mine", "013")
        noting = self.store.note_dialing(self.one, dialing("u"), self.LISTS)
        other = self.store.note_dialing(self.two, dialing("v"), Permit(("dnc:all",), ("013",)))
        error = await self.error_of(noting, WrongType)
        self.assertEqual(error.key, "dnc:mine")
        self.assertIs(await self.noted(), None)
        await other  # what goes out together is not harmed

    async def test_a_call_whose_answer_was_lost_before_the_opt_out(self) -> None:
        permit = Permit(("dnc:all",), ("013",), (Cap(1, WEEK),), KEY)
        await self.store.note_dialing(self.one, dialing("u"), permit)
        await self.call("SADD", "dnc:all", "013")
        await self.denied(permit)
        self.assertEqual(await self.noted(), dialing(NO_CALL))
        self.assertEqual(await self.call("ZRANGE", KEY, 0, -1), [b" keep"])

    async def test_an_entry_that_is_gone(self) -> None:
        await self.store.give_back([self.one])
        noting = self.store.note_dialing(self.one, dialing("u"), capped(Cap(1, WEEK)))
        await self.error_of(noting, NotInFlight)
        self.assertEqual(await self.call("EXISTS", KEY), 0)


class CapTests(PermitTestCase):
    async def test_no_more_than_so_many(self) -> None:
        permit = capped(Cap(2, 60.0))
        for uuid in "uv":
            await self.store.note_dialing(self.one, dialing(uuid), permit)
        now = await self.clock()
        until = (await self.denied(permit, "w")).until or 0.0
        self.assertTrue(now + 50 < until <= now + 60, until - now)
        self.assertEqual(await self.noted(), dialing("v"))

    async def test_the_same_call_counts_once(self) -> None:
        permit = capped(Cap(1, 60.0))
        for _ in range(3):
            await self.store.note_dialing(self.one, dialing("u"), permit)
        self.assertEqual(await self.call("ZCOUNT", KEY, "1000000000", "+inf"), 1)

    async def test_one_whose_answer_was_lost_counts_from_when_it_may_be_placed(self) -> None:
        """It is placed after the second time that it is noted, however long that took."""
        permit = capped(Cap(2, 60.0))
        await self.store.note_dialing(self.one, dialing("u"), permit)
        now = await self.clock()
        await self.call("ZADD", KEY, repr(now - 59), "u", repr(now - 1), "v")
        await self.store.note_dialing(self.one, dialing("u"), permit)
        counted = await self.call("ZSCORE", KEY, "u")
        assert isinstance(counted, bytes)
        self.assertGreaterEqual(float(counted), now)
        until = (await self.denied(permit, "w")).until or 0.0
        self.assertLess(abs(until - (now + 59)), 0.01)

    async def test_one_whose_answer_was_lost_while_others_were_placed(self) -> None:
        permit = capped(Cap(2, 60.0))
        await self.store.note_dialing(self.one, dialing("u"), permit)
        now = await self.clock()
        await self.call("ZADD", KEY, repr(now - 70), "u")
        await self.called(30, 20, now=now)
        until = (await self.denied(permit)).until or 0.0
        self.assertLess(abs(until - (now + 30)), 0.01)
        self.assertEqual(await self.noted(), dialing(NO_CALL))
        self.assertIsNone(await self.call("ZSCORE", KEY, "u"))

    async def test_one_that_was_not_sent(self) -> None:
        permit = capped(Cap(1, 60.0))
        await self.store.note_dialing(self.one, dialing("u"), permit)
        for expected in (True, False):
            self.assertIs(await self.store.uncount(permit, "u"), expected)
        await self.store.note_dialing(self.one, dialing("v"), permit)

    async def test_conversations(self) -> None:
        permit = capped(Cap(9, 60.0), Cap(1, WEEK, talk=True))
        for uuid in "uv":
            await self.store.note_dialing(self.one, dialing(uuid), permit)
        for _ in range(2):
            self.assertIs(await self.store.note_answered(self.one, "v", 5.5, permit), True)
        self.assertIs(await self.store.note_answered(self.one, "u", 5.5, permit), False)
        now = await self.clock()
        self.assertGreater((await self.denied(permit, "w")).until or 0.0, now + WEEK - 50)
        self.assertIs(await self.store.uncount_talk(permit, "v"), True)
        await self.store.note_dialing(self.one, dialing("w"), permit)

    async def expires_in(self) -> int:
        left = await self.call("PTTL", KEY)
        assert isinstance(left, int)
        return left

    async def talked(self, permit: Permit, uuid: str = "u") -> None:
        self.assertIs(await self.store.note_answered(self.one, uuid, 5.5, permit), True)

    async def test_a_conversation_is_kept_as_long_as_it_counts(self) -> None:
        """Soon after its call the key lives long enough; long after, the expiry is set anew."""
        permit = capped(Cap(1, 600.0, talk=True))
        for age, expected in ((100, 650_000), (130, 600_000 + RINGING)):
            await self.store.note_dialing(self.one, dialing("u"), permit)
            await self.call("ZADD", KEY, repr(await self.clock() - age), "u")
            await self.call("PEXPIRE", KEY, 650_000)
            await self.talked(permit)
            self.assertTrue(expected - 60_000 < await self.expires_in() <= expected)
            await self.call("DEL", KEY)
            await self.store.note_dialing(self.one, dialing(NO_CALL))

    async def test_a_conversation_whose_call_is_not_counted_any_more(self) -> None:
        permit = capped(Cap(1, 600.0, talk=True))
        await self.store.note_dialing(self.one, dialing("u"), permit)
        await self.call("DEL", KEY)
        await self.talked(permit)
        self.assertEqual(await self.call("ZRANGE", KEY, 0, -1), [b" keep", b"talk u"])
        self.assertGreater(await self.expires_in(), 600_000)

    async def test_a_conversation_whose_entry_has_gone(self) -> None:
        permit = capped(Cap(1, 600.0, talk=True))
        await self.store.note_dialing(self.one, dialing("u"), permit)
        await self.store.settle(self.one, b"record")
        for _ in range(2):
            self.assertIs(await self.store.count_talk(permit, "u"), True)
        self.assertEqual(await self.call("ZCARD", KEY), 3)
        self.assertIs(await self.store.uncount_talk(permit, "u"), True)

    async def test_a_conversation_after_its_rules_were_edited(self) -> None:
        await self.store.note_dialing(self.one, dialing("u"), capped(Cap(1, 60.0)))
        await self.talked(capped(Cap(1, 600.0, talk=True)))
        self.assertEqual(await self.call("ZSCORE", KEY, " keep"), b"600")
        self.assertGreater(await self.expires_in(), 600_000)

    async def test_calls_with_other_rules_at_the_same_time(self) -> None:
        """What goes out together has each its own lists and caps."""
        await self.call("SADD", "dnc:all", "13")
        asked = {
            "a": capped(Cap(9, 60.0)),
            "b": Permit(("dnc:all",), ("12",)),
            "c": Permit(("dnc:all",), ("13",)),
            "d": Permit(("dnc:none", "dnc:all"), ("12", "13"), (Cap(9, 60.0),), KEY),
            "e": Permit((), ("13",), (Cap(9, 600.0), Cap(2, WEEK)), KEY),
            "f": Permit(("dnc:all",), ("12", "14"), (Cap(2, 60.0),), KEY),
            "g": capped(Cap(9, 60.0)),
        }
        noting = [
            self.store.note_dialing(self.one, dialing(uuid), permit)
            for uuid, permit in asked.items()
        ]
        answers = await gatherResults([one.addErrback(lambda f: f.check(Denied)) for one in noting])
        denied = {uuid for uuid, answer in zip(asked, answers, strict=True) if answer is Denied}
        self.assertEqual(denied, {"c", "d", "f"})
        self.assertEqual(await self.call("ZRANGE", KEY, 1, -1), [b"a", b"e", b"g"])

    async def test_the_longest_window_of_any_task_is_kept(self) -> None:
        await self.store.note_dialing(self.one, dialing("u"), capped(Cap(1, WEEK)))
        await self.call("ZADD", KEY, repr(await self.clock() - 1000), "u")
        await self.store.note_dialing(self.one, dialing("v"), capped(Cap(1, 60.0)))
        self.assertEqual(await self.call("ZCARD", KEY), 3)
        await self.called(2 * WEEK, prefix="old")
        await self.call("ZADD", KEY, repr(await self.clock() - 100), "v")
        await self.store.note_dialing(self.one, dialing("w"), capped(Cap(1, 60.0)))
        members = await self.call("ZRANGE", KEY, 0, -1)
        self.assertEqual(members, [b" keep", b"u", b"v", b"w"])
        left = await self.expires_in()
        self.assertTrue(WEEK * 1000 + RINGING - 60000 < left <= WEEK * 1000 + RINGING, left)

    async def test_a_clock_that_was_set_back(self) -> None:
        await self.called(-1e6)
        permit, now = capped(Cap(1, 60.0)), await self.clock()
        until = (await self.denied(permit)).until or 0.0
        self.assertTrue(now + 50 < until < now + 120, until - now)
        score = await self.call("ZSCORE", KEY, "x0")
        assert isinstance(score, bytes)
        self.assertLess(float(score), now + 60)

    async def test_a_key_of_another_type(self) -> None:
        await self.call("SET", KEY, "x")
        noting = self.store.note_dialing(self.one, dialing("u"), capped(Cap(1, 60.0)))
        self.assertEqual((await self.error_of(noting, WrongType)).key, KEY)
        self.assertIs(await self.noted(), None)

    async def test_many_at_once(self) -> None:
        permit = capped(Cap(3, 60.0))
        noting = [self.store.note_dialing(self.one, dialing(str(n)), permit) for n in range(9)]
        answers = await gatherResults([one.addErrback(lambda f: f.check(Denied)) for one in noting])
        self.assertEqual(answers, [None] * 3 + [Denied] * 6)

    async def test_as_the_definition_says(self) -> None:
        """Any windows over any calls."""
        chance = random.Random(5)
        for _ in range(150):
            await self.call("DEL", KEY)
            ages = [chance.choice((5, 55, 65, 500, 3500, 3700)) + chance.random() for _ in "12345"]
            talks = [age for age in ages if chance.random() < 0.4]
            now = await self.called(*ages)
            await self.called(*talks, prefix="talk x", now=now)
            caps = [
                Cap(
                    chance.randint(1, 5),
                    chance.choice((60.0, 600.0, 3600.0)),
                    chance.random() < 0.3,
                )
                for _ in range(chance.randint(1, 3))
            ]
            at = allowed_at(caps, [now - age for age in ages], [now - age for age in talks], now)
            if at > now:
                until = (await self.denied(capped(*caps))).until or 0.0
                self.assertLess(abs(until - at), 0.01)
            else:
                await self.store.note_dialing(self.one, dialing("u"), capped(*caps))


class RefusalTests(RightsCase):
    async def test_every_right_that_is_missing_is_named(self) -> None:
        await self.store.acquire_lease()
        await self.call("RPUSH", "q", "a")
        (one,) = await self.store.claim("q", Side.LEFT, 1, task="t")
        await self.call("SADD", "dnc:set", "x")
        await self.call("HSET", "dnc:hash", "x", "y")
        permit = Permit(("dnc:set", "dnc:hash"), ("1",), (Cap(9, 60.0),), KEY)
        before = await self.contents()
        for command, key in (
            ("SMISMEMBER", "dnc:set"),
            ("HMGET", None),  # of the lease as well
            ("ZRANGE", KEY),
            ("ZADD", KEY),
            ("ZREM", KEY),
            ("PEXPIRE", KEY),
            ("HSET", keys.in_flight("fs1")),
        ):
            await self.rights(f"-{command.lower()}")
            noting = self.store.note_dialing(one.id, dialing("u"), permit)
            if key is None:
                await self.assertFailure(noting, Exception)
            else:
                error = await self.error_of(noting, NotAllowed)
                self.assertEqual((error.command, error.name), (command, key))
            self.assertEqual(await self.contents(), before, command)
            await self.rights("+@all")
        await self.store.note_dialing(one.id, dialing("u"), permit)

    async def test_a_right_that_a_conversation_needs(self) -> None:
        await self.store.acquire_lease()
        await self.call("RPUSH", "q", "a")
        (one,) = await self.store.claim("q", Side.LEFT, 1, task="t")
        permit = capped(Cap(1, 60.0, talk=True))
        await self.store.note_dialing(one.id, dialing("u"), permit)
        before = await self.contents()
        for command in ("ZMSCORE", "ZADD", "PEXPIRE"):
            await self.rights(f"-{command.lower()}")
            noting = self.store.note_answered(one.id, "u", 5.5, permit)
            error = await self.error_of(noting, NotAllowed)
            self.assertEqual((error.command, error.name), (command, KEY))
            self.assertEqual(await self.contents(), before, command)
            await self.rights("+@all")
        self.assertIs(await self.store.note_answered(one.id, "u", 5.5, permit), True)


class TriedRefusalTests(RefusalTests):
    can_ask = False
