"""The tasks of a node and which of them may start calls."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

import ctidialer.dialer.dispatch.task_runs as task_runs_module
from ctidialer.contract.hours import CallingHours, Window
from ctidialer.contract.task import Destination, Task
from ctidialer.dialer.dispatch.task_runs import RUNS_PER_SLICE, TaskRun, TaskRuns
from ctidialer.rules import calling_hours
from ctidialer.rules.calling_hours import Closed

MIDNIGHT = 1_699_920_000.0  # 2023-11-14 00:00 UTC
HOUR = 3600.0
ALWAYS = CallingHours()
MORNING = CallingHours(windows=(Window(8 * 3600, 12 * 3600),))


def replaced() -> CallingHours:
    """Return the hours of the morning as another object."""
    return CallingHours(windows=(Window(8 * 3600, 12 * 3600),))


def task(name: str = "t", hours: CallingHours = ALWAYS, *, enabled: bool = True) -> Task:
    return Task(name, enabled, ("g",), 10, "q", Destination("8888"), hours=hours)


def leave(runs: TaskRuns, run: TaskRun) -> None:
    """Let one call of a task be over."""
    run.calls -= 1
    runs.left(run)


class RunsCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.runs = TaskRuns("UTC")
        self.tasks: dict[str, Task] = {}

    def put(self, now: float, *tasks: Task) -> None:
        self.tasks |= {one.name: one for one in tasks}
        self.runs.update(self.tasks, [one.name for one in tasks], now)

    def remove(self, name: str = "t") -> None:
        self.tasks.pop(name, None)
        self.runs.update(self.tasks, [name], MIDNIGHT)

    def dialing(self, now: float) -> list[str]:
        return sorted(run.task.name for run in self.runs.dialing(now))

    def run_of(self, name: str = "t") -> TaskRun:
        run = self.runs.get(name)
        assert run is not None
        return run


class OpeningTests(RunsCase):
    def test_only_enabled_open_tasks_dial(self) -> None:
        self.put(MIDNIGHT, task("a"), task("b", enabled=False), task("c", MORNING))
        self.assertEqual(self.dialing(MIDNIGHT), ["a"])

    def test_a_task_opens_and_closes_by_the_clock(self) -> None:
        self.put(MIDNIGHT, task(hours=MORNING))
        seen: list[tuple[float, bool]] = []
        now = MIDNIGHT
        while now < MIDNIGHT + 26 * HOUR:
            is_open = bool(self.dialing(now))
            if not seen or seen[-1][1] is not is_open:
                seen.append((now - MIDNIGHT, is_open))
            now += 1.0
        self.assertEqual(seen, [(0, False), (8 * HOUR, True), (12 * HOUR, False)])

    def test_a_clock_that_jumps_is_followed_both_ways(self) -> None:
        self.put(MIDNIGHT, task(hours=MORNING))
        for hours, is_open in ((0, 0), (9, 1), (3, 0), (10, 1), (13, 0), (11, 1), (40, 0), (33, 1)):
            self.assertEqual(len(self.dialing(MIDNIGHT + hours * HOUR)), is_open, hours)

    def test_a_small_step_back_of_the_clock(self) -> None:
        self.put(MIDNIGHT, task(hours=MORNING))
        opens = MIDNIGHT + 8 * HOUR
        self.dialing(opens - 5.0)
        self.assertEqual(self.dialing(opens), ["t"])
        self.assertEqual(self.dialing(opens - 0.5), [])
        self.assertEqual(self.dialing(opens), ["t"])

    def test_an_edit_is_in_force_at_once(self) -> None:
        self.put(MIDNIGHT, task())
        self.assertEqual(self.dialing(MIDNIGHT), ["t"])
        self.put(MIDNIGHT, task(enabled=False))
        self.assertEqual(self.dialing(MIDNIGHT), [])
        self.put(MIDNIGHT, task(hours=MORNING))
        self.assertEqual(self.dialing(MIDNIGHT), [])
        self.assertFalse(self.run_of().dialing)
        self.put(MIDNIGHT, task())
        self.assertEqual(self.dialing(MIDNIGHT), ["t"])

    def test_an_edit_takes_the_old_hours_out_of_force(self) -> None:
        self.put(MIDNIGHT, task(hours=MORNING))
        evening = CallingHours(windows=(Window(18 * 3600, 20 * 3600),))
        self.put(MIDNIGHT, task(hours=evening))
        now, opened = MIDNIGHT, []
        while now < MIDNIGHT + 24 * HOUR:
            if self.dialing(now):
                opened.append(now)
            now += 4.0
        self.assertEqual((opened[0], opened[-1]), (MIDNIGHT + 18 * HOUR, MIDNIGHT + 20 * HOUR - 4))


class WithdrawnTests(RunsCase):
    def test_a_task_without_calls_is_forgotten(self) -> None:
        self.put(MIDNIGHT, task())
        self.remove()
        self.assertIsNone(self.runs.get("t"))
        self.assertEqual(self.dialing(MIDNIGHT), [])
        self.remove()
        self.assertEqual(list(self.runs), [])

    def test_a_task_with_calls_waits_for_their_end(self) -> None:
        self.put(MIDNIGHT, task())
        run = self.run_of()
        run.calls = 2
        self.remove()
        self.assertFalse(run.dialing)
        self.assertEqual(self.dialing(MIDNIGHT), [])
        leave(self.runs, run)
        self.assertIs(self.runs.get("t"), run)
        leave(self.runs, run)
        self.assertIsNone(self.runs.get("t"))

    def test_calls_count_again_when_it_comes_back(self) -> None:
        self.put(MIDNIGHT, task())
        run = self.run_of()
        run.calls = 2
        self.remove()
        self.dialing(MIDNIGHT + 100)  # the clock jumps: everything is worked out anew
        self.put(MIDNIGHT, task(hours=MORNING))
        self.assertIs(self.runs.get("t"), run)
        self.assertEqual(run.calls, 2)
        self.assertEqual(self.dialing(MIDNIGHT + 9 * HOUR), ["t"])
        leave(self.runs, run)
        leave(self.runs, run)
        self.assertIs(self.runs.get("t"), run)

    def test_the_end_of_an_old_run_does_not_take_the_new_one_away(self) -> None:
        self.put(MIDNIGHT, task())
        old = self.run_of()
        self.remove()
        self.put(MIDNIGHT, task())
        old.calls = 1
        leave(self.runs, old)
        self.assertIsNotNone(self.runs.get("t"))


class WaitingTests(RunsCase):
    def waiting(self) -> list[str]:
        return [run.task.name for run in self.runs.waiting]

    def test_a_task_without_numbers_waits_for_some(self) -> None:
        self.put(MIDNIGHT, task("a"), task("b"))
        self.runs.queue_seen(self.run_of("a"), is_empty=True)
        self.assertEqual((self.dialing(MIDNIGHT), self.waiting()), (["b"], ["a"]))
        self.runs.queue_seen(self.run_of("a"), is_empty=False)
        self.assertEqual((self.dialing(MIDNIGHT), self.waiting()), (["a", "b"], []))

    def test_one_that_closes_waits_no_longer(self) -> None:
        self.put(MIDNIGHT + 8 * HOUR, task(hours=MORNING))
        self.runs.queue_seen(self.run_of(), is_empty=True)
        self.assertEqual(self.waiting(), ["t"])
        self.dialing(MIDNIGHT + 13 * HOUR)
        self.assertEqual(self.waiting(), [])

    def test_the_answer_for_one_that_is_gone_says_nothing_of_its_successor(self) -> None:
        self.put(MIDNIGHT, task())
        gone = self.run_of()
        self.remove()
        self.put(MIDNIGHT, task())
        self.runs.queue_seen(gone, is_empty=True)
        self.assertEqual((self.dialing(MIDNIGHT), self.waiting()), (["t"], []))


class CountTests(RunsCase):
    """What the status tells: kept with every change, not counted each time."""

    def test_each_task_counts_once(self) -> None:
        over = CallingHours(stop=datetime(2020, 1, 1))
        off = task("off", enabled=False)
        self.put(MIDNIGHT, task("a"), task("b"), task("m", MORNING), task("o", over), off)
        self.runs.queue_seen(self.run_of("b"), is_empty=True)
        self.assertEqual([run.task.name for run in self.runs.told], ["a", "b"])
        closed = {Closed.OUTSIDE_HOURS: 1, Closed.AFTER_STOP: 1}
        self.assertEqual((self.runs.closed, self.runs.switched_off), (closed, 1))

    def test_a_closed_task_with_calls_is_told(self) -> None:
        self.put(MIDNIGHT, task(hours=MORNING))
        run = self.run_of()
        run.calls += 1
        self.runs.entered(run)
        self.assertEqual((self.runs.told, self.runs.closed[Closed.OUTSIDE_HOURS]), ([run], 0))
        run.calls -= 1
        self.runs.left(run)
        self.assertEqual((self.runs.told, self.runs.closed[Closed.OUTSIDE_HOURS]), ([], 1))

    def test_one_switched_off_with_calls_from_before_a_restart(self) -> None:
        self.put(MIDNIGHT, task(enabled=False))
        run = self.runs.taken_up("t", MIDNIGHT)
        assert run is not None
        run.calls += 1
        self.runs.entered(run)
        self.assertEqual((self.runs.told, self.runs.switched_off), ([run], 0))
        run.calls -= 1
        self.runs.left(run)
        self.assertEqual((self.runs.told, self.runs.switched_off), ([], 1))

    def test_a_deleted_one_with_calls(self) -> None:
        self.put(MIDNIGHT, task())
        run = self.run_of()
        run.calls += 1
        self.remove()
        self.assertEqual((self.runs.told, self.runs.switched_off), ([run], 0))

    def test_one_that_closes_between_two_looks_starts_no_call(self) -> None:
        self.put(MIDNIGHT + 9 * HOUR, task(hours=MORNING))
        run = self.run_of()
        self.assertTrue(run.may_start(MIDNIGHT + 12 * HOUR - 0.1))
        self.assertTrue(run.dialing)
        self.assertFalse(run.may_start(MIDNIGHT + 12 * HOUR))


class SizeTests(RunsCase):
    def test_thousands_of_closed_tasks_cost_nothing(self) -> None:
        asked = self.count_openings()
        self.put(MIDNIGHT, *(task(f"t{index}", MORNING) for index in range(3000)))
        self.put(MIDNIGHT, task("open"))
        for _ in range(3000 // RUNS_PER_SLICE):
            self.dialing(MIDNIGHT)
        asked.clear()
        for tick in range(2000):
            self.assertEqual(self.dialing(MIDNIGHT + tick * 0.05), ["open"])
        self.assertEqual(asked, [])

    def test_a_look_that_comes_late_is_taken_for_no_clock_that_jumps(self) -> None:
        """Else a look at very many tasks, which takes long itself, would begin anew for ever."""
        self.put(MIDNIGHT, *(task(f"t{index}", MORNING) for index in range(2 * RUNS_PER_SLICE)))
        for _ in range(3):
            self.dialing(MIDNIGHT)
        asked = self.count_openings()
        for seconds in (10, 70, 4000):
            self.assertEqual(self.dialing(MIDNIGHT + seconds), [])
        self.assertEqual(asked, [])

    def test_tasks_that_are_switched_off_are_not_even_looked_at(self) -> None:
        asked = self.count_openings()
        self.put(MIDNIGHT, *(task(f"t{index}", MORNING, enabled=False) for index in range(3000)))
        self.dialing(MIDNIGHT)
        self.dialing(MIDNIGHT - 9 * HOUR)
        self.assertEqual((asked, len(self.runs), self.runs.switched_off), ([], 0, 3000))

    def test_the_same_hours_are_worked_out_once(self) -> None:
        asked = self.count_openings()
        self.put(MIDNIGHT, *(task(f"t{index}", replaced()) for index in range(RUNS_PER_SLICE)))
        self.dialing(MIDNIGHT + 9 * HOUR)
        self.assertEqual(len(asked), 2)

    def test_many_are_taken_up_in_turns_and_looked_at_in_turns(self) -> None:
        asked = self.count_openings()
        hours = [CallingHours(windows=(Window(8 * 3600, 12 * 3600 + at),)) for at in range(1200)]
        self.put(MIDNIGHT, *(task(f"t{at:04}", one) for at, one in enumerate(hours)))
        self.assertEqual(len(asked), RUNS_PER_SLICE)
        for _ in range(2):
            before = len(asked)
            self.runs.look(MIDNIGHT)
            self.assertLessEqual(len(asked) - before, RUNS_PER_SLICE)
        self.assertEqual(len(self.runs), 1200)
        seen: set[str] = set()
        for _ in range(6):
            before = len(asked)
            seen |= set(self.dialing(MIDNIGHT + 9 * HOUR))
            self.assertLessEqual(len(asked) - before, RUNS_PER_SLICE)
        self.assertEqual(len(seen), 1200)

    def test_one_that_waits_to_be_taken_up_can_be_had_edited_and_removed(self) -> None:
        self.put(MIDNIGHT, *(task(f"t{at:04}") for at in range(3 * RUNS_PER_SLICE)))
        last, other = f"t{3 * RUNS_PER_SLICE - 1:04}", f"t{3 * RUNS_PER_SLICE - 2:04}"
        self.assertIsNone(self.runs.get(last))
        self.assertIs(self.runs.taken_up(last, MIDNIGHT), self.runs.get(last))
        self.remove(other)
        for _ in range(4):
            self.runs.look(MIDNIGHT)
        self.assertEqual(len(self.runs), 3 * RUNS_PER_SLICE - 1)
        self.assertEqual(self.runs.switched_off, 0)

    def count_openings(self) -> list[float]:
        """Return the moments for which an opening is worked out from now on."""
        asked: list[float] = []
        real = calling_hours.opening

        def counted(hours: CallingHours, zone: str, now: float) -> calling_hours.Opening:
            asked.append(now)
            return real(hours, zone, now)

        self.patch(task_runs_module, "opening", counted)
        return asked

    def test_edits_do_not_pile_up(self) -> None:
        for _ in range(1000):
            self.put(MIDNIGHT, task(hours=MORNING))
        self.assertEqual(len(self.runs._changes), 1)
        self.assertEqual(self.dialing(MIDNIGHT + 9 * HOUR), ["t"])


class AnyHistoryTests(SynchronousTestCase):
    names = st.sampled_from(["a", "b"])
    steps = st.one_of(
        st.tuples(st.just("put"), names, st.sampled_from([ALWAYS, MORNING]), st.booleans()),
        st.tuples(st.just("remove"), names, st.just(ALWAYS), st.just(False)),
        st.tuples(st.just("call"), names, st.just(ALWAYS), st.just(False)),
        st.tuples(st.just("end"), names, st.just(ALWAYS), st.just(False)),
    )

    @settings(deadline=None, max_examples=200)
    @given(st.lists(st.tuples(steps, st.sampled_from([0.0, 4.0, 3000.0, -7000.0])), max_size=30))
    def test_what_dials_is_what_the_rules_say(
        self, history: list[tuple[tuple[str, str, CallingHours, bool], float]]
    ) -> None:
        runs, now = TaskRuns("UTC"), MIDNIGHT + 8 * HOUR
        tasks: dict[str, Task] = {}
        for (what, name, hours, enabled), seconds in history:
            run = runs.get(name)
            if what == "put":
                tasks[name] = task(name, hours, enabled=enabled)
                runs.update(tasks, [name], now)
            elif what == "remove":
                tasks.pop(name, None)
                runs.update(tasks, [name], now)
            elif what == "call" and run is not None and run.dialing:
                run.calls += 1
            elif what == "end" and run is not None and run.calls:
                leave(runs, run)
            now += seconds
            wanted = {
                one.name
                for one in tasks.values()
                if one.enabled and calling_hours.opening(one.hours, "UTC", now).open
            }
            self.assertEqual({run.task.name for run in runs.dialing(now)}, wanted)
            present = {run.task.name for run in runs if not run.withdrawn}
            switched_on = {one.name for one in tasks.values() if one.enabled}
            self.assertTrue(switched_on <= present <= set(tasks))
            self.assertTrue(all(run.calls for run in runs if run.withdrawn))
            told = [run for run in runs.told if not run.withdrawn]
            self.assertTrue(all(run.dialing or run.calls for run in runs.told))
            counted = len(told) + sum(runs.closed.values()) + runs.switched_off
            self.assertEqual(counted, len(tasks))
