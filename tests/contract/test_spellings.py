"""However a document is written, it means the same."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.line_document import decode_line, decode_line_group
from ctidialer.contract.number_document import decode_number
from ctidialer.contract.schedule_document import decode_schedule_config, decode_scheduled_number
from ctidialer.contract.task_document import decode_task
from tests.contract import spellings

RANDOMS = st.integers(0, 2**32).map(Random)
PATTERN = re.compile(r"\+?[0-9*#]{1,32}")

NAMES = st.sampled_from(["a", "外呼 组", "g/1", "8888", "x,y"])
COUNTS = st.integers(0, 100_000)
RATES = st.sampled_from([0.05, 0.5, 1, 2.5, 30])
CLOCKS = st.sampled_from(["00:00:00", "08:00:00", "08:05:09", "17:30:00", "23:59:59"])
MOMENTS = st.sampled_from(["2020-01-20 12:00:00", "2026-12-31 00:00:00", "2024-02-29 07:08:09"])
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0$"), min_size=1)
VARIABLES = st.dictionaries(st.sampled_from(["a", "B_c", "d.e-f"]), VALUES)
NUMBERS = st.from_regex(r"[+]?[0-9]{1,15}|[*#][0-9]{2}#", fullmatch=True)

DESTINATION: dict[str, st.SearchStrategy[Any]] = {
    "line_group": st.lists(NAMES, min_size=1, max_size=3),
    "destination_extension": st.sampled_from(["8888", "6/v3", "&park"]),
}
TO: dict[str, st.SearchStrategy[Any]] = {
    "destination_dialplan": st.sampled_from(["XML", "inline"]),
    "destination_context": st.just("public"),
}
HOURS: dict[str, st.SearchStrategy[Any]] = {
    "timezone": st.just("Europe/Berlin"),
    "start_time": MOMENTS,
    "stop_time": MOMENTS,
    "work_week": st.lists(st.integers(0, 7), max_size=4),
    "work_hour": st.lists(
        st.fixed_dictionaries(
            {"begin": CLOCKS, "end": CLOCKS}, optional={"wday": st.integers(-1, 7)}
        ),
        max_size=3,
    ),
    "holiday": st.lists(st.fixed_dictionaries({"begin": MOMENTS, "end": MOMENTS}), max_size=2),
}
TASKS = st.fixed_dictionaries(
    {**DESTINATION, "limit": COUNTS, "number_queue": NAMES},
    optional={**HOURS, **TO, "enable": st.booleans(), "cps": RATES},
)
HOST_TASKS = st.fixed_dictionaries({}, optional={"limit": COUNTS, "enable": st.booleans(), **TO})
CONFIGS = st.fixed_dictionaries(DESTINATION, optional=TO)
LINES = st.fixed_dictionaries(
    {"dialstring": st.just("user/${destination_number}")},
    optional={
        **dict.fromkeys(("count", "rest", "fault_threshold", "fault_try_interval"), COUNTS),
        "cps": RATES,
        "fault_condition": st.fixed_dictionaries({"connect_time": COUNTS}),
    },
)
RULES = st.fixed_dictionaries(
    {},
    optional={
        "hangup_sipcode": st.lists(st.integers(100, 699), min_size=1, max_size=3),
        "hangup_cause": st.lists(
            st.sampled_from([17, 21, "NO_ANSWER", "CALL_REJECTED"]), min_size=1, max_size=3
        ),
        "duration": RATES,
        "bill": COUNTS,
    },
)
TIERS = st.lists(st.lists(NAMES, min_size=1, max_size=3), min_size=1, max_size=3)
GROUPS = st.fixed_dictionaries(
    {"line": TIERS | st.lists(NAMES, min_size=1)},
    optional={
        "enable": st.booleans(),
        "redialer_count": COUNTS,
        "rest": COUNTS,
        "redialer_rule": RULES,
        "no_redialer_rule": RULES,
    },
)
EXPIRES = st.just(0) | st.integers(1_500_000_000, 1_900_000_000)

many = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])


def raw(document: object) -> bytes:
    return json.dumps(document).encode()


class SpellingTests(SynchronousTestCase):
    def both(
        self, random: Random, params: object, variables: Any, kind: str
    ) -> tuple[bytes, bytes]:
        """Return a document as it should be written, and as somebody writes it."""
        plain = {"params": params, "variables": variables}
        spelt = {
            "params": spellings.spelt_object(random, plain["params"], kind),
            "variables": spellings.variables(random, variables),
        }
        return raw(plain), spellings.written(random, spelt)

    @many
    @given(RANDOMS, TASKS, HOST_TASKS, VARIABLES, VARIABLES)
    def test_tasks(self, random: Random, task: object, host: object, one: Any, other: Any) -> None:
        plain, spelt = self.both(random, task, one, "task")
        plain_host, spelt_host = self.both(random, host, other, "task")
        expected = decode_task("t", template=plain, host=plain_host, host_name="fs1")
        found = decode_task("t", template=spelt, host=spelt_host, host_name="fs1")
        self.assertEqual(found, expected)

    @many
    @given(RANDOMS, LINES, VARIABLES)
    def test_lines(self, random: Random, line: object, variables: Any) -> None:
        plain, spelt = self.both(random, line, variables, "line")
        self.assertEqual(decode_line("l", spelt), decode_line("l", plain))

    @many
    @given(RANDOMS, GROUPS)
    def test_line_groups(self, random: Random, group: Any) -> None:
        spelt = spellings.written(random, spellings.spelt_object(random, group, "group"))
        self.assertEqual(decode_line_group("g", spelt), decode_line_group("g", raw(group)))

    @many
    @given(RANDOMS, CONFIGS, VARIABLES)
    def test_schedule_configurations(self, random: Random, config: object, variables: Any) -> None:
        plain, spelt = self.both(random, config, variables, "config")
        expected = decode_schedule_config("c", plain)
        self.assertEqual(decode_schedule_config("c", spelt), expected)

    @many
    @given(RANDOMS, NUMBERS, VARIABLES)
    def test_numbers(self, random: Random, number: str, variables: Any) -> None:
        plain, spelt = self.both(random, {"number": number}, variables, "number")
        self.assertEqual(decode_number(spelt, PATTERN), decode_number(plain, PATTERN))

    @many
    @given(RANDOMS, NUMBERS)
    def test_plain_numbers(self, random: Random, number: str) -> None:
        text = number.translate(spellings.FULL_WIDTH) if random.random() < 0.5 else number
        text = spellings.around(random, text)
        for _ in range(random.randint(0, 3)):
            text = json.dumps(text, ensure_ascii=random.random() < 0.5)
        expected = decode_number(number.encode(), PATTERN)
        self.assertEqual(decode_number(text.encode(), PATTERN), expected)

    @many
    @given(RANDOMS, NUMBERS, EXPIRES, VARIABLES)
    def test_scheduled_numbers(
        self, random: Random, number: str, expires: int, variables: Any
    ) -> None:
        params = {"number": number, "config": "c", "expires": expires}
        plain, spelt = self.both(random, params, variables, "scheduled")
        expected = decode_scheduled_number(plain, PATTERN)
        self.assertEqual(decode_scheduled_number(spelt, PATTERN), expected)
