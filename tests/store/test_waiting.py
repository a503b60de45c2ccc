"""Numbers that wait: each is in one place, whatever is lost on the way."""

from __future__ import annotations

import time

from ctidialer.contract import keys
from ctidialer.contract.record import Kind
from ctidialer.contract.task import Side
from ctidialer.contract.waiting import Carried, WaitReason
from ctidialer.store.errors import StoreUnavailable, WrongType
from ctidialer.store.in_flight import Dialing
from ctidialer.store.store import Claimed, Store
from ctidialer.store.waiting import Waiting
from tests.store.test_claim import StoreTestCase, entries, ids, many_entries
from tests.support.proxy import start_proxy
from tests.support.redis import RedisTestCase, link_to

TEMPLATE = Waiting("template", Kind.QUEUE, "任务:1")
HOST = Waiting("fs1", Kind.SCHEDULE, "c")
PAST, FUTURE = 1000.0, 4e9


def carried(entry_id: str, reason: WaitReason = WaitReason.RETRY, tried: int = 1) -> Carried:
    return Carried(entry_id, 1.5, 2.5, reason, tried, {'busy+"': 2}, "q\n", "left")


class WaitingTestCase(StoreTestCase):
    async def let_wait(
        self,
        *given: bytes,
        where: Waiting = TEMPLATE,
        due: float = PAST,
        reason: WaitReason = WaitReason.RETRY,
    ) -> list[Claimed]:
        """Let these entries wait, the first due first; return them as they were claimed."""
        await self.call("RPUSH", "q", *given)
        claimed = await self.claim(len(given))
        for place, one in enumerate(claimed):
            done = self.store.wait(one.id, where, carried(one.id, reason), due + place)
            self.assertIs(await done, True)
        return claimed

    async def sums(self) -> tuple[object, object]:
        scopes = ("template", "fs1")
        return await self.store.due_waiting(scopes), await self.store.waiting_counts(scopes)


