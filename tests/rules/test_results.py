"""Sums over records: the same however they are parted, and right to what is promised."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import Kind, Outcome
from ctidialer.contract.record_summary import AttemptSummary, RecordSummary
from ctidialer.rules.periods import By, Periods
from ctidialer.rules.results import ERROR, MAX_TRY, Results, Spread, Tally
from ctidialer.rules.results_document import Stretch, detailed_results

ZONE = "Asia/Shanghai"
BEGAN = 1_795_795_200.0  # 2026-11-28 00:00 in Shanghai
PERIODS = Periods(By.HOUR, ZONE)

MOMENTS = st.floats(BEGAN, BEGAN + 5 * 3600)
MAYBE = st.none() | MOMENTS
ATTEMPTS = st.builds(AttemptSummary, MOMENTS, MAYBE, MAYBE, MAYBE, MAYBE)
RECORDS = st.builds(
    RecordSummary,
    st.sampled_from(Kind),
    st.sampled_from([*(outcome.value for outcome in Outcome), "of_later"]),
    MOMENTS,
    task=st.sampled_from([None, "a", "b", "催收"]),
    config=st.sampled_from([None, "a"]),
    answered=st.booleans(),
    attempts=st.lists(ATTEMPTS, max_size=3).map(tuple),
    try_number=st.integers(1, 3),
    is_final=st.booleans(),
)


def summed(records: Sequence[RecordSummary], max_rows: int) -> Results:
    """Return the results of these records."""
    results = Results(max_rows)
    for record in records:
        results.add(record, PERIODS.begin(record.ended_at))
    return results


def shown(results: Results) -> object:
    """Return all that results say."""
    return detailed_results(results, Stretch(), PERIODS, 0.0)


class MergeTests(SynchronousTestCase):
    @given(st.lists(st.tuples(RECORDS, st.integers(0, 2)), max_size=40), st.integers(0, 8))
    def test_any_parting_comes_to_the_same(
        self, parted: list[tuple[RecordSummary, int]], max_rows: int
    ) -> None:
        whole = summed([record for record, _ in parted], max_rows)
        together = Results(max_rows)
        for part in range(3):
            together.merge(summed([one for one, where in parted if where == part], max_rows))
        self.assertEqual(shown(together), shown(whole))
        self.assertEqual(together.margins.total, whole.margins.total)

    @given(st.lists(RECORDS, max_size=30))
    def test_margins_come_to_the_total(self, records: list[RecordSummary]) -> None:
        for max_rows in (4, 1000):
            margins = summed(records, max_rows).margins
            for rows in (margins.tasks.rows, margins.periods.rows):
                if rows is not None:
                    total = Tally()
                    for tally in rows.values():
                        total.merge(tally)
                    self.assertEqual(total, margins.total)
            self.assertEqual(margins.total.taken, sum(one.is_final for one in records))

    def test_a_number_that_was_called_again_counts_once(self) -> None:
        call = AttemptSummary(BEGAN, BEGAN + 2, None, BEGAN + 9)
        first = RecordSummary(Kind.QUEUE, "busy", BEGAN, attempts=(call, call), is_final=False)
        last = RecordSummary(Kind.QUEUE, "answered", BEGAN, answered=True, attempts=(call,))
        total = summed([first, replace(last, try_number=2)], 10).margins.total
        self.assertEqual((total.taken, total.dialed, total.reached), (1, 1, 1))
        self.assertEqual((total.outcomes, total.attempts), ({"answered": 1}, 3))
        self.assertEqual(total.attempts_per_number, 3)

    def test_a_number_whose_last_try_had_no_call_was_dialed_all_the_same(self) -> None:
        last = RecordSummary(Kind.QUEUE, "closed", BEGAN, try_number=2)
        self.assertEqual(summed([last], 10).margins.total.dialed, 1)

    def test_a_table_that_is_too_large_is_given_up_and_the_margins_are_kept(self) -> None:
        records = [
            RecordSummary(Kind.QUEUE, "busy", BEGAN + hour * 3600, task=task)
            for task in ("a", "b")
            for hour in range(4)
        ]
        results = summed(records, max_rows=4)
        self.assertIsNone(results.rows)
        margins = results.margins
        self.assertEqual([row.taken for row in (margins.tasks.rows or {}).values()], [4, 4])
        self.assertEqual([row.taken for row in (margins.periods.rows or {}).values()], [2] * 4)
        self.assertIsNone(summed(records, max_rows=3).margins.periods.rows)


class TallyTests(SynchronousTestCase):
    def test_each_figure(self) -> None:
        tally = Tally()
        talked = AttemptSummary(10.0, 12.0, 20.0, 60.0, 25.0)
        for outcome, answered, attempts in (
            ("answered", True, (AttemptSummary(0.0, None, None, 0.2), talked)),
            ("machine", True, (AttemptSummary(10.0, None, 14.0, 16.0),)),
            ("unallocated", False, (AttemptSummary(10.0, None, None, 10.1),)),
            ("no_answer", False, (AttemptSummary(10.0, 11.0, None, 41.0),)),
            ("invalid", False, ()),
        ):
            record = RecordSummary(Kind.QUEUE, outcome, 60.0, None, None, answered, attempts)
            tally.add(record)
        self.assertEqual((tally.taken, tally.dialed, tally.reached, tally.answered), (5, 4, 2, 1))
        self.assertEqual((tally.attempts, tally.attempts_per_number), (5, 1.25))
        self.assertEqual(tally.answer_rate, 0.25)
        # 8 s, 4 s without a ringing that was told, and 30 s; what never rang is not counted.
        self.assertEqual((tally.ring.count, tally.ring.mean), (3, 14.0))
        self.assertEqual((tally.connect.count, tally.connect.mean), (1, 5.0))
        self.assertEqual((tally.talk.count, tally.talk.mean), (1, 35.0))
        self.assertEqual((tally.bill.count, tally.bill.mean), (2, 21.0))

    def test_abandoned_calls_are_a_share_of_live_answers(self) -> None:
        tally = Tally()
        connected = AttemptSummary(10.0, 12.0, 20.0, 60.0, 21.0)
        waited = AttemptSummary(10.0, 12.0, 20.0, 60.0)
        for outcome, attempt, abandoned, is_final in (
            ("answered", connected, False, True),
            ("answered", waited, True, False),  # it is tried again, and counts all the same
            ("answered", connected, False, True),
            ("answered", waited, False, True),  # who hung up soon counts in neither
            ("machine", waited, False, True),
        ):
            tally.add(
                RecordSummary(
                    Kind.QUEUE,
                    outcome,
                    60.0,
                    answered=True,
                    attempts=(attempt,),
                    abandoned=abandoned,
                    is_final=is_final,
                )
            )
        both = Tally()
        both.merge(tally)
        both.merge(tally)
        self.assertEqual((both.live, both.abandoned), (6, 2))
        self.assertAlmostEqual(both.abandon_rate or 0.0, 1 / 3)
        self.assertIsNone(Tally().abandon_rate)

    def test_what_each_try_yields(self) -> None:
        tally = Tally()
        call = AttemptSummary(10.0, 12.0, None, 60.0)
        for outcome, try_number, answered, is_final, attempts in (
            ("busy", 1, False, False, (call,)),
            ("answered", 2, True, True, (call, call)),
            ("answered", 1, True, True, (call,)),
            ("no_answer", MAX_TRY + 5, False, True, (call,)),
            ("machine", MAX_TRY, True, True, (call,)),
            ("dnc", 2, False, True, ()),  # it was not called at that try
        ):
            tally.add(
                RecordSummary(
                    Kind.QUEUE,
                    outcome,
                    60.0,
                    answered=answered,
                    attempts=attempts,
                    try_number=try_number,
                    is_final=is_final,
                )
            )
        both = Tally()
        both.merge(tally)
        both.merge(tally)
        self.assertEqual(both.tried, {1: 4, 2: 2, MAX_TRY: 4})
        self.assertEqual(both.picked_up, {1: 2, 2: 2, MAX_TRY: 2})
        self.assertEqual((both.dialed, both.tries_per_number), (10, 1.0))

    def test_nothing_has_no_rate(self) -> None:
        tally = Tally()
        self.assertEqual((tally.answer_rate, tally.attempts_per_number), (None, None))
        self.assertEqual((tally.ring.mean, tally.ring.percentiles(0.5, 0.9)), (None, [None, None]))


class SpreadTests(SynchronousTestCase):
    @given(st.lists(st.floats(0.002, 100_000), min_size=1, max_size=60))
    def test_percentiles_are_right_to_the_error(self, durations: list[float]) -> None:
        spread = Spread()
        for seconds in durations:
            spread.add(seconds)
        ordered = sorted(durations)
        shares = (0.01, 0.5, 0.9, 0.99, 1.0)
        for share, found in zip(shares, spread.percentiles(*shares), strict=True):
            assert found is not None
            right = ordered[max(1, ceil(share * len(ordered))) - 1]
            self.assertLessEqual(abs(found - right), right * ERROR * 1.01)

    @given(st.lists(st.floats(0, 100_000), min_size=1, max_size=60))
    def test_the_mean_is_right_to_a_microsecond(self, durations: list[float]) -> None:
        spread = Spread()
        for seconds in durations:
            spread.add(seconds)
        assert spread.mean is not None
        self.assertAlmostEqual(spread.mean, sum(durations) / len(durations), places=5)
