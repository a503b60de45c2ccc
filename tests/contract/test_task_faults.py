from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.faults import ContractError, Fault
from ctidialer.contract.task_document import decode_task
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

BAD_VALUES: list[tuple[str, object, str]] = [
    ("enable", 2, "$.params.enable"),
    ("enable", "maybe", "$.params.enable"),
    ("enable", "10", "$.params.enable"),
    ("enable", [], "$.params.enable"),
    ("line_group", {}, "$.params.line_group"),
    ("line_group", [], "$.params.line_group"),
    ("line_group", ["", None], "$.params.line_group"),
    ("line_group", {"a": "b"}, "$.params.line_group"),
    ("line_group", {"0": "a", "x": "b"}, "$.params.line_group"),
    ("line_group", {"0": "a", "01": "b"}, "$.params.line_group"),
    ("line_group", {"1": "a", "0": "b"}, "$.params.line_group"),
    ("line_group", [["a"]], "$.params.line_group[0]"),
    ("line_group", ["a", "b\nc"], "$.params.line_group[1]"),
    ("line_group", {"0": "a", "2": "b\nc"}, '$.params.line_group["2"]'),
    ("line_group", [True], "$.params.line_group[0]"),
    ("limit", -1, "$.params.limit"),
    ("limit", 1.5, "$.params.limit"),
    ("limit", "x", "$.params.limit"),
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
    ("start_time", 0, "$.params.start_time"),
    ("start_time", 20200120, "$.params.start_time"),
    ("start_time", 20200120120000, "$.params.start_time"),
    ("start_time", 157949280000, "$.params.start_time"),
    ("start_time", 1579492800000000, "$.params.start_time"),
    ("start_time", -1579492800, "$.params.start_time"),
    ("start_time", True, "$.params.start_time"),
    ("start_time", "8", "$.params.start_time"),
    ("start_time", "2020-1", "$.params.start_time"),
    ("start_time", "2020/1-20", "$.params.start_time"),
    ("start_time", "2020-2-30", "$.params.start_time"),
    ("start_time", "2020-1-20 12", "$.params.start_time"),
    ("start_time", "2020-1-20Z", "$.params.start_time"),
    ("start_time", "2020-1-20 12:00+25:00", "$.params.start_time"),
    ("start_time", "2020-1-20 12:00+8", "$.params.start_time"),
    ("start_time", "2020-1-20 12:00 CST", "$.params.start_time"),
    ("start_time", "12:00", "$.params.start_time"),
    ("start_time", "2020-2-30 12:00", "$.params.start_time"),
    ("start_time", "2021-2-29 12:00", "$.params.start_time"),
    ("start_time", "2020-13-1 12:00", "$.params.start_time"),
    ("start_time", "0000-00-00 00:00:00", "$.params.start_time"),
    ("start_time", "2020-1-20 10:00 AM 8:00", "$.params.start_time"),
    ("start_time", "20-1-20 12:00", "$.params.start_time"),
    ("stop_time", "2020-1-20 24:01", "$.params.stop_time"),
    ("stop_time", "2020-1-20 25:00", "$.params.stop_time"),
    ("stop_time", "2020-1-20 12:60", "$.params.stop_time"),
    ("stop_time", "2020-1-20 23:59:60", "$.params.stop_time"),
    ("stop_time", [], "$.params.stop_time"),
    ("work_hour", {"begin": "8:00", "end": "9:00"}, "$.params.work_hour"),
    ("work_hour", "8:00-12:00", "$.params.work_hour"),
    ("work_hour", ["8:00"], "$.params.work_hour[0]"),
    ("work_hour", {"0": {"begin": "8:00"}}, '$.params.work_hour["0"].end'),
    ("work_hour", [{"begin": "", "end": "9:00", "wday": 1}], "$.params.work_hour[0].begin"),
    ("work_hour", [{"begin": "", "end": "9:00"}], "$.params.work_hour[0].begin"),
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
    ("work_week", 8, "$.params.work_week"),
    ("work_week", "1,2,x", "$.params.work_week"),
    ("work_week", "Monday", "$.params.work_week"),
    ("work_week", True, "$.params.work_week"),
    ("work_week", {"mon": 1}, "$.params.work_week"),
    ("work_week", [1, 8], "$.params.work_week[1]"),
    ("work_week", [-1], "$.params.work_week[0]"),
    ("work_week", [1, "Monday"], "$.params.work_week[1]"),
    ("work_week", [1.5], "$.params.work_week[0]"),
    ("holiday", {"begin": "2020-1-20", "end": "2020-1-21"}, "$.params.holiday"),
    ("holiday", ["2020-1-20 12:00"], "$.params.holiday[0]"),
    ("holiday", "2020-1-20 12:00", "$.params.holiday"),
    ("holiday", ["2020-2-30"], "$.params.holiday[0]"),
    ("holiday", [1579492800], "$.params.holiday[0]"),
    ("holiday", [{"begin": "2020-1-20 12:00"}], "$.params.holiday[0].end"),
    ("holiday", [{"begin": "2020-1-20", "end": ""}], "$.params.holiday[0].end"),
    ("number_queue", [], "$.params.number_queue"),
    ("number_queue", ["q", []], "$.params.number_queue[1]"),
    ("number_queue", True, "$.params.number_queue"),
    ("number_queue_side", "top", "$.params.number_queue_side"),
    ("number_queue_side", 1, "$.params.number_queue_side"),
    ("destination_extension", {}, "$.params.destination_extension"),
    ("destination_extension", "8888\nbgapi", "$.params.destination_extension"),
    ("destination_extension", "undef", "$.params.destination_extension"),
    ("destination_extension", " UnDef ", "$.params.destination_extension"),
    ("destination_dialplan", [], "$.params.destination_dialplan"),
    ("destination_context", "a\rb", "$.params.destination_context"),
    ("timezone", "Shanghai", "$.params.timezone"),
    ("timezone", "Asia", "$.params.timezone"),
    ("timezone", "../../etc/passwd", "$.params.timezone"),
    ("timezone", "/usr/share/zoneinfo/UTC", "$.params.timezone"),
    ("timezone", 8, "$.params.timezone"),
    ("timezone", "中国", "$.params.timezone"),
    ("timezone", "A" * 100_000, "$.params.timezone"),
]


