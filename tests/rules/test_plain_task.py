"""The quick way to a task says the same as the slow one, or nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules.plain_task import MAX_SHARED_BYTES, plain_task
from ctidialer.rules.soundness import examined_task
from tests.contract.documents import PARAMS, as_json, params

HOURS = [{"begin": "8:00", "end": "12:00"}, {"begin": "13:00", "end": "18:30", "wday": 1}]
MOMENTS = ["2020-1-20 12:00", "2020-01-21 12:00:00", "2020-01-20T12:00:00+08:00", 1579492800, "x"]
ODD: list[Any] = [
    None,
    "",
    " ",
    [],
    {},
    0,
    -1,
    1.5,
    "9",
    "９",
    "a\nb",
    "\x7f",
    True,
    ["a", ""],
    10**30,
]
USUAL: Mapping[str, list[Any]] = {
    "enable": [True, False, 1, "0", "yes", "maybe", 2],
    "line_group": [["g"], ["g", "线路"], ["g", ""], [], [""], ["a\nb"], "g", [7]],
    "limit": [0, 1, 600, "12", "９", -1, 2**31, "many", 1.0],
    "number_queue": ["numbers", "号码队列", " q", "\u2028", "a\x00b", 7],
    "destination_extension": ["8888", "6/v3", "undef", "a b", "UNDEF", "8888 ", "a" * 70, 8888],
    "destination_dialplan": ["XML", "inline", "undef", "x y"],
    "destination_context": ["default", "公共", "{x}"],
    "cps": [0.05, 3, "2.5", 0, 1e-9, 1e7],
    "brake_after": [0, 50, "7", -1],
    "number_queue_side": ["left", "Right", "top"],
    "timezone": ["Asia/Shanghai", "UTC", "Mars/Base"],
    "start_time": MOMENTS,
    "stop_time": MOMENTS,
    "work_hour": [HOURS, HOURS[:1], [], [{"begin": "9:00", "end": "9:00"}], {"0": HOURS[0]}, [{}]],
    "work_time": [HOURS, [{"begin": "25:00", "end": "8:00"}]],
    "work_week": [[1, 2], "1,2,3", [], [9]],
    "holiday": [[{"begin": "2020-1-1", "end": "2020-1-3"}], ["2020-1-1"], [{"start": "2020-1-1"}]],
    "record_variables": [["da2_result", "number:billsec"], ["1x"]],
    "outcome_rule": [[{"variable": "a", "value": "b*", "outcome": "busy"}], [{"variable": "a"}]],
    "agent_variable": ["agent", "1agent"],
    "dial_mode": ["progressive", "Predictive", "batch", "ratio", "fast"],
    "agent_queue": ["sales@default", "q", 7, "a\nb"],
    "agent_group": ["sales", ["sales"], ["a", "b"], []],
    "service_line_group": ["sales", ["坐席"], ""],
    "agent_ratio": [1.5, "2", -1],
    "agent_busy_ratio": [0.2, "x"],
    "abandon_time": [2, "1.5", 0, 61],
    "abandon_from": ["answer", "greeting", "hello"],
    "abandon_extension": ["8999", 8999, "undef", "a b"],
    "abandon_rate": [0.03, "0.05", 3],
    "abandon_period": ["30d", "24h", "7d"],
    "ring_min": [15, "20", 121],
    "ring_release": [True, "yes", "maybe"],
    "remark": ["spring", 7, None],
    "number_cacheable": [True, 1],
    "work_hours": [HOURS],
    "recordpath": ["/var/x"],
}
NEEDS_ANOTHER: Mapping[str, dict[str, Any]] = {
    "dial_mode": {"agent_queue": "q"},
    "agent_ratio": {"agent_queue": "q", "dial_mode": "ratio"},
    "agent_busy_ratio": {"agent_queue": "q", "dial_mode": "ratio"},
}
"""What a key is nothing without."""

NAMES_OF_VARIABLES = ["a", "B_c", "d.e-f", "1x", "cti_host", "CTI_Task_Name", "a b"]
VALUES: list[Any] = [
    *("x", "公司", "", None, 7, -7, True, 1.10, "${uuid}", "${other}", "a:b", "\x00", [])
]
VARIABLES: st.SearchStrategy[Any] = st.dictionaries(
    st.sampled_from(NAMES_OF_VARIABLES), st.sampled_from(VALUES), max_size=4
) | st.sampled_from([None, [], "", {f"v{index}": "x" for index in range(60)}])


def some_of(keys: Mapping[str, list[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    values = {
        key: st.sampled_from(usual) | (st.sampled_from(usual[:2]) if usual[1:] else st.nothing())
        for key, usual in keys.items()
    }
    odd = st.dictionaries(st.sampled_from(list(keys)), st.sampled_from(ODD), max_size=1)
    return st.tuples(st.fixed_dictionaries({}, optional=values), odd).map(
        lambda both: {**both[0], **both[1]}
    )


PARTS = some_of(USUAL)
HOSTS = st.fixed_dictionaries({}, optional={"params": PARTS, "variables": VARIABLES})
TEMPLATES = st.fixed_dictionaries(
    {"params": PARTS.map(lambda some: {**PARAMS, **some})}, optional={"variables": VARIABLES}
)
NAMES = st.sampled_from(["t", "催收 1", "a:b", "${x}", ""])
BYTES = st.sampled_from([None, b"", b"{", b"\xef\xbb\xbf{}", b'{"params":{"remark":"\xff"}}'])


def both_ways(name: str, template: bytes | None, host: bytes | None) -> tuple[object, object]:
    """Return what the quick way says, and what it has to say; None = nothing."""
    found = examined_task(name, template=template, host=host, host_name="fs1")
    must = None if found.faults or found.warnings else found.value
    return plain_task(name, template=template, host=host), must


class SameTests(SynchronousTestCase):
    def agree(self, name: str, template: bytes | None, host: bytes | None) -> None:
        if template is None and host is None:
            return
        quick, slow = both_ways(name, template, host)
        if quick is not None:
            self.assertEqual(quick, slow)

    @given(NAMES, TEMPLATES.map(as_json), HOSTS.map(as_json) | BYTES)
    @settings(deadline=None, max_examples=400, suppress_health_check=list(HealthCheck))
    def test_of_template_and_host(self, name: str, template: bytes, host: bytes | None) -> None:
        self.agree(name, template, host)

    @given(NAMES, TEMPLATES.map(as_json) | HOSTS.map(as_json) | BYTES)
    @settings(deadline=None, max_examples=400, suppress_health_check=list(HealthCheck))
    @example("t", b'{"params":{"limit":1,"limit":"x"}}')
    @example("t", b'{"params":{"cps":%s}}' % (b"1" * 70))
    @example("t", b'{"params":{"cps":' + b"[" * 5000 + b"]" * 5000 + b"}}")
    def test_of_the_hosts_document_alone(self, name: str, host: bytes | None) -> None:
        self.agree(name, None, host)

    @given(st.sampled_from(list(USUAL)), st.data())
    @settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
    def test_of_one_key_that_is_not_usual(self, key: str, data: st.DataObject) -> None:
        value = data.draw(st.sampled_from([*USUAL[key], *ODD]))
        document = as_json({"params": {**PARAMS, key: value}})
        self.agree("t", document, None)
        self.agree("t", as_json({"params": PARAMS}), as_json({"params": {key: value}}))

    def test_bytes_that_are_no_utf_8_are_at_fault_wherever_they_stand(self) -> None:
        for key in ("remark", "number_queue", "work_hour", "cps", "start_time", "agent_variable"):
            document = as_json({"params": params({key: "?"})}).replace(b"?", b"\xff")
            self.assertEqual(both_ways("t", document, None), (None, None))

    def test_a_number_longer_than_any_that_is_meant(self) -> None:
        document = as_json({"params": PARAMS})[:-2] + b',"cps":1.' + b"0" * 80 + b"}}"
        self.assertEqual(both_ways("t", document, None), (None, None))


class TakenTests(SynchronousTestCase):
    """What must not go the slow way."""

    def taken(self, template: object, host: object = None) -> None:
        quick, slow = both_ways("催收", as_json(template), None if host is None else as_json(host))
        self.assertIsNotNone(slow)
        self.assertEqual(quick, slow)

    def test_the_least_that_a_task_needs(self) -> None:
        self.taken({"params": PARAMS})

    def test_each_key_alone(self) -> None:
        for key, values in USUAL.items():
            if key not in ("work_hours", "recordpath", *NEEDS_ANOTHER):
                self.taken({"params": params({key: values[0]})})
            elif key in NEEDS_ANOTHER:
                changed = {**NEEDS_ANOTHER[key], key: values[0]}
                self.taken({"params": params(changed)})

    def test_all_that_a_task_can_say(self) -> None:
        said = {key: values[0] for key, values in USUAL.items()}
        for key in ("work_time", "work_hours", "recordpath", "agent_group", "service_line_group"):
            del said[key]
        said["dial_mode"] = "ratio"
        said["stop_time"] = MOMENTS[1]
        self.taken({"params": said, "variables": {"a": "x", "b": 7, "c": True, "d": "", "e": None}})

    def test_what_web_forms_make_of_it(self) -> None:
        said = {"enable": "1", "limit": "10", "start_time": "", "work_hour": None, "cps": ""}
        self.taken({"params": params(said)})

    def test_what_a_host_says_otherwise(self) -> None:
        template = {"params": params({"start_time": MOMENTS[0], "work_hour": HOURS})}
        host = {"params": {"enable": False, "work_time": HOURS[:1], "start_time": ""}}
        self.taken(template, {**host, "variables": {"a": "own"}})

    def test_a_task_that_is_switched_off(self) -> None:
        self.taken({"params": params({"enable": False})})

    def test_hours_are_one_value_for_all_tasks_that_have_the_same(self) -> None:
        document = as_json({"params": params({"work_hour": HOURS, "start_time": MOMENTS[0]})})
        one, other = (plain_task(name, template=document, host=None) for name in "ab")
        assert one is not None
        assert other is not None
        self.assertIs(one.hours, other.hours)

    def test_long_texts_are_left_to_the_slow_way(self) -> None:
        hours = [HOURS[0]] * MAX_SHARED_BYTES
        document = json.dumps({"params": params({"work_hour": hours})}).encode()
        self.assertIsNone(plain_task("t", template=document, host=None))