class WaitTests(WaitingTestCase):
    async def test_there_and_back(self) -> None:
        given = [one for one in many_entries() if len(one) < 60000]
        before = await self.let_wait(*given)
        self.assertEqual(await self.store.in_flight(), [])
        counts = {TEMPLATE: {WaitReason.RETRY: len(given)}}
        self.assertEqual(await self.sums(), ({TEMPLATE: PAST}, counts))
        claimed = await self.store.claim_waiting(TEMPLATE, len(given) + 1, "t")
        self.assertEqual(entries(claimed), given)
        self.assertEqual([one.carried for one in claimed], [carried(one.id) for one in before])
        self.assertEqual(await self.sums(), ({}, {}))
        found = await self.store.in_flight()
        self.assertEqual([one.claimed for one in found], claimed)
        self.assertEqual({one.where for one in found}, {TEMPLATE})
        self.assertEqual({one.task for one in found}, {"t"})

    async def test_the_longest_due_first_and_none_before_its_time(self) -> None:
        await self.let_wait(b"late", due=FUTURE)
        await self.let_wait(b"2", b"3", due=20.0)
        await self.let_wait(b"1", due=10.0)
        self.assertEqual(entries(await self.store.claim_waiting(TEMPLATE, 2, "t")), [b"1", b"2"])
        self.assertEqual((await self.sums())[0], {TEMPLATE: 21.0})
        self.assertEqual(entries(await self.store.claim_waiting(TEMPLATE, 9, "t")), [b"3"])
        self.assertEqual((await self.sums())[0], {TEMPLATE: FUTURE})
        self.assertEqual(await self.store.due_waiting(("template",), time.time()), {})
        self.assertEqual(await self.store.claim_waiting(TEMPLATE, 9, "t"), [])

    async def test_each_place_has_its_own(self) -> None:
        await self.let_wait(b"a", reason=WaitReason.HOURS)
        await self.let_wait(b"b", b"c", where=HOST, reason=WaitReason.CAP)
        await self.let_wait(b"d", where=HOST, due=5.0)
        self.assertEqual(
            await self.sums(),
            (
                {TEMPLATE: PAST, HOST: 5.0},
                {
                    TEMPLATE: {WaitReason.HOURS: 1},
                    HOST: {WaitReason.CAP: 2, WaitReason.RETRY: 1},
                },
            ),
        )
        claimed = await self.store.claim_waiting(HOST, 2, None)
        self.assertEqual(entries(claimed), [b"d", b"b"])
        (first, _) = await self.store.in_flight()
        self.assertEqual((first.kind, first.task, first.where), (Kind.SCHEDULE, None, HOST))
        self.assertEqual(
            (await self.sums())[1], {TEMPLATE: {WaitReason.HOURS: 1}, HOST: {WaitReason.CAP: 1}}
        )

    async def test_with_the_record_of_a_try(self) -> None:
        await self.call("RPUSH", "q", "a")
        (one,) = await self.claim(1)
        await self.store.note_dialing(one.id, Dialing("u", None, "g", 1))
        for expected in (True, False):
            done = await self.store.wait(one.id, TEMPLATE, carried(one.id), PAST, b"{}")
            self.assertIs(done, expected)
        self.assertEqual(await self.call("XLEN", keys.records("fs1")), 1)
        self.assertEqual(await self.call("ZCARD", TEMPLATE.key), 1)
        self.assertIs(await self.store.settle(one.id, b"{}"), False)

    async def test_a_number_that_opts_out(self) -> None:
        await self.call("RPUSH", "q", *"abcd")
        await self.call("HSET", "hash", "1", "x")
        one, two, three, four = ids(await self.claim(4))
        done = [
            self.store.settle(one, b"{}", dnc_add=("set", "11")),
            self.store.settle(two, b"{}", dnc_add=("hash", "12")),
            self.store.wait(three, TEMPLATE, carried("c"), PAST, b"{}", dnc_add=("set", "13")),
            self.store.settle(four, b"{}"),
        ]
        self.assertEqual([await one for one in done], [True] * 4)
        self.assertEqual(await self.call("SMISMEMBER", "set", "11", "13", ""), [1, 1, 0])
        self.assertEqual(await self.call("HGET", "hash", "12"), b"cti_dnc")
        self.assertEqual(await self.call("XLEN", keys.records("fs1")), 4)

    async def test_a_list_of_another_type_takes_none(self) -> None:
        await self.call("RPUSH", "q", "a")
        (one,) = ids(await self.claim(1))
        await self.call("SET", "set", "x")
        settling = self.store.settle(one, b"{}", dnc_add=("set", "11"))
        self.assertEqual((await self.error_of(settling, WrongType)).key, "set")
        self.assertEqual(await self.call("XLEN", keys.records("fs1")), 0)
        await self.call("DEL", "set")
        self.assertIs(await self.store.settle(one, b"{}", dnc_add=("set", "11")), True)

    async def test_given_back_as_they_were(self) -> None:
        await self.let_wait(b"a\n\n", b"\xff")
        before = await self.call("ZRANGE", TEMPLATE.key, 0, -1, "WITHSCORES")
        sums = await self.sums()
        claimed = await self.store.claim_waiting(TEMPLATE, 9, "t")
        await self.store.note_dialing(claimed[0].id, Dialing("u", None, "g", 1))
        for expected in (2, 0):
            self.assertEqual(await self.store.give_back(ids(claimed)), expected)
        self.assertEqual(await self.call("ZRANGE", TEMPLATE.key, 0, -1, "WITHSCORES"), before)
        self.assertEqual(await self.sums(), sums)

    async def test_written_back_for_later(self) -> None:
        await self.let_wait(b"a")
        (one,) = await self.store.claim_waiting(TEMPLATE, 9, "t")
        self.assertIs(await self.store.write_back(one.id, FUTURE), True)
        self.assertEqual((await self.sums())[0], {TEMPLATE: FUTURE})

    async def test_a_member_that_nobody_here_has_written(self) -> None:
        await self.call("ZADD", TEMPLATE.key, 1, "rubbish", 2, '{"reason":"retry"}\nx')
        await self.let_wait(b"a")
        claimed = await self.store.claim_waiting(TEMPLATE, 9, "t")
        self.assertEqual(entries(claimed), [b"a"])
        self.assertEqual(len(self.flushLoggedErrors()), 0)
        self.assertEqual(
            await self.call("ZRANGE", TEMPLATE.key, 0, -1, "WITHSCORES"), [b"rubbish", b"inf"]
        )
        self.assertEqual(await self.call("HLEN", keys.in_flight("fs1")), 2)

    async def test_spoilt_counts_are_passed_over_and_mended(self) -> None:
        counts = keys.waiting_count("template")
        await self.call("HSET", counts, f"{TEMPLATE.field}:retry", "7.5")
        await self.let_wait(b"a")
        await self.store.claim_waiting(TEMPLATE, 9, "t")
        self.assertEqual(await self.call("EXISTS", counts), 0)

    async def test_what_only_a_later_version_knows_is_left_out(self) -> None:
        here = Waiting("template", Kind.QUEUE, "t")
        now, count = keys.waiting_next(here.scope), keys.waiting_count(here.scope)
        await self.call("ZADD", now, "1", "queue:t", "2", "letter:t", "3", "nothing")
        for field in ("queue:t:retry", "queue:t:holiday", "letter:t:retry", "retry", ""):
            await self.call("HSET", count, field, "1")
        self.assertEqual(await self.store.due_waiting([here.scope]), {here: 1.0})
        counts = await self.store.waiting_counts([here.scope])
        self.assertEqual(counts, {here: {WaitReason.RETRY: 1}})

    async def test_no_time(self) -> None:
        for due in (float("nan"), float("inf")):
            with self.assertRaises(ValueError):
                self.store.wait("x-1-0", TEMPLATE, carried("x"), due)

    async def test_keys_of_another_type(self) -> None:
        await self.call("RPUSH", "q", "a")
        (one,) = await self.claim(1)
        for key in TEMPLATE.names:
            await self.call("SET", key, "x")
            waiting = self.store.wait(one.id, TEMPLATE, carried(one.id), PAST, b"{}")
            error = await self.error_of(waiting, WrongType)
            self.assertEqual(error.key, key)
            claim = self.store.claim_waiting(TEMPLATE, 1, "t")
            self.assertEqual((await self.error_of(claim, WrongType)).key, key)
            await self.call("DEL", key)
        self.assertEqual(await self.call("EXISTS", keys.records("fs1"), *TEMPLATE.names), 0)
        self.assertEqual(len(await self.store.in_flight()), 1)

    async def test_the_commands_of_a_claim_do_not_grow_with_what_waits(self) -> None:
        """A million wait: the claim looks at those that it takes, and at one more."""
        member = 'for n = 1, ARGV[1] do redis.call("ZADD", KEYS[1], 1000 + n, '
        member += (
            '\'{"entry_id":"\' .. n .. \'","taken_at":1,"since":1,"reason":"retry"}\\n\' .. n) end'
        )
        costs = []
        for many in ("1000", "100000"):
            await self.call("EVAL", member, 1, TEMPLATE.key, many)
            await self.call("CONFIG", "RESETSTAT")
            claimed = await self.store.claim_waiting(TEMPLATE, 200, "t")
            self.assertEqual(len(claimed), 200)
            costs.append(await self.commands())
            await self.store.give_back(ids(claimed))
        self.assertEqual(*costs)

    async def commands(self) -> dict[bytes, bytes]:
        """Return how often each command was run on waiting numbers since the last reset."""
        info = await self.call("INFO", "commandstats")
        assert isinstance(info, bytes)
        rows = (line.partition(b":") for line in info.splitlines() if b"_z" in line)
        return {name: rest.partition(b",")[0] for name, _, rest in rows}


