"""Hosts are lost until one is left; some are taken over by hand, some by the others."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chaos.faults import LOSSES, Kind, plan_faults
from chaos.losses import plan_faults_of_hosts, plan_losses


class LossTests(SynchronousTestCase):
    def test_the_last_one_finishes_alone(self) -> None:
        for seed in range(20):
            for faults in (6, 10, 12, 100):
                losses = plan_losses(seed, faults, 3)
                self.assertEqual([one.is_replaced for one in losses][-3:], [True, False, False])
                numbers = [one.number for one in losses]
                self.assertEqual(numbers, sorted(set(numbers)))
                self.assertLessEqual(numbers[-1], faults)
                self.assertEqual({one.by_hand for one in losses}, {True, False})

    def test_one_host_alone_is_never_lost(self) -> None:
        self.assertEqual(plan_losses(1, 100, 1), ())
        self.assertEqual(plan_faults_of_hosts(1, 100, (), 1), plan_faults(1, 100))

    def test_a_loss_strikes_alone_and_both_kinds_come(self) -> None:
        losses = plan_losses(3, 100, 3)
        faults = plan_faults_of_hosts(3, 100, losses, 3)
        lost = [fault for fault in faults if fault.strikes[0].kind in LOSSES]
        self.assertEqual([fault.number for fault in lost], [loss.number for loss in losses])
        kinds = [strike.kind for fault in lost for strike in fault.strikes]
        self.assertEqual((len(kinds), set(kinds)), (len(losses), set(LOSSES)))

    def test_the_others_strike_one_host_or_another(self) -> None:
        faults = plan_faults_of_hosts(3, 100, plan_losses(3, 100, 3), 3)
        struck = {int(strike.where * 3) for fault in faults for strike in fault.strikes}
        self.assertEqual(struck, {0, 1, 2})
        self.assertTrue(Kind.KILL_REDIS.strikes_all)
        self.assertFalse(Kind.CUT_REDIS.strikes_all)
