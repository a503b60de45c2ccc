from __future__ import annotations

import json
from datetime import UTC, datetime

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.hours import CallingHours, Span, Window
from ctidialer.contract.task import Destination, Side, Task
from ctidialer.contract.task_document import decode_task
from ctidialer.contract.times import EARLIEST, LATEST
from tests.contract.documents import (
    HOST_KEY,
    as_json,
    faults_of,
    params,
    paths_of,
    task,
    task_with,
)

HOUR = 3600


class ValueTests(SynchronousTestCase):
    """Each row of the table of docs/redis-contract.rst: what is taken, and as what."""

    def test_the_least_that_is_valid(self) -> None:
        self.assertEqual(
            task_with({"enable": ...}),
            Task(
                name="催收",
                enabled=False,
                line_groups=("外呼线路组",),
                limit=10,
                number_queue="号码队列",
                destination=Destination("8888", "XML", "default"),
                cps=None,
                hours=CallingHours(),
                queue_side=Side.LEFT,
                host_variables={},
                template_variables={},
            ),
        )

    def test_enable(self) -> None:
        table = [
            (True, True),
            ("true", True),
            (" TRUE ", True),
            ("ｔｒｕｅ", True),
            (False, False),
            ("false", False),
            ("False", False),
            *((on, True) for on in (1, 1.0, "1", "yes", "YES", "on", " On ", "１")),
            *((off, False) for off in (0, 0.0, "0", "no", "No", "off", "OFF")),
            (None, False),
            ("", False),
        ]
        for written, expected in table:
            self.assertIs(task_with({"enable": written}).enabled, expected, written)

    def test_line_group(self) -> None:
        for written, expected in [
            (["a"], ("a",)),
            (["主线路", "备用 线路"], ("主线路", "备用 线路")),
            ([1, 2], ("1", "2")),
            ([1.0], ("1",)),
            ("a,b", ("a,b",)),
            (7, ("7",)),
            (["a", "", None, "b"], ("a", "b")),
            ({"0": "a", "2": "b", "10": "c"}, ("a", "b", "c")),
        ]:
            self.assertEqual(task_with({"line_group": written}).line_groups, expected)

    def test_limit(self) -> None:
        for written, expected in [
            (0, 0),
            (9, 9),
            ("9", 9),
            ("９", 9),
            (" 9 ", 9),
            (9.0, 9),
            ("9.0", 9),
            ("+9", 9),
            ("007", 7),
            (2_147_483_647, 2_147_483_647),
        ]:
            self.assertEqual(task_with({"limit": written}).limit, expected, written)

    def test_cps(self) -> None:
        for written, expected in [
            (1, 1.0),
            (0.05, 0.05),
            ("0.05", 0.05),
            ("5", 5.0),
            ("5e-2", 0.05),
            (None, None),
            ("", None),
            (" ", None),
        ]:
            self.assertEqual(task_with({"cps": written}).cps, expected, written)

    def test_start_and_stop(self) -> None:
        noon = datetime(2020, 1, 20, 12)
        for written, expected in [
            ("2020-1-20 12:00", noon),
            ("2020-1-20 12:00:00", noon),
            ("2020-01-20 12:00", noon),
            ("2020-01-20 12:00:00", noon),
            ("2020-01-20T12:00:00", noon),
            (" 2020-1-20   12:0 ", noon),
            ("２０２０－１－２０　１２：００", noon),
            ("2020-2-29 8:5:9", datetime(2020, 2, 29, 8, 5, 9)),
            ("2020-1-20 24:00", datetime(2020, 1, 21)),
            ("2020-12-31 24:00:00", datetime(2021, 1, 1)),
            ("0001-01-01 00:00", EARLIEST),
            ("9999-12-31 00:00", LATEST),
            ("2020/1/20 12:00", noon),
            ("2020／01／20T12:00:00.000", noon),
            ("2020-1-20", datetime(2020, 1, 20)),
            ("2020/01/20", datetime(2020, 1, 20)),
            ("2020-01-20T12:00:00Z", noon.replace(tzinfo=UTC)),
            ("2020-01-20t12:00:00.123456789z", noon.replace(tzinfo=UTC)),
            ("2020-01-20T20:00:00+08:00", noon.replace(tzinfo=UTC)),
            ("2020-01-20 20:00 +0800", noon.replace(tzinfo=UTC)),
            ("2020-01-20 07:00:00-05", noon.replace(tzinfo=UTC)),
            ("2020-1-20 24:00Z", datetime(2020, 1, 21, tzinfo=UTC)),
            ("9999-12-31T00:00:00-05:00", datetime(9998, 12, 31, 5, tzinfo=UTC)),
            (1579521600, noon.replace(tzinfo=UTC)),
            ("1579521600", noon.replace(tzinfo=UTC)),
            (1579521600.9, noon.replace(tzinfo=UTC)),
            (1.5795216e9, noon.replace(tzinfo=UTC)),
            (1579521600000, noon.replace(tzinfo=UTC)),
            ("1579521600999", noon.replace(tzinfo=UTC)),
            (None, None),
            ("", None),
        ]:
            found = task_with({"start_time": written, "stop_time": written}).hours
            self.assertEqual((found.start, found.stop), (expected, expected), written)

    def test_work_hour_times(self) -> None:
        for begin, end, expected in [
            ("8:00", "12:00", (8 * HOUR, 12 * HOUR)),
            ("08:00:00", "18:30:59", (8 * HOUR, 18 * HOUR + 1859)),
            ("０８：００", "12：00", (8 * HOUR, 12 * HOUR)),
            ("0:00", "24:00", (0, 24 * HOUR)),
            ("0:00", "24:00:00", (0, 24 * HOUR)),
            ("22:00", "6:00", (22 * HOUR, 6 * HOUR)),
            ("8:5", "9:7", (8 * HOUR + 300, 9 * HOUR + 420)),
            ("23:59:59", "0:00", (24 * HOUR - 1, 0)),
            ("08:00:00.000", "18:00:00.999", (8 * HOUR, 18 * HOUR)),
        ]:
            (window,) = task_with({"work_hour": [{"begin": begin, "end": end}]}).hours.windows
            self.assertEqual((window.begin, window.end), expected, (begin, end))

    def test_work_hour_weekday(self) -> None:
        for written, expected in [
            (-1, None),
            ("-1", None),
            (None, None),
            ("", None),
            (1.0, 1),
            (0, 0),
            (6, 6),
            (7, 0),
            ("7", 0),
            ("３", 3),
        ]:
            entry = {"begin": "8:00", "end": "9:00", "wday": written}
            expected_window = Window(8 * HOUR, 9 * HOUR, expected)
            self.assertEqual(
                task_with({"work_hour": [entry]}).hours.windows, (expected_window,), written
            )

    def test_work_time_is_another_spelling(self) -> None:
        hours = [{"begin": "8:00", "end": "9:00"}]
        expected = (Window(8 * HOUR, 9 * HOUR),)
        self.assertEqual(task_with({"work_time": hours}).hours.windows, expected)
        for nothing in (None, ""):
            changed = {"work_time": hours, "work_hour": nothing}
            self.assertEqual(task_with(changed).hours.windows, expected)

    def test_empty_rows_of_a_form(self) -> None:
        hours = {"begin": "8:00", "end": "9:00"}
        blank = {"begin": "", "end": None}
        for row in (blank, {**blank, "wday": -1}, {**blank, "wday": ""}, {**blank, "id": 3}):
            found = task_with({"work_hour": {"0": hours, "2": row}, "holiday": [row]}).hours
            self.assertEqual(found.windows, (Window(8 * HOUR, 9 * HOUR),), row)
            self.assertEqual(found.holidays, ())

    def test_work_hour_counts_where_both_stand(self) -> None:
        changed = {
            "work_time": [{"begin": "1:00", "end": "2:00"}],
            "work_hour": [{"begin": "8:00", "end": "9:00"}],
        }
        self.assertEqual(task_with(changed).hours.windows, (Window(8 * HOUR, 9 * HOUR),))

    def test_work_week(self) -> None:
        for written, expected in [
            ([1, 2, 3, 4, 5], frozenset({1, 2, 3, 4, 5})),
            ([0, 7], frozenset({0})),
            (["1", "７"], frozenset({0, 1})),
            ([], None),
            (None, None),
            ("", None),
            ([""], None),
            ({}, None),
            ({"0": 1, "3": "5"}, frozenset({1, 5})),
            ([1.0, 5.0], frozenset({1, 5})),
            ("1,2,3", frozenset({1, 2, 3})),
            ("1, 5,", frozenset({1, 5})),
            ("１，２、７", frozenset({0, 1, 2})),
            ("3", frozenset({3})),
            (3, frozenset({3})),
        ]:
            self.assertEqual(task_with({"work_week": written}).hours.weekdays, expected, written)

    def test_holiday(self) -> None:
        entry = {"begin": "2020-1-20 12:00", "end": "2020-1-21 24:00"}
        span = Span(datetime(2020, 1, 20, 12), datetime(2020, 1, 22))
        self.assertEqual(task_with({"holiday": [entry]}).hours.holidays, (span,))
        empty: list[object] = [[], {}, "", None]
        for nothing in empty:
            self.assertEqual(task_with({"holiday": nothing}).hours.holidays, ())

    def test_a_date_alone_in_holiday_is_the_whole_day(self) -> None:
        first, third = datetime(2020, 1, 20), datetime(2020, 1, 22)
        one_day = (Span(first, datetime(2020, 1, 21)),)
        for written, expected in [
            ([{"begin": "2020-1-20", "end": "2020/1/21"}], (Span(first, third),)),
            ([{"begin": "2020-1-20", "end": "2020-1-20"}], one_day),
            (["2020-1-20"], one_day),
            ("2020/01/20", one_day),
            ({"1": "2020-1-20"}, one_day),
            ([{"begin": "2020-1-20 0:00", "end": "2020-1-22 0:00"}], (Span(first, third),)),
            (
                [{"begin": 1579521600, "end": "2020-1-22"}],
                (Span(datetime(2020, 1, 20, 12, tzinfo=UTC), datetime(2020, 1, 23)),),
            ),
        ]:
            self.assertEqual(task_with({"holiday": written}).hours.holidays, expected, written)

    def test_empty_hours_restrict_nothing(self) -> None:
        self.assertEqual(task_with({"work_hour": []}).hours, CallingHours())

    def test_number_queue_is_taken_to_the_letter(self) -> None:
        for written in (" 队列 ", "a:b{c}"):
            self.assertEqual(task_with({"number_queue": written}).number_queue, written)

    def test_number_queue_side(self) -> None:
        for written, expected in [
            ("left", Side.LEFT),
            ("right", Side.RIGHT),
            (" Right ", Side.RIGHT),
            (None, Side.LEFT),
        ]:
            self.assertIs(task_with({"number_queue_side": written}).queue_side, expected)

    def test_destination(self) -> None:
        changed = {
            "destination_extension": "6/v3",
            "destination_dialplan": "inline",
            "destination_context": " public ",
        }
        self.assertEqual(task_with(changed).destination, Destination("6/v3", "inline", "public"))
        for written in (8888, 8888.0, "8888"):
            found = task_with({"destination_extension": written})
            self.assertEqual(found.destination.extension, "8888")
        blank = {"destination_dialplan": "", "destination_context": " "}
        self.assertEqual(task_with(blank).destination, Destination("8888", "XML", "default"))

    def test_timezone(self) -> None:
        for written in ("Asia/Shanghai", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+8"):
            self.assertEqual(task_with({"timezone": written}).hours.timezone, written)
        self.assertIsNone(task_with({"timezone": ""}).hours.timezone)

    def test_unknown_keys_are_ignored(self) -> None:
        changed = {"number_cacheable": 7, "remark": {"a": [1]}, "限制": None}
        self.assertEqual(task_with(changed), task_with({}))


class WrappingTests(SynchronousTestCase):
    """What serializers do to a whole document."""

    def test_a_byte_order_mark(self) -> None:
        raw = b"\xef\xbb\xbf" + as_json({"params": params({})})
        self.assertEqual(
            decode_task("催收", template=raw, host=None, host_name="fs1"), task_with({})
        )

    def test_a_string_that_holds_the_document(self) -> None:
        text = as_json({"params": params({})}).decode()
        for _ in range(3):
            text = json.dumps(text)
            found = decode_task("催收", template=text.encode(), host=None, host_name="fs1")
            self.assertEqual(found, task_with({}))

    def test_a_string_that_holds_none(self) -> None:
        for raw, problem in (
            (b'"abc"', 'must be an object, not "abc"'),
            (b'"{\\"params\\":"', "is not valid JSON: expecting value (line 1, column 11)"),
            (b'"{"', "is not valid JSON"),
        ):
            (fault,) = faults_of(decode_task, "t", template=raw, host=None, host_name="fs1")
            self.assertEqual(fault.path, "$")
            self.assertIn(problem, fault.problem)


class MergeTests(SynchronousTestCase):
    """The host's document over the template's (docs/redis-contract.rst)."""

    def test_the_host_wins_key_by_key(self) -> None:
        found = task({"params": params({"cps": 5})}, {"params": {"limit": 3}})
        self.assertEqual((found.limit, found.cps, found.enabled), (3, 5.0, True))

    def test_null_and_the_empty_text_are_not_configured(self) -> None:
        for nothing in (None, "", "  "):
            host = {"params": {"limit": nothing, "cps": nothing}, "variables": nothing}
            found = task({"params": params({"cps": 5})}, host)
            self.assertEqual((found.limit, found.cps), (10, 5.0))
            found = task({"params": params({})}, {"params": nothing})
            self.assertEqual(found, task_with({}))

    def test_a_list_is_replaced_whole(self) -> None:
        template = params({"line_group": ["a", "b"], "work_week": [1, 2], "holiday": []})
        found = task({"params": template}, {"params": {"line_group": ["c"], "work_week": [3]}})
        self.assertEqual(found.line_groups, ("c",))
        self.assertEqual(found.hours.weekdays, frozenset({3}))

    def test_the_host_wins_in_either_spelling_of_the_working_hours(self) -> None:
        early, late = {"begin": "1:00", "end": "2:00"}, {"begin": "8:00", "end": "9:00"}
        for one, other in (("work_hour", "work_time"), ("work_time", "work_hour")):
            found = task({"params": params({one: [early]})}, {"params": {other: [late]}})
            self.assertEqual(found.hours.windows, (Window(8 * HOUR, 9 * HOUR),))

    def test_a_host_alone(self) -> None:
        self.assertEqual(task(host={"params": params({})}), task_with({}))

    def test_what_only_the_host_lacks_is_reported_there(self) -> None:
        (fault,) = faults_of(task, None, {"params": params({"limit": ...})})
        self.assertEqual((fault.path, fault.key), ("$.params.limit", HOST_KEY))

    def test_a_good_value_of_the_host_hides_a_bad_one_of_the_template(self) -> None:
        self.assertEqual(
            task({"params": params({"limit": "x"})}, {"params": {"limit": 1}}).limit, 1
        )

    def test_a_bad_value_of_the_host_is_not_replaced_by_the_template(self) -> None:
        self.assertEqual(
            paths_of(task, {"params": params({})}, {"params": {"limit": "x"}}), ["$.params.limit"]
        )

    def test_variables_stay_apart(self) -> None:
        found = task(
            {"params": params({}), "variables": {"a": "模板", "b": 1.0}},
            {"variables": {"a": "主机", "c": None, "d": ""}},
        )
        self.assertEqual(found.template_variables, {"a": "模板", "b": "1.0"})
        self.assertEqual(found.host_variables, {"a": "主机"})

    def test_an_empty_php_array_is_an_empty_object(self) -> None:
        found = task({"params": params({}), "variables": []}, {"params": [], "variables": []})
        self.assertEqual((found.template_variables, found.host_variables), ({}, {}))


class OptOutTests(SynchronousTestCase):
    """A host that takes no part in a task (docs/redis-contract.rst)."""

    def test_a_host_opts_out_of_a_template(self) -> None:
        found = task({"params": params({})}, {"params": {"enable": False}})
        self.assertFalse(found.enabled)
        self.assertEqual(found.limit, 10)

    def test_an_opt_out_survives_its_template(self) -> None:
        for off in (False, "false"):
            found = task(host={"params": {"enable": off}})
            self.assertEqual((found.enabled, found.line_groups, found.limit), (False, (), 0))

    def test_without_enable_false_a_task_must_be_complete(self) -> None:
        for written in (True, None, ...):
            enable = {} if written is ... else {"enable": written}
            self.assertEqual(len(faults_of(task, None, {"params": enable})), 4)

    def test_what_is_switched_off_must_still_be_well_formed(self) -> None:
        self.assertEqual(
            paths_of(task, None, {"params": {"enable": False, "limit": "x"}}), ["$.params.limit"]
        )
