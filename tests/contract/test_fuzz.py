"""Whatever stands in Redis, reading it gives a value or a ContractError, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.agents import (
    agent_count_warnings,
    agent_warnings,
    decode_agent,
    decode_agent_count,
)
from ctidialer.contract.faults import ContractError
from ctidialer.contract.line_document import decode_line, decode_line_group
from ctidialer.contract.line_warnings import line_group_warnings, line_warnings
from ctidialer.contract.notice import decode_notice
from ctidialer.contract.number_document import decode_number
from ctidialer.contract.schedule_document import decode_schedule_config, decode_scheduled_number
from ctidialer.contract.task_document import decode_task
from ctidialer.contract.task_warnings import task_warnings
from tests.contract.documents import PARAMS
from tests.hostile import HOSTILE_ENTRIES

PATTERN = re.compile(r"\+?[0-9*#]{1,32}")

KEYS = st.sampled_from(
    [
        "params",
        "variables",
        *PARAMS,
        *("cps", "start_time", "stop_time", "work_hour", "work_time", "work_week", "holiday"),
        *("number_queue_side", "destination_dialplan", "destination_context", "timezone"),
        *("begin", "end", "wday", "number", "expires", "config", "type", "table", "key"),
        *("count", "rest", "dialstring", "fault_threshold", "fault_try_interval"),
        *("fault_condition", "connect_time", "line", "redialer_count", "no_redialer_rule"),
        *("redialer_rule", "hangup_sipcode", "hangup_cause", "duration", "bill"),
        *("group", "state", "free", "busy"),
    ]
)
TEXTS = st.text() | st.from_regex(r"[0-9]{1,4}[-:./][0-9]{1,2}([-: ][0-9]{1,2}){0,4}")
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | st.sampled_from(["UTC", "Asia", "8:00", "24:00", "2020-2-29 8:00", "true", "7", "９"])
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(), inner, max_size=6)
    ),
    max_leaves=12,
)
PARTS = st.dictionaries(KEYS, VALUES, max_size=8)
DOCUMENTS = st.fixed_dictionaries(
    {}, optional={"params": PARTS | VALUES, "variables": VALUES, "line": VALUES, "enable": VALUES}
)
RAW = st.binary() | (DOCUMENTS | VALUES | PARTS).map(lambda value: json.dumps(value).encode())


def _task(raw: bytes) -> object:
    return decode_task("t", template=raw, host=None, host_name="fs1")


def _task_over_template(raw: bytes) -> object:
    template = json.dumps({"params": PARAMS}).encode()
    return decode_task("t", template=template, host=raw, host_name="fs1")


def _task_warnings(raw: bytes) -> object:
    template = json.dumps({"params": PARAMS}).encode()
    return task_warnings("t", template=template, host=raw, host_name="fs1")


READERS: list[Callable[[bytes], object]] = [
    _task,
    _task_over_template,
    _task_warnings,
    lambda raw: decode_line("l", raw),
    lambda raw: line_warnings("l", raw),
    lambda raw: decode_line_group("g", raw),
    lambda raw: line_group_warnings("g", raw),
    lambda raw: decode_number(raw, PATTERN),
    lambda raw: decode_schedule_config("c", raw),
    lambda raw: decode_scheduled_number(raw, PATTERN),
    decode_notice,
    lambda raw: decode_agent("a", raw),
    agent_warnings,
    lambda raw: decode_agent_count("g", raw),
    agent_count_warnings,
]


class FuzzTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
    @given(RAW)
    def test_a_value_or_faults(self, raw: bytes) -> None:
        for read in READERS:
            self._check(read, raw)

    def test_hostile_entries_as_any_document(self) -> None:
        for raw in HOSTILE_ENTRIES:
            for read in READERS:
                self._check(read, raw)

    def _check(self, read: Callable[[bytes], object], raw: bytes) -> None:
        try:
            read(raw)
        except ContractError as error:
            self.assertTrue(error.faults)
            self.assertLessEqual(len(error.faults), 51)
            for fault in error.faults:
                self.assertTrue(fault.path.startswith("$"))
                self.assertTrue(fault.problem.isprintable(), fault.problem)
                self.assertLess(len(fault.path) + len(fault.problem), 2000)
