"""The place of a call that ends goes on to the next call of the host, without a word to Redis."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.contract.record import Kind
from ctidialer.dialer.dispatch.shared_places import NoPlace
from ctidialer.store.in_flight import NO_CALL, InFlight, Place
from ctidialer.store.places import Asking
from tests.dialer.fakes import MemoryPlaces
from tests.dialer.shared_world import LINE, TASK, SharedWorld, in_flight


class PassingCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.world = SharedWorld()
        self.world.wire()
        places = self.world.store.places
        assert isinstance(places, MemoryPlaces)
        self.redis = places

    def recover(self, *entries: InFlight) -> None:
        self.successResultOf(Deferred.fromCoroutine(self.world.places.recover(entries)))


class PassedOnTests(PassingCase):
    def dial(self, *numbers: str) -> None:
        self.world.put_group("backup", "nothing")
        self.world.put_numbers(*numbers)
        self.world.start()
        self.world.runs_for(0.3)

    def end_all(self) -> None:
        for placed in self.world.switch.placed:  # those that begin meanwhile, too
            if placed.uuid in self.world.calls:
                self.world.ends(answered=True, placed=placed)

    def test_the_next_call_has_the_place_of_the_one_that_ends(self) -> None:
        self.world.share_line(count=1)
        self.dial("1001", "1002", "1003")
        for count in (2, 3):
            self.world.ends(answered=True)
            self.assertEqual(len(self.world.switch.placed), count)
            self.assertEqual(self.redis.taken[LINE], [("me", "me-1-1")])
        self.assertEqual((len(self.redis.takes), self.redis.left), (1, []))
        self.assertEqual([one.place for one in self.world.store.notes], [None, *PASSED])

    def test_when_no_number_follows_it_is_left(self) -> None:
        self.world.share_line(count=1)
        self.dial("1001", "1002")
        self.end_all()
        self.world.runs_for(0.3)
        self.assertEqual((self.redis.taken[LINE], self.redis.left), ([], [("me-1-1", False)]))
        self.assertEqual((self.world.places._held.own, self.world.left_behind()), ({}, {}))

    def test_it_takes_its_line_and_the_limit_of_its_task(self) -> None:
        self.world.share_line(count=2)
        self.world.share_task()
        self.dial("1001", "1002", "1003", "1004")
        self.end_all()
        self.assertEqual((len(self.world.switch.placed), len(self.redis.takes)), (4, 2))
        self.assertEqual(sorted(self.redis.taken[LINE]), sorted(self.redis.taken[TASK]))
        self.world.runs_for(0.5)
        self.assertEqual((self.redis.taken[LINE], self.redis.taken[TASK]), ([], []))

    def test_it_may_be_of_another_task(self) -> None:
        self.world.share_line(count=1)
        self.world.put_task("t2", number_queue="q2", line_group=["main"])
        self.world.store.queues["q2"] = [b"2001"]
        self.dial("1001")
        first = len(self.world.switch.placed)
        self.world.ends(answered=True)
        self.world.runs_for(0.05)
        self.assertEqual((first, len(self.world.switch.placed)), (1, 2))
        self.assertEqual(len(self.redis.takes), 1)

    def test_a_further_call_of_a_number_whose_place_went_on_has_another_name(self) -> None:
        """Else two calls would have one place, and it would be left with the first of them."""
        self.world.share_line(count=2)
        self.world.share_line("gw2", scope="host")
        places = self.world.places
        self.take("a")
        places.left("a", was_placed=True)
        self.take("b")
        self.assertEqual((places.place_of("b"), len(self.redis.takes)), (Place("a", 1), 1))
        self.take("a")
        self.assertEqual(places.place_of("a"), Place("a+2", 0))
        self.assertEqual(self.redis.taken[LINE], [("me", "a"), ("me", "a+2")])
        places.left("b", was_placed=True)
        self.world.runs_for(1)
        self.assertEqual(self.redis.taken[LINE], [("me", "a+2")])

    def take(self, entry_id: str) -> None:
        line = self.world.tables.routes.lines["gw1"]
        taking = self.world.places.take(entry_id, Kind.QUEUE, "t", line)
        taken = Deferred.fromCoroutine(taking)
        self.world.runs_for(0.05)
        self.successResultOf(taken)

    def test_after_a_restart_it_still_has_it_by_that_name(self) -> None:
        """On a trunk whose lines are gone: nothing but the name tells which place is whose."""
        self.redis.taken[LINE] = [("me", "m-1-1"), ("me", "m-1-2")]
        self.world.share_line(count=5)
        entry = in_flight("m-1-9", "u9")
        assert entry.dialing is not None
        self.recover(evolve(entry, dialing=evolve(entry.dialing, place=Place("m-1-1", 1))))
        self.assertEqual(self.redis.taken[LINE], [("me", "m-1-1")])
        self.world.places.left("m-1-9", was_placed=True)
        self.world.runs_for(0.5)
        self.assertEqual(self.redis.taken[LINE], [])

    def test_two_entries_that_tell_of_one_place_count_twice_until_the_calls_are_known(self) -> None:
        """The daemon was killed when the first call had ended and the second had its place."""
        self.world.share_line("gone", count=5)
        key = keys.counted_calls("fs1", "line", "gone")
        first, second = in_flight("m-1-1", "u1"), in_flight("m-1-2", "u2")
        assert second.dialing is not None
        second = evolve(second, dialing=evolve(second.dialing, place=Place("m-1-1", 1)))
        self.redis.taken[key] = [("me", "m-1-1")]
        self.recover(first, second)
        self.assertEqual(sorted(self.redis.taken[key]), [("me", "m-1-1"), ("me", "m-1-1+2")])
        self.world.places.left("m-1-1", was_placed=True)
        self.world.runs_for(0.5)
        self.assertEqual(self.redis.taken[key], [("me", "m-1-1")])
        self.world.places.left("m-1-2", was_placed=True)
        self.world.runs_for(0.5)
        self.assertEqual(self.redis.taken[key], [])

    def test_of_those_that_tell_of_one_place_the_last_to_have_it_keeps_it(self) -> None:
        """Nothing but the gateway is known of a line with another name by now."""
        self.redis.taken[LINE] = [("me", "m-1-1")]
        self.world.share_line(count=5)
        told = []
        for index, passed in ((2, 1), (3, 2), (4, 0)):
            entry = in_flight(f"m-1-{index}", f"u{index}")
            assert entry.dialing is not None
            place = Place("m-1-1", passed)
            told.append(evolve(entry, dialing=evolve(entry.dialing, place=place)))
        self.recover(*told)
        for index in (2, 4):
            self.world.places.left(f"m-1-{index}", was_placed=True)
        self.world.runs_for(0.5)
        self.assertEqual(self.redis.taken[LINE], [("me", "m-1-1")])
        self.world.places.left("m-1-3", was_placed=True)
        self.world.runs_for(0.5)
        self.assertEqual(self.redis.taken[LINE], [])

    def test_a_number_that_rests_keeps_its_place_through_two_recoveries(self) -> None:
        self.redis.taken[TASK] = [("me", "m-1-1")]
        for _ in range(2):
            self.recover(in_flight("m-1-1", NO_CALL))
        self.world.share_task()
        self.assertEqual(self.redis.taken[TASK], [("me", "m-1-1")])

    def test_a_place_that_is_set_right_while_it_is_spare_is_still_there(self) -> None:
        self.world.share_line(count=1)
        self.dial("1001")
        self.world.store.queues["q"] = [b"1002"]
        self.redis.righting = 0.01
        recovery = Deferred.fromCoroutine(self.world.places.recover(()))
        self.world.ends(answered=True)
        self.world.runs_for(0.05)
        self.successResultOf(recovery)
        self.assertEqual(len(self.world.switch.placed), 2)
        self.assertEqual(self.redis.taken[LINE], [("me", "me-1-1")])

    def test_an_edit_of_the_tables_lets_redis_have_it(self) -> None:
        self.world.share_line(count=1)
        self.dial("1001")
        self.world.ends(answered=True)
        self.world.share_line(count=1, cps=1)
        self.world.runs_for(0.01)
        self.assertEqual(self.redis.taken[LINE], [])

    def test_the_place_of_a_call_of_which_redis_has_not_said_so_is_left(self) -> None:
        self.world.share_line(count=1)
        self.world.put_group("backup", "nothing")
        self.redis.round_trip = 1.0
        taking = self.world.places.take("a", Kind.QUEUE, "t", self.world.tables.routes.lines["gw1"])
        Deferred.fromCoroutine(taking).addErrback(lambda failure: failure.trap(NoPlace))
        self.world.places.left("a", was_placed=False)
        self.assertEqual(self.redis.left, [("a", False)])

    def test_who_was_given_a_place_asks_for_the_next_up_to_its_share(self) -> None:
        """So a host that comes later has its share soon."""
        self.world.share_line(count=4)
        self.redis.waiting[LINE] = 1
        self.redis.others_take(LINE, *"abcd")
        self.dial("1001", "1002", "1003", "1004")
        self.assertEqual(len(self.world.switch.placed), 0)
        for count in (1, 2):
            self.redis.taken[LINE].pop(0)
            asked = len(self.redis.asked)
            self.world.places.questions.place_is_free(LINE)
            self.world.runs_for(0.1)
            self.assertEqual(len(self.world.switch.placed), count)
            more = self.redis.asked[asked:]
            self.assertEqual(more, [(Asking.WAIT, LINE)] if count == 1 else [])


PASSED = (Place("me-1-1", 1), Place("me-1-1", 2))
ENTRIES = ("a", "b", "c", "d")
STEPS = st.one_of(
    st.tuples(st.just("take"), st.sampled_from(ENTRIES)),
    st.tuples(st.just("left"), st.sampled_from(ENTRIES)),
    st.tuples(st.just("over"), st.sampled_from(ENTRIES)),
    st.tuples(st.just("wait"), st.sampled_from((0.0, 0.005, 0.05, 0.2, 1.5))),
    st.tuples(st.just("waiting"), st.sampled_from((0, 1, 3))),
    st.tuples(st.just("edit"), st.sampled_from((1, 2, 3))),
    st.tuples(st.just("recover"), st.none()),
    st.tuples(st.just("lapse"), st.none()),
)


class AnyOrderTests(PassingCase):
    """Whatever comes in which order: each call has a place that no other call has."""

    @settings(max_examples=300, deadline=None)
    @given(st.lists(STEPS, max_size=40), st.booleans())
    def test_every_call_has_a_place_of_its_own(
        self, steps: list[tuple[str, object]], is_limited: bool
    ) -> None:
        self.begin()
        self.limited, self.lapsed = is_limited, False
        self.world.share_line(count=3)
        if is_limited:
            self.world.share_task(limit=3)
        self.recover()
        self.up: set[str] = set()
        self.in_hand: set[str] = set()
        for what, detail in steps:
            getattr(self, what)(detail)
            self.check()
        self.recover()
        for entry in ENTRIES:
            self.left(entry)
            self.over(entry)
        self.world.runs_for(2)
        self.assertEqual(self.redis.taken.get(LINE, []), [])
        self.assertEqual(self.redis.taken.get(TASK, []), [])
        self.assertEqual((self.world.places._held.own, list(self.world.places._spares)), ({}, []))

    def take(self, entry: str) -> None:
        if entry in self.up or self.lapsed:
            return
        line = self.world.tables.routes.lines["gw1"]
        taking = Deferred.fromCoroutine(self.world.places.take(entry, Kind.QUEUE, "t", line))
        self.world.runs_for(0.02)
        if taking.result is not None and not isinstance(taking.result, tuple):
            failed: list[object] = []
            taking.addErrback(failed.append)
            if failed:
                self.world.places.left(entry, was_placed=False)
                if entry not in self.in_hand:
                    self.world.places.over(entry)
                return
        self.up.add(entry)
        self.in_hand.add(entry)

    def left(self, entry: str) -> None:
        if entry in self.up:
            self.up.discard(entry)
            self.world.places.left(entry, was_placed=True)

    def over(self, entry: str) -> None:
        if entry not in self.up and entry in self.in_hand:
            self.in_hand.discard(entry)
            self.world.places.over(entry)

    def wait(self, seconds: float) -> None:
        self.world.runs_for(seconds)

    def waiting(self, count: int) -> None:
        self.redis.waiting = {LINE: count, TASK: count}

    def edit(self, count: int) -> None:
        self.world.share_line(count=count)

    def lapse(self, _: None) -> None:
        self.world.places.lapsed()
        self.lapsed = True

    def recover(self, *_: object) -> None:
        self.lapsed = False
        if hasattr(self, "up"):
            entries = [in_flight(one, "u" if one in self.up else NO_CALL) for one in self.in_hand]
        else:
            entries = []
        super().recover(*entries)

    def check(self) -> None:
        if self.lapsed:
            return
        for key, holding in ((LINE, self.up), (TASK, self.in_hand if self.limited else set())):
            names = [self.name(key, entry) for entry in holding]
            taken = self.redis.taken.get(key, [])
            self.assertEqual(len(names), len(set(names)))
            self.assertEqual(len(taken), len(set(taken)))
            for name in names:
                self.assertIn(("me", name), taken)

    def name(self, key: str, entry: str) -> str:
        held = self.world.places._held
        return (held.calls if key == LINE else held.numbers)[entry].name
