"""Places are left with the record of their call, in one step; else soon after, alone."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.contract.counted import LEFT_WITHIN, Counted
from ctidialer.contract.task import Side
from ctidialer.store.errors import NotAllowed, WrongType
from ctidialer.store.leaving import MAX_WAIT, Leaving
from ctidialer.store.place_answers import Seen
from tests.store.rights_case import RightsCase
from tests.store.test_places import KEY, LINE, TRUNK
from tests.store.test_settle import STREAM, RecordsTestCase
from tests.store.test_waiting import PAST, TEMPLATE, carried

GATEWAY = Counted(TRUNK, 5, 0.0, 2.0)


class HeldTests(SynchronousTestCase):
    """What is left waits for a record for a moment."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.alone: list[str] = []
        self.steps = 0
        self.leaving = Leaving(self.clock, self.send)

    def send(
        self, names: Sequence[str], counted: tuple[Counted, ...]
    ) -> Deferred[tuple[Seen, ...]]:
        self.steps += 1
        self.alone += names
        return Deferred()

    def test_it_rides_once(self) -> None:
        self.leaving.add("a", [LINE])
        self.leaving.add("b", [LINE])
        self.leaving.add("a", [GATEWAY])
        rides = [one.counted for one in self.leaving.ride(["a", "c"])]
        self.assertEqual(rides, [(LINE,), (GATEWAY,)])
        self.assertEqual(self.leaving.ride(["a"]), [])
        self.clock.advance(MAX_WAIT)
        self.assertEqual(self.alone, ["b"])

    def test_it_goes_alone_after_a_moment(self) -> None:
        self.leaving.add("a", [LINE])
        self.clock.advance(MAX_WAIT / 2)
        self.leaving.add("b", [LINE])
        self.assertEqual(self.alone, [])
        self.clock.advance(MAX_WAIT / 2)
        self.assertEqual(self.alone, ["a", "b"])
        self.leaving.add("c", [LINE])
        self.clock.advance(MAX_WAIT)
        self.assertEqual(self.alone, ["a", "b", "c"])

    def test_those_of_the_same_lines_go_together(self) -> None:
        for name in "abc":
            self.leaving.add(name, [GATEWAY if name == "b" else LINE], can_wait=True)
        self.leaving.go()
        self.assertEqual((self.alone, self.steps), (["a", "c", "b"], 2))

    def test_no_timer_stays_behind(self) -> None:
        self.leaving.add("a", [LINE])
        self.leaving.ride(["a"])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.leaving.add("a", [LINE])
        self.leaving.go()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_place_that_nobody_lacks_waits_for_longer(self) -> None:
        self.leaving.add("a", [LINE], can_wait=True)
        self.assertEqual(self.leaving.ride(["a"]), [])
        self.clock.advance(MAX_WAIT)
        self.assertEqual((self.alone, self.leaving.is_any), ([], True))
        self.clock.advance(LEFT_WITHIN)
        self.assertEqual((self.alone, self.leaving.is_any), (["a"], False))

    def test_it_goes_with_the_next_step_before_what_is_urgent(self) -> None:
        self.leaving.add("a", [LINE])
        self.leaving.add("b", [LINE], can_wait=True)
        self.leaving.go()
        self.assertEqual(self.alone, ["b", "a"])
        self.assertEqual(self.clock.getDelayedCalls(), [])


class LeaveCase(RecordsTestCase):
    """A number that is claimed, and has its places."""

    async def set_up(self) -> None:
        await super().set_up()
        await self.call("RPUSH", "q", "a", "b")
        self.a, self.b = (one.id for one in await self.claim(2))
        taken = [self.store.places.take(one, [LINE, GATEWAY]) for one in (self.a, self.b)]
        self.assertEqual([one.refused_by for one in await gatherResults(taken)], [None, None])

    async def places(self) -> object:
        return await self.call("ZRANGEBYSCORE", KEY, "0", "+inf")


