from __future__ import annotations

from datetime import datetime

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.faults import ContractError, Fault
from ctidialer.contract.task import CallingHours, Destination, Side, Span, Task, Window
from ctidialer.contract.task_document import decode_task
from ctidialer.contract.times import EARLIEST, LATEST
from tests.contract.documents import (
    HOST_KEY,
    TEMPLATE_KEY,
    as_json,
    faults_of,
    params,
    paths_of,
    task,
    task_with,
)

HOUR = 3600


class ValueTests(SynchronousTestCase):
    """Each row of the table of SPEC 2.2: what is taken, and as what."""

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
            (None, False),
        ]
        for written, expected in table:
            self.assertIs(task_with({"enable": written}).enabled, expected, written)

    def test_line_group(self) -> None:
        for written, expected in [
            (["a"], ("a",)),
            (["主线路", "备用 线路"], ("主线路", "备用 线路")),
            ([1, 2], ("1", "2")),
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
            (None, None),
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
        ]:
            (window,) = task_with({"work_hour": [{"begin": begin, "end": end}]}).hours.windows
            self.assertEqual((window.begin, window.end), expected, (begin, end))

    def test_work_hour_weekday(self) -> None:
        for written, expected in [
            (-1, None),
            ("-1", None),
            (None, None),
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
        self.assertEqual(task_with({"work_time": hours, "work_hour": None}).hours.windows, expected)

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
        ]:
            self.assertEqual(task_with({"work_week": written}).hours.weekdays, expected, written)

    def test_holiday(self) -> None:
        entry = {"begin": "2020-1-20 12:00", "end": "2020-1-21 24:00"}
        span = Span(datetime(2020, 1, 20, 12), datetime(2020, 1, 22))
        self.assertEqual(task_with({"holiday": [entry]}).hours.holidays, (span,))
        self.assertEqual(task_with({"holiday": []}).hours.holidays, ())

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
        self.assertEqual(task_with({"destination_extension": 8888}).destination.extension, "8888")

    def test_timezone(self) -> None:
        for written in ("Asia/Shanghai", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+8"):
            self.assertEqual(task_with({"timezone": written}).hours.timezone, written)

    def test_unknown_keys_are_ignored(self) -> None:
        changed = {"number_cacheable": 7, "remark": {"a": [1]}, "限制": None}
        self.assertEqual(task_with(changed), task_with({}))


BAD_VALUES: list[tuple[str, object, str]] = [
    ("enable", 1, "$.params.enable"),
    ("enable", "yes", "$.params.enable"),
    ("enable", [], "$.params.enable"),
    ("line_group", "a", "$.params.line_group"),
    ("line_group", {}, "$.params.line_group"),
    ("line_group", [], "$.params.line_group"),
    ("line_group", [["a"]], "$.params.line_group[0]"),
    ("line_group", ["a", ""], "$.params.line_group[1]"),
    ("line_group", ["a", None], "$.params.line_group[1]"),
    ("line_group", ["a", "b\nc"], "$.params.line_group[1]"),
    ("line_group", [True], "$.params.line_group[0]"),
    ("limit", -1, "$.params.limit"),
    ("limit", 1.5, "$.params.limit"),
    ("limit", "x", "$.params.limit"),
    ("limit", "", "$.params.limit"),
    ("limit", "1 000", "$.params.limit"),
    ("limit", "0x10", "$.params.limit"),
    ("limit", "1_000", "$.params.limit"),
    ("limit", "inf", "$.params.limit"),
    ("limit", True, "$.params.limit"),
    ("limit", [9], "$.params.limit"),
    ("limit", 2_147_483_648, "$.params.limit"),
    ("limit", 10**300, "$.params.limit"),
    ("limit", "9" * 100_000, "$.params.limit"),
    ("cps", 0, "$.params.cps"),
    ("cps", "0.0", "$.params.cps"),
    ("cps", -1, "$.params.cps"),
    ("cps", "nan", "$.params.cps"),
    ("cps", "1e999", "$.params.cps"),
    ("cps", 1e-300, "$.params.cps"),
    ("cps", False, "$.params.cps"),
    ("start_time", "", "$.params.start_time"),
    ("start_time", 1579492800, "$.params.start_time"),
    ("start_time", "8", "$.params.start_time"),
    ("start_time", "2020-1-20", "$.params.start_time"),
    ("start_time", "12:00", "$.params.start_time"),
    ("start_time", "2020-2-30 12:00", "$.params.start_time"),
    ("start_time", "2021-2-29 12:00", "$.params.start_time"),
    ("start_time", "2020-13-1 12:00", "$.params.start_time"),
    ("start_time", "0000-00-00 00:00:00", "$.params.start_time"),
    ("start_time", "2020-1-20 10:00 AM 8:00", "$.params.start_time"),
    ("start_time", "2020-1-20 12:00Z", "$.params.start_time"),
    ("start_time", "2020/1/20 12:00", "$.params.start_time"),
    ("start_time", "20-1-20 12:00", "$.params.start_time"),
    ("stop_time", "2020-1-20 24:01", "$.params.stop_time"),
    ("stop_time", "2020-1-20 25:00", "$.params.stop_time"),
    ("stop_time", "2020-1-20 12:60", "$.params.stop_time"),
    ("stop_time", "2020-1-20 23:59:60", "$.params.stop_time"),
    ("stop_time", [], "$.params.stop_time"),
    ("work_hour", {"begin": "8:00", "end": "9:00"}, "$.params.work_hour"),
    ("work_hour", "8:00-12:00", "$.params.work_hour"),
    ("work_hour", ["8:00"], "$.params.work_hour[0]"),
    ("work_hour", [{"end": "9:00"}], "$.params.work_hour[0].begin"),
    ("work_hour", [{"begin": "9:00", "end": None}], "$.params.work_hour[0].end"),
    ("work_hour", [{"begin": "24:00", "end": "9:00"}], "$.params.work_hour[0].begin"),
    ("work_hour", [{"begin": "8:00", "end": "24:01"}], "$.params.work_hour[0].end"),
    ("work_hour", [{"begin": "8:00", "end": "9"}], "$.params.work_hour[0].end"),
    ("work_hour", [{"begin": "8:60", "end": "9:00"}], "$.params.work_hour[0].begin"),
    ("work_hour", [{"begin": "-1:00", "end": "9:00"}], "$.params.work_hour[0].begin"),
    ("work_hour", [{"begin": 8, "end": "9:00"}], "$.params.work_hour[0].begin"),
    ("work_hour", [{"begin": "8:00", "end": "9:00", "wday": 8}], "$.params.work_hour[0].wday"),
    ("work_hour", [{"begin": "8:00", "end": "9:00", "wday": -2}], "$.params.work_hour[0].wday"),
    ("work_hour", [{"begin": "8:00", "end": "9:00", "wday": []}], "$.params.work_hour[0].wday"),
    ("work_time", [{"begin": "x", "end": "9:00"}], "$.params.work_time[0].begin"),
    ("work_week", 1, "$.params.work_week"),
    ("work_week", "1,2", "$.params.work_week"),
    ("work_week", [1, 8], "$.params.work_week[1]"),
    ("work_week", [-1], "$.params.work_week[0]"),
    ("work_week", [1, "Monday"], "$.params.work_week[1]"),
    ("work_week", [1.5], "$.params.work_week[0]"),
    ("holiday", {}, "$.params.holiday"),
    ("holiday", ["2020-1-20"], "$.params.holiday[0]"),
    ("holiday", [{"begin": "2020-1-20 12:00"}], "$.params.holiday[0].end"),
    (
        "holiday",
        [{"begin": "2020-1-20", "end": "2020-1-21 12:00"}],
        "$.params.holiday[0].begin",
    ),
    ("number_queue", "", "$.params.number_queue"),
    ("number_queue", ["q"], "$.params.number_queue"),
    ("number_queue", True, "$.params.number_queue"),
    ("number_queue_side", "top", "$.params.number_queue_side"),
    ("number_queue_side", 1, "$.params.number_queue_side"),
    ("destination_extension", "", "$.params.destination_extension"),
    ("destination_extension", " ", "$.params.destination_extension"),
    ("destination_extension", {}, "$.params.destination_extension"),
    ("destination_extension", "8888\nbgapi", "$.params.destination_extension"),
    ("destination_extension", "undef", "$.params.destination_extension"),
    ("destination_extension", " UnDef ", "$.params.destination_extension"),
    ("destination_dialplan", [], "$.params.destination_dialplan"),
    ("destination_context", "a\rb", "$.params.destination_context"),
    ("timezone", "Shanghai", "$.params.timezone"),
    ("timezone", "Asia", "$.params.timezone"),
    ("timezone", "", "$.params.timezone"),
    ("timezone", "../../etc/passwd", "$.params.timezone"),
    ("timezone", "/usr/share/zoneinfo/UTC", "$.params.timezone"),
    ("timezone", 8, "$.params.timezone"),
    ("timezone", "中国", "$.params.timezone"),
    ("timezone", "A" * 100_000, "$.params.timezone"),
]


class FaultTests(SynchronousTestCase):
    """Each row of the table of SPEC 2.2: what is refused, and with which path."""

    def test_a_bad_value_has_its_path(self) -> None:
        for key, value, path in BAD_VALUES:
            (fault,) = faults_of(task_with, {key: value})
            self.assertEqual((fault.path, fault.key), (path, TEMPLATE_KEY), (key, value))
            self.assertLess(len(fault.problem), 200)
            self.assertTrue(fault.problem.isprintable(), fault.problem)

    def test_a_missing_key_is_a_fault(self) -> None:
        for key in ("line_group", "limit", "number_queue", "destination_extension"):
            for value in (..., None):
                expected = Fault(f"$.params.{key}", "is missing", TEMPLATE_KEY)
                self.assertEqual(faults_of(task_with, {key: value}), (expected,))

    def test_all_faults_are_said_at_once(self) -> None:
        changed = {"limit": "x", "cps": 0, "number_queue": ..., "timezone": "Mars"}
        self.assertEqual(
            sorted(paths_of(task_with, changed)),
            ["$.params.cps", "$.params.limit", "$.params.number_queue", "$.params.timezone"],
        )

    def test_each_fault_names_the_document_it_stands_in(self) -> None:
        template = {"params": params({"limit": "x"}), "variables": {"a b": 1}}
        host = {"params": {"cps": 0}, "variables": {"ok": [1]}}
        self.assertEqual(
            [(fault.key, fault.path) for fault in faults_of(task, template, host)],
            [
                (TEMPLATE_KEY, "$.params.limit"),
                (HOST_KEY, "$.params.cps"),
                (HOST_KEY, "$.variables.ok"),
                (TEMPLATE_KEY, '$.variables["a b"]'),
            ],
        )

    def test_documents_that_are_none(self) -> None:
        for raw in (b"", b" ", b"{", b"nonsense", b"\xff", b"[1]", b"1", b'"a"', b"null", b"{}{}"):
            (fault,) = faults_of(decode_task, "t", template=raw, host=None, host_name="fs1")
            self.assertEqual((fault.path, fault.key), ("$", TEMPLATE_KEY), raw)

    def test_params_that_are_none(self) -> None:
        for written in ("x", 1, [1], True):
            self.assertEqual(paths_of(task, {"params": written}), ["$.params"], written)

    def test_no_params_at_all(self) -> None:
        empty: list[object] = [{}, {"params": None}, {"params": {}}, {"params": []}]
        for template in empty:
            self.assertEqual(
                sorted(paths_of(task, template)),
                [
                    "$.params.destination_extension",
                    "$.params.limit",
                    "$.params.line_group",
                    "$.params.number_queue",
                ],
            )

    def test_a_malformed_host_document_is_not_passed_over(self) -> None:
        template = as_json({"params": params({})})
        (fault,) = faults_of(decode_task, "t", template=template, host=b"{", host_name="fs1")
        self.assertEqual((fault.path, fault.key), ("$", HOST_KEY))

    def test_no_document(self) -> None:
        (fault,) = faults_of(decode_task, "t", template=None, host=None, host_name="fs1")
        self.assertEqual((fault.path, fault.key), ("$", HOST_KEY))

    def test_faults_are_not_listed_without_end(self) -> None:
        variables = {f"{index}": 1 for index in range(1000)}
        found = faults_of(task, {"params": params({}), "variables": variables})
        self.assertEqual(len(found), 51)
        self.assertEqual(found[-1].problem, "950 more faults are not listed")

    def test_the_error_says_everything(self) -> None:
        with self.assertRaises(ContractError) as caught:
            task_with({"limit": "九"})
        self.assertEqual(
            str(caught.exception),
            "cti_queue_dialer_task@template $.params.limit: "
            'must be a whole number from 0 to 2147483647, not "九"',
        )


class MergeTests(SynchronousTestCase):
    """The host's document over the template's (SPEC 2.1)."""

    def test_the_host_wins_key_by_key(self) -> None:
        found = task({"params": params({"cps": 5})}, {"params": {"limit": 3}})
        self.assertEqual((found.limit, found.cps, found.enabled), (3, 5.0, True))

    def test_null_is_not_configured(self) -> None:
        found = task({"params": params({"cps": 5})}, {"params": {"limit": None, "cps": None}})
        self.assertEqual((found.limit, found.cps), (10, 5.0))

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
    """A host that takes no part in a task (SPEC 2.1)."""

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
