"""Limit, cps and pause of schedule configurations, on a clock of ours."""

from __future__ import annotations

from ctidialer.contract.control import pause_field
from ctidialer.contract.record import Outcome
from tests.dialer.dispatch.test_schedule import ScheduleCase
from tests.dialer.fakes import NOW, ZSET, hang_up_event

CONTROL = "cti_dialer_control@fs1"


class LimitedCase(ScheduleCase):
    def many(
        self, count: int, config: str = "s", due: float = NOW - 100, first: int = 1000
    ) -> None:
        for number in range(first, first + count):
            self.put(str(number), due, config)

    def pause(self, name: str, *, is_schedule: bool = True) -> None:
        field = pause_field(name, is_schedule=is_schedule)
        self.world.tables.put(CONTROL, field, b"1")

    def resume(self, name: str) -> None:
        self.world.tables.put(CONTROL, pause_field(name, is_schedule=True), None)

    def placed(self, first: str = "") -> int:
        return sum(one.number.startswith(first) for one in self.switch.placed)

    def up(self) -> int:
        return len(self.world.calls)

    def hang_up_one(self) -> None:
        attempt = next(iter(self.world.calls))
        self.world.calls.event(hang_up_event(attempt.uuid, talked=1))

    def waiting(self) -> int:
        return len(self.store.due.get(ZSET, {}))

    def finish(self) -> None:
        for _ in range(200):
            self.hang_up()
            self.world.runs_for(0.1)
        self.assertEqual(self.waiting(), 0)
        self.check_even()


class LimitTests(LimitedCase):
    def test_never_more_calls_than_the_limit(self) -> None:
        self.world.put_schedule(limit=3)
        self.many(20)
        self.start()
        for done in range(17):
            self.world.runs_for(0.3)
            self.assertEqual((self.up(), self.placed()), (3, 3 + done))
            self.hang_up_one()
        self.finish()
        self.assertEqual(len(self.store.records), 20)

    def test_a_slot_is_filled_before_the_next_poll(self) -> None:
        self.world.put_schedule(limit=1)
        self.many(2)
        self.start()
        self.hang_up_one()
        self.world.runs_for(0.1)
        self.assertEqual(self.placed(), 2)
        self.finish()

    def test_the_others_go_on(self) -> None:
        self.world.put_schedule(limit=2)
        self.world.put_schedule("free")
        self.many(500)
        self.many(50, "free", NOW - 1, 2000)
        self.start()
        self.world.runs_for(0.5)
        self.assertEqual((self.placed("1"), self.placed("2")), (2, 50))
        self.world.put_schedule(limit=600)
        self.finish()

    def test_zero_is_no_call(self) -> None:
        self.world.put_schedule(limit=0)
        self.many(3)
        self.start()
        self.world.runs_for(5)
        self.assertEqual((self.placed(), self.waiting()), (0, 3))
        self.world.put_schedule()
        self.world.runs_for(1.1)
        self.assertEqual(self.placed(), 3)
        self.finish()

    def test_a_number_between_two_calls_keeps_its_slot(self) -> None:
        self.world.put_group("main", "gw1", redialer_count=1, rest=5000)
        self.world.put_schedule(limit=1, line_group=["main"])
        self.many(2)
        self.start()
        self.world.ends("USER_BUSY", 486)
        self.world.runs_for(3)
        self.assertEqual(self.placed("1000"), 1)
        self.assertEqual(self.placed("1001"), 0)
        self.world.runs_for(3)
        self.assertEqual((self.placed("1000"), self.placed("1001")), (2, 0))
        self.finish()

    def test_calls_of_an_earlier_daemon_count(self) -> None:
        self.world.put_schedule(limit=2)
        self.many(3)
        run = self.world.schedule_dialer.runs.of("s")
        assert run is not None
        self.world.slots.occupy(run)
        self.start()
        self.world.runs_for(1.5)
        self.assertEqual(self.placed(), 1)
        self.world.slots.leave(run)
        self.finish()

    def test_bad_members_are_closed_all_the_same(self) -> None:
        self.world.put_schedule(limit=1)
        self.many(5)
        self.store.due[ZSET][b"[]"] = NOW - 1
        self.start()
        self.assertEqual([one.outcome for one in self.store.records], [Outcome.INVALID])
        self.finish()