class FaultTests(SynchronousTestCase):
    """Each row of the table of docs/redis-contract.rst: what is refused, and with which path."""

    def test_a_bad_value_has_its_path(self) -> None:
        for key, value, path in BAD_VALUES:
            (fault,) = faults_of(task_with, {key: value})
            self.assertEqual((fault.path, fault.key), (path, TEMPLATE_KEY), (key, value))
            self.assertLess(len(fault.problem), 200)
            self.assertTrue(fault.problem.isprintable(), fault.problem)

    def test_a_missing_key_is_a_fault(self) -> None:
        for key in ("line_group", "limit", "number_queue", "destination_extension"):
            for value in (..., None, "", " "):
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

    def test_a_day_without_its_hours_might_be_all_of_it_or_none(self) -> None:
        expected = ["$.params.work_hour[0].begin", "$.params.work_hour[0].end"]
        entry = {"begin": "", "end": "", "wday": 1}
        self.assertEqual(paths_of(task_with, {"work_hour": [entry]}), expected)

    def test_an_entry_without_its_keys_is_no_empty_row(self) -> None:
        """It may have misspelt ones, and must not open the task all day."""
        for key in ("work_hour", "holiday"):
            for entry in ({}, {"from": "8:00", "to": "9:00"}):
                expected = [f"$.params.{key}[0].begin", f"$.params.{key}[0].end"]
                self.assertEqual(paths_of(task_with, {key: [entry]}), expected)

    def test_params_that_are_none(self) -> None:
        for written in ("x", 1, [1], True):
            self.assertEqual(paths_of(task, {"params": written}), ["$.params"], written)

    def test_no_params_at_all(self) -> None:
        empty: list[object] = [
            *({}, {"params": None}, {"params": {}}, {"params": []}, {"params": ""}),
        ]
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

    def test_a_number_beyond_all_bounds_is_told_in_few_words_however_deep_it_stands(self) -> None:
        raw = b'{"a":' + b"[" * 400 + b"9" * 4400 + b"]" * 400 + b"}"
        with self.assertRaises(ContractError) as caught:
            decode_task("t", template=raw, host=None, host_name="fs1")
        self.assertLess(len(str(caught.exception)), 200)
