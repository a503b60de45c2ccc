"""A daemon runs for months, and back ends make up ever new names: what is remembered has bounds."""

from __future__ import annotations

import json
from typing import cast

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.contract.counted import Counted
from ctidialer.contract.record import Kind, Outcome, Record
from ctidialer.dialer import recent_outcomes, task_news
from ctidialer.dialer.agents.book import AgentBook
from ctidialer.dialer.agents.handling import Handling
from ctidialer.dialer.dispatch.counted_things import CountedThings, Thing
from ctidialer.dialer.dispatch.given_starts import IDLE_AFTER, GivenStarts
from ctidialer.dialer.dispatch.place_questions import FORGOTTEN_AFTER, PlaceQuestions
from ctidialer.dialer.recent_outcomes import RecentOutcomes
from ctidialer.dialer.task_news import TaskNews
from ctidialer.rules.agents import AgentsNow
from ctidialer.rules.explanation import Recent
from ctidialer.rules.tables import Tables
from ctidialer.store.place_answers import Seen
from ctidialer.store.places import Asking, Places
from tests.dialer.fakes import NOW, clock

MANY = 5000
BOUND = 2500


def thing(name: str, interval: float = 0.1) -> Thing:
    return Thing(Counted(name, 1, interval), name)


def ended(task: str) -> Record:
    return Record("1", Kind.QUEUE, task, "1001", b"1001", Outcome.FAILED, NOW, NOW, "fs1")


class StartsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = clock()
        self.starts = GivenStarts(self.clock)

    def start(self, name: str, interval: float = 0.1, start_in: float = 0.0) -> Deferred[int]:
        start = round((self.clock.seconds() + start_in) * 1e6)
        return self.starts.wait((thing(name, interval),), start, start_in)

    def test_lines_that_nobody_uses_any_more_are_forgotten(self) -> None:
        for index in range(MANY):
            self.start(f"task {index}")
            self.clock.advance(IDLE_AFTER / 100)
        self.assertLess(len(self.starts._lines), BOUND)

    def test_who_waits_there_is_not(self) -> None:
        waiting = self.start("waits", start_in=0.9)
        for index in range(MANY):
            self.start(f"task {index}")
        self.clock.advance(0.95)
        self.assertEqual(self.successResultOf(waiting), round((NOW + 0.9) * 1e6))

    def test_an_edited_rate_counts_at_once(self) -> None:
        self.start("trunk", 1.0)
        self.start("trunk", 0.01)
        (line,) = self.starts._lines.values()
        self.assertEqual(line.slack, 0.005)


class OnePlace(Places):
    """Places of which others have one."""

    sweep_interval = 60.0

    def ask(self, asking: Asking, counted: Counted) -> Deferred[Seen]:
        return succeed(Seen(1, 0.0))


class QuestionsTests(SynchronousTestCase):
    def test_what_nobody_lacks_any_more_is_forgotten(self) -> None:
        moment = clock()
        questions = PlaceQuestions(
            moment,
            OnePlace.__new__(OnePlace),
            Tables("fs1", "fs1", ""),
            cast(CountedThings, {"one": "thing"}),
            lambda thing, seen: None,
            lambda thing: 0,
            lambda thing: False,
        )
        for index in range(MANY):
            questions.refused(thing(f"line {index}"))
            questions.lacks_line([f"group {index}"])
            moment.advance(FORGOTTEN_AFTER / 100)
        self.assertLess(len(questions._questions), BOUND)
        self.assertLess(len(questions._looked), BOUND)
        self.assertTrue(questions.is_any)


class AgentsTests(SynchronousTestCase):
    def test_where_nobody_looks_at_agents_no_wrap_up_is_noted(self) -> None:
        handling = Handling()
        for index in range(MANY):
            handling.begins(index, NOW + index)
            handling.call_ended(index, NOW + index + 5.0)
        self.assertEqual(handling.ages(1, NOW + MANY), [0.0])
        self.assertEqual(handling._wrap_up, [])

    def test_where_somebody_does_it_is(self) -> None:
        handling = Handling()
        handling.look(AgentsNow(busy_unknown=1), NOW)
        handling.begins("call", NOW)
        handling.call_ended("call", NOW + 5.0)
        self.assertEqual(handling.ages(1, NOW + 7.0), [7.0])

    def test_groups_without_agents_are_forgotten(self) -> None:
        book = AgentBook()
        for index in range(MANY):
            params = {"group": [f"campaign {index}"], "state": "idle"}
            raw = json.dumps({"params": params}).encode()
            book.fields(keys.AGENT, [("ann", raw)], NOW + index)
        self.assertEqual(list(book._groups), [f"campaign {MANY - 1}"])


class TasksTests(SynchronousTestCase):
    def test_of_many_tasks_the_last_ones_are_known(self) -> None:
        self.patch(recent_outcomes, "MAX_TASKS", 2)
        recent = RecentOutcomes()
        for name in ("a", "b", "c"):
            recent.number_ended(ended(name))
        told = [recent.of(name) for name in ("a", "b", "c")]
        self.assertEqual(told, [Recent(), Recent(1, 1), Recent(1, 1)])

    def test_numbers_of_tasks_that_are_gone_do_not_keep_others_from_being_counted(self) -> None:
        self.patch(task_news, "MAX_TALLIED", 2)
        news = TaskNews(clock(), "UTC")
        for name in ("gone", "gone too", "t"):
            news.number_ended(ended(name))
        self.assertEqual(list(news._ended), ["gone too", "t"])
