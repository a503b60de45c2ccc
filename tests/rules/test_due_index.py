"""Where whose due members stand, on plain values."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules.due_index import (
    MAX_SEGMENT,
    Chosen,
    DueIndex,
    DueMember,
    Left,
    Segment,
    choose,
)


def members(configs: str, first: int = 0) -> list[DueMember]:
    """Return a member for each letter, which is the name of its configuration."""
    return [DueMember(b"%d" % at, config) for at, config in enumerate(configs, first)]


class ChooseTests(SynchronousTestCase):
    def test_held_ones_are_passed_over(self) -> None:
        some = members("aabab")
        self.assertEqual(
            choose(some, {"a": 0}, 9), Chosen((some[2], some[4]), (some[0], some[1], some[3]))
        )

    def test_no_more_than_a_configuration_may_have(self) -> None:
        some, room = members("aabaa"), {"a": 3}
        self.assertEqual(choose(some, room, 9).left, (some[4],))
        self.assertEqual(room, {"a": 0})

    def test_no_more_than_are_wanted_and_the_first_ones(self) -> None:
        some = members("abc")
        self.assertEqual(choose(some, {}, 2), Chosen((some[0], some[1]), (some[2],)))
        self.assertEqual(choose(some, {}, 0), Chosen((), tuple(some)))


class DueIndexTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.all = members("a" * MAX_SEGMENT + "b" * MAX_SEGMENT + "ab")
        self.index = DueIndex().with_left({}, self.all)

    def test_segments(self) -> None:
        self.assertEqual(
            self.index.segments,
            (
                Segment(MAX_SEGMENT, self.all[MAX_SEGMENT - 1].entry, frozenset("a")),
                Segment(MAX_SEGMENT, self.all[2 * MAX_SEGMENT - 1].entry, frozenset("b")),
                Segment(2, self.all[-1].entry, frozenset("ab")),
            ),
        )
        self.assertEqual(self.index.starts, (0, MAX_SEGMENT, 2 * MAX_SEGMENT, len(self.all)))
        self.assertEqual(self.index.total, len(self.all))
        self.assertEqual(self.index.last_of(2), (len(self.all) - 1, self.all[-1].entry))

    def test_the_first_that_may_have_one(self) -> None:
        for config, start, found in (("a", 0, 0), ("b", 0, 1), ("a", 1, 2), ("c", 0, None)):
            self.assertEqual(self.index.first_of(config.__eq__, start), found)
        self.assertEqual([self.index.has(one) for one in "abc"], [True, True, False])

    def test_what_was_taken_is_no_longer_in_it(self) -> None:
        left = tuple(self.all[5:MAX_SEGMENT])
        index = self.index.with_left({0: Left(MAX_SEGMENT, left)}, members("c", 900))
        self.assertEqual(index.total, len(self.all) - 5 + 1)
        self.assertEqual(index.segments[1:3], self.index.segments[1:])
        self.assertTrue(index.has("c"))

    def test_what_was_not_read_of_a_segment_stays(self) -> None:
        index = self.index.with_left({1: Left(3, ())}, ())
        self.assertEqual(index.segments[1], Segment(MAX_SEGMENT - 3, *_rest(self.index, 1)))

    def test_one_segment_is_mended(self) -> None:
        new = DueMember(b"new", "c")
        read = [*self.all[: MAX_SEGMENT - 1], new, *self.all[MAX_SEGMENT - 1 : MAX_SEGMENT + 9]]
        index = self.index.mended(0, read)
        self.assertEqual(index.total, len(self.all) + 1)
        self.assertEqual(index.segments[-2:], self.index.segments[1:])
        self.assertTrue(index.has("c"))

    def test_without_its_last_member_it_is_joined_with_the_next(self) -> None:
        read = [*self.all[: MAX_SEGMENT - 1], *self.all[MAX_SEGMENT : 2 * MAX_SEGMENT]]
        index = self.index.mended(0, read)
        self.assertEqual(index.total, len(self.all) - 1)
        self.assertEqual(index.segments[-1], self.index.segments[-1])

    def test_where_nothing_is_known_again_the_rest_is_forgotten(self) -> None:
        index = self.index.mended(1, members("xyz", 5000))
        self.assertEqual(index.segments[:1], self.index.segments[:1])
        self.assertEqual(index.total, MAX_SEGMENT + 3)
        self.assertEqual(self.index.cut(1).segments, self.index.segments[:1])


def _rest(index: DueIndex, at: int) -> tuple[bytes, frozenset[str]]:
    return index.segments[at].last, index.segments[at].configs
