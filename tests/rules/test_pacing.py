"""Call starts at ``cps``: exact over a minute, and never a burst."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules.pacing import UNLIMITED, Pace, next_start, room, sent, spent, unspent

TICK = 0.05


def wake_ups(cps: float, begin: float, end: float, jitter: float, seed: int) -> list[float]:
    """Return all starts of a dialer that looks at every tick and when ``next_start`` says so.

    Every look comes up to ``jitter`` seconds late.
    """
    chance = random.Random(seed)
    pace, starts = Pace(), list[float]()
    tick = now = begin
    while now < end:
        count = room(pace, cps, now)
        pace = spent(pace, cps, count, now)
        starts += [now] * count
        due = next_start(pace, cps, now)
        assert due is not None
        assert due > now, "the dialer would wake up for ever without time passing"
        while tick <= now:
            tick += TICK
        now = min(due, tick) + chance.random() * jitter
    return starts


def most_in_a_second(starts: list[float]) -> int:
    return max(bisect_left(starts, start + 1) - at for at, start in enumerate(starts))


def ticks(begin: float, count: int) -> Iterator[float]:
    return (begin + number * TICK for number in range(count))


class PaceTests(SynchronousTestCase):
    def test_a_call_that_is_not_placed_gives_its_start_back(self) -> None:
        for cps in (0.5, 5.0, 50.0):
            once = spent(Pace(), cps, 1, 1e9)
            self.assertEqual(room(once, cps, 1e9), 0)
            self.assertEqual(room(unspent(once, cps, 1e9), cps, 1e9), 1)
            twice = spent(once, cps, 1, 1e9 + 1 / cps)
            self.assertAlmostEqual(
                unspent(twice, cps, 1e9 + 1 / cps).slot or 0.0, once.slot or 0.0, places=5
            )
        self.assertEqual(unspent(Pace(), 5.0, 1e9), Pace())

    def test_the_first_call_starts_at_once_and_the_next_one_interval_later(self) -> None:
        pace = spent(Pace(), 10, room(Pace(), 10, 5.0), 5.0)
        self.assertEqual(room(Pace(), 10, 5.0), 1)
        self.assertEqual(room(pace, 10, 5.05), 0)
        self.assertAlmostEqual(next_start(pace, 10, 5.0) or 0, 5.1)
        self.assertEqual(room(pace, 10, 5.1), 1)

    def test_one_call_in_twenty_seconds(self) -> None:
        pace, starts = Pace(), list[float]()
        for now in ticks(1000.0, 2000):
            count = room(pace, 0.05, now)
            pace = spent(pace, 0.05, count, now)
            starts += [now] * count
        self.assertEqual([round(start) for start in starts], [1000, 1020, 1040, 1060, 1080])

    def test_a_tick_that_is_late_loses_nothing(self) -> None:
        pace = spent(Pace(), 20, 1, 0.0)
        pace = spent(pace, 20, room(pace, 20, 0.09), 0.09)
        self.assertAlmostEqual(next_start(pace, 20, 0.09) or 0, 0.1)

    def test_a_tick_late_by_several_slots_makes_up_for_them(self) -> None:
        self.assertEqual(room(spent(Pace(), 100, 1, 0.0), 100, 0.05), 5)

    def test_a_pause_saves_nothing_up(self) -> None:
        for pause in (0.2, 1.0, 3600.0):
            pace = spent(Pace(), 20, 1, 0.0)
            self.assertEqual(room(pace, 20, 0.05 + pause), 1, str(pause))
            pace = spent(pace, 20, 1, 0.05 + pause)
            self.assertEqual(room(pace, 20, 0.05 + pause), 0, str(pause))

    def test_without_a_rate_there_is_no_limit_and_with_0_no_call(self) -> None:
        self.assertEqual(room(Pace(), None, 0.0), UNLIMITED)
        self.assertEqual(next_start(Pace(), None, 7.0), 7.0)
        self.assertEqual(room(Pace(), 0.0, 0.0), 0)
        self.assertIsNone(next_start(Pace(), 0.0, 7.0))

    def test_a_changed_rate_is_in_force_at_once(self) -> None:
        pace = spent(Pace(), 0.05, 1, 100.0)
        self.assertEqual(next_start(pace, 0.05, 100.1), 120.0)
        self.assertEqual(room(pace, 10, 100.1), 1)
        unlimited = spent(Pace(), None, 500, 100.0)
        self.assertEqual(next_start(unlimited, 10, 100.05), 100.1)
        self.assertEqual(room(spent(pace, 0, 3, 100.0), 10, 100.1), 1)

    def test_more_starts_than_there_was_room_for_are_made_up_for(self) -> None:
        pace = spent(Pace(), 10, 5, 100.0)
        self.assertAlmostEqual(next_start(pace, 10, 100.0) or 0, 100.5)

    def test_a_call_that_was_long_on_its_way_counts_when_it_is_sent(self) -> None:
        pace = spent(spent(Pace(), 10, 1, 100.0), 10, 1, 100.1)
        late = sent(sent(pace, 100.0, 100.5), 100.1, 100.5)
        self.assertEqual(late.recent, (100.5, 100.5))
        self.assertEqual(late.slot, pace.slot)
        self.assertEqual(sent(pace, 100.1, 100.102), pace)
        self.assertEqual(sent(Pace(100.0, ()), 100.0, 102.0).recent, (102.0,))
        self.assertEqual(sent(pace, 50.0, 60.0), pace, "the clock was put back meanwhile")

    def test_no_start_changes_nothing(self) -> None:
        pace = spent(Pace(), 10, 1, 0.0)
        self.assertEqual(spent(pace, 10, 0, 5.0), pace)

    def test_a_clock_put_back_does_not_stop_calls(self) -> None:
        pace = spent(Pace(), 10, 1, 100_000.0)
        self.assertEqual(room(pace, 10, 96_400.0), 1)
        self.assertEqual(next_start(pace, 10, 96_400.0), 96_400.0)
        pace = spent(pace, 10, 1, 96_400.0)
        self.assertAlmostEqual(next_start(pace, 10, 96_400.0) or 0, 96_400.1)

    def test_the_state_does_not_grow(self) -> None:
        pace = Pace()
        for now in ticks(0.0, 2000):
            pace = spent(pace, 100, room(pace, 100, now), now)
        self.assertLessEqual(len(pace.recent), 101)

    def test_ticks_alone_never_go_above_the_rate(self) -> None:
        for cps in (1.99, 33.3, 100.0, 500.0):
            chance = random.Random(1)
            pace, starts = Pace(), list[float]()
            for tick in ticks(0.0, 600):
                now = tick + chance.random() * 0.01
                count = room(pace, cps, now)
                pace = spent(pace, cps, count, now)
                starts += [now] * count
            self.assertLessEqual(most_in_a_second(starts), cps + 1)
            self.assertGreater(len(starts) / 30, cps * 0.9)


class MinuteTests(SynchronousTestCase):
    def check(self, cps: float, begin: float, jitter: float, seed: int) -> None:
        starts = wake_ups(cps, begin, begin + 60, jitter, seed)
        said = f"{len(starts)} starts at {cps} cps, jitter {jitter}"
        self.assertGreaterEqual(len(starts), cps * 60 * 0.98 - 1, said)
        self.assertLessEqual(len(starts), cps * 60 * 1.001 + 2, said)
        self.assertLessEqual(most_in_a_second(starts), cps + 1, said)

    def test_a_minute_at_common_rates(self) -> None:
        for cps in (0.05, 0.3, 1, 1.99, 2.5, 7, 10, 20, 33.3, 50, 100, 250, 500):
            for jitter in (0.0, 0.003, 0.01):
                self.check(cps, 1_800_000_000.0, jitter, 1)

    def test_when_all_that_was_due_is_started_nothing_more_is(self) -> None:
        # Rounded sums left room for one more, at the very moment of the start.
        self.check(421.5305452291958, 1_800_000_000.0, 0.009032865932876204, 796)

    def test_no_second_on_the_wire_is_above_the_rate_either(self) -> None:
        chance = random.Random(2)
        for cps in (20, 50, 100, 250, 500):
            starts = wake_ups(cps, 0.0, 30, 0.003, 3)
            wire = sorted(start + chance.uniform(0.001, 0.0129) for start in starts)
            self.assertLessEqual(most_in_a_second(wire), cps + 1)

    @settings(deadline=None, max_examples=25)
    @given(
        st.floats(-3.0, 6.2).map(lambda power: 2.718281828**power),
        st.sampled_from([0.0, 12.5, 1_800_000_000.0]),
        st.floats(0.0, 0.01),
        st.integers(0, 1000),
    )
    def test_a_minute_at_any_rate(self, cps: float, begin: float, jitter: float, seed: int) -> None:
        self.check(cps, begin, jitter, seed)

    @settings(deadline=None, max_examples=100)
    @given(
        st.sampled_from([0.5, 1.0, 3.3, 20.0, 100.0]),
        st.lists(st.tuples(st.floats(0, 1.5), st.integers(0, 200)), max_size=60),
    )
    def test_no_second_is_above_the_rate_whatever_the_pauses(
        self, cps: float, looks: list[tuple[float, int]]
    ) -> None:
        pace, now, starts = Pace(), 0.0, list[float]()
        for pause, wanted in looks:
            now += pause
            count = min(wanted, room(pace, cps, now))
            pace = spent(pace, cps, count, now)
            starts += [now] * count
            if room(pace, cps, now) == 0:
                due = next_start(pace, cps, now)
                assert due is not None
                self.assertGreater(due, now)
                self.assertGreaterEqual(room(pace, cps, due), 1)
        if starts:
            self.assertLessEqual(most_in_a_second(starts), cps + 1)
