"""Keys beside those that ctidialer knows: none is ignored silently."""

from __future__ import annotations

import re
from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import known_keys
from ctidialer.contract.document import FaultList, Params, Place
from ctidialer.contract.known_keys import Keys, ignored_keys
from ctidialer.contract.line_document import decode_line, group_of, line_of, read_group, read_line
from ctidialer.contract.line_warnings import line_group_warnings, line_warnings
from ctidialer.contract.number_document import decode_number
from ctidialer.contract.schedule_document import (
    config_of,
    decode_scheduled_number,
    read_config,
    warnings_of_config,
)
from ctidialer.contract.task_document import read_task, task_of
from ctidialer.contract.task_warnings import task_warnings
from tests.contract.documents import as_json, params, paths_of

TASK_NEAR = {
    "work_hours": "work_hour",
    "workHour": "work_hour",
    "WORK-HOUR": "work_hour",
    "wrok_hour": "work_hour",
    "worktime": "work_time",
    "stoptime": "stop_time",
    "stop_tme": "stop_time",
    "end_time": "stop_time",
    "limti": "limit",
    "limits": "limit",
    "lineGroup": "line_group",
    "line_groups": "line_group",
    "holidays": "holiday",
    "weekdays": "work_week",
    "enabled": "enable",
    "time_zone": "timezone",
    "numberQueue": "number_queue",
    "queue": "number_queue",
    "context": "destination_context",
    "destination_extention": "destination_extension",
    "cp": "cps",
}


def ignored(keys: Keys, **members: object) -> list[tuple[str, bool, str]]:
    node = Place(members, "$.params", FaultList(), "k")
    return [(one.fault.path, one.doubtful, one.fault.problem) for one in ignored_keys(node, keys)]


class IgnoredKeyTests(SynchronousTestCase):
    def test_near_misses(self) -> None:
        for written, meant in TASK_NEAR.items():
            ((path, doubtful, problem),) = ignored(known_keys.TASK, **{written: 1})
            self.assertTrue(path.startswith("$.params"))
            self.assertTrue(doubtful, written)
            self.assertTrue(problem.endswith(f"did you mean `{meant}`?"), problem)

    def test_what_is_near_to_nothing(self) -> None:
        for name in ("remarks_of_the_boss", "id", "name", "tenant", "creator", "限制", "x" * 5000):
            ((_, doubtful, problem),) = ignored(known_keys.TASK, **{name: 1})
            self.assertFalse(doubtful, name)
            self.assertEqual(problem, "is ignored: there is no such key")

    def test_keys_of_mod_cti_say_what_becomes_of_them(self) -> None:
        for name, doubtful, part in (
            ("remark", False, "has no effect"),
            ("number_cacheable", False, "until there is room"),
        ):
            ((_, is_doubtful, problem),) = ignored(known_keys.TASK, **{name: 1})
            self.assertEqual(is_doubtful, doubtful)
            self.assertIn(part, problem)

    def test_a_key_in_another_place(self) -> None:
        ((path, doubtful, problem),) = ignored(known_keys.TASK_DOCUMENT, limit=5, params={})
        self.assertEqual((path, doubtful), ("$.params.limit", True))
        self.assertIn("its place is in params", problem)

    def test_nothing_is_said_of_known_keys_and_of_what_is_not_configured(self) -> None:
        self.assertEqual(ignored(known_keys.TASK, limit=1, stoptime="", work_hours=None), [])
        self.assertEqual(list(ignored_keys(None, known_keys.TASK)), [])
        self.assertEqual(list(ignored_keys(Place([1], "$", FaultList()), known_keys.TASK)), [])

    def test_there_is_an_end_to_it(self) -> None:
        found = ignored(known_keys.TASK, **{f"limit{index}x": 1 for index in range(10_000)})
        self.assertEqual(len(found), 50)

    def test_no_known_key_is_taken_for_another(self) -> None:
        for keys in vars(known_keys).values():
            if isinstance(keys, Keys):
                self.assertTrue(set(keys.aliases.values()) <= keys.names, keys)
                self.assertFalse(keys.aliases.keys() & keys.names, keys)
                self.assertFalse(keys.elsewhere.keys() & keys.names, keys)


