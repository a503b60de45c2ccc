from __future__ import annotations

from collections.abc import Mapping

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.task_warnings import task_warnings
from tests.contract.documents import HOST_KEY, TEMPLATE_KEY, as_json, params


def warnings_of(template: object = None, host: object = None) -> list[tuple[str, str]]:
    found = task_warnings(
        "催收",
        template=None if template is None else as_json(template),
        host=None if host is None else as_json(host),
        host_name="fs1",
    )
    return [(warning.key, warning.path) for warning in found]


def warnings_with(changed: Mapping[str, object]) -> list[str]:
    return [path for _, path in warnings_of({"params": params(changed)})]


DAY = {"begin": "8:00", "end": "18:00"}


class TaskWarningTests(SynchronousTestCase):
    def test_nothing_to_warn_of(self) -> None:
        hours = {
            "start_time": "2020-1-20 12:00",
            "stop_time": "2020-1-22 12:00",
            "work_hour": [{**DAY, "wday": 7}, {"begin": "22:00", "end": "6:00"}],
            "work_week": [0, 1],
            "holiday": [{"begin": "2020-1-20 12:00", "end": "2020-1-21 12:00"}],
        }
        self.assertEqual(warnings_with(hours), [])

    def test_what_is_hardly_meant(self) -> None:
        table: list[tuple[dict[str, object], str]] = [
            ({"work_hour": [DAY], "work_time": [DAY]}, "$.params.work_time"),
            ({"start_time": "2020-1-2 8:00", "stop_time": "2020-1-2 8:00"}, "$.params.stop_time"),
            ({"start_time": "2020-1-3 8:00", "stop_time": "2020-1-2 8:00"}, "$.params.stop_time"),
            ({"work_hour": [DAY, {"begin": "8:00", "end": "8:00"}]}, "$.params.work_hour[1]"),
            ({"work_time": [{"begin": "8:00", "end": "8:00"}]}, "$.params.work_time[0]"),
            ({"work_hour": [{**DAY, "wday": 0}], "work_week": [1]}, "$.params.work_hour[0]"),
            (
                {"holiday": [{"begin": "2020-1-2 8:00", "end": "2020-1-1 8:00"}]},
                "$.params.holiday[0]",
            ),
            ({"work_hour": []}, "$.params.work_hour"),
            ({"work_week": []}, "$.params.work_week"),
        ]
        for changed, path in table:
            self.assertEqual(warnings_with(changed), [path], changed)

    def test_a_variable_that_is_ours(self) -> None:
        template = {"params": params({}), "variables": {"CTI_Host": "x", "mine": "y"}}
        host = {"variables": {"cti_task_name": "x"}}
        self.assertEqual(
            warnings_of(template, host),
            [(TEMPLATE_KEY, "$.variables.CTI_Host"), (HOST_KEY, "$.variables.cti_task_name")],
        )

    def test_a_stub(self) -> None:
        self.assertEqual(warnings_of(host={"params": {"enable": False}}), [(HOST_KEY, "$")])

    def test_faults_come_first(self) -> None:
        self.assertEqual(warnings_with({"limit": "x", "work_hour": []}), [])
        self.assertEqual(warnings_of(), [])
