"""The tables as they stand in Redis: read whole, then change by change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from twisted.logger import LogLevel

import ctidialer.dialer.configuration as configuration_module
import ctidialer.rules.tables as tables_module
from ctidialer.contract import keys
from ctidialer.contract.notice import ConfigChange
from ctidialer.dialer.configuration import MAX_NAMES, MAX_POLLS_UNREAD, NAMES_PER_READ
from ctidialer.rules.decoding import Decoder
from ctidialer.rules.tables import Changed, Named
from ctidialer.store.errors import StoreUnavailable
from tests.dialer.configuration_case import (
    CONTROL,
    GROUP,
    HOST,
    LINE,
    SCHEDULE,
    TEMPLATE,
    ConfigurationCase,
    group,
    line,
    task,
)
from tests.dialer.fakes import ROUND_TRIP, let_run

AWAY = StoreUnavailable("away", True)


class ReadTests(ConfigurationCase):
    def test_all_tables_are_read_in_one_step_and_then_it_is_complete(self) -> None:
        self.put(TEMPLATE, "t", task())
        self.put(HOST, "u", task())
        reading = self.configuration.read_all()
        self.assertFalse(self.is_complete)
        self.answered(reading)
        self.assertTrue(self.is_complete)
        self.assertEqual(sorted(self.tables.tasks), ["t", "u"])
        self.assertEqual(self.redis.reads, ["*"])

    def test_what_is_written_meanwhile_is_not_seen_by_halves(self) -> None:
        reading = self.configuration.read_all()
        self.put(TEMPLATE, "t", task())
        self.put(GROUP, "g", group("l"))
        self.answered(reading)
        self.assertEqual((self.tables.tasks, dict(self.tables.routes.groups)), ({}, {}))

    def test_what_did_not_change_is_not_told_again(self) -> None:
        self.put(TEMPLATE, "t", task())
        self.read_all()
        self.changes.clear()
        self.read_all()
        self.assertEqual(self.changes, [])
        self.put(TEMPLATE, "t", task(limit=2))
        self.put(TEMPLATE, "v", task())
        self.read_all()
        (change,) = self.changes
        self.assertEqual((change.table, change.names), (keys.TASK, frozenset({"t", "v"})))

    def test_a_field_that_is_gone_is_a_change(self) -> None:
        self.put(TEMPLATE, "t", task())
        self.read_all()
        del self.redis.tables[TEMPLATE]["t"]
        self.read_all()
        self.assertEqual(self.tables.tasks, {})
        self.assertEqual(self.changes[-1].names, frozenset({"t"}))

    def test_all_is_in_force_before_anybody_is_told(self) -> None:
        self.put(TEMPLATE, "t", task())
        self.put(GROUP, "g", group("l"))
        self.put(LINE, "l", line())
        seen: list[tuple[bool, bool, bool]] = []
        real = self.take_over

        def take_over(changes: Sequence[Changed]) -> Iterator[None]:
            routes = self.tables.routes
            seen.append(("t" in self.tables.tasks, "g" in routes.groups, "l" in routes.lines))
            return real(changes)

        self.patch(self.configuration, "_changed", take_over)
        self.read_all()
        self.assertEqual(seen, [(True, True, True)])

    def test_nothing_is_dialed_while_many_changes_are_taken_over(self) -> None:
        self.read_all()
        for index in range(NAMES_PER_READ + 1):
            self.put(LINE, f"l{index}", line())
        during: list[bool] = []

        def take_over(changes: Sequence[Changed]) -> Iterator[None]:
            during.append(self.is_complete)
            yield

        self.patch(self.configuration, "_changed", take_over)
        self.read_all()
        self.assertEqual((during, self.is_complete), ([False], True))


class NoticeTests(ConfigurationCase):
    def test_a_published_field_is_read_on_host_and_template_together(self) -> None:
        self.put(HOST, "t", task(line_group=[]))
        self.published(keys.TASK, "t")
        self.assertEqual(self.redis.reads, [{TEMPLATE: ["t"], HOST: ["t"]}])
        self.assertFalse(self.is_complete)

    def test_a_published_table_is_read_with_all_others(self) -> None:
        self.published(keys.LINE)
        self.assertEqual(self.redis.reads, ["*"])

    def test_a_task_is_followed_to_its_groups_and_lines(self) -> None:
        self.put(TEMPLATE, "t", task())
        self.put(GROUP, "g", group("l", "m"))
        self.put(LINE, "l", line())
        self.put(LINE, "m", line())
        self.published(keys.TASK, "t")
        self.assertIn("t", self.tables.tasks)
        self.assertEqual(sorted(self.tables.routes.groups), ["g"])
        self.assertEqual(sorted(self.tables.routes.lines), ["l", "m"])
        last = {TEMPLATE: ["t"], HOST: ["t"], GROUP: ["g"], LINE: ["g", "l", "m"]}
        self.assertEqual(self.redis.reads[-1], last)

    def test_a_group_that_was_edited_unpublished_is_read_with_its_task(self) -> None:
        self.put(TEMPLATE, "t", task())
        self.put(GROUP, "g", group("l"))
        self.put(LINE, "l", line())
        self.read_all()
        self.put(GROUP, "g", group("m"))
        self.put(LINE, "m", line())
        self.published(keys.TASK, "t")
        self.assertEqual(self.tables.routes.groups["g"].tiers, (("m",),))
        self.assertIn("m", self.tables.routes.lines)

    def test_what_refers_to_the_same_as_before_is_read_once(self) -> None:
        self.put(TEMPLATE, "t", task())
        self.put(GROUP, "g", group("l"))
        self.put(LINE, "l", line())
        self.read_all()
        self.put(LINE, "l", line(count=7))
        self.published(keys.TASK, "t")
        self.assertEqual(len(self.redis.reads), 2)
        self.assertEqual(self.tables.routes.lines["l"].count, 7)

    def test_a_schedule_configuration_is_followed_too(self) -> None:
        config = b'{"params":{"line_group":["g"],"destination_extension":"8"}}'
        self.put(SCHEDULE, "s", config)
        self.put(GROUP, "g", group("l"))
        self.put(LINE, "l", line())
        self.published(keys.SCHEDULE_CONFIG, "s")
        self.assertIn("s", self.tables.schedules)
        self.assertIn("l", self.tables.routes.lines)

    def test_what_is_read_is_of_one_moment(self) -> None:
        """A group is replaced between two readings of one notice: the last reading counts."""
        self.put(TEMPLATE, "t", task())
        self.put(GROUP, "g", group("l"))
        self.put(LINE, "l", line())
        self.configuration.change(ConfigChange(keys.TASK, "t"))
        self.clock.advance(ROUND_TRIP)
        self.put(GROUP, "g", group("m"))
        self.put(LINE, "m", line())
        del self.redis.tables[LINE]["l"]
        let_run(self.clock, 0.1, ROUND_TRIP)
        self.assertEqual(self.tables.routes.groups["g"].tiers, (("m",),))
        self.assertEqual(sorted(self.tables.routes.lines), ["m"])

    def test_one_reading_at_a_time_in_the_order_of_the_changes(self) -> None:
        self.put(HOST, "t", task(limit=1, line_group=[]))
        self.configuration.change(ConfigChange(keys.TASK, "t"))
        self.configuration.change(ConfigChange(keys.TASK, "t"))
        self.assertEqual(len(self.redis.reads), 1)
        self.put(HOST, "t", task(limit=2))
        let_run(self.clock, 0.1, ROUND_TRIP)
        self.assertEqual(self.tables.tasks["t"].limit, 2)

    def test_an_order_of_the_operator_is_read(self) -> None:
        self.put(CONTROL, "drain", b'{"at":1,"by":"a","why":"w"}')
        self.published(keys.CONTROL, "drain")
        self.assertIsNotNone(self.tables.control.drain)
        self.assertEqual(self.changes[-1].table, keys.CONTROL)


class FloodTests(ConfigurationCase):
    """Counts of readings, whatever the flood."""

    def flood(self, names: int, notices: int) -> None:
        for index in range(notices):
            self.configuration.change(ConfigChange(keys.LINE, f"n{index % names}"))

    def test_notices_that_come_while_redis_is_read_are_read_together(self) -> None:
        self.flood(names=50, notices=10_000)
        let_run(self.clock, 0.1, ROUND_TRIP)
        first, second = self.redis.reads
        self.assertEqual(first, {LINE: ["n0"]})
        assert isinstance(second, dict)
        self.assertEqual(len(second[LINE]), 50)

    def test_reading_takes_no_more_than_half_of_the_time(self) -> None:
        self.redis.round_trip = 0.01
        for _ in range(1000):
            self.flood(names=50, notices=50)
            self.clock.advance(0.002)
        # 2 s of notices, 0.01 s a reading and 0.01 s of rest
        self.assertLess(len(self.redis.reads), 110)
        self.assertGreater(len(self.redis.reads), 70)

    def test_a_real_change_among_them_is_soon_in_force(self) -> None:
        for _ in range(50):
            self.flood(names=50, notices=50)
            self.clock.advance(0.002)
        self.put(LINE, "real", line())
        self.configuration.change(ConfigChange(keys.LINE, "real"))
        for _ in range(25):
            self.flood(names=50, notices=50)
            self.clock.advance(0.002)
        self.assertIn("real", self.tables.routes.lines)

    def test_more_names_than_can_be_kept_are_one_reading_of_everything(self) -> None:
        self.flood(names=MAX_NAMES + 10, notices=MAX_NAMES + 10)
        let_run(self.clock, 0.1, ROUND_TRIP)
        self.assertEqual(self.redis.reads, [{LINE: ["n0"]}, "*"])

    def test_whole_tables_are_read_once_for_all_notices(self) -> None:
        for _ in range(10_000):
            self.configuration.change(ConfigChange(keys.TASK))
        let_run(self.clock, 0.1, ROUND_TRIP)
        self.assertEqual(self.redis.reads, ["*", "*"])


class LookUpTests(ConfigurationCase):
    """Names that the tables do not have."""

    def unknown(self, *names: str) -> Named:
        return self.tables.unknown(names)

    def test_what_redis_knows_is_known_when_it_has_answered(self) -> None:
        self.read_all()
        self.put(GROUP, "g", group("l"))
        self.put(LINE, "l", line())
        self.answered(self.configuration.look_up(self.unknown("g")))
        self.assertFalse(self.unknown("g"))
        self.assertIn("l", self.tables.routes.lines)

    def test_a_name_may_be_a_line(self) -> None:
        self.put(LINE, "l", line())
        self.answered(self.configuration.look_up(self.unknown("l")))
        self.assertFalse(self.unknown("l"))

    def test_what_redis_does_not_know_is_unknown(self) -> None:
        self.answered(self.configuration.look_up(self.unknown("g")))
        self.assertEqual(len(self.unknown("g")), 2)

    def test_it_is_asked_at_that_moment(self) -> None:
        """A reading that was under way before does not answer the question."""
        self.configuration.change(ConfigChange(keys.LINE, "x"))
        self.put(GROUP, "g", group("l"))
        looked_up = self.configuration.look_up(self.unknown("g"))
        self.clock.advance(ROUND_TRIP)
        self.assertNoResult(looked_up)
        self.answered(looked_up)
        self.assertFalse(self.unknown("g"))

    def test_it_does_not_wait_for_the_end_of_a_rest(self) -> None:
        self.redis.round_trip = 1.0
        self.configuration.change(ConfigChange(keys.LINE, "x"))
        self.configuration.change(ConfigChange(keys.LINE, "y"))
        self.clock.advance(1.0)
        looked_up = self.configuration.look_up(self.unknown("g"))
        self.clock.advance(1.0)
        self.successResultOf(looked_up)

    def test_many_questions_of_one_turn_are_one(self) -> None:
        all_asked = [self.configuration.look_up(self.unknown("g")) for _ in range(10)]
        let_run(self.clock, 0.1, ROUND_TRIP)
        for asked in all_asked:
            self.successResultOf(asked)
        self.assertEqual(len(self.redis.reads), 2)

    def test_it_fails_while_redis_is_away(self) -> None:
        self.redis.error = AWAY
        looked_up = self.configuration.look_up(self.unknown("g"))
        let_run(self.clock, 0.1, ROUND_TRIP)
        self.failureResultOf(looked_up, StoreUnavailable)


class PollTests(ConfigurationCase):
    def setUp(self) -> None:
        super().setUp()
        self.configuration.start(5.0)
        self.addCleanup(self.configuration.stop)
        self.put(TEMPLATE, "t", task())
        self.read_all()
        self.redis.is_watched = True

    def polls(self, count: int) -> int:
        """Let so many polls come; return how many of them read the tables."""
        before = len(self.redis.reads)
        let_run(self.clock, 5.0 * count)
        return len(self.redis.reads) - before

    def test_what_nobody_has_touched_is_not_read(self) -> None:
        self.assertEqual((self.polls(3), self.redis.questions), (0, 3))

    def test_what_may_have_been_touched_is_read(self) -> None:
        self.redis.is_watched = False
        self.put(TEMPLATE, "t", task(limit=7))
        self.assertEqual(self.polls(1), 1)
        self.assertEqual(self.tables.tasks["t"].limit, 7)

    def test_it_is_read_now_and_then_all_the_same(self) -> None:
        self.assertEqual(self.polls(2 * (MAX_POLLS_UNREAD + 1)), 2)

    def test_what_was_read_and_not_put_in_force_is_read_again(self) -> None:
        def fails(changes: object) -> None:
            raise ZeroDivisionError

        self.patch(self.configuration, "_changed", fails)
        reading = self.configuration.read_all()
        let_run(self.clock, 0.1)
        self.failureResultOf(reading)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.patch(self.configuration, "_changed", self.take_over)
        self.assertEqual(self.polls(2), 1)

    def test_redis_that_is_away_is_asked_again_with_the_next_poll(self) -> None:
        self.redis.error = AWAY
        self.polls(1)
        self.redis.error = None
        self.assertEqual((self.polls(1), self.redis.questions), (0, 2))


class TroubleTests(ConfigurationCase):
    def test_polling_goes_on_after_an_error(self) -> None:
        self.configuration.start(5.0)
        self.redis.error = AWAY
        let_run(self.clock, 5.2)
        self.assertEqual((len(self.redis.reads), self.is_complete), (1, False))
        self.redis.error = None
        self.put(TEMPLATE, "t", task())
        let_run(self.clock, 5.2)
        self.assertTrue(self.is_complete)
        self.assertIn("t", self.tables.tasks)
        self.configuration.stop()
        self.configuration.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_polling_goes_on_after_an_exception(self) -> None:
        def fails(changes: object) -> None:
            raise ZeroDivisionError

        self.patch(self.configuration, "_changed", fails)
        self.configuration.start(5.0)
        let_run(self.clock, 5.2)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.patch(self.configuration, "_changed", self.take_over)
        let_run(self.clock, 5.2)
        self.assertTrue(self.is_complete)
        self.configuration.stop()

    def test_an_error_leaves_the_old_tables_and_frees_the_next_reading(self) -> None:
        self.put(TEMPLATE, "t", task())
        self.read_all()
        self.redis.error = AWAY
        reading = self.configuration.read_all()
        let_run(self.clock, 0.1)
        self.failureResultOf(reading, StoreUnavailable)
        self.assertIn("t", self.tables.tasks)
        self.redis.error = None
        self.read_all()

    def test_who_waits_is_told_when_it_is_stopped(self) -> None:
        reading = self.configuration.read_all()
        waiting = self.configuration.read_all()
        self.configuration.stop()
        self.failureResultOf(waiting)
        self.answered(reading)

    def test_a_key_that_cannot_be_read_is_no_empty_table(self) -> None:
        self.put(GROUP, "g", group("l"))
        self.read_all()
        self.assertTrue(self.is_readable)
        problem = self.redis.unreadable[GROUP] = "the key 'x' holds a string"
        self.read_all()
        self.read_all()
        self.assertFalse(self.is_readable)
        self.assertEqual(self.tables.unreadable, {GROUP: problem})
        self.assertIn("g", self.tables.routes.groups)
        self.assertEqual(self.said(), [f"A table cannot be read: {problem}"])
        del self.redis.unreadable[GROUP]
        self.read_all()
        self.assertTrue(self.is_readable)
        self.assertEqual(self.said(LogLevel.info), [f"The table {GROUP} can be read again"])

    def test_a_notice_tells_as_soon_as_a_poll(self) -> None:
        self.read_all()
        self.redis.unreadable[HOST] = "the key 'x' holds a string"
        self.published(keys.TASK, "t")
        self.assertFalse(self.is_readable)
        del self.redis.unreadable[HOST]
        self.published(keys.TASK, "t")
        self.assertTrue(self.is_readable)

    def test_a_broken_document_is_said_with_key_field_and_path(self) -> None:
        self.put(TEMPLATE, "t", task(limit="many"))
        self.put(LINE, "gw1", b'{"params":{"count":"x","dialstring":"user/1"}}')
        self.read_all()
        said = self.said()
        self.assertEqual(len(said), 2)
        self.assertTrue(said[0].startswith(f"{TEMPLATE} t: $.params.limit: "), said[0])
        self.assertTrue(said[1].startswith(f"{LINE} gw1: $.params.count: "), said[1])
        self.read_all()
        self.assertEqual(len(self.said()), 2)  # not with every poll

    def test_what_is_hardly_meant_is_said_once_for_each_text(self) -> None:
        self.put(TEMPLATE, "t", task(work_hours=[]))
        self.put(LINE, "gw1", b'{"params":{"dialstring":"usr/1"}}')
        self.read_all()
        self.read_all()
        said = self.said()
        self.assertEqual(len(said), 2)
        self.assertIn(f"{TEMPLATE} t: $.params.work_hours: is ignored", said[0])
        self.assertIn("did you mean `work_hour`?", said[0])
        self.assertIn(f"{LINE} gw1: $.params.dialstring: begins with usr/", said[1])
        self.put(TEMPLATE, "t", task(work_hours=[], limit=2))
        self.published(keys.TASK, "t")
        self.assertEqual(len(self.said()), 3)
        self.put(TEMPLATE, "t", task())
        self.published(keys.TASK, "t")
        self.assertEqual(len(self.said()), 3)
        self.assertNotIn((keys.TASK, "t"), self.tables.warnings)

    def test_the_same_warning_of_many_tasks_is_not_said_of_each(self) -> None:
        for index in range(500):
            self.put(TEMPLATE, f"t{index}", task(stoptime="2020-1-1"))
        self.read_all()
        said = self.said()
        self.assertEqual(len(said), 11)
        self.assertIn("the same of 490 more: $.params.stoptime: is ignored", said[-1])

    def test_a_bad_edit_takes_the_task_away(self) -> None:
        self.put(TEMPLATE, "t", task())
        self.read_all()
        self.put(TEMPLATE, "t", b"{")
        self.published(keys.TASK, "t")
        self.assertEqual(self.tables.tasks, {})
        self.assertIn((keys.TASK, "t"), self.tables.faults)
        self.put(TEMPLATE, "t", task())
        self.published(keys.TASK, "t")
        self.assertIn("t", self.tables.tasks)
        self.assertEqual(self.tables.faults, {})


class ManyTasksTests(ConfigurationCase):
    """Of very many tasks those that are switched off are decoded afterwards."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(tables_module, "MANY_TASKS", 5)
        self.patch(configuration_module, "NAMES_PER_READ", 1)
        self.left: list[int] = []
        for index in range(20):
            self.put(TEMPLATE, f"off{index:02}", task(enable=False, limit=index))
        self.put(TEMPLATE, "on", task())

    def take_over(self, changes: Sequence[Changed]) -> Iterator[None]:
        """Note how many tasks are left to be decoded, with each change that is in force."""
        self.left.append(len(self.tables.postponed))
        if len(self.left) == 1:
            self.at_first = dict(self.tables.tasks), dict(self.tables.faults)
        yield from super().take_over(changes)

    def test_the_others_are_in_force_first(self) -> None:
        self.read_all()
        tasks, _ = self.at_first
        self.assertEqual((len(tasks), tasks["on"].enabled), (21, True))
        self.assertFalse(any(tasks[f"off{index:02}"].enabled for index in range(20)))
        self.assertEqual(self.left, list(range(20, -1, -1)))
        self.assertEqual(self.tables.tasks["off07"].limit, 7)

    def test_their_faults_are_told_then(self) -> None:
        self.put(TEMPLATE, "off03", task(enable=False, limit="many"))
        self.read_all()
        self.assertEqual(self.at_first[1], {})
        self.assertIn((keys.TASK, "off03"), self.tables.faults)
        self.assertNotIn("off03", self.tables.tasks)
        self.assertTrue(any("$.params.limit" in text for text in self.said()))

    def test_one_that_is_switched_on_meanwhile_is_on(self) -> None:
        def switch_on(_: None) -> None:
            self.put(TEMPLATE, "off19", task(limit=8))
            self.configuration.change(ConfigChange(keys.TASK, "off19"))

        self.answered(self.configuration.read_all().addCallback(switch_on))
        self.assertEqual(self.tables.tasks["off19"].limit, 8)
        self.assertTrue(self.tables.tasks["off19"].enabled)
        self.assertEqual(self.tables.postponed, {})
        self.assertLess(len(self.left), 22)  # it was not decoded a third time

    def test_one_that_dials_is_switched_off_with_many_others(self) -> None:
        self.read_all()
        for index in range(20):
            self.put(TEMPLATE, f"off{index:02}", task(enable=False, limit=index + 1))
        self.put(TEMPLATE, "on", task(enable=False))
        self.left.clear()
        self.read_all()
        self.assertFalse(self.at_first[0]["on"].enabled)
        self.assertEqual(self.left[0], 21)

    def test_a_fault_of_ours_ends_neither_the_rest_nor_the_next_reading(self) -> None:
        real = Decoder.meaning

        def meaning(decoder: Decoder, table: str, name: str, documents: Any) -> object:
            if name == "off04":
                raise ZeroDivisionError
            return real(decoder, table, name, documents)

        self.patch(Decoder, "meaning", meaning)
        self.read_all()
        self.assertEqual(self.tables.postponed, {})
        self.assertEqual(self.tables.tasks["off07"].limit, 7)
        self.assertFalse(self.tables.tasks["off04"].enabled)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_nothing_is_decoded_after_the_stop(self) -> None:
        reading = self.configuration.read_all()
        reading.addCallback(lambda _: self.configuration.stop())
        self.answered(reading)
        self.assertEqual(self.left, [20])
        self.assertEqual(self.clock.getDelayedCalls(), [])
