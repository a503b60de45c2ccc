"""What is to be read from a call that has ended, as documents say it."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.after_call import AfterCall, OutcomeRule, WantedVariable
from ctidialer.contract.faults import ContractError
from ctidialer.contract.record import Outcome
from ctidialer.contract.schedule_document import decode_schedule_config
from ctidialer.contract.task_document import decode_task

TASK = {"enable": True, "line_group": ["g"], "limit": 1, "number_queue": "q"} | {
    "destination_extension": "8888"
}


def read(**params: Any) -> AfterCall:
    raw = json.dumps({"params": {**TASK, **params}}).encode()
    return decode_task("t", template=raw, host=None, host_name="fs1").after_call


class VariableTests(SynchronousTestCase):
    def test_the_three_spellings(self) -> None:
        wanted = read(record_variables=["da2_result", "number:billsec", "recording:record_file"])
        self.assertEqual(
            wanted.variables,
            (
                WantedVariable("da2_result", "da2_result"),
                WantedVariable("billsec", "billsec", as_number=True),
                WantedVariable("recording", "record_file"),
            ),
        )
        self.assertEqual(wanted.names, ("da2_result", "billsec", "record_file"))

    def test_one_text_is_a_list_too(self) -> None:
        self.assertEqual(read(record_variables="a, b").names, ("a", "b"))
        self.assertEqual(read(record_variables="").names, ())

    def test_a_name_that_is_none_is_a_fault_with_its_path(self) -> None:
        for bad in ("a b", "x:", ":x", "a:b:c", "${x}"):
            with self.assertRaises(ContractError) as caught:
                read(record_variables=["ok", bad])
            self.assertEqual(
                [f.path for f in caught.exception.faults], ["$.params.record_variables[1]"]
            )

    def test_those_of_the_settings_come_after_the_tasks_own(self) -> None:
        of_task = AfterCall((WantedVariable("r", "mine"),))
        both = of_task.with_variables((WantedVariable("r", "theirs"), WantedVariable("x", "x")))
        self.assertEqual(both.variables, (WantedVariable("r", "mine"), WantedVariable("x", "x")))
        self.assertEqual(both.names, ("mine", "x"))


class RuleTests(SynchronousTestCase):
    def test_rules_keep_their_order(self) -> None:
        rules = [
            {"variable": "da2_result", "value": "does not exis*", "outcome": "unallocated"},
            {"variable": "amd_result", "value": "MACHINE", "outcome": "Machine"},
        ]
        self.assertEqual(
            read(outcome_rule=rules).rules,
            (
                OutcomeRule("da2_result", "does not exis*", Outcome.UNALLOCATED),
                OutcomeRule("amd_result", "MACHINE", Outcome.MACHINE),
            ),
        )

    def test_a_pattern_is_the_shells_whatever_the_case(self) -> None:
        rule = OutcomeRule("v", "does not exis*", Outcome.UNALLOCATED)
        self.assertTrue(rule.matches("Does not exist"))
        self.assertFalse(rule.matches("it does not exist"))

    def test_each_fault_has_its_path(self) -> None:
        bad = [{"variable": "a b", "value": "x", "outcome": "busy"}, {"value": "x"}, 7]
        with self.assertRaises(ContractError) as caught:
            read(outcome_rule=[*bad, {"variable": "v", "value": "x", "outcome": "expired"}])
        self.assertEqual(
            sorted({fault.path for fault in caught.exception.faults}),
            [
                "$.params.outcome_rule[0].variable",
                "$.params.outcome_rule[1].outcome",
                "$.params.outcome_rule[1].variable",
                "$.params.outcome_rule[2]",
                "$.params.outcome_rule[3].outcome",
            ],
        )

    def test_a_schedule_configuration_has_them_too(self) -> None:
        params = {**TASK, "record_variables": ["a"], "agent_variable": "who"}
        config = decode_schedule_config("c", json.dumps({"params": params}).encode())
        self.assertEqual(config.after_call.names, ("a", "who"))