class LostAnswerTests(RedisTestCase):
    async def set_up(self) -> None:
        await super().set_up()
        self.proxy = await start_proxy(self, self.url)
        self.link = link_to(self, self.proxy.url, deadline=2.0)
        self.store = Store(self.link, "fs1", "daemon", 1000)
        await self.link.when_up(60)
        await self.store.acquire_lease()
        await self.call("RPUSH", "q", *"abc")
        for one in await self.store.claim("q", Side.LEFT, 3, task="t"):
            await self.store.wait(one.id, TEMPLATE, carried(one.id), PAST)

    async def test_a_claim_that_was_called_off(self) -> None:
        before = await self.call("ZRANGE", TEMPLATE.key, 0, -1, "WITHSCORES")
        self.proxy.lose_answers(1)
        claim = self.store.claim_waiting(TEMPLATE, 2, "t")
        error = await self.error_of(claim, StoreUnavailable)
        self.assertIs(error.may_have_been_executed, True)
        await self.link.when_up(60)
        self.assertEqual(await self.call("ZCARD", TEMPLATE.key), 1)
        await self.store.renew_lease()
        self.assertEqual(await self.call("ZRANGE", TEMPLATE.key, 0, -1, "WITHSCORES"), before)
        counts = await self.store.waiting_counts(("template",))
        self.assertEqual(counts, {TEMPLATE: {WaitReason.RETRY: 3}})

    async def test_a_wait_that_is_repeated(self) -> None:
        (one,) = await self.store.claim_waiting(TEMPLATE, 1, "t")
        self.proxy.lose_answers(1)
        waiting = self.store.wait(one.id, TEMPLATE, carried("x"), PAST, b"{}")
        error = await self.error_of(waiting, StoreUnavailable)
        self.assertIs(error.may_have_been_executed, True)
        await self.link.when_up(60)
        again = await self.store.wait(one.id, TEMPLATE, carried("x"), PAST, b"{}")
        self.assertIs(again, False)
        self.assertEqual(await self.call("ZCARD", TEMPLATE.key), 3)
        self.assertEqual(await self.call("XLEN", keys.records("fs1")), 1)
