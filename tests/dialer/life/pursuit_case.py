"""One number after the other through two line groups, on a clock of ours."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import Record
from tests.dialer.world import World


class PursuitCase(SynchronousTestCase):
    """The world's one task dials at most one number at a time, first through main, then backup."""

    def setUp(self) -> None:
        self.world = World()
        self.world.put_task(limit=1)
        self.world.start()

    def dial(self, *numbers: str) -> None:
        self.world.put_numbers(*numbers or ("1001",))
        self.world.runs_for(0.1)

    def record(self) -> Record:
        (record,) = self.world.store.records
        return record

    def dialed(self) -> list[str]:
        return [placed.number for placed in self.world.switch.placed]

    def assert_all_done(self) -> None:
        self.world.queue_dialer.stop()
        self.world.runs_for(0.05)
        self.assertEqual(self.world.left_behind(), {})
        self.assertEqual(self.world.store.flying, {})
        self.assertEqual(self.world.clock.getDelayedCalls(), [])
