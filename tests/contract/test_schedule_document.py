from __future__ import annotations

import json
import re

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.faults import EntryError
from ctidialer.contract.schedule import ScheduleConfig, ScheduledNumber
from ctidialer.contract.schedule_document import decode_schedule_config, decode_scheduled_number
from ctidialer.contract.task import Destination
from tests.contract.documents import as_json, paths_of

PATTERN = re.compile(r"\+?[0-9*#]{1,32}")
CONFIG: dict[str, object] = {"line_group": ["主"], "destination_extension": 8888}
NUMBER: dict[str, object] = {"number": "13800138000", "config": "回访"}


def config(**changed: object) -> ScheduleConfig:
    return decode_schedule_config("回访", as_json({"params": {**CONFIG, **changed}}))


def number(**changed: object) -> ScheduledNumber:
    return decode_scheduled_number(as_json({"params": {**NUMBER, **changed}}), PATTERN)


class ScheduleConfigTests(SynchronousTestCase):
    def test_the_least_that_is_valid(self) -> None:
        expected = ScheduleConfig("回访", ("主",), Destination("8888", "XML", "default"), {})
        self.assertEqual(config(), expected)

    def test_everything(self) -> None:
        found = decode_schedule_config(
            "a",
            as_json(
                {
                    "params": {
                        "line_group": ["a", "b"],
                        "destination_extension": "6/v3",
                        "destination_dialplan": "inline",
                        "destination_context": "public",
                        "enable": "unknown here",
                    },
                    "variables": {"x": 1},
                }
            ),
        )
        expected = ScheduleConfig(
            "a", ("a", "b"), Destination("6/v3", "inline", "public"), {"x": "1"}
        )
        self.assertEqual(found, expected)

    def test_limit_and_cps_in_all_spellings(self) -> None:
        for given, limit in (
            (9, 9),
            ("9", 9),
            ("９", 9),
            (9.0, 9),
            (0, 0),
            ("", None),
            (None, None),
        ):
            self.assertEqual(config(limit=given).limit, limit, given)
        for given, cps in ((5, 5.0), ("0.05", 0.05), ("", None), (None, None)):
            self.assertEqual(config(cps=given).cps, cps, given)
        limited = [config(**one).is_limited for one in ({}, {"limit": 0}, {"cps": 1})]
        self.assertEqual(limited, [False, True, True])

    def test_faults(self) -> None:
        table: list[tuple[dict[str, object], str]] = [
            ({"limit": -1}, "$.params.limit"),
            ({"limit": 1.5}, "$.params.limit"),
            ({"limit": "many"}, "$.params.limit"),
            ({"cps": 0}, "$.params.cps"),
            ({"cps": "-1"}, "$.params.cps"),
            ({"line_group": None}, "$.params.line_group"),
            ({"line_group": []}, "$.params.line_group"),
            ({"line_group": [[]]}, "$.params.line_group[0]"),
            ({"destination_extension": None}, "$.params.destination_extension"),
            ({"destination_extension": "UNDEF"}, "$.params.destination_extension"),
            ({"destination_dialplan": 1.5e400}, "$"),
            ({"destination_dialplan": {}}, "$.params.destination_dialplan"),
            ({"destination_context": True}, "$.params.destination_context"),
        ]
        for changed, path in table:
            self.assertEqual(paths_of(config, **changed), [path], changed)

    def test_faults_of_the_whole(self) -> None:
        for raw, paths in [
            (b"", ["$"]),
            (b"[1]", ["$"]),
            (b'{"params":1}', ["$.params"]),
            (b"{}", ["$.params.line_group", "$.params.destination_extension"]),
        ]:
            self.assertEqual(paths_of(decode_schedule_config, "a", raw), paths, raw)


class ScheduledNumberTests(SynchronousTestCase):
    def test_the_least_that_is_valid(self) -> None:
        self.assertEqual(number(), ScheduledNumber("13800138000", "回访", None, {}))

    def test_expires(self) -> None:
        table: list[tuple[object, float | None]] = [
            (0, None),
            ("0", None),
            (0.0, None),
            (None, None),
            (1_700_000_000, 1_700_000_000.0),
            ("1700000000", 1_700_000_000.0),
            (1_700_000_000.5, 1_700_000_000.5),
            ("", None),
            (1.7e9, 1_700_000_000.0),
            (1_700_000_000_500, 1_700_000_000.5),
            ("1700000000500", 1_700_000_000.5),
            (9_999_999_999, 9_999_999_999.0),
            ("2023-11-14T22:13:20Z", 1_700_000_000.0),
            ("2023/11/15 06:13:20+08:00", 1_700_000_000.0),
        ]
        for written, expected in table:
            self.assertEqual(number(expires=written).expires, expected, written)

    def test_number_and_config_as_json_numbers(self) -> None:
        found = number(number=13800138000, config=7)
        self.assertEqual((found.number, found.config), ("13800138000", "7"))

    def test_what_could_be_read_of_one_that_is_at_fault(self) -> None:
        variables = {"origination_uuid": "crm-1", "x": []}
        raw = as_json({"params": NUMBER, "variables": variables})
        error = self.assertRaises(EntryError, decode_scheduled_number, raw, PATTERN)
        found = (error.number, error.requested_uuid, error.config)
        self.assertEqual(found, ("13800138000", "crm-1", "回访"))

    def test_a_string_that_holds_the_whole_document(self) -> None:
        raw = json.dumps(as_json({"params": NUMBER}).decode()).encode()
        self.assertEqual(decode_scheduled_number(raw, PATTERN), number())

    def test_variables(self) -> None:
        raw = as_json({"params": NUMBER, "variables": {"a": True, "b": None}})
        self.assertEqual(decode_scheduled_number(raw, PATTERN).variables, {"a": "true"})

    def test_faults(self) -> None:
        table: list[tuple[dict[str, object], str]] = [
            ({"number": None}, "$.params.number"),
            ({"number": "x"}, "$.params.number"),
            ({"number": 1.5}, "$.params.number"),
            ({"config": None}, "$.params.config"),
            ({"config": ""}, "$.params.config"),
            ({"config": []}, "$.params.config"),
            ({"expires": -1}, "$.params.expires"),
            ({"expires": "soon"}, "$.params.expires"),
            ({"expires": True}, "$.params.expires"),
            ({"expires": "2023-11-14 22:13:20"}, "$.params.expires"),
            ({"expires": "2023-02-30T22:13:20Z"}, "$.params.expires"),
            ({"expires": 1e16}, "$.params.expires"),
        ]
        for changed, path in table:
            self.assertEqual(paths_of(number, **changed), [path], changed)

    def test_what_is_no_json_object(self) -> None:
        for raw in (b"", b"13800138000", b'"13800138000"', b"[1]", b"null", b"\xff", b"{"):
            self.assertEqual(paths_of(decode_scheduled_number, raw, PATTERN), ["$"], raw)
