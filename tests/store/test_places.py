"""Calls that are counted over hosts: never above a count or a rate, and no place is lost."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import pairwise

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from ctidialer.contract import keys
from ctidialer.contract.counted import SPACING, TOGETHER, Counted
from ctidialer.store.errors import LeaseLost, NotAllowed, WrongType
from ctidialer.store.place_answers import Seen, Taken
from ctidialer.store.places import Asking, Owned, Places, Righted
from ctidialer.store.store import Store
from tests.store.rights_case import RightsCase
from tests.store.test_claim import StoreTestCase

KEY = keys.counted_calls("d", "line", "线路")
TRUNK = keys.counted_calls("d", "gateway", "trunk")
LINE = Counted(KEY, 2)


class PlacesTestCase(StoreTestCase):
    """Two hosts, each with its lease."""

    async def set_up(self) -> None:
        await super().set_up()
        self.stores = [self.store, Store(self.redis, "fs2", "another", 10)]
        await self.stores[1].acquire_lease()

    def places(self, host: int) -> Places:
        return self.stores[host].places

    async def try_to_take(self, host: int, name: str, *counted: Counted) -> Taken:
        return await self.places(host).take(name, counted or (LINE,))

    async def take(self, host: int, name: str, *counted: Counted) -> bool:
        return (await self.try_to_take(host, name, *counted)).refused_by is None

    async def leave(self, host: int, name: str, *counted: Counted) -> tuple[Seen, ...]:
        return await self.places(host).leave(name, counted or (LINE,))

    async def ask(self, host: int, asking: Asking, counted: Counted = LINE) -> Seen:
        return await self.places(host).ask(asking, counted)

    async def set_right(self, host: int, own: Mapping[str, Sequence[str]]) -> int:
        """Set the places of a host right; return how many were wrong."""
        owned = {key: Owned(names) for key, names in own.items()}
        righted = await self.places(host).set_right(owned)
        return sum(one.wrong for one in righted.values())

    async def taken(self, key: str = KEY) -> list[bytes]:
        """Return the places that are taken."""
        found = await self.call("ZRANGEBYSCORE", key, "0", "+inf")
        assert isinstance(found, list)
        return sorted(one for one in found if isinstance(one, bytes))

    async def time(self) -> float:
        found = await self.call("TIME")
        assert isinstance(found, list)
        seconds, micros = (int(part) for part in found if isinstance(part, bytes))
        return seconds + micros / 1e6


class CountTests(PlacesTestCase):
    async def test_it_holds_over_hosts(self) -> None:
        self.assertTrue(await self.take(0, "a"))
        self.assertTrue(await self.take(1, "b"))
        self.assertFalse(await self.take(0, "c"))
        self.assertFalse(await self.take(1, "d"))
        self.assertEqual(await self.taken(), [b"fs1\ta", b"fs2\tb"])

    async def test_what_is_left_can_be_taken(self) -> None:
        for name in "ab":
            await self.take(0, name)
        await self.leave(0, "a")
        self.assertTrue(await self.take(1, "c"))
        self.assertEqual(await self.taken(), [b"fs1\tb", b"fs2\tc"])

    async def test_a_place_is_left_once(self) -> None:
        await self.take(0, "a")
        for _ in range(2):
            await self.leave(0, "a")
        await self.leave(1, "a")
        self.assertEqual([await self.take(1, name) for name in "bcd"], [True, True, False])

    async def test_all_places_or_none(self) -> None:
        trunk = Counted(TRUNK, 1)
        self.assertTrue(await self.take(0, "a", LINE, trunk))
        answer = await self.try_to_take(1, "b", LINE, trunk)
        self.assertEqual(answer.refused_by, 1)
        self.assertEqual(await self.taken(), [b"fs1\ta"])
        await self.leave(0, "a", LINE, trunk)
        self.assertEqual([await self.taken(), await self.taken(TRUNK)], [[], []])

    async def test_the_answer_says_how_many_are_taken(self) -> None:
        self.assertEqual((await self.try_to_take(0, "a")).seen, (Seen(1, 0.0),))
        self.assertEqual((await self.try_to_take(1, "b")).seen, (Seen(2, 0.0),))
        self.assertEqual(await self.leave(0, "a"), (Seen(1, 0.0),))

    async def test_many_steps_go_out_together(self) -> None:
        asked = [self.places(0).take(f"c{index}", [LINE]) for index in range(5)]
        left = self.places(0).leave("c0", [LINE])
        asked.append(self.places(0).take("c9", [LINE]))
        done = [answer.refused_by is None for answer in await gatherResults(asked)]
        self.assertEqual(done, [True, True, False, False, False, True])
        self.assertEqual(await left, (Seen(1, 0.0),))

    async def test_nothing_without_the_lease(self) -> None:
        await self.call("DEL", keys.lease("fs1"))
        await self.assertFailure(self.places(0).take("a", [LINE]), LeaseLost)
        self.assertEqual(await self.taken(), [])

    async def test_another_type_harms_nothing_else(self) -> None:
        await self.call("SET", TRUNK, "x")
        wrong = self.places(0).take("a", [LINE, Counted(TRUNK, 1)])
        right = self.places(0).take("b", [LINE])
        await self.assertFailure(wrong, WrongType)
        self.assertTrue((await right).refused_by is None)
        self.assertEqual(await self.taken(), [b"fs1\tb"])


class WaitingTests(PlacesTestCase):
    """Who has waited longest for a place is next, and is told."""

    ONE = Counted(KEY, 1)

    async def take_one(self, host: int, name: str) -> bool:
        return await self.take(host, name, self.ONE)

    async def test_the_host_that_waits_is_next(self) -> None:
        await self.take_one(0, "a")
        self.assertFalse(await self.take_one(1, "b"))
        answer = await self.leave(0, "a", self.ONE)
        self.assertEqual(answer[0].taken, 1)  # kept for the other
        self.assertFalse(await self.take_one(0, "c"))
        self.assertTrue(await self.take_one(1, "b"))

    async def test_it_is_told_how_many_want_a_place_and_how_many_are_kept(self) -> None:
        await self.take(0, "a", self.ONE)
        self.assertEqual(await self.ask(1, Asking.WAIT, self.ONE), Seen(1, 0.0))
        self.assertEqual(await self.ask(0, Asking.WAIT, self.ONE), Seen(2, 0.0, 2, 1))
        self.assertEqual(await self.leave(0, "a", self.ONE), (Seen(1, 0.0, 2, 1),))
        await self.take(1, "b", self.ONE)
        self.assertEqual(await self.leave(1, "b", self.ONE), (Seen(1, 0.0, 2, 1),))

    async def test_hosts_take_turns(self) -> None:
        holder = 0
        await self.take_one(0, "0")
        turns = []
        for turn in range(1, 7):
            self.assertFalse(await self.take_one(1 - holder, "x"))
            await self.leave(holder, str(turn - 1), self.ONE)
            self.assertFalse(await self.take_one(holder, "y"))
            holder = 1 - holder
            self.assertTrue(await self.take_one(holder, str(turn)))
            turns.append(holder)
        self.assertEqual(turns, [1, 0, 1, 0, 1, 0])

    async def test_who_wants_it_no_more_passes_it_on(self) -> None:
        await self.take_one(0, "a")
        await self.take_one(1, "b")
        await self.leave(0, "a", self.ONE)
        await self.ask(1, Asking.PASS, self.ONE)
        self.assertTrue(await self.take_one(0, "c"))

    async def test_who_does_not_ask_again_waits_no_more(self) -> None:
        await self.take_one(0, "a")
        await self.take_one(1, "b")
        await self.leave(0, "a", self.ONE)
        await self.call("ZADD", KEY, repr(-(await self.time() - 13)), " full fs2")
        self.assertTrue(await self.take_one(0, "c"))

    async def test_a_host_that_is_refused_elsewhere_holds_no_place(self) -> None:
        trunk = Counted(TRUNK, 1)
        await self.take(0, "a", self.ONE)
        await self.take(0, "t", trunk)
        self.assertFalse(await self.take(1, "b", self.ONE, trunk))
        await self.leave(0, "a", self.ONE)
        self.assertFalse(await self.take(1, "b", self.ONE, trunk))  # the trunk is still full
        self.assertTrue(await self.take(0, "c", self.ONE))


class RateTests(PlacesTestCase):
    async def test_starts_are_given_a_little_ahead(self) -> None:
        line = Counted.of(KEY, None, 10.0)
        asked = [self.places(0).take(f"c{index}", [line]) for index in range(9)]
        answers = await gatherResults(asked)
        given = [answer.start_in for answer in answers if answer.refused_by is None]
        self.assertEqual(given[0], 0.0)
        self.assertEqual(len(given), 5, given)
        self.assertTrue(
            all(
                answer.seen[0].start_in > 0.1 for answer in answers if answer.refused_by is not None
            )
        )

    async def test_the_last_start_that_is_given_back_is_the_next(self) -> None:
        line = Counted.of(KEY, None, 10.0)
        first, last = [await self.try_to_take(0, name, line) for name in "ab"]
        await self.places(0).give_back(last.start, [line])
        self.assertEqual(await self.next_start(), last.start)
        await self.places(0).give_back(first.start, [line])
        self.assertEqual(await self.next_start(), first.start)

    async def test_a_start_of_which_redis_has_forgotten_the_line_is_none(self) -> None:
        line = Counted.of(KEY, 5, 10.0)
        given = await self.try_to_take(0, "a", line)
        await self.call("DEL", KEY)
        await self.places(0).give_back(given.start, [line])
        self.assertEqual(await self.taken(), [])

    async def test_a_start_before_others_is_given_again_before_its_time(self) -> None:
        line, now = Counted.of(KEY, None, 10.0), await self.time()
        start = round((now + 50) * 1e6)
        await self.call("ZADD", KEY, repr(-(now + 100)), " next", repr(5.0 - now), " free 1")
        await self.places(0).give_back(start, [line])
        self.assertEqual((await self.try_to_take(1, "a", line)).start, start)
        self.assertEqual((await self.try_to_take(1, "b", line)).refused_by, 0)
        self.assertEqual(await self.next_start(), round((now + 100) * 1e6))
        members = await self.call("ZRANGE", KEY, 0, -1)
        self.assertEqual(members, [b" next", b" turn fs2"])  # a free start that has passed is gone

    async def test_steps_that_come_together_share_what_was_read(self) -> None:
        """Starts and places are as if each step had read them, whatever came before it."""
        line, trunk = Counted.of(KEY, 3, 100.0), Counted.of(TRUNK, None, 50.0)
        places = self.places(0)
        asked = [places.take(name, [line]) for name in "ab"]
        both = places.take("c", [line, trunk])
        full = places.take("d", [line])
        left = places.leave("a", [line])
        again = places.take("e", [Counted.of(KEY, 3, 200.0)])  # as after an edit
        first, second = await gatherResults(asked)
        third, refused, last = await both, await full, await again
        starts = [one.start for one in (first, second, third, last)]
        apart = [round((after - before) / 1e4, 1) for before, after in pairwise(starts)]
        self.assertEqual(apart, [1.0, 1.0, 1.0])
        self.assertEqual(refused.refused_by, 0)
        self.assertEqual([one.taken for one in await left], [2])
        self.assertEqual(await self.taken(), [b"fs1\tb", b"fs1\tc", b"fs1\te"])
        self.assertEqual(await self.next_start(), last.start + round(SPACING / 200 * 1e6))

    async def test_each_free_start_is_given_once(self) -> None:
        line, now = Counted.of(KEY, None, 10.0), await self.time()
        free = [round((now + after) * 1e6) for after in (50, 60)]
        scores = [part for start in free for part in (repr(-start / 1e6), f" free {start}")]
        await self.call("ZADD", KEY, repr(-(now + 100)), " next", *scores)
        asked = [self.places(0).take(name, [line]) for name in "abc"]
        answers = await gatherResults(asked)
        self.assertEqual([one.start for one in answers[:2]], free)
        self.assertEqual(answers[2].refused_by, 0)
        self.assertEqual(await self.next_start(), round((now + 100) * 1e6))

    async def next_start(self) -> int:
        score = await self.call("ZSCORE", KEY, " next")
        assert isinstance(score, bytes)
        return round(-float(score) * 1e6)

    async def test_a_line_with_one_call_rests_after_it(self) -> None:
        line = Counted.of(KEY, 1, None, rest=300.0)
        await self.take(0, "a", line)
        await self.leave(0, "a", line)
        answer = await self.try_to_take(1, "b", line)
        self.assertEqual(answer.refused_by, 0)
        self.assertTrue(200 < answer.seen[0].start_in < 300, answer)

    async def test_each_host_has_its_share(self) -> None:
        """Three hosts come when they are told to; a fourth always asks for more than there is."""
        line, total = Counted.of(KEY, None, 200.0), 400
        self.stores += [Store(self.redis, f"fs{number}", f"d{number}", 10) for number in (3, 4)]
        for store in self.stores[2:]:
            await store.acquire_lease()
        given: list[list[int]] = [[] for _ in self.stores]

        async def dial(host: int, is_greedy: bool) -> None:
            many = 1
            while sum(map(len, given)) < total:
                wanted = range(60 if is_greedy else many)
                asked = [self.places(host).take(f"{len(given[host])}-{n}", [line]) for n in wanted]
                answers = await gatherResults(asked)
                given[host] += [one.start for one in answers if one.refused_by is None]
                told = answers[-1].seen[0]
                many = max(1, int(200 * TOGETHER / told.hosts))
                await deferLater(reactor, 0.002 if is_greedy else told.start_in)

        hosts = [Deferred.fromCoroutine(dial(host, host == 0)) for host in range(4)]
        await gatherResults(hosts)
        starts = sorted(one for some in given for one in some)
        shares = [len(some) for some in given]
        self.assertGreater(min(shares), len(starts) / 4 / 2, shares)
        apart = min(after - before for before, after in pairwise(starts))
        self.assertGreaterEqual(apart, line.interval * 1e6 - 2)

    async def test_a_line_with_more_rests_between_starts(self) -> None:
        line = Counted.of(KEY, 9, None, rest=300.0)
        self.assertTrue(await self.take(0, "a", line))
        self.assertFalse(await self.take(1, "b", line))

    def test_the_interval(self) -> None:
        self.assertEqual(Counted.of("k", 5, 4.0, 0.1).interval, SPACING / 4)
        self.assertEqual(Counted.of("k", 5, 4.0, 1.0), Counted("k", 5, 1.0, 0.0))
        self.assertEqual(Counted.of("k", 1, None, 1.0), Counted("k", 1, 0.0, 1.0))
        self.assertEqual(Counted.of("k", None, None), Counted("k"))

    async def test_hosts_are_told_to_come_one_after_the_other(self) -> None:
        line = Counted.of(KEY, None, 0.01)
        self.stores.append(Store(self.redis, "fs3", "a third", 10))
        await self.stores[2].acquire_lease()
        await self.take(0, "a", line)
        first = await self.try_to_take(1, "b", line)
        second = await self.try_to_take(2, "c", line)
        apart = second.seen[0].start_in - first.seen[0].start_in
        self.assertTrue(50 < apart < 110, apart)


class GoneHostTests(PlacesTestCase):
    """What a host held that died."""

    async def until_lapsed(self, ago: float, host: str = "fs2") -> None:
        """Let the lease of a host have ended so many seconds ago."""
        await self.call("DEL", keys.lease(host))
        await self.call("ZADD", keys.HOSTS, repr(await self.time() - ago), host)

    async def fill(self) -> None:
        for name in "ab":
            await self.take(1, name)

    async def test_its_places_stay_taken_for_a_while(self) -> None:
        await self.fill()
        await self.until_lapsed(200)
        await self.ask(0, Asking.SWEEP)
        self.assertFalse(await self.take(0, "c"))

    async def test_then_they_are_free(self) -> None:
        await self.fill()
        await self.until_lapsed(301)
        self.assertFalse(await self.take(0, "c"))
        answer = await self.ask(0, Asking.SWEEP)
        self.assertEqual(answer.taken, 0)
        self.assertTrue(await self.take(0, "c"))

    async def test_a_host_that_lives_keeps_its_own(self) -> None:
        await self.fill()
        await self.ask(0, Asking.SWEEP)
        self.assertFalse(await self.take(0, "c"))

    async def test_a_host_that_nobody_knows_is_gone_from_now_on(self) -> None:
        await self.fill()
        await self.call("ZREM", keys.HOSTS, "fs2")
        await self.ask(0, Asking.SWEEP)
        self.assertFalse(await self.take(0, "c"))
        noted = await self.call("ZSCORE", keys.HOSTS, "fs2")
        self.assertIsNotNone(noted)

    async def test_the_lease_says_until_when_it_holds(self) -> None:
        now = await self.time()
        for host in ("fs1", "fs2"):
            score = await self.call("ZSCORE", keys.HOSTS, host)
            assert isinstance(score, bytes)
            self.assertTrue(now < float(score) <= now + 15.1, (now, score))
        await self.stores[1].release_lease()
        score = await self.call("ZSCORE", keys.HOSTS, "fs2")
        assert isinstance(score, bytes)
        self.assertLessEqual(float(score), await self.time() + 0.001)  # it is rounded


class OwnPlacesTests(PlacesTestCase):
    """What a daemon says at its start, or after an outage."""

    async def test_the_places_of_this_host_alone(self) -> None:
        many = Counted(KEY, 9)
        for host, name in [(0, "a"), (0, "b"), (1, "c")]:
            await self.take(host, name, many)
        self.assertEqual(await self.set_right(0, {KEY: ["b", "x"], TRUNK: ["y"]}), 3)
        self.assertEqual(await self.taken(), [b"fs1\tb", b"fs1\tx", b"fs2\tc"])
        self.assertEqual(await self.taken(TRUNK), [b"fs1\ty"])
        self.assertEqual(await self.set_right(0, {KEY: ["b", "x"]}), 0)

    async def test_what_is_doubtful_keeps_the_place_that_it_has(self) -> None:
        many = Counted(KEY, 9)
        for host, name in [(0, "a"), (0, "b"), (1, "c")]:
            await self.take(host, name, many)
        own = {KEY: Owned(["x"], ["b", "c", "y"]), TRUNK: Owned([], ["b"])}
        righted = await self.places(0).set_right(own)
        self.assertEqual(righted, {KEY: Righted(2, ("b",)), TRUNK: Righted(0)})
        self.assertEqual(await self.taken(), [b"fs1\tb", b"fs1\tx", b"fs2\tc"])
        self.assertEqual(await self.taken(TRUNK), [])

    async def test_calls_that_are_up_count_also_above_the_count(self) -> None:
        for name in "ab":
            await self.take(1, name)
        await self.set_right(0, {KEY: ["x"]})
        self.assertEqual(len(await self.taken()), 3)
        await self.leave(1, "a")
        self.assertFalse(await self.take(1, "c"))

    async def test_it_waits_no_more(self) -> None:
        one = Counted(KEY, 1)
        await self.take(0, "a", one)
        await self.take(1, "b", one)
        await self.set_right(1, {KEY: []})
        await self.leave(0, "a", one)
        self.assertTrue(await self.take(0, "c", one))

    async def test_another_type(self) -> None:
        await self.call("SET", KEY, "x")
        with self.assertRaises(WrongType):
            await self.set_right(0, {KEY: ["a"]})


class RandomWalkTests(PlacesTestCase):
    """Two lines on one trunk, three hosts, any order of steps."""

    async def test_never_above_a_count_and_no_place_is_lost(self) -> None:
        seed = random.randrange(1 << 30)
        dice = random.Random(seed)
        third = Store(self.redis, "fs3", "third", 10)
        await third.acquire_lease()
        self.stores.append(third)
        trunk = Counted(TRUNK, 4)
        lines = [
            Counted(keys.counted_calls("d", "line", "a"), 3),
            Counted(keys.counted_calls("d", "line", "b"), 2),
        ]
        up: dict[tuple[int, str], Sequence[Counted]] = {}
        refused = 0
        for number in range(1500):
            if up and dice.random() < 0.45:
                host, name = dice.choice(list(up))
                await self.leave(host, name, *up.pop((host, name)))
            else:
                host, name = dice.randrange(3), f"c{number}"
                way: Sequence[Counted] = (dice.choice(lines), trunk)
                if await self.take(host, name, *way):
                    up[host, name] = way
                else:
                    refused += 1
            if dice.random() < 0.05:
                asking = dice.choice(list(Asking))
                await gatherResults([self.places(host).ask(asking, one) for one in lines])
            if dice.random() < 0.03:
                own = {
                    one.key: [name for (of, name), way in up.items() if of == host and one in way]
                    for one in (*lines, trunk)
                }
                self.assertEqual(await self.waits_aside(host, own), 0, seed)
            for one in (*lines, trunk):
                expected = sorted(
                    f"fs{of + 1}\t{name}".encode() for (of, name), way in up.items() if one in way
                )
                self.assertEqual(await self.taken(one.key), expected, seed)
                self.assertLessEqual(len(expected), one.count or 0, seed)
        self.assertGreater(refused, 50)
        for (host, name), way in up.items():
            await self.leave(host, name, *way)
        for host in range(3):
            for one in (*lines, trunk):
                await self.ask(host, Asking.PASS, one)
        for index in range(4):
            self.assertTrue(await self.take(index % 3, f"z{index}", trunk), seed)

    async def test_steps_that_come_together_keep_counts_and_rates(self) -> None:
        """In one script each step sees what those before it did."""
        seed = random.randrange(1 << 30)
        dice = random.Random(seed)
        trunk = Counted.of(TRUNK, 6, 500.0)
        line = Counted(keys.counted_calls("d", "line", "a"), 4)
        up: dict[tuple[int, str], Sequence[Counted]] = {}
        starts: list[int] = []
        for turn in range(300):
            host = dice.randrange(2)
            asked: list[tuple[str, Sequence[Counted], Deferred[Taken]]] = []
            for step in range(dice.randrange(1, 8)):
                ended = [name for of, name in up if of == host]
                if ended and dice.random() < 0.5:
                    name = dice.choice(ended)
                    self.places(host).leave(name, up.pop((host, name)), can_wait=True)
                    continue
                way: Sequence[Counted] = (line, trunk) if dice.random() < 0.5 else (trunk,)
                name = f"c{turn}-{step}"
                asked.append((name, way, self.places(host).take(name, way)))
            await self.places(host).all_left()
            for name, way, taking in asked:
                taken = await taking
                if taken.refused_by is None:
                    up[host, name] = way
                    starts.append(taken.start)
            for one in (line, trunk):
                expected = sorted(
                    f"fs{of + 1}\t{name}".encode() for (of, name), way in up.items() if one in way
                )
                self.assertEqual(await self.taken(one.key), expected, seed)
                self.assertLessEqual(len(expected), one.count or 0, seed)
        apart = min(after - before for before, after in pairwise(sorted(starts)))
        self.assertGreaterEqual(apart, trunk.interval * 1e6 - 2, seed)
        self.assertGreater(len(starts), 100, seed)

    async def waits_aside(self, host: int, own: dict[str, list[str]]) -> int:
        """Set the places of a host right after it has left the waiting; return what was wrong."""
        for key in own:
            await self.ask(host, Asking.PASS, Counted(key, 1000))
        return await self.set_right(host, own)


class RightsTests(RightsCase):
    """A user without a right takes no place, and is told which right is missing."""

    async def set_up(self) -> None:
        await super().set_up()
        await self.store.acquire_lease()

    async def test_each_right(self) -> None:
        for command in ("zadd", "zrem"):
            await self.call("ACL", "SETUSER", "daemon", f"-{command}")
            refused = self.store.places.take("a", [LINE])
            error = await self.assertFailure(refused, NotAllowed)
            self.assertIn(command.upper(), str(error))
            await self.call("ACL", "SETUSER", "daemon", f"+{command}")
            self.assertEqual(await self.call("EXISTS", KEY), 0)
        self.assertTrue((await self.store.places.take("a", [LINE])).refused_by is None)

    async def test_the_lease_holds_without_the_right_to_note_it(self) -> None:
        rules = ("resetkeys", "~cti_dialer_lease@*", "~cti_dialer_inflight@*")
        await self.call("ACL", "SETUSER", "daemon", *rules)
        await self.store.renew_lease()
        await self.store.release_lease()
        await self.store.acquire_lease()


class NoAskingRightsTests(RightsTests):
    """The same before Redis 7."""

    can_ask = False