class RideTests(LeaveCase):
    """``a`` ends first, so that Redis has the script by then."""

    async def test_in_the_step_of_the_record(self) -> None:
        for name, still_taken, calls in ((self.a, 1, None), (self.b, 0, 1)):
            before = await self.script_calls()
            left = self.store.places.leave(name, [LINE, GATEWAY])
            self.assertTrue(await self.store.settle(name, b"1"))
            said = await left
            self.assertIn(calls, (await self.script_calls() - before, None))
            self.assertEqual([one.taken for one in said], [still_taken] * 2)
            self.assertGreater(said[1].start_in, 0)  # it rests
        self.assertEqual((await self.places(), await self.records()), ([], [b"1", b"1"]))

    async def test_each_with_its_own_record(self) -> None:
        left = [self.store.places.leave(one, [LINE]) for one in (self.a, self.b)]
        await self.store.settle(self.a, b"1")
        self.assertEqual(await gatherResults(left), [(Seen(1, 0.0),), (Seen(0, 0.0),)])
        self.assertEqual(await self.places(), [])
        self.assertEqual(await self.records(), [b"1"])

    async def test_with_a_number_that_waits(self) -> None:
        for name, still_taken, calls in ((self.a, 1, None), (self.b, 0, 1)):
            before = await self.script_calls()
            left = self.store.places.leave(name, [LINE])
            self.assertTrue(await self.store.wait(name, TEMPLATE, carried(name), PAST, b"1"))
            self.assertEqual(await left, (Seen(still_taken, 0.0),))
            self.assertIn(calls, (await self.script_calls() - before, None))
        self.assertEqual(await self.records(), [b"1", b"1"])

    async def test_a_place_is_left_before_it_is_taken_again(self) -> None:
        self.store.places.leave(self.a, [LINE])
        taken = await self.store.places.take(self.a, [LINE])
        self.assertEqual((taken.refused_by, taken.seen), (None, (Seen(2, 0.0),)))
        await self.store.settle(self.b, b"1")
        self.assertEqual(len(await self.places() or ()), 2)  # type: ignore[arg-type]

    async def test_a_place_that_nobody_lacks_goes_with_the_next_call(self) -> None:
        await self.call("RPUSH", "q", "c")
        (third,) = await self.claim(1)
        left = self.store.places.leave(self.a, [LINE], can_wait=True)
        await self.store.settle(self.a, b"1")
        self.assertFalse(left.called)
        before = await self.script_calls()
        taken = await self.store.places.take(third.id, [LINE])
        self.assertIn(await self.script_calls() - before, (1, None))
        self.assertEqual((await left, taken.seen), ((Seen(1, 0.0),), (Seen(2, 0.0),)))

    async def test_a_host_that_waits_is_told(self) -> None:
        await self.call("ZADD", KEY, "-9999999999", " full fs2")
        left = self.store.places.leave(self.a, [LINE])
        await self.store.settle(self.a, b"1")
        self.assertEqual((await left)[0].taken, 2)  # one place is kept for the other


class EndTests(LeaveCase):
    """A daemon that ends keeps no place."""

    async def test_before_the_lease_is_given_up(self) -> None:
        left = self.store.places.leave(self.a, [LINE])
        later = self.store.places.leave(self.b, [LINE], can_wait=True)
        await self.store.release_lease()
        self.assertEqual(await gatherResults([later, left]), [(Seen(0, 0.0),)] * 2)
        self.assertEqual(await self.call("EXISTS", keys.lease("fs1")), 0)

    async def test_what_is_refused_keeps_no_lease(self) -> None:
        await self.call("DEL", KEY)
        await self.call("SET", KEY, "x")
        left = self.store.places.leave(self.a, [LINE])
        await self.store.release_lease()
        await self.assertFailure(left, WrongType)
        self.assertEqual(await self.call("EXISTS", keys.lease("fs1")), 0)


class RefusedTests(LeaveCase):
    """A record that is refused keeps no place."""

    async def test_a_stream_of_another_type(self) -> None:
        await self.call("SET", STREAM, "x")
        left = self.store.places.leave(self.a, [LINE])
        await self.assertFailure(self.store.settle(self.a, b"1"), WrongType)
        self.assertEqual(await left, (Seen(1, 0.0),))
        self.assertEqual(await self.places(), [f"fs1\t{self.b}".encode()])

    async def test_places_of_another_type_refuse_no_record(self) -> None:
        await self.call("DEL", KEY)
        await self.call("SET", KEY, "x")
        left = [self.store.places.leave(one, [LINE]) for one in (self.a, self.b)]
        self.assertTrue(await self.store.settle(self.a, b"1"))
        for one in left:
            error = await self.assertFailure(one, WrongType)
            self.assertIn(KEY, str(error))
        self.assertEqual(await self.records(), [b"1"])

    async def test_one_that_is_refused_spoils_no_answer_to_others(self) -> None:
        await self.call("DEL", KEY)
        await self.call("SET", KEY, "x")
        first = self.store.places.leave(self.a, [LINE, GATEWAY])
        second = self.store.places.leave(self.b, [GATEWAY])
        settled = [self.store.settle(one, b"1") for one in (self.a, self.b)]
        self.assertEqual(await gatherResults(settled), [True, True])
        await self.assertFailure(first, WrongType)
        self.assertEqual([one.taken for one in await second], [0])


class RightsTests(RightsCase):
    """A missing right keeps the record from nobody."""

    async def test_no_right_to_leave(self) -> None:
        await self.store.acquire_lease()
        await self.call("RPUSH", "q", "a")
        (one,) = await self.store.claim("q", Side.LEFT, 1, task="t")
        await self.store.places.take(one.id, [LINE])
        await self.call("ACL", "SETUSER", "daemon", "-zrem")
        left = self.store.places.leave(one.id, [LINE])
        self.assertTrue(await self.store.settle(one.id, b"1"))
        error = await self.assertFailure(left, NotAllowed)
        self.assertIn("ZREM", str(error))
        self.assertEqual(await self.call("XLEN", keys.records("fs1")), 1)


class NoAskingRightsTests(RightsTests):
    """The same before Redis 7."""

    can_ask = False