class CompletenessTests(SynchronousTestCase):
    """A key that is read is a known one, so that a new one cannot be forgotten here."""

    def asked_for(self, decode: Callable[..., object], *arguments: object) -> set[str]:
        """Return the keys of its own params that a decoder asks an empty document for."""
        asked: set[str] = set()

        def get(params: Params, name: str) -> Place | None:
            asked.add(name)
            return None

        def read(params: Params, name: str, read: object, default: object) -> object:
            asked.add(name)
            return default

        for name, instead in (("get", get), ("optional", read), ("required", read)):
            self.patch(Params, name, instead)
        decode(*arguments)
        return asked

    def test_tasks(self) -> None:
        documents = read_task(template=b"{}", host=None, host_name="fs1")
        asked = self.asked_for(task_of, "t", documents)
        self.assertEqual(asked | {"work_time"}, known_keys.TASK.names)

    def test_lines(self) -> None:
        asked = self.asked_for(line_of, "l", read_line(b"{}", FaultList()))
        self.assertEqual(asked, known_keys.LINE.names)

    def test_line_groups(self) -> None:
        asked = self.asked_for(group_of, "g", read_group(b"{}", FaultList()))
        self.assertEqual(asked, known_keys.GROUP.names)

    def test_schedule_configurations(self) -> None:
        asked = self.asked_for(config_of, "c", read_config(b"{}", FaultList()))
        self.assertEqual(asked, known_keys.CONFIG.names)

    def test_numbers(self) -> None:
        pattern = re.compile("")
        asked = self.asked_for(decode_number, b"{}", pattern)
        self.assertEqual(asked, known_keys.NUMBER.names)
        asked = self.asked_for(decode_scheduled_number, b"{}", pattern)
        self.assertEqual(asked, known_keys.SCHEDULED.names)


class DocumentTests(SynchronousTestCase):
    """Where the keys of each document are looked for."""

    def test_a_task(self) -> None:
        template = {
            "params": params(
                {
                    "work_hour": [{"begin": "8:00", "end": "9:00", "weekday": 1}],
                    "holiday": [{"begin": "2020-1-1", "end": "2020-1-2", "from": "x"}],
                    "stoptime": "2020-1-1",
                }
            ),
            "variable": {"a": "b"},
        }
        found = task_warnings("t", template=as_json(template), host=None, host_name="fs1")
        self.assertEqual(
            [warning.path for warning in found],
            [
                "$.variable",
                "$.params.stoptime",
                "$.params.work_hour[0].weekday",
                "$.params.holiday[0].from",
            ],
        )
        self.assertEqual({warning.key for warning in found}, {"cti_queue_dialer_task@template"})

    def test_a_task_that_is_invalid_for_a_misspelt_key(self) -> None:
        template = {"params": params({"limit": ..., "limti": 5})}
        found = task_warnings("t", template=as_json(template), host=None, host_name="fs1")
        self.assertEqual([warning.path for warning in found], ["$.params.limti"])

    def test_a_line(self) -> None:
        document = {
            "params": {"dial_string": "user/1", "fault_condition": {"conect_time": 5}},
            "counts": 5,
        }
        self.assertEqual(
            [warning.path for warning in line_warnings("l", as_json(document))],
            ["$.counts", "$.params.dial_string", "$.params.fault_condition.conect_time"],
        )

    def test_a_line_group(self) -> None:
        raw = as_json({"lines": [["l"]], "redialer_rule": {"hangup_sipcodes": [486]}})
        self.assertEqual(
            [warning.path for warning in line_group_warnings("g", raw)],
            ["$.lines", "$.redialer_rule.hangup_sipcodes"],
        )

    def test_a_schedule_configuration(self) -> None:
        raw = as_json({"params": {"linegroup": ["g"]}, "creator": {"a": "b"}})
        found = warnings_of_config(read_config(raw, FaultList()))
        self.assertEqual([warning.path for warning in found], ["$.params.linegroup"])

    def test_an_area_code_is_no_key_to_pass_over(self) -> None:
        for value, paths in (("0755", ["$.params.areacode"]), ("", []), (0, []), (None, [])):
            raw = as_json({"params": {"dialstring": "user/1", "areacode": value}})
            self.assertEqual(paths_of(decode_line, "l", raw), paths)
            self.assertEqual(line_warnings("l", raw), ())
