"""Which places of calls that have ended a host keeps for its next calls, and for how long."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.counted import LEFT_WITHIN, Counted
from ctidialer.dialer.dispatch.counted_things import CountedThings, Thing
from ctidialer.dialer.dispatch.held_places import Held, HeldPlaces
from ctidialer.dialer.dispatch.lines import LineAccounts
from ctidialer.dialer.dispatch.spare_places import (
    HEARD_WITHIN,
    MAX_UNWANTED_FOR,
    MOST_PASSED,
    WANTED_WITHIN,
    SparePlaces,
)
from ctidialer.dialer.dispatch.task_runs import TaskRuns
from ctidialer.rules.tables import Tables
from ctidialer.store.place_answers import Seen

TRUNK = Thing(Counted("trunk", 8), "trunk")
TASK = Thing(Counted("task", 8), "t", is_task=True)
PACED = Thing(Counted("paced", 8, interval=0.1), "paced")
RESTS = Thing(Counted("rests", 1, rest=5.0), "rests")


class KnownThings(CountedThings):
    """Things that need no tables."""

    def __init__(self, *things: Thing) -> None:
        super().__init__(Tables("h", "h", ""), LineAccounts(), TaskRuns("UTC"))
        self.by_key = {thing.key: thing for thing in things}

    def of_key(self, key: str) -> Thing | None:
        """Return the one that has this name in Redis."""
        return self.by_key.get(key)


class SparePlacesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.held = HeldPlaces()
        self.given_back: list[Held] = []
        self.things = KnownThings(TRUNK, TASK, PACED, RESTS)
        self.spares = SparePlaces(self.clock, self.things, self.held, self.given_back.append)
        for thing in (TRUNK, TASK, PACED, RESTS):
            self.hear(thing)

    def hear(self, thing: Thing, waiting: int = 0, others: int = 0, kept: int = 0) -> None:
        taken = self.held.count(thing.key) + others + kept
        self.spares.heard(thing, Seen(taken, 0.0, waiting + 1, kept))

    def own(self, thing: Thing, *names: str) -> None:
        for name in names:
            self.held.taken(thing, name)

    def ends(self, name: str, *things: Thing, is_plenty: bool = False) -> bool:
        things = things or (TRUNK,)
        self.own(things[0], name)
        for thing in things:
            self.own(thing, name)
        return self.spares.keep(Held(name, things), is_plenty=is_plenty)

    def taken(self, *things: Thing) -> str | None:
        held = self.spares.take(things)
        return None if held is None else held.name

    def test_the_next_call_has_the_place(self) -> None:
        self.assertTrue(self.ends("a"))
        self.assertEqual([one.name for one in self.spares], ["a"])
        self.assertEqual(self.taken(TRUNK), "a")
        self.assertEqual((self.spares.take([TRUNK]), list(self.spares)), (None, []))
        self.clock.advance(10)
        self.assertEqual((self.given_back, self.clock.getDelayedCalls()), ([], []))

    def test_what_nobody_wants_goes_back_soon(self) -> None:
        self.ends("a")
        self.clock.advance(WANTED_WITHIN / 2)
        self.ends("b")
        self.clock.advance(WANTED_WITHIN / 2)
        self.assertEqual([one.name for one in self.given_back], ["a"])
        self.clock.advance(WANTED_WITHIN / 2)
        self.assertEqual([one.name for one in self.given_back], ["a", "b"])
        self.assertIsNone(self.spares.take([TRUNK]))

    def test_what_no_other_host_lacks_is_kept_longer(self) -> None:
        self.ends("a", is_plenty=True)
        self.clock.advance(LEFT_WITHIN - 0.01)
        self.assertEqual(self.taken(TRUNK), "a")

    def test_after_that_places_go_back_at_once_for_a_while(self) -> None:
        for pause in (1, 2, 4):
            self.assertTrue(self.ends("a"))
            self.clock.advance(WANTED_WITHIN)
            self.clock.advance(pause - 0.1)
            self.hear(TRUNK)
            self.assertFalse(self.ends("b"))
            self.clock.advance(0.2)
            self.hear(TRUNK)

    def test_and_no_longer_than_a_minute(self) -> None:
        for _ in range(20):
            self.assertTrue(self.ends("a"))
            self.clock.advance(WANTED_WITHIN)
            self.clock.advance(MAX_UNWANTED_FOR)
            self.hear(TRUNK)

    def test_until_one_is_wanted(self) -> None:
        for _ in range(5):
            self.ends("a")
            self.clock.advance(WANTED_WITHIN)
            self.clock.advance(MAX_UNWANTED_FOR)
            self.hear(TRUNK)
        self.ends("a")
        self.assertEqual(self.taken(TRUNK), "a")
        self.ends("a")
        self.clock.advance(WANTED_WITHIN)
        self.clock.advance(1.0)
        self.hear(TRUNK)
        self.assertTrue(self.ends("a"))

    def test_a_host_that_has_more_than_its_share_keeps_none(self) -> None:
        self.own(TRUNK, *"abcde")
        self.hear(TRUNK, waiting=1, others=3)
        self.assertFalse(self.ends("a"))
        self.held.forget(TRUNK.key, "a")
        self.hear(TRUNK, waiting=1, others=4)
        self.assertTrue(self.ends("b"))

    def test_if_nobody_waits_a_host_keeps_them_all(self) -> None:
        self.own(TRUNK, *"abcdefgh")
        self.hear(TRUNK)
        self.assertTrue(self.ends("a"))

    def test_one_place_goes_from_host_to_host(self) -> None:
        self.things.by_key["one"] = one = Thing(Counted("one", 1), "one")
        self.own(one, "a")
        self.hear(one, waiting=1)
        self.assertFalse(self.ends("a", one))

    def test_one_place_of_many_goes_to_redis_while_others_wait(self) -> None:
        for _ in range(3):
            self.hear(TRUNK, waiting=1)
            for _ in range(MOST_PASSED - 1):
                self.assertTrue(self.ends("a"))
                self.spares.take([TRUNK])
            self.assertFalse(self.ends("a"))

    def test_what_was_heard_long_ago_does_not_tell(self) -> None:
        self.clock.advance(HEARD_WITHIN)
        self.assertFalse(self.ends("a"))
        self.assertFalse(self.ends("a"))  # nor before the answer to that one
        self.hear(TRUNK)
        self.assertTrue(self.ends("a"))

    def test_what_was_heard_in_the_future_does_not_tell_either(self) -> None:
        self.clock.rightNow = -1000.0
        self.assertFalse(self.ends("a"))

    def test_nothing_is_known_of_what_redis_has_not_been_asked_for(self) -> None:
        self.spares.forget(frozenset())
        self.assertFalse(self.ends("a"))

    def test_a_place_that_redis_may_not_know_is_not_passed_on(self) -> None:
        self.assertFalse(self.spares.keep(Held("a", (TRUNK,)), is_plenty=True))

    def test_nor_where_calls_have_a_rate_or_a_rest(self) -> None:
        self.assertEqual((self.ends("a", PACED), self.ends("b", RESTS)), (False, False))
        self.assertTrue(self.ends("c"))
        self.assertIsNone(self.spares.take([PACED]))

    def test_nor_where_they_have_one_by_now(self) -> None:
        self.things.by_key["trunk"] = Thing(Counted("trunk", 8, interval=0.1), "trunk")
        self.assertFalse(self.ends("a"))

    def test_nor_where_nothing_is_counted_by_now(self) -> None:
        del self.things.by_key["trunk"]
        self.assertFalse(self.ends("a"))

    def test_nor_where_the_count_was_lowered(self) -> None:
        self.own(TRUNK, *"abcd")
        self.hear(TRUNK, others=4)
        self.assertTrue(self.ends("a"))
        self.spares.take([TRUNK])
        self.things.by_key["trunk"] = lower = Thing(Counted("trunk", 7), "trunk")
        self.assertFalse(self.ends("a"))
        self.hear(lower, others=4)
        self.assertFalse(self.ends("a"))

    def test_nor_by_what_was_heard_of_another_count(self) -> None:
        self.things.by_key["trunk"] = Thing(Counted("trunk", 7), "trunk")
        self.assertFalse(self.ends("a"))

    def test_it_tells_how_often_it_went_on(self) -> None:
        self.ends("a")
        held = self.spares.take([TRUNK])
        assert held is not None
        self.spares.keep(held, is_plenty=True)
        again = self.spares.take([TRUNK])
        assert again is not None
        self.assertEqual((held.passed, again.passed), (1, 2))

    def test_one_that_others_may_lack_does_not_wait_for_one_that_nobody_lacks(self) -> None:
        self.ends("a", TASK, is_plenty=True)
        self.ends("b")
        self.clock.advance(WANTED_WITHIN)
        self.assertEqual([one.name for one in self.given_back], ["b"])
        self.clock.advance(LEFT_WITHIN - WANTED_WITHIN)
        self.assertEqual([one.name for one in self.given_back], ["b", "a"])

    def test_places_that_are_kept_for_others_are_not_taken(self) -> None:
        self.own(TRUNK, *"abcd")
        self.hear(TRUNK, waiting=1, others=4, kept=1)
        self.assertTrue(self.ends("a"))

    def test_a_line_and_the_limit_of_a_task_go_together(self) -> None:
        self.own(TASK, "a")
        self.assertTrue(self.ends("a"))
        self.assertTrue(self.spares.keep(Held("a", (TASK,), goes_along=True), is_plenty=True))
        self.assertEqual((self.spares.take([TRUNK]), self.spares.take([TASK])), (None, None))
        self.assertEqual(self.taken(TRUNK, TASK), "a")

    def test_where_the_one_goes_back_so_does_the_other(self) -> None:
        self.own(TASK, *"abcde")
        self.hear(TASK, waiting=1)
        self.assertTrue(self.ends("a"))
        self.assertFalse(self.spares.keep(Held("a", (TASK,), goes_along=True), is_plenty=True))
        self.assertEqual(([one.name for one in self.given_back], list(self.spares)), (["a"], []))
        self.hear(TASK)
        self.assertFalse(self.spares.keep(Held("a", (TASK,), goes_along=True), is_plenty=True))

    def test_the_limit_of_a_task_alone(self) -> None:
        self.assertTrue(self.ends("a", TASK))
        self.assertEqual(self.taken(TASK), "a")

    def test_who_asks_for_others_too_lets_them_go_first(self) -> None:
        self.ends("a")
        self.ends("b", TASK)
        self.spares.give_back_of([TRUNK, PACED])
        self.assertEqual([one.name for one in self.given_back], ["a"])
        self.spares.give_back_all()
        self.assertEqual([one.name for one in self.given_back], ["a", "b"])

    def test_a_lost_lease_leaves_none(self) -> None:
        self.ends("a")
        self.spares.lapsed()
        self.clock.advance(1)
        self.assertEqual((list(self.spares), self.given_back), ([], []))
        self.assertIsNone(self.spares.take([TRUNK]))

    def test_a_daemon_that_stops_keeps_none(self) -> None:
        self.ends("a")
        self.spares.end()
        self.assertFalse(self.ends("b"))
        self.assertEqual([one.name for one in self.given_back], ["a"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_clock_that_was_put_back_keeps_none_for_long(self) -> None:
        self.ends("a")
        self.clock.rightNow -= 1000.0
        self.clock.advance(1000.0 + WANTED_WITHIN)
        self.assertEqual([one.name for one in self.given_back], ["a"])

    def test_whether_more_places_are_due(self) -> None:
        self.own(TRUNK, *"abc")
        self.hear(TRUNK, waiting=1, others=5)
        self.assertFalse(self.spares.is_below_share(TRUNK))  # not full, as far as the tables say
        self.things.others = lambda thing: 5  # type: ignore[method-assign]
        self.assertTrue(self.spares.is_below_share(TRUNK))
        self.own(TRUNK, "d")
        self.assertFalse(self.spares.is_below_share(TRUNK))
