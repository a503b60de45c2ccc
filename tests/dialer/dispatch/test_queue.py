"""How many numbers are taken, and when: the dialer of the queues on a clock of ours."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import Kind, Outcome
from ctidialer.contract.task import Side
from ctidialer.dialer.dispatch.lines import LineAccounts
from ctidialer.dialer.dispatch.queue import MAX_CLAIM, MAX_CLAIMS, QueueDialer
from ctidialer.dialer.dispatch.task_runs import TaskRun
from ctidialer.dialer.life.number_in_hand import Progress
from ctidialer.dialer.readiness import Condition
from ctidialer.rules.attempt import Attempt
from ctidialer.rules.itinerary import Itinerary
from ctidialer.store.errors import StoreUnavailable, WrongType
from ctidialer.store.in_flight import InFlight
from tests.dialer.fakes import NOW, hang_up_event
from tests.dialer.world import World


class DialerCase(SynchronousTestCase):
    limits: dict[str, Any] = {}  # noqa: RUF012 - tests only read it

    def setUp(self) -> None:
        self.world = World(**self.limits)
        self.store, self.switch = self.world.store, self.world.switch

    def put_numbers(self, count: int, queue: str = "q") -> None:
        self.world.put_numbers(*(str(1000 + index) for index in range(count)), queue=queue)

    def start(self, **params: object) -> None:
        self.world.put_task("t", **params)
        self.world.start()

    def hang_up(self, count: int | None = None) -> None:
        for attempt in list(self.world.calls)[:count]:
            self.world.calls.event(hang_up_event(attempt.uuid, talked=1))


class LimitTests(DialerCase):
    def test_as_many_calls_as_the_limit_and_refilled_at_once(self) -> None:
        self.put_numbers(50)
        self.start(limit=7)
        most = 0
        for _ in range(200):
            self.world.clock.advance(0.002)
            most = max(most, len(self.world.calls))
            self.assertLessEqual(len(self.world.numbers), 7)
        self.assertEqual(most, 7)
        self.hang_up(3)
        self.world.clock.advance(0)  # the next turn of the reactor
        self.assertEqual(self.store.asked_for[-1], 3)
        self.world.clock.advance(0.01)
        self.world.clock.advance(0.01)
        self.assertEqual(len(self.world.calls), 7)

    def test_slots_that_come_free_together_are_filled_by_one_claim(self) -> None:
        self.put_numbers(100)
        self.start(limit=20)
        self.world.runs_for(0.1)
        self.store.asked_for.clear()
        self.hang_up(15)
        self.world.clock.advance(0)
        self.assertEqual(self.store.asked_for, [15])

    def test_one_claim_of_a_task_at_a_time(self) -> None:
        self.put_numbers(50)
        self.start(limit=5)
        for _ in range(10):
            self.world.queue_dialer.tick()
        self.assertEqual(self.store.asked_for, [5])

    def test_a_claim_is_never_larger_than_it_may_be(self) -> None:
        self.put_numbers(1000)
        self.world.put_line("gw1", count=1000)
        self.start(limit=450)
        self.world.runs_for(0.5)
        self.assertEqual(len(self.world.calls), 450)
        self.assertEqual(max(self.store.asked_for), MAX_CLAIM)

    def test_a_claim_that_returns_fewer_counts_what_it_returned(self) -> None:
        self.put_numbers(3)
        self.start(limit=5)
        self.world.runs_for(0.1)
        self.assertEqual(len(self.world.calls), 3)
        self.put_numbers(10)
        self.world.runs_for(0.1)
        self.assertEqual(len(self.world.calls), 5)

    def test_a_task_that_is_paused_takes_nothing(self) -> None:
        self.put_numbers(3)
        self.start(limit=0)
        self.world.runs_for(0.2)
        self.assertEqual(self.store.asked_for, [])

    def test_only_as_many_as_the_lines_have_room_for(self) -> None:
        self.put_numbers(50)
        self.world.put_line("gw1", count=2)
        self.world.put_line("gw2", count=1)
        self.start(limit=40)
        self.world.runs_for(0.2)
        self.assertEqual(len(self.world.calls), 3)
        self.assertEqual(len(self.world.queue), 47)

    def test_the_right_end_of_the_list(self) -> None:
        sides: list[Side] = []
        claim = self.store.claim

        def seen(queue: str, side: Side, count: int, *, task: str) -> Any:
            sides.append(side)
            return claim(queue, side, count, task=task)

        self.patch(self.store, "claim", seen)
        self.start(number_queue_side="right")
        self.assertEqual(sides, [Side.RIGHT])


class PaceTests(DialerCase):
    def test_calls_start_at_the_rate(self) -> None:
        self.put_numbers(100)
        self.start(limit=100, cps=10)
        self.world.runs_for(3.0)
        self.assertIn(len(self.switch.placed), range(29, 33))

    def test_less_than_one_a_second(self) -> None:
        self.put_numbers(100)
        self.start(limit=100, cps=0.5)
        self.world.runs_for(9.0)
        self.assertEqual(len(self.switch.placed), 5)
        self.world.queue_dialer.stop()
        self.assertEqual(self.world.clock.getDelayedCalls(), [])


class NodeLimitTests(DialerCase):
    limits = {"max_calls": 10}  # noqa: RUF012 - tests only read it

    def test_tasks_share_what_the_node_may_do(self) -> None:
        self.put_numbers(500)
        self.put_numbers(500, "r")
        self.world.put_task("u", limit=20, number_queue="r")
        self.start(limit=20)
        for _ in range(30):
            self.world.runs_for(0.1)
            self.assertLessEqual(len(self.world.calls), 10)
            self.hang_up()
        tasks = {record.task for record in self.store.records}
        counts = [
            sum(one.task == name for one in self.store.records)
            for name in sorted(filter(None, tasks))
        ]
        self.assertEqual(len(counts), 2)
        self.assertGreater(min(counts), max(counts) / 3)


class ManyClaimsTests(DialerCase):
    def test_not_all_are_under_way_at_once_and_none_is_forgotten(self) -> None:
        self.world.put_line("gw1", count=4 * MAX_CLAIMS)
        for index in range(3 * MAX_CLAIMS):
            self.put_numbers(1, f"q{index}")
            self.world.put_task(f"t{index}", limit=1, number_queue=f"q{index}")
        under_way: list[int] = []
        real = self.store.claim

        def claim(*arguments: Any, **options: Any) -> Any:
            under_way.append(self.world.queue_dialer._claiming)
            return real(*arguments, **options)

        self.patch(self.store, "claim", claim)
        self.start(limit=1)
        for _ in range(10):
            self.world.clock.advance(0.01)
        self.assertEqual(max(under_way), MAX_CLAIMS)
        self.world.runs_for(0.5)
        self.assertEqual(len(self.world.calls), 3 * MAX_CLAIMS)
        self.assertEqual(self.world.queue_dialer._claiming, 0)


class ManyTasksTests(DialerCase):
    limits = {"max_calls": 5}  # noqa: RUF012 - tests only read it

    def test_a_full_node_looks_at_none_of_those_that_wait_for_it(self) -> None:
        for index in range(300):
            self.put_numbers(5, f"q{index}")
            self.world.put_task(f"t{index:03}", limit=1, number_queue=f"q{index}")
        self.start(limit=1)
        self.world.runs_for(0.2)
        self.assertEqual(len(self.world.calls), 5)
        looked: list[str] = []
        real = QueueDialer._dispatch

        def dispatch(dialer: QueueDialer, run: TaskRun, now: float) -> None:
            looked.append(run.task.name)
            real(dialer, run, now)

        self.patch(QueueDialer, "_dispatch", dispatch)
        for _ in range(20):
            self.world.runs_for(0.1)
            self.hang_up(1)
        self.assertLessEqual(len(looked), 60)
        self.assertEqual(len({record.task for record in self.store.records}), 20)


class WakeTests(DialerCase):
    def test_nothing_is_looked_at_while_the_gate_is_shut(self) -> None:
        self.put_numbers(10)
        self.world.readiness.lost(Condition.FREESWITCH)
        self.start()
        self.world.runs_for(1)
        self.assertEqual(self.store.asked_for, [])
        self.world.readiness.met(Condition.FREESWITCH, Condition.RECOVERY)
        self.world.runs_for(0.1)
        self.assertNotEqual(self.store.asked_for, [])

    def test_a_number_that_was_not_dialed_is_tried_again_with_the_next_tick(self) -> None:
        self.put_numbers(1)
        self.world.put_line("gw1", count=0)
        self.world.put_line("gw2", count=0)
        self.patch(LineAccounts, "room", lambda *_: 1)  # it seems that there is a line
        self.start(limit=1)
        self.store.asked_for.clear()
        self.world.runs_for(1)
        self.assertLessEqual(len(self.store.asked_for), 21)
        self.assertEqual(self.store.records, [])

    def test_after_the_stop_nothing_is_taken_and_no_timer_is_left(self) -> None:
        self.put_numbers(50)
        self.start(limit=5, cps=1)
        self.world.put_task("u", limit=3, number_queue="r")
        self.world.runs_for(0.5)
        up = len(self.world.calls)
        self.world.queue_dialer.stop()
        self.hang_up()
        self.world.runs_for(1)
        self.assertEqual(len(self.switch.placed), up)
        self.assertEqual(self.world.clock.getDelayedCalls(), [])
        self.world.queue_dialer.stop()


class TroubleTests(DialerCase):
    def test_redis_refuses_a_claim_and_says_so_once(self) -> None:
        self.put_numbers(5)
        self.store.error = WrongType("q", "string", "list")
        self.start()
        self.world.runs_for(1)
        self.store.error = None
        self.world.runs_for(0.1)
        self.assertEqual(len(self.world.calls), 5)
        self.hang_up()
        self.world.runs_for(0.1)
        self.world.queue_dialer.stop()
        self.assertEqual(self.world.left_behind(), {})

    def test_redis_is_away_for_a_claim(self) -> None:
        self.put_numbers(5)
        self.store.error = StoreUnavailable("away", True)
        self.start(limit=5)
        self.world.runs_for(0.2)
        self.assertEqual(self.world.slots.asked, 0)
        self.store.error = None
        self.world.runs_for(0.1)
        self.assertEqual(len(self.world.calls), 5)

    def test_an_exception_at_one_task_keeps_no_other_from_dialing(self) -> None:
        self.world.put_task("a", limit=1, number_queue="r", line_group=["broken"])
        self.put_numbers(5)
        room = self.world.lines.room

        def fails(routes: Any, groups: Any, now: float, at_most: int) -> int:
            if "broken" in groups:
                raise ZeroDivisionError
            return room(routes, groups, now, at_most)

        self.patch(self.world.lines, "room", fails)
        self.start(limit=5)
        self.world.runs_for(0.2)
        self.assertEqual(len(self.world.calls), 5)
        self.assertTrue(self.flushLoggedErrors(ZeroDivisionError))

    def test_an_exception_in_a_tick_does_not_end_the_ticks(self) -> None:
        self.put_numbers(5)
        dialing = self.world.runs.dialing
        self.patch(self.world.runs, "dialing", lambda now: 1 / 0)
        self.start(limit=5)
        self.world.runs_for(0.2)
        self.assertTrue(self.flushLoggedErrors(ZeroDivisionError))
        self.patch(self.world.runs, "dialing", dialing)
        self.world.runs_for(0.1)
        self.assertEqual(len(self.world.calls), 5)


class EditTests(DialerCase):
    """A task is edited while its numbers are on their way from Redis."""

    def claim_is_under_way(self) -> None:
        self.put_numbers(5)
        self.start(limit=5)
        self.assertEqual(self.store.asked_for, [5])
        self.assertEqual(self.world.queue, [])

    def check_all_back(self) -> None:
        self.world.clock.advance(0.005)
        self.world.clock.advance(0.005)
        self.assertEqual(self.switch.placed, [])
        self.assertEqual(len(self.world.queue), 5)
        self.assertEqual(self.world.left_behind(), {})

    def test_stopped(self) -> None:
        self.claim_is_under_way()
        self.world.put_task(enable=False, limit=5)
        self.check_all_back()

    def test_removed(self) -> None:
        self.claim_is_under_way()
        self.world.put("cti_queue_dialer_task@fs1", "t", None)
        self.check_all_back()

    def test_changed(self) -> None:
        self.claim_is_under_way()
        self.world.put_task(limit=5, destination_extension="9999")
        self.check_all_back()
        self.world.runs_for(0.1)
        self.assertEqual(len(self.switch.placed), 5)
        self.assertTrue(all(" 9999 " in one.command for one in self.switch.placed))

    def test_removed_and_put_again(self) -> None:
        self.claim_is_under_way()
        self.world.put("cti_queue_dialer_task@fs1", "t", None)
        self.world.put_task(limit=5)
        self.world.runs_for(0.2)
        self.assertEqual(len(self.world.calls), 5)


class LeftOverTests(DialerCase):
    """The errands of entries that an earlier daemon took."""

    def entry(self, task: str | None, raw: bytes = b"1001") -> InFlight:
        return InFlight("old-1-0", raw, NOW - 5, Kind.QUEUE, "q", Side.LEFT, task)

    def resume(self, entry: InFlight, uuid: str) -> None:
        errand = self.world.queue_dialer.errand_of(entry)
        progress = Progress(Itinerary(("main", "backup")))
        self.store.flying[entry.id] = entry
        under_way = Attempt(uuid, "gw1", "main", NOW - 4)
        self.world.numbers.resume(errand, under_way, progress)

    def test_its_task_counts_its_call(self) -> None:
        self.resume(self.entry("t"), "u-1")
        run = self.world.runs.get("t")
        assert run is not None
        self.assertEqual((run.calls, self.world.slots.calls), (1, 1))
        self.assertEqual(self.world.lines.states["gw1"].calls, 1)
        self.world.calls.event(hang_up_event("u-1", "USER_BUSY"))
        self.world.runs_for(0.1)
        self.assertEqual(len(self.switch.placed), 1)  # through the next group
        self.world.ends(answered=True)
        self.assertIs(self.store.records[0].outcome, Outcome.ANSWERED)
        self.assertEqual(len(self.store.records[0].attempts), 2)
        self.assertEqual(self.world.left_behind(), {})

    def test_without_its_task_its_call_is_followed_and_no_other_placed(self) -> None:
        for task in ("gone", None):
            self.resume(self.entry(task), "u-1")
            self.world.calls.event(hang_up_event("u-1", "USER_BUSY", 486))
            self.world.runs_for(0.1)
            self.assertIs(self.store.records[-1].outcome, Outcome.BUSY)
            self.assertEqual(self.store.records[-1].number, "1001")
        self.assertEqual(self.switch.placed, [])
        self.assertEqual(self.world.left_behind(), {})

    def test_an_entry_that_can_no_longer_be_read(self) -> None:
        self.resume(self.entry("t", b"not a number"), "u-1")
        self.world.calls.event(hang_up_event("u-1", talked=3))
        self.world.runs_for(0.1)
        self.assertIs(self.store.records[0].outcome, Outcome.ANSWERED)
        self.assertIsNone(self.store.records[0].number)
        self.assertEqual(self.world.left_behind(), {})
