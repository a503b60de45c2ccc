"""Many numbers through whatever may happen: each ends once, and every account is even."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import Outcome
from ctidialer.dialer.readiness import Condition
from ctidialer.rules.attempt import LINGER_SECONDS
from ctidialer.store.errors import StoreUnavailable, WrongType
from tests.dialer.fakes import answer_event, hang_up_event
from tests.dialer.world import World

ENDINGS = st.sampled_from(
    [
        "answered",
        "busy",
        "unreachable",
        "refused",
        "no gateway",
        "usage",
        "other uuid",
        "lost",
        "cut",
        "redis away",
        "redis refuses",
        "wait",
    ]
)


class AnyLifeTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=150)
    @given(st.lists(ENDINGS, max_size=25), st.integers(1, 4), st.integers(0, 2), st.booleans())
    def test_every_number_ends_once_or_goes_back_and_every_account_is_even(
        self, endings: list[str], limit: int, redials: int, drains: bool
    ) -> None:
        world = World()
        world.put_group("main", "gw1", redialer_count=redials, rest=200)
        world.put_task(limit=limit)
        numbers = [str(1000 + index) for index in range(8)]
        world.put_numbers(*numbers)
        world.start()
        world.runs_for(0.1)
        for ending in endings:
            self.happens(world, ending)
        if drains:
            world.stop()
        for _ in range(400):
            for attempt in list(world.calls):
                world.calls.event(hang_up_event(attempt.uuid, "USER_BUSY", 486))
            world.runs_for(0.3)
            if not world.numbers and (drains or not world.queue):
                break
        world.queue_dialer.stop()
        world.runs_for(2)
        self.check(world, numbers)
        if not {"refused", "no gateway"}.intersection(endings):  # these go back one by one
            self.assertEqual(world.queue, sorted(world.queue))

    def happens(self, world: World, what: str) -> None:
        up = list(world.calls)
        uuid = up[0].uuid if up else ""
        placed = next((one for one in world.switch.placed if one.uuid == uuid), None)
        if what == "answered" and up:
            world.calls.event(answer_event(uuid))
            world.calls.event(hang_up_event(uuid, talked=1))
        elif what == "busy" and up:
            world.calls.event(hang_up_event(uuid, "USER_BUSY", 486))
        elif what == "unreachable" and placed:
            world.switch.job("-ERR NORMAL_TEMPORARY_FAILURE", placed)
        elif what == "refused" and placed:
            world.switch.job("-ERR DESTINATION_OUT_OF_ORDER", placed)
        elif what == "no gateway" and placed:
            world.switch.job("-ERR GATEWAY_DOWN", placed)
        elif what == "usage" and placed:
            world.switch.job("-USAGE: <call url>", placed)
        elif what == "other uuid" and placed:
            world.switch.job(f"+OK other-{uuid}", placed)
        elif what == "lost":
            world.calls.ask()
            world.runs_for(LINGER_SECONDS)
        elif what == "cut":
            world.readiness.lost(Condition.FREESWITCH)
            world.switch.goes_away()
            world.runs_for(0.2)
            world.switch.comes_back()
            world.switch.existing = {one.uuid for one in up[::2]}
            world.calls.ask()
            world.readiness.met(Condition.FREESWITCH, Condition.RECOVERY)
        elif what.startswith("redis"):
            refuses = what == "redis refuses"
            world.store.error = (
                WrongType("k", "string", "hash") if refuses else StoreUnavailable("away", True)
            )
            world.readiness.lost(Condition.REDIS)
            if not refuses:
                world.writable.shut()
            world.runs_for(0.3)
            world.store.error = None
            world.writable.open()
            world.readiness.met(Condition.REDIS, Condition.TABLES, Condition.RECOVERY)
        world.runs_for(0.15)

    def check(self, world: World, numbers: list[str]) -> None:
        recorded = Counter(record.entry.decode() for record in world.store.records)
        resting = Counter(entry.entry.decode() for entry in world.store.flying.values())
        self.assertEqual(recorded + resting + Counter(world.queue), Counter(numbers))
        self.assertEqual(world.left_behind(), {})
        self.assertEqual(world.clock.getDelayedCalls(), [])
        uuids = [placed.uuid for placed in world.switch.placed]
        self.assertEqual(len(uuids), len(set(uuids)))
        for record in world.store.records:
            last = record.attempts[-1] if record.attempts else None
            answered = last is not None and last.answered_at is not None
            self.assertEqual(record.outcome is Outcome.ANSWERED, answered)