class RateTests(LimitedCase):
    def test_never_more_than_its_cps(self) -> None:
        self.world.put_schedule(cps=5)
        self.many(60)
        self.start()
        before = self.placed()
        for _ in range(8):
            self.world.runs_for(1)
            started, before = self.placed() - before, self.placed()
            self.assertTrue(4 <= started <= 6, started)
        self.world.put_schedule()
        self.finish()

    def test_redials_count_and_go_first(self) -> None:
        self.world.put_group("main", "gw1", redialer_count=1)
        self.world.put_schedule(cps=1, line_group=["main"])
        self.many(3)
        self.start()
        self.assertEqual(self.placed(), 1)
        self.world.ends("USER_BUSY", 486)
        self.world.runs_for(0.5)
        self.assertEqual(self.placed(), 1)
        self.world.runs_for(0.8)
        self.assertEqual([one.number for one in self.switch.placed], ["1000", "1000"])
        self.world.put_schedule(cps=100)
        self.finish()

    def test_the_others_have_their_own_pace(self) -> None:
        self.world.put_schedule(cps=1)
        self.world.put_schedule("free")
        self.many(300)
        self.many(40, "free", NOW - 1, 2000)
        self.start()
        self.world.runs_for(0.5)
        self.assertEqual((self.placed("1"), self.placed("2")), (1, 40))
        self.world.put_schedule()
        self.finish()


class PauseTests(LimitedCase):
    def test_it_holds_and_goes_on(self) -> None:
        self.world.put_schedule("free")
        self.many(300)
        self.many(5, "free", NOW - 1, 2000)
        self.pause("s")
        self.start()
        self.world.runs_for(3)
        self.assertEqual((self.placed("1"), self.placed("2")), (0, 5))
        self.assertEqual(self.waiting(), 300)
        self.assertEqual(set(self.store.due[ZSET].values()), {NOW - 100})
        self.resume("s")
        self.world.runs_for(1.2)
        self.assertGreater(self.placed("1"), 0)
        self.finish()

    def test_a_task_of_the_same_name_is_another_thing(self) -> None:
        self.many(1)
        self.pause("s", is_schedule=False)
        self.start()
        self.assertEqual(self.placed(), 1)
        self.finish()

    def test_what_was_on_its_way_goes_back_with_its_time(self) -> None:
        self.many(2)
        self.world.schedule_dialer.start(1.0)
        self.pause("s")  # the claim is under way
        self.world.runs_for(0.1)
        self.assertEqual((self.placed(), self.waiting()), (0, 2))
        self.assertEqual(set(self.store.due[ZSET].values()), {NOW - 100})
        self.resume("s")
        self.world.runs_for(1)
        self.finish()

    def test_a_number_between_two_calls_waits(self) -> None:
        self.world.put_group("main", "gw1", redialer_count=1, rest=500)
        self.world.put_schedule(line_group=["main"])
        self.many(1)
        self.start()
        self.pause("s")
        self.world.ends("USER_BUSY", 486)
        self.world.runs_for(5)
        self.assertEqual(self.placed(), 1)
        self.resume("s")
        self.world.runs_for(2)
        self.assertEqual(self.placed(), 2)
        self.finish()

    def test_nothing_is_looked_at_again_and_again(self) -> None:
        self.many(1500)
        self.pause("s")
        self.start()
        self.world.runs_for(3)
        self.store.looks.clear()
        self.world.runs_for(5)
        self.assertLessEqual(len(self.store.looks), 12)
        self.resume("s")
        self.finish()

    def test_lines_are_not_kept_for_them(self) -> None:
        self.world.put_line("gw1", count=1)
        self.many(5)
        self.pause("s")
        self.start()
        self.world.put_task(line_group=["main"])
        self.world.put_numbers(*(str(number) for number in range(3000, 3030)))
        self.world.start()
        for _ in range(30):
            self.world.runs_for(0.1)
            self.hang_up()
        self.assertGreaterEqual(self.placed("3"), 25)
        self.resume("s")
        self.world.runs_for(2)
        self.finish_both()

    def finish_both(self) -> None:
        self.world.queue_dialer.stop()
        self.finish()


class EveryNumberTests(LimitedCase):
    def test_one_record_each(self) -> None:
        for name, params in {"a": {"limit": 2}, "b": {"cps": 20}, "c": {}, "d": {}}.items():
            self.world.put_schedule(name, **params)
        for at in range(200):
            self.put(str(1000 + at), NOW - 200 + at, "abcd"[at % 4])
        self.pause("d")
        self.start()
        self.world.runs_for(3)
        self.resume("d")
        self.finish()
        numbers = sorted(one.number or "" for one in self.store.records)
        self.assertEqual(numbers, [str(1000 + at) for at in range(200)])
