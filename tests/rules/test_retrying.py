"""When a number is tried again."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.callee import RETRIED, LocalTime, RetryPlan, RetryRule
from ctidialer.contract.record import Outcome
from ctidialer.rules.retrying import EndedTry, Retry, next_try

BUSY = RetryRule(frozenset({"busy"}), (600.0,), 3)
UNHEARD = RetryRule(frozenset({"no_answer", "abandoned"}), (3600.0, 86400.0), 3)
PLAN = RetryPlan((BUSY, UNHEARD))
ENDED = EndedTry(Outcome.BUSY, 1000.0)
ZONE = "Europe/Berlin"


def at(day: str, zone: str = ZONE) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).timestamp()


class RetryTests(SynchronousTestCase):
    def test_the_rule_of_the_outcome_counts(self) -> None:
        self.assertEqual(next_try(PLAN, ENDED, ZONE), Retry(1600.0, {"busy": 1}))
        self.assertIsNone(next_try(PLAN, evolve(ENDED, outcome=Outcome.REJECTED), ZONE))

    def test_each_retry_of_a_rule_has_its_own_pause_and_the_last_repeats(self) -> None:
        name = UNHEARD.name
        for used, pause in ((0, 3600.0), (1, 86400.0), (2, 86400.0)):
            ended = evolve(ENDED, outcome=Outcome.NO_ANSWER, tried=used, used={name: used})
            self.assertEqual(next_try(PLAN, ended, ZONE), Retry(1000.0 + pause, {name: used + 1}))
        spent = evolve(ENDED, outcome=Outcome.NO_ANSWER, tried=3, used={name: 3})
        self.assertIsNone(next_try(PLAN, spent, ZONE))

    def test_what_one_rule_has_used_is_nothing_to_the_other(self) -> None:
        ended = evolve(ENDED, tried=3, used={UNHEARD.name: 3})
        self.assertEqual(next_try(PLAN, ended, ZONE), Retry(1600.0, {UNHEARD.name: 3, "busy": 1}))

    def test_all_retries_together_are_bounded(self) -> None:
        plan = evolve(PLAN, max_retries=1)
        self.assertIsNotNone(next_try(plan, ENDED, ZONE))
        self.assertIsNone(next_try(plan, evolve(ENDED, tried=1), ZONE))

    def test_an_abandoned_call_is_an_answered_one_too(self) -> None:
        ended = EndedTry(Outcome.ANSWERED, 1000.0, is_abandoned=True)
        self.assertEqual(next_try(PLAN, ended, ZONE), Retry(4600.0, {UNHEARD.name: 1}))
        self.assertIsNone(next_try(PLAN, evolve(ended, is_abandoned=False), ZONE))

    def test_whoever_was_abandoned_is_left_alone_for_as_long_as_a_rule_file_says(self) -> None:
        ended = EndedTry(Outcome.ANSWERED, 1000.0, is_abandoned=True)
        found = next_try(PLAN, ended, ZONE, rest=72 * 3600.0)
        self.assertEqual(found, Retry(1000.0 + 72 * 3600, {UNHEARD.name: 1}))

    def test_a_time_of_day_is_the_next_one(self) -> None:
        plan = RetryPlan((evolve(BUSY, after=(LocalTime(10 * 3600),)),))
        for ended, due in (
            ("2026-11-28 09:59", "2026-11-28 10:00"),
            ("2026-11-28 10:00", "2026-11-29 10:00"),
            ("2026-11-28 23:59", "2026-11-29 10:00"),
        ):
            found = next_try(plan, evolve(ENDED, at=at(ended)), ZONE)
            assert found is not None
            self.assertEqual(found.at, at(due))

    def test_a_time_that_is_skipped_or_comes_twice(self) -> None:
        plan = RetryPlan((evolve(BUSY, after=(LocalTime(2 * 3600 + 1800),)),))
        skipped = next_try(plan, evolve(ENDED, at=at("2026-03-28 23:00")), ZONE)
        twice = next_try(plan, evolve(ENDED, at=at("2026-10-24 23:00")), ZONE)
        assert skipped is not None
        assert twice is not None
        self.assertEqual(skipped.at, at("2026-03-29 03:00"))
        self.assertEqual(twice.at, at("2026-10-25 02:30"))
        after_the_first = next_try(plan, evolve(ENDED, at=twice.at + 60), ZONE)
        assert after_the_first is not None
        self.assertEqual(after_the_first.at, at("2026-10-26 02:30"))


def rules() -> st.SearchStrategy[RetryRule]:
    return st.builds(
        RetryRule,
        st.frozensets(st.sampled_from(sorted(RETRIED)), min_size=1, max_size=3),
        st.lists(
            st.floats(0, 1e6) | st.builds(LocalTime, st.integers(0, 86_399)), min_size=1, max_size=3
        ).map(tuple),
        st.integers(0, 4),
    )


plans = st.builds(
    RetryPlan, st.lists(rules(), max_size=4).map(tuple), st.none() | st.integers(0, 6)
)


class AnyPlanTests(SynchronousTestCase):
    @given(plans, st.lists(st.tuples(st.sampled_from(list(Outcome)), st.booleans())), st.data())
    def test_every_number_ends_and_no_retry_lies_in_the_past(
        self, plan: RetryPlan, tries: list[tuple[Outcome, bool]], data: st.DataObject
    ) -> None:
        now = data.draw(st.floats(0, 4e9))
        zone = data.draw(st.sampled_from(["Asia/Shanghai", "America/New_York", "Europe/Berlin"]))
        most = sum({rule.name: rule.count for rule in reversed(plan.rules)}.values())
        used: dict[str, int] = {}
        retries = 0
        for outcome, is_abandoned in tries:
            found = next_try(plan, EndedTry(outcome, now, is_abandoned, retries, used), zone)
            if found is None:
                break
            self.assertGreaterEqual(found.at, now)
            now, used, retries = found.at, dict(found.used), retries + 1
            self.assertLessEqual(retries, most)
            if plan.max_retries is not None:
                self.assertLessEqual(retries, plan.max_retries)
