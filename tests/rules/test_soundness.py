"""What no call could carry is found in the table, before it costs a number."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.document import MAX_FAULTS
from ctidialer.contract.faults import ContractError
from ctidialer.rules.soundness import (
    number_faults,
    sound_line,
    sound_schedule_config,
    sound_task,
)

GOOD = {
    "line_group": ["g"],
    "limit": 1,
    "number_queue": "q",
    "destination_extension": "6/v3",
}
CARRIED = ("a b", "it's", "a,b", "{x}", "\\", "中文", "line\nbreak", "%0A", "$x", "&park()")
NOT_CARRIED = ("{", "}", "}{", "${x}", "$${x}", "ARRAY::a|:b", "a:_:b")


def document(variables: object = None, **params: object) -> bytes:
    return json.dumps({"params": params, "variables": variables or {}}).encode()


class SoundnessTests(SynchronousTestCase):
    def places(self, read: object, *arguments: object, **documents: object) -> list[str]:
        """Return key and path of every fault."""
        assert callable(read)
        with self.assertRaises(ContractError) as caught:
            read(*arguments, **documents)
        return [f"{fault.key} {fault.path}".strip() for fault in caught.exception.faults]

    def task_places(self, template: bytes | None, host: bytes | None = None) -> list[str]:
        return self.places(sound_task, "t", template=template, host=host, host_name="fs1")

    def test_what_can_be_carried(self) -> None:
        for value in CARRIED:
            raw = document({"a": value}, **GOOD)
            task = sound_task("t", template=raw, host=None, host_name="fs1")
            self.assertEqual(task.template_variables, {"a": value})
            line = sound_line("l", document({"a": value}, dialstring="user/1"))
            self.assertEqual(line.variables, {"a": value})

    def test_a_variable_is_named_with_the_document_it_stands_in(self) -> None:
        for value in NOT_CARRIED:
            bad, good = document({"a": value, "b": "x"}, **GOOD), document(**GOOD)
            self.assertEqual(
                self.task_places(bad), ["cti_queue_dialer_task@template $.variables.a"]
            )
            self.assertEqual(
                self.task_places(good, bad), ["cti_queue_dialer_task@fs1 $.variables.a"]
            )
            line = document({"a": value}, dialstring="user/1")
            self.assertEqual(self.places(sound_line, "l", line), ["$.variables.a"])
            config = document({"a": value}, **GOOD)
            self.assertEqual(self.places(sound_schedule_config, "c", config), ["$.variables.a"])

    def test_placeholders(self) -> None:
        good = document({"a": "/rec/${uuid}-${cti_task_name}-${cti_line_name}.wav"}, **GOOD)
        self.assertEqual(
            len(sound_task("t", template=good, host=None, host_name="fs1").template_variables), 1
        )
        # The names that stand in them are looked at where the table is read.
        bad = document({"a": "a:_${cti_task_name}", "b": "${cti_task_name}"}, **GOOD)
        places = self.places(sound_task, ":1", template=bad, host=None, host_name="fs1")
        self.assertEqual(places, ["cti_queue_dialer_task@template $.variables.a"])
        # A name at fault is one fault, not one for each variable.
        places = self.places(sound_task, "{", template=good, host=None, host_name="fs1")
        self.assertEqual(places, ["cti_queue_dialer_task@template $"])

    def test_a_dial_string(self) -> None:
        for dialstring in ("user/1 &park()", "user/'1", "user/1|user/2", "user/1,user/2", "{a=1}"):
            raw = document(dialstring=dialstring)
            self.assertEqual(self.places(sound_line, "l", raw), ["$.params.dialstring"])

    def test_a_destination(self) -> None:
        good = document(**GOOD)
        for name in ("destination_dialplan", "destination_context"):
            raw, path = document(**{**GOOD, name: "undef"}), f"$.params.{name}"
            self.assertEqual(self.task_places(raw), [f"cti_queue_dialer_task@template {path}"])
            self.assertEqual(self.task_places(good, raw), [f"cti_queue_dialer_task@fs1 {path}"])
            self.assertEqual(self.places(sound_schedule_config, "c", raw), [path])

    def test_a_task_that_is_switched_off_needs_no_destination(self) -> None:
        raw = document(enable=False)
        self.assertFalse(sound_task("t", template=raw, host=None, host_name="fs1").enabled)

    def test_all_faults_at_once(self) -> None:
        raw = document({"a": "{", "b": "}", "c": "x"}, dialstring="a b")
        places = self.places(sound_line, "l", raw)
        self.assertEqual(places[1:], ["$.variables.a", "$.variables.b"])

    def test_of_thousands_of_faults_the_first_are_named_and_no_others_looked_for(self) -> None:
        hostile = {f"v{index}": "{" for index in range(900)}
        for raw in (document(hostile, **GOOD), document(hostile, dialstring="a b", **GOOD)):
            places = self.places(sound_line, "l", raw)
            self.assertEqual(len(places), MAX_FAULTS + 1)
        faults = number_faults("1", hostile)
        self.assertEqual(len(faults), MAX_FAULTS + 1)
        self.assertEqual(faults[-1].problem, "more faults are not listed")

    def test_variables_that_are_too_many_for_any_call_are_not_tried_one_by_one(self) -> None:
        many = {f"v{index}": ":" for index in range(1001)}
        raw = document(many, **GOOD)
        self.assertEqual(self.task_places(raw), ["cti_queue_dialer_task@template $.variables"])
        self.assertIn("at most 1000", number_faults("1", many)[0].problem)
