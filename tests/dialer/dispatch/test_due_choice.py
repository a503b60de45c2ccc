"""Members of held configurations are passed over, whatever others do to the sorted set."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.dialer.dispatch import due_choice
from ctidialer.dialer.dispatch.due_choice import MAX_READS, MEMBERS_PER_READ, DueChoice, DueChooser
from ctidialer.rules import due_index
from ctidialer.store.due import DueLook, DueQuestion
from ctidialer.store.errors import StoreUnavailable

NOW = 1_700_000_000.0
LONG = 1000
"""Bytes of a member above which it is not called."""


class SortedSet:
    """The due members as Redis has them; ``looks`` are those that were made at them."""

    def __init__(self) -> None:
        self.scores: dict[bytes, float] = {}
        self.looks: list[DueQuestion] = []
        self.error: StoreUnavailable | None = None

    def ranked(self) -> list[bytes]:
        return [member for _, member in sorted((s, m) for m, s in self.scores.items())]

    def look_at_due(self, key: str, look: DueQuestion) -> Deferred[DueLook]:
        if self.error is not None:
            return fail(self.error)
        self.looks.append(look)
        ranked = [b"" if len(one) > LONG else one for one in self.ranked()]
        if look.witness is not None:
            place, member = look.witness
            if ranked[place : place + 1] != [member]:
                return succeed(DueLook(False, False, ()))
        due = [one for one in self.ranked() if self.scores[one] <= look.now]
        read = due[look.first : look.first + look.many]
        shown = tuple((b"" if len(one) > LONG else one, len(one)) for one in read)
        return succeed(DueLook(True, len(due) < look.first + look.many, shown))


class ChooserCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.set = SortedSet()
        store: Any = self.set
        self.chooser = DueChooser(store, "z")
        self.added = 0

    def add(self, config: str, score: float = NOW - 100, count: int = 1) -> list[bytes]:
        found = []
        for _ in range(count):
            self.added += 1
            params = {"number": f"{self.added:06d}", "config": config}
            found.append(json.dumps({"params": params}).encode())
        self.set.scores.update(dict.fromkeys(found, score))
        return found

    def choose(self, room: dict[str, int], most: int = 10) -> list[bytes]:
        """Choose, and take what was chosen."""
        choice = self.chosen(room, most)
        taken = [self.at(one.place) if one.place is not None else one.entry for one in choice.taken]
        for one in taken:
            del self.set.scores[one]
        self.chooser.took(choice)
        return taken

    def chosen(self, room: dict[str, int], most: int = 10) -> DueChoice:
        before = dict(room)
        choosing = self.chooser.choose(room, most, NOW)
        choice: DueChoice = self.successResultOf(Deferred.fromCoroutine(choosing))
        self.assertEqual(room, before)
        return choice

    def at(self, place: int) -> bytes:
        return self.set.ranked()[place]


class ChooserTests(ChooserCase):
    def test_the_earliest_that_may_be_taken(self) -> None:
        self.add("held", NOW - 9, 3)
        second, first = self.add("b", NOW - 1), self.add("a", NOW - 2)
        self.add("a", NOW + 1)
        self.assertEqual(self.choose({"held": 0}), [*first, *second])
        self.assertEqual(self.choose({"held": 0}), [])

    def test_a_hundred_thousand_in_front_are_read_once(self) -> None:
        self.add("held", NOW - 9, 100_000)
        others = self.add("b", NOW - 1, 20)
        looks = 0
        while self.choose({"held": 0}, 20) != others:
            looks += 1
        self.assertLessEqual(looks, 100_000 / (MAX_READS * MEMBERS_PER_READ))
        self.set.looks.clear()
        late = self.add("b", NOW)
        self.assertEqual(self.choose({"held": 0}, 20), late)
        self.assertLessEqual(len(self.set.looks), 2)

    def test_one_that_comes_in_between_is_found_at_once(self) -> None:
        self.add("held", NOW - 9, 2000)
        self.choose({"held": 0})
        for score in (NOW - 9, NOW - 10, NOW - 8):
            self.set.looks.clear()
            late = self.add("b", score)
            self.assertEqual(self.choose({"held": 0}), late)
            self.assertLess(len(self.set.looks), 12)

    def test_one_that_is_released_is_found_where_it_stands(self) -> None:
        self.add("held", NOW - 9, 3000)
        wanted = self.add("a", NOW - 8, 5)
        self.add("held", NOW - 7, 1000)
        self.choose({"held": 0, "a": 0})
        self.assertTrue(self.chooser.has_due("a"))
        self.set.looks.clear()
        self.assertEqual(self.choose({"held": 0, "a": 1}), wanted[:1])
        self.assertEqual(self.choose({"held": 0}, 3), wanted[1:4])
        self.assertLess(len(self.set.looks), 3 * MAX_READS)

    def test_what_other_hosts_take_is_noticed(self) -> None:
        held = self.add("held", NOW - 9, 2000)
        self.choose({"held": 0})
        for member in (*held[:300], held[999]):
            del self.set.scores[member]
        late = self.add("b", NOW - 1)
        self.assertEqual(self.choose({"held": 0}), late)
        self.assertEqual(self.choose({"held": 0}), [])

    def test_one_that_took_the_place_of_another_is_found_in_turn(self) -> None:
        held = self.add("held", NOW - 9, 1000)
        self.choose({"held": 0})
        del self.set.scores[held[500]]
        late = self.add("b", NOW - 9)
        self.set.scores[late[0]] = NOW - 9.5
        found: list[bytes] = []
        for _ in range(1 + len(held) // due_index.MAX_SEGMENT):
            found += self.choose({"held": 0})
        self.assertEqual(found, late)

    def test_one_that_is_too_long_is_named_by_its_place(self) -> None:
        self.add("held", NOW - 9)
        long = json.dumps({"params": {"number": "1" * LONG, "config": "held"}}).encode()
        self.set.scores[long] = NOW - 5
        self.assertEqual(self.choose({"held": 0}), [long])

    def test_redis_is_away(self) -> None:
        self.set.error = StoreUnavailable("away")
        choosing = Deferred.fromCoroutine(self.chooser.choose({"a": 0}, 1, NOW))
        self.failureResultOf(choosing, StoreUnavailable)

    def test_nothing_is_remembered_when_nothing_is_held(self) -> None:
        self.add("held")
        self.choose({"held": 0})
        self.chooser.forget()
        self.assertFalse(self.chooser.has_due("held"))


CONFIGS = st.sampled_from("abc")
SCORES = st.integers(-4, 1).map(lambda seconds: NOW + seconds)
STEPS = st.one_of(
    st.tuples(st.just("add"), CONFIGS, SCORES),
    st.tuples(st.just("remove"), st.integers(0, 30)),
    st.tuples(st.just("move"), st.integers(0, 30), SCORES),
    st.tuples(st.just("choose"), st.dictionaries(CONFIGS, st.integers(0, 3)), st.integers(1, 6)),
)


class AnyTests(ChooserCase):
    def setUp(self) -> None:
        self.patch(due_index, "MAX_SEGMENT", 3)
        self.patch(due_choice, "MAX_SEGMENT", 3)
        self.patch(due_choice, "MEMBERS_PER_READ", 4)
        self.patch(due_choice, "MAX_READS", 2)

    @settings(max_examples=60, deadline=None)
    @given(st.lists(STEPS, max_size=40))
    def test_what_may_be_taken_is_found_and_nothing_else(self, steps: list[Any]) -> None:
        self.begin()
        for what, *values in steps:
            if what == "add":
                self.add(*values)
            elif what == "choose":
                self.check(*values)
            elif self.set.scores:
                member = self.at(values[0] % len(self.set.scores))
                del self.set.scores[member]
                if what == "move":
                    self.set.scores[member] = values[1]
        self.find_all({"a": 0})

    def check(self, room: dict[str, int], most: int) -> None:
        taken = self.choose(room, most)
        self.assertLessEqual(len(taken), most)
        for config, free in room.items():
            self.assertLessEqual(sum(_config(one) == config for one in taken), free)

    def find_all(self, room: dict[str, int]) -> None:
        """Each segment has its turn, and nothing else that is due is left then."""
        for _ in range(3 * len(self.set.scores) + 6):
            self.choose(room)
        left = {_config(one) for one, score in self.set.scores.items() if score <= NOW}
        self.assertLessEqual(left, {"a"})


def _config(member: bytes) -> str:
    config: str = json.loads(member)["params"]["config"]
    return config
