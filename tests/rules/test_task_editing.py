"""Into which document a change goes, and whether it may be made."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.faults import ContractError
from ctidialer.contract.task_editing import NotEditable, Setting, path_of, read_setting
from ctidialer.rules.task_editing import (
    Target,
    TaskEdit,
    TaskTexts,
    edited_task,
    spoilt_elsewhere,
)

TEMPLATE, HOST = "cti_queue_dialer_task@template", "cti_queue_dialer_task@fs1"
GOOD = {
    "enable": True,
    "line_group": ["g"],
    "limit": 5,
    "number_queue": "q",
    "destination_extension": "8888",
}


def document(params: Any = None, **variables: Any) -> bytes:
    """Return a document of a task."""
    return json.dumps({"params": params or {}, "variables": variables}).encode()


def texts(template: bytes | None = None, host: bytes | None = None, name: str = "fs1") -> TaskTexts:
    """Return the documents of the task ``t``."""
    return TaskTexts("t", name, template, host)


class PlaceTests(SynchronousTestCase):
    def keys_of(self, found: TaskEdit) -> list[str]:
        return [edit.key for edit in found.edits]

    def test_where_the_key_stands(self) -> None:
        both = texts(document(GOOD, region="n"), document({"limit": 7, "cps": ""}, region="s"))
        settings = [
            read_setting(one) for one in ("limit=8", "cps=2", "enable=false", "variables.region=x")
        ]
        found = edited_task(both, [*settings, read_setting("remark=new")])
        self.assertEqual(self.keys_of(found), [HOST, HOST, TEMPLATE, TEMPLATE, HOST])
        self.assertTrue(found.touches(Target.HOST) and found.touches(Target.TEMPLATE))
        self.assertEqual(
            [(edit.before, edit.after) for edit in found.edits[:3]],
            [(b"7", b"8"), (b'""', b"2"), (b"true", b"false")],
        )

    def test_one_document_alone(self) -> None:
        for given, key in (
            (texts(document(GOOD)), TEMPLATE),
            (texts(None, document(GOOD)), HOST),
        ):
            found = edited_task(given, [read_setting("cps=2")])
            self.assertEqual(self.keys_of(found), [key])

    def test_the_document_may_be_chosen(self) -> None:
        template = texts(document(GOOD))
        found = edited_task(template, [read_setting("limit=1")], Target.HOST)
        self.assertEqual(found.texts.host, b'{"params":{"limit":1}}')
        self.assertEqual(found.texts.template, template.template)
        self.assertFalse(found.touches(Target.TEMPLATE))
        both = texts(document(GOOD), document({"limit": 7}))
        found = edited_task(both, [read_setting("limit=1")], Target.TEMPLATE)
        self.assertEqual(self.keys_of(found), [TEMPLATE])
        with self.assertRaisesRegex(NotEditable, "does not stand in"):
            edited_task(texts(None, document(GOOD)), [read_setting("limit=1")], Target.TEMPLATE)

    def test_removed_where_it_counts(self) -> None:
        both = texts(document(GOOD), document({"limit": 7}))
        found = edited_task(both, [Setting(path_of("limit"))])
        self.assertEqual((found.edits[0].before, found.edits[0].after), (b"7", None))
        found = edited_task(both, [Setting(path_of("cps"))])
        self.assertEqual(found.changes, ())
        found = edited_task(texts(document(GOOD)), [Setting(path_of("limit"))], Target.HOST)
        self.assertEqual((found.changes, found.texts.host), ((), None))

    def test_what_is_so_already_is_no_change(self) -> None:
        found = edited_task(texts(document(GOOD)), [read_setting("limit=5")])
        self.assertEqual(found.changes, ())


class ValidityTests(SynchronousTestCase):
    def faults_of(self, given: TaskTexts, *changes: str, target: Target = Target.HOST) -> list[str]:
        with self.assertRaises(ContractError) as caught:
            edited_task(given, [read_setting(one) for one in changes], target)
        return [f"{fault.key} {fault.path}" for fault in caught.exception.faults]

    def test_valid_or_not_at_all(self) -> None:
        given = texts(document(GOOD))
        self.assertEqual(self.faults_of(given, "cps=1", "limit=x"), [f"{HOST} $.params.limit"])
        unset = Setting(path_of("number_queue"))
        with self.assertRaisesRegex(ContractError, "number_queue"):
            edited_task(given, [unset])

    def test_a_variable_that_no_call_could_carry(self) -> None:
        self.assertEqual(
            self.faults_of(texts(document(GOOD)), "variables.note=${x}"),
            [f"{HOST} $.variables.note"],
        )

    def test_a_task_at_fault_can_be_mended_whole_alone(self) -> None:
        broken = texts(document({**GOOD, "limit": "x", "cps": "y"}))
        self.assertTrue(self.faults_of(broken, "limit=1", target=Target.TEMPLATE))
        found = edited_task(broken, [read_setting("limit=1"), read_setting("cps=1")])
        self.assertEqual(len(found.changes), 2)

    def test_a_key_that_is_nearly_another_is_refused(self) -> None:
        given = texts(document({**GOOD, "stoptime": "x"}))
        faults = self.faults_of(given, "limti=3")
        self.assertEqual(faults, [f"{HOST} $.params.limti"])
        self.assertTrue(edited_task(given, [read_setting("my_own_key=3")]).changes)
        self.assertTrue(edited_task(given, [Setting(path_of("stoptime"))]).changes)

    def test_new_warnings_are_told(self) -> None:
        given = texts(document({**GOOD, "stop_time": "2020-1-1"}))
        self.assertEqual(edited_task(given, [read_setting("limit=3")]).warnings, ())
        found = edited_task(given, [read_setting("start_time=2021-1-1")])
        self.assertEqual(len(found.warnings), 1)


class OtherHostTests(SynchronousTestCase):
    def test_a_host_whose_own_document_does_not_fit_any_more(self) -> None:
        before = document({**GOOD, "agent_queue": "a@default", "dial_mode": "progressive"})
        other = document({"dial_mode": "progressive"})
        edit = edited_task(
            texts(before),
            [Setting(path_of("agent_queue")), Setting(path_of("dial_mode"))],
        )
        others = [texts(None, document({"limit": 1}), "fs2"), texts(None, other, "fs3")]
        spoilt = spoilt_elsewhere(before, edit, others)
        assert spoilt is not None
        self.assertEqual(spoilt[0], "fs3")
        self.assertIsNone(spoilt_elsewhere(before, edit, others[:1]))

    def test_one_that_was_at_fault_before_does_not_count(self) -> None:
        before = document(GOOD)
        edit = edited_task(texts(before), [read_setting("limit=1")])
        broken = [texts(None, b"{", "fs2")]
        self.assertIsNone(spoilt_elsewhere(before, edit, broken))
