"""A pace holds for what is sent, not only for what is decided on."""

from __future__ import annotations

from bisect import bisect_left

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.esl.jobs import JobResult
from ctidialer.store.in_flight import Dialing
from ctidialer.store.permit import Permit
from tests.dialer.world import World

CPS = 20


class PaceOnTheWireTests(SynchronousTestCase):
    def world_in_which_redis_stands_still(self, cps: float | None, max_cps: float = 0) -> World:
        """Notes that are made from the first second on are answered 0.4 seconds later together."""
        world = World(max_cps=max_cps)
        begin = world.clock.seconds() + 1
        note, send = world.store.note_dialing, world.switch.background

        def stalled(
            entry_id: str, dialing: Dialing, permit: Permit | None = None
        ) -> Deferred[None]:
            wait = begin + 0.4 - world.clock.seconds()
            if not 0 < wait <= 0.4:
                return note(entry_id, dialing, permit)
            return deferLater(world.clock, wait).addCallback(
                lambda _: note(entry_id, dialing, permit)
            )

        def sent(job_id: str, command: str) -> Deferred[JobResult]:
            self.wire.append(world.clock.seconds())
            return send(job_id, command)

        self.wire: list[float] = []
        self.patch(world.store, "note_dialing", stalled)
        self.patch(world.switch, "background", sent)
        world.put_task(limit=1000, cps=cps)
        world.put_numbers(*(f"1{index:04}" for index in range(200)))
        return world

    def check(self) -> None:
        most = max(bisect_left(self.wire, one + 1) - at for at, one in enumerate(self.wire))
        self.assertGreater(len(self.wire), 60)
        self.assertLessEqual(most, CPS + 1)

    def test_a_task(self) -> None:
        world = self.world_in_which_redis_stands_still(CPS)
        world.start()
        world.runs_for(4)
        self.check()

    def test_the_node(self) -> None:
        world = self.world_in_which_redis_stands_still(None, max_cps=CPS)
        world.start()
        world.runs_for(4)
        self.check()
