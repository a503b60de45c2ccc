"""The faults are decided by the seed alone."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chaos.faults import LOSSES, Kind, Target, plan_faults


class PlanTests(SynchronousTestCase):
    def test_the_same_seed_gives_the_same_faults(self) -> None:
        self.assertEqual(plan_faults(5, 100), plan_faults(5, 100))
        self.assertNotEqual(plan_faults(5, 100), plan_faults(6, 100))

    def test_a_longer_plan_begins_as_the_shorter_one_does(self) -> None:
        self.assertEqual(plan_faults(5, 100)[:12], plan_faults(5, 12))

    def test_a_hundred_faults_are_of_every_kind(self) -> None:
        for seed in range(20):
            kinds = [strike.kind for fault in plan_faults(seed, 100) for strike in fault.strikes]
            self.assertEqual(set(kinds), set(Kind) - set(LOSSES))
            self.assertGreaterEqual(len(kinds), 100)

    def test_two_at_once_never_strike_the_same(self) -> None:
        for fault in plan_faults(1, 500):
            targets = [strike.kind.target for strike in fault.strikes]
            self.assertEqual(len(targets), len(set(targets)))

    def test_every_kind_names_what_it_strikes(self) -> None:
        self.assertIs(Kind.KILL_SWITCH.target, Target.SWITCH)
        self.assertEqual({kind.target for kind in Kind}, set(Target))
