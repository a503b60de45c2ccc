"""What the log tells of the tasks."""

from __future__ import annotations

from attrs import evolve
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import Kind, Outcome, Record
from ctidialer.contract.task import Task
from ctidialer.dialer.dispatch.task_runs import TaskRun, TaskRuns
from ctidialer.dialer.task_news import MAX_NAMED, QUIET_INTERVAL, TaskNews
from ctidialer.rules.task_news import Change
from tests.dialer.dispatch.test_task_runs import HOUR, MIDNIGHT, MORNING, task

NINE = MIDNIGHT + 9 * HOUR


def record(outcome: Outcome, name: str = "t") -> Record:
    return Record("1", Kind.QUEUE, name, "1001", b"1001", outcome, NINE, NINE, "fs1")


class NewsCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.rightNow = NINE
        self.news = TaskNews(self.clock, "UTC")
        self.runs = TaskRuns("UTC", self.news.changed)
        self.tasks: dict[str, Task] = {}

    def put(self, *tasks: Task) -> None:
        self.tasks |= {one.name: one for one in tasks}
        self.runs.update(self.tasks, [one.name for one in tasks], self.clock.seconds())

    def run_of(self, name: str = "t") -> TaskRun:
        run = self.runs.get(name)
        assert run is not None
        return run

    def told(self, after: float = 0.0) -> list[str]:
        """Return what the log says when so many seconds have passed."""
        self.clock.advance(after)
        self.runs.look(self.clock.seconds())
        with capturedLogs() as events:
            self.news.tell()
        return [formatEvent(event) for event in events]


class TaskNewsTests(NewsCase):
    def test_an_evening_of_one_task(self) -> None:
        self.put(task(hours=MORNING))
        self.assertEqual(self.told(), ["Task t is open until 2023-11-14 12:00:00 (UTC)"])
        for outcome in (Outcome.ANSWERED, Outcome.BUSY, Outcome.ANSWERED):
            self.news.number_ended(record(outcome))
        ended = "3 numbers have ended: 2 answered, 1 busy"
        closed = "it is outside the work hours; opens 2023-11-15 08:00:00 (UTC)"
        self.assertEqual(self.told(3 * HOUR), [f"Task t is closed: {closed}; {ended}"])
        self.assertEqual(self.told(), [])

    def test_what_is_closed_at_the_start_is_no_news(self) -> None:
        self.clock.rightNow = MIDNIGHT
        self.put(task(hours=MORNING), task("off", enabled=False))
        self.assertEqual(self.told(), [])

    def test_numbers_that_run_out_and_come_again(self) -> None:
        self.put(task())
        self.assertEqual(self.told(), ["Task t is open"])
        self.news.number_ended(record(Outcome.ANSWERED))
        self.runs.queue_seen(self.run_of(), is_empty=True)
        ended = "1 number has ended: 1 answered"
        self.assertEqual(self.told(QUIET_INTERVAL), [f"Task t has no number left in q; {ended}"])
        self.runs.queue_seen(self.run_of(), is_empty=False)
        self.assertEqual(self.told(QUIET_INTERVAL / 2), [])
        self.assertEqual(self.told(QUIET_INTERVAL / 2), ["Task t has numbers in q again"])

    def test_several_queues_that_run_out(self) -> None:
        self.put(evolve(task(), further_queues=("later",)))
        self.assertEqual(self.told(), ["Task t is open"])
        self.runs.queue_seen(self.run_of(), is_empty=True)
        self.assertEqual(self.told(QUIET_INTERVAL), ["Task t has no number left in q, later"])

    def test_numbers_that_trickle_in_are_told_once_a_while(self) -> None:
        self.put(task())
        self.told()
        said = []
        for _ in range(100):
            for is_empty in (True, False):
                self.runs.queue_seen(self.run_of(), is_empty)
                said += self.told(0.5)
        self.assertLessEqual(len(said), 3)

    def test_those_that_wait_to_be_told_are_not_looked_at_each_second(self) -> None:
        names = [f"t{index}" for index in range(MAX_NAMED + 5)]
        self.put(*map(task, names))
        self.told()
        for name in names:
            self.runs.queue_seen(self.run_of(name), is_empty=True)
        looked: list[str] = []
        real = TaskNews._change

        def change(news: TaskNews, run: TaskRun) -> Change:
            looked.append(run.task.name)
            return real(news, run)

        self.patch(TaskNews, "_change", change)
        for _ in range(int(QUIET_INTERVAL) - 1):
            self.assertEqual(self.told(1), [])
        self.assertEqual(len(looked), len(names))
        (said,) = self.told(1)
        self.assertIn(f"{len(names)} tasks", said)

    def test_one_that_waits_to_be_told_is_deleted_and_comes_back(self) -> None:
        self.put(task())
        self.told()
        self.runs.queue_seen(self.run_of(), is_empty=True)
        self.assertEqual(self.told(1), [])
        self.tasks.clear()
        self.runs.update(self.tasks, ["t"], self.clock.seconds())
        self.put(task())
        self.assertEqual([text for _ in range(90) for text in self.told(1)], [])

    def test_a_change_that_is_taken_back_within_a_second_is_no_news(self) -> None:
        self.put(task())
        self.told()
        self.put(task(enabled=False))
        self.put(task())
        self.assertEqual(self.told(), [])

    def test_off_and_gone(self) -> None:
        self.put(task())
        self.told()
        self.put(task(enabled=False))
        self.assertEqual(self.told(), ["Task t is switched off"])
        self.put(task())
        self.assertEqual(self.told(), ["Task t is open"])
        self.tasks.clear()
        self.runs.update(self.tasks, ["t"], self.clock.seconds())
        self.assertEqual(self.told(), ["Task t is no more, or malformed: no new call"])

    def test_many_at_once_are_one_line(self) -> None:
        self.put(*(task(f"t{index}") for index in range(MAX_NAMED + 5)))
        (said,) = self.told()
        self.assertTrue(said.startswith(f"{MAX_NAMED + 5} tasks are open now: t0, t1, "), said)


class StopTests(NewsCase):
    """What would be lost to the log when the daemon ends."""

    def stopped(self) -> list[str]:
        self.news.start()
        with capturedLogs() as events:
            self.news.stop()
        return [formatEvent(event) for event in events]

    def test_how_the_numbers_of_an_open_task_ended(self) -> None:
        self.put(task())
        self.told()
        self.news.number_ended(record(Outcome.ANSWERED))
        self.news.number_ended(record(Outcome.BUSY))
        ended = "2 numbers have ended: 1 answered, 1 busy"
        self.assertEqual(self.stopped(), [f"Task t until this stop: {ended}"])

    def test_what_was_told_already_is_not_told_again(self) -> None:
        self.put(task())
        self.told()
        self.assertEqual(self.stopped(), [])

    def test_many_tasks_share_a_line(self) -> None:
        for index in range(MAX_NAMED + 3):
            self.news.number_ended(record(Outcome.FAILED, f"t{index:02}"))
        said = self.stopped()
        self.assertEqual(len(said), MAX_NAMED + 1)
        last = "3 more tasks until this stop: 3 numbers have ended: 3 failed"
        self.assertEqual(said[-1], last)
