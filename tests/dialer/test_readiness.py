"""What has to be in place before a number may be taken."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.dialer.readiness import DONE_AGAIN, Condition, Readiness


class ReadinessTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.told: list[bool] = []
        self.readiness = Readiness()
        self.readiness.watch(lambda: self.told.append(self.readiness.gate.is_open))

    def test_all_is_missing_at_first(self) -> None:
        self.assertEqual(self.readiness.missing, tuple(Condition))
        self.assertFalse(self.readiness.gate.is_open)

    def test_the_gate_opens_with_the_last_condition_and_shuts_with_the_first(self) -> None:
        *others, last = Condition
        self.readiness.met(*others)
        self.assertEqual(self.readiness.missing, (last,))
        self.assertEqual(self.told, [False])
        self.readiness.met(last)
        self.assertTrue(self.readiness.gate.is_open)
        self.readiness.lost(Condition.FREESWITCH)
        self.readiness.lost(Condition.FREESWITCH, Condition.RECOVERY)
        self.assertFalse(self.readiness.gate.is_open)
        self.assertEqual(self.told, [False, True, False])

    def test_the_same_news_twice_changes_nothing(self) -> None:
        self.readiness.met(*Condition)
        self.readiness.met(*Condition)
        self.assertEqual(self.told, [True])

    def test_what_explains_the_others_is_named_first(self) -> None:
        self.readiness.met(*Condition)
        self.readiness.lost(Condition.RUNNING)
        self.readiness.lost(Condition.LEASE)
        self.assertEqual(self.readiness.missing, (Condition.RUNNING, Condition.LEASE))
        self.assertTrue(all(" " in condition.text for condition in Condition))

    def test_what_has_to_be_done_again_is_missing_until_it_is(self) -> None:
        self.readiness.met(*Condition)
        self.readiness.lost(Condition.REDIS)
        self.readiness.met(Condition.REDIS)
        self.assertEqual(self.readiness.missing, (Condition.TABLES, Condition.RECOVERY))
        self.assertEqual(self.readiness.losses[Condition.RECOVERY], 1)

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.tuples(st.booleans(), st.sampled_from(Condition)), max_size=40))
    def test_the_gate_is_open_while_nothing_is_missing(
        self, news: list[tuple[bool, Condition]]
    ) -> None:
        readiness, missing = Readiness(), set(Condition)
        for is_met, condition in news:
            (readiness.met if is_met else readiness.lost)(condition)
            if is_met:
                missing.discard(condition)
            else:
                missing.update({condition, *DONE_AGAIN.get(condition, ())})
            self.assertEqual(set(readiness.missing), missing)
            self.assertEqual(readiness.gate.is_open, not missing)
