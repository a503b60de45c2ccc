"""What documents say of callees: retries, hours, do-not-call, caps, as values and with faults."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.callee import (
    NO_CALLEE_RULES,
    CalleeRules,
    Cap,
    CapScope,
    LocalTime,
    RetryRule,
)
from ctidialer.contract.faults import ContractError, EntryError
from ctidialer.contract.hours import Window
from ctidialer.contract.known_keys import CALLEE
from ctidialer.contract.number_document import decode_number
from ctidialer.contract.schedule_document import decode_schedule_config, decode_scheduled_number
from ctidialer.contract.task import Task
from ctidialer.contract.task_document import decode_task

TASK = {"enable": True, "line_group": ["g"], "limit": 1, "number_queue": "q"} | {
    "destination_extension": "8888"
}
NUMBER = re.compile("[0-9]+")


def task(**params: Any) -> Task:
    raw = json.dumps({"params": {**TASK, **params}}).encode()
    return decode_task("t", template=raw, host=None, host_name="fs1")


def read(**params: Any) -> CalleeRules:
    return task(**params).callee


class RetryTests(SynchronousTestCase):
    def test_a_plan(self) -> None:
        plan = read(
            retry_plan=[
                {"outcome": ["busy"], "after": 600, "count": 3},
                {"outcome": ["no_answer", "abandoned"], "after": [3600, "10:00"], "count": "2"},
            ],
            retry_count=4,
        ).retry
        self.assertEqual(
            plan.rules,
            (
                RetryRule(frozenset({"busy"}), (600.0,), 3),
                RetryRule(frozenset({"no_answer", "abandoned"}), (3600.0, LocalTime(36000)), 2),
            ),
        )
        self.assertEqual(plan.max_retries, 4)
        self.assertEqual(plan.rules[1].name, "abandoned+no_answer")

    def test_as_web_forms_write_it(self) -> None:
        written: dict[str, Any] = {"outcome": "BUSY", "after": "60", "count": "2"}
        for plan in ([written], written, {"0": written}):
            rule = RetryRule(frozenset({"busy"}), (60.0,), 2)
            self.assertEqual(read(retry_plan=plan).retry.rules, (rule,))
        unsaid: tuple[Any, ...] = ("", None, [])
        for nothing in unsaid:
            self.assertEqual(read(retry_plan=nothing).retry.rules, ())

    def test_a_rule_without_count_retries_once(self) -> None:
        plan = read(retry_plan=[{"outcome": "busy", "after": 60}]).retry
        self.assertEqual(plan.rules[0].count, 1)

    def test_faults_have_their_path(self) -> None:
        rule = {"outcome": "busy", "after": 60}
        for bad, path, word in (
            ({**rule, "outcome": "unknown"}, "$.params.retry_plan[0].outcome", "answered"),
            ({**rule, "outcome": "bussy"}, "$.params.retry_plan[0].outcome", "busy"),
            ({**rule, "outcome": []}, "$.params.retry_plan[0].outcome", "empty"),
            ({**rule, "after": "soon"}, "$.params.retry_plan[0].after", "number"),
            ({**rule, "after": [60, "25:00"]}, "$.params.retry_plan[0].after[1]", "time of day"),
            ({**rule, "after": -1}, "$.params.retry_plan[0].after", "from 0"),
            ({"outcome": "busy"}, "$.params.retry_plan[0].after", "missing"),
            ({**rule, "count": 1.5}, "$.params.retry_plan[0].count", "whole"),
        ):
            with self.assertRaises(ContractError) as caught:
                read(retry_plan=[bad])
            (fault,) = caught.exception.faults
            self.assertEqual(fault.path, path)
            self.assertIn(word, str(fault))


class CalleeTests(SynchronousTestCase):
    def test_nothing_said_is_nothing(self) -> None:
        self.assertIs(read(), NO_CALLEE_RULES)
        self.assertEqual(read(**dict.fromkeys(CALLEE, "")), NO_CALLEE_RULES)

    def test_hours_region_and_zone(self) -> None:
        rules = read(
            callee_hour=[{"begin": "8:00", "end": "21:00"}],
            callee_week="1,2,3",
            callee_region="us",
            callee_timezone="America/New_York",
        )
        (hours,) = rules.hours
        self.assertEqual(hours.windows, (Window(8 * 3600, 21 * 3600),))
        self.assertEqual(hours.weekdays, frozenset({1, 2, 3}))
        self.assertEqual((rules.region, rules.timezone), ("US", "America/New_York"))

    def test_caps(self) -> None:
        rules = read(
            callee_limit=[{"count": 1, "time": 60}, {"count": "1", "time": 604800, "talk": "yes"}],
            callee_limit_scope="Task",
        )
        self.assertEqual(rules.caps, (Cap(1, 60.0), Cap(1, 604800.0, talk=True)))
        self.assertIs(rules.cap_scope, CapScope.TASK)
        self.assertEqual(read(callee_limit={"count": 1, "time": 60}).caps, (Cap(1, 60.0),))

    def test_do_not_call_and_rule_files(self) -> None:
        rules = read(dnc="optout", dnc_add="optout", compliance="US-debt")
        self.assertEqual((rules.dnc, rules.dnc_add), (("optout",), "optout"))
        self.assertEqual(rules.compliance, ("us-debt",))
        self.assertEqual(read(dnc=["a", "b"]).dnc, ("a", "b"))

    def test_faults(self) -> None:
        for params, path in (
            ({"callee_region": "China"}, "$.params.callee_region"),
            ({"callee_timezone": "Mars/Base"}, "$.params.callee_timezone"),
            ({"callee_limit": [{"count": 0, "time": 60}]}, "$.params.callee_limit[0].count"),
            ({"callee_limit": [{"count": 1}]}, "$.params.callee_limit[0].time"),
            ({"callee_limit_scope": "host"}, "$.params.callee_limit_scope"),
            ({"compliance": "fr"}, "$.params.compliance"),
            ({"callee_hour": [{"begin": "8"}]}, "$.params.callee_hour[0].begin"),
            ({"dnc": [{}]}, "$.params.dnc[0]"),
        ):
            with self.assertRaises(ContractError) as caught:
                read(**params)
            self.assertIn(path, [fault.path for fault in caught.exception.faults])

    def test_a_schedule_configuration_says_the_same(self) -> None:
        params = {**TASK, "dnc": "optout", "callee_limit": [{"count": 1, "time": 60}]}
        raw = json.dumps({"params": params}).encode()
        rules = decode_schedule_config("c", raw).callee
        self.assertEqual((rules.dnc, rules.caps), (("optout",), (Cap(1, 60.0),)))

    @settings(deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.dictionaries(
            st.sampled_from(CALLEE),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("8:00"),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(
                        st.sampled_from(["outcome", "after", "count", "time", "talk", "begin"]),
                        inner,
                        max_size=3,
                    )
                ),
                max_leaves=8,
            ),
            max_size=4,
        )
    )
    def test_any_value_is_rules_or_a_fault_that_names_it(self, params: dict[str, Any]) -> None:
        try:
            rules = read(**params)
        except ContractError as error:
            for fault in error.faults:
                self.assertTrue(any(name in fault.path for name in params), fault)
        else:
            self.assertTrue(all(rule.after and rule.outcomes for rule in rules.retry.rules))
            self.assertTrue(all(cap.count > 0 and cap.seconds > 0 for cap in rules.caps))


class QueueTests(SynchronousTestCase):
    def test_several_queues_in_order(self) -> None:
        found = task(number_queue=["first", "second", "first"])
        self.assertEqual(found.queues, ("first", "second"))
        self.assertEqual(task(number_queue="one").queues, ("one",))

    def test_a_blank_one_is_a_fault(self) -> None:
        with self.assertRaises(ContractError) as caught:
            task(number_queue=[" \n", {}])
        paths = [fault.path for fault in caught.exception.faults]
        self.assertIn("$.params.number_queue[1]", paths)


class ZoneOfANumberTests(SynchronousTestCase):
    def test_a_number_says_where_its_callee_is(self) -> None:
        raw = b'{"params":{"number":"1","timezone":"America/Denver"}}'
        self.assertEqual(decode_number(raw, NUMBER).timezone, "America/Denver")
        self.assertIsNone(decode_number(b"1", NUMBER).timezone)
        scheduled = b'{"params":{"number":"1","config":"c","timezone":"Asia/Tokyo"}}'
        self.assertEqual(decode_scheduled_number(scheduled, NUMBER).timezone, "Asia/Tokyo")

    def test_one_that_is_none_makes_the_entry_invalid(self) -> None:
        with self.assertRaises(EntryError) as caught:
            decode_number(b'{"params":{"number":"1","timezone":"Denver"}}', NUMBER)
        self.assertEqual([f.path for f in caught.exception.faults], ["$.params.timezone"])
