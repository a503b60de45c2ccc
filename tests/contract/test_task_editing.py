"""One key of a document changed, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.faults import ContractError
from ctidialer.contract.task_editing import (
    Edit,
    NotEditable,
    Setting,
    edited,
    path_of,
    read_setting,
    standing,
)

NAMES = st.text("abcxyz_", min_size=1, max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.fixed_dictionaries(
    {
        "params": st.dictionaries(NAMES, VALUES),
        "variables": st.dictionaries(NAMES, VALUES),
        "extra": VALUES,
    }
)


def after(raw: bytes, *texts: str) -> bytes:
    """Return the document ``raw`` after ``key=value`` texts."""
    return edited(raw, map(read_setting, texts))


class ReadingTests(SynchronousTestCase):
    def test_values_are_json_or_else_texts(self) -> None:
        for text, value in (
            ("limit=20", b"20"),
            ("cps=0.50", b"0.50"),
            ("enable=true", b"true"),
            ('remark="7"', b'"7"'),
            ("start_time=2026-11-30 09:00", b'"2026-11-30 09:00"'),
            ("number_queue=催收=1", '"催收=1"'.encode()),
            ("work_week=[1, 2]", b"[1,2]"),
            ("remark=01", b'"01"'),
            ("remark={", b'"{"'),
            ("remark=null", b"null"),
        ):
            self.assertEqual(read_setting(text).value, value, text)

    def test_where_a_key_leads(self) -> None:
        for name, path in (
            ("limit", ("params", "limit")),
            ("params.limit", ("params", "limit")),
            ("work_hour.0.begin", ("params", "work_hour", "0", "begin")),
            ("variables.sip_h_X.y", ("variables", "sip_h_X.y")),
        ):
            self.assertEqual(path_of(name), path)
        self.assertEqual(Setting(path_of("params.limit")).name, "limit")
        self.assertEqual(Setting(path_of("variables.a.b")).name, "variables.a.b")
        self.assertEqual(Setting(path_of("a.0.b")).json_path, "$.params.a[0].b")

    def test_what_is_no_setting(self) -> None:
        for text, said in (
            ("limit", "is no KEY=VALUE"),
            ("limit=", "--unset limit"),
            ("=3", "is no key"),
            ("a..b=3", "is no key"),
            ("variables=3", "is no key"),
            ("params=3", "is no key"),
        ):
            with self.assertRaisesRegex(NotEditable, said):
                read_setting(text)


class EditedTests(SynchronousTestCase):
    def test_all_else_stays_as_it_was_written(self) -> None:
        rest = b'"cps":1.50e0,"remark":"\\u00e9","x":[1 , 2]},"mine":{"a": 1}}'
        raw = b'{"params": { "limit" : 5,' + rest
        self.assertEqual(after(raw, "limit=20"), b'{"params":{"limit":20,' + rest)

    def test_new_keys_and_new_places(self) -> None:
        for raw in (b"{}", b"[]", b'{"params":null}', b'{"params":[]}', b'{"params":""}'):
            self.assertEqual(json.loads(after(raw, "limit=2")), {"params": {"limit": 2}}, raw)
        self.assertEqual(edited(None, [read_setting("a.b=1")]), b'{"params":{"a":{"b":1}}}')

    def test_parts_of_lists_and_objects(self) -> None:
        raw = b'{"params":{"work_hour":[{"begin":"8:00"},{"begin":"9:00"}],"o":{"1":{"x":1}}}}'
        found = json.loads(after(raw, "work_hour.1.begin=10:00", "o.1.x=2"))
        self.assertEqual(found["params"]["work_hour"], [{"begin": "8:00"}, {"begin": "10:00"}])
        self.assertEqual(found["params"]["o"], {"1": {"x": 2}})
        removed = json.loads(edited(raw, [Setting(path_of("work_hour.0"))]))
        self.assertEqual(removed["params"]["work_hour"], [{"begin": "9:00"}])

    def test_a_part_that_cannot_be(self) -> None:
        raw = b'{"params":{"limit":5,"l":[1,2]}}'
        for text, said in (
            ("limit.x=1", r"\$\.params\.limit is no object or list: it has no part \"x\""),
            ("l.2=1", r"\$\.params\.l is a list of 2: it has no item \"2\""),
            ("l.x=1", "it has no item"),
        ):
            with self.assertRaisesRegex(NotEditable, said):
                after(raw, text)

    def test_what_is_removed_need_not_be_there(self) -> None:
        raw = b'{"params":{"a":1}}'
        self.assertEqual(edited(raw, [Setting(path_of("b"))]), raw)
        self.assertEqual(edited(raw, [Setting(path_of("a"))]), b'{"params":{}}')

    def test_a_document_in_a_string_or_behind_a_mark(self) -> None:
        inner = b'{"params":{"cps":1.50,"big":123456789012345678901234567890}}'
        wanted = b'{"params":{"cps":1.50,"big":123456789012345678901234567890,"limit":1}}'
        for raw in (json.dumps(inner.decode()).encode(), b"\xef\xbb\xbf" + inner):
            self.assertEqual(after(raw, "limit=1"), wanted)

    def test_a_malformed_document_is_said_with_its_place(self) -> None:
        for raw in (b"", b"{", b"\xff", b'{"params":{"limit":01}}'):
            with self.assertRaises(ContractError) as caught:
                edited(raw, [read_setting("limit=1")], "cti_queue_dialer_task@fs1")
            self.assertEqual(caught.exception.faults[0].key, "cti_queue_dialer_task@fs1")

    @settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(DOCUMENTS, NAMES, VALUES)
    def test_only_that_key_is_another(self, document: Any, name: str, value: Any) -> None:
        raw = msgspec.json.encode(document)
        setting = Setting(("params", name), msgspec.json.encode(value))
        found = msgspec.json.decode(edited(raw, [setting]))
        expected = {**document, "params": {**document["params"], name: value}}
        self.assertEqual(found, expected)
        stands = standing(edited(raw, [setting]), setting.path)
        assert stands is not None
        self.assertEqual(msgspec.json.decode(stands), value)

    @settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(DOCUMENTS, st.lists(NAMES | st.just("0"), min_size=1, max_size=4), st.booleans())
    def test_any_path_is_taken_or_refused(self, document: Any, names: Any, removes: bool) -> None:
        raw = msgspec.json.encode(document)
        setting = Setting(("params", *names), None if removes else b"7")
        try:
            found = edited(raw, [setting])
        except NotEditable:
            return
        if not removes:
            self.assertEqual(standing(found, setting.path), b"7")
        self.assertEqual(json.loads(found)["extra"], document["extra"])


class ToldTests(SynchronousTestCase):
    def test_what_the_log_says(self) -> None:
        def told(name: str, before: bytes | None, now: bytes | None) -> str:
            return Edit(Setting(path_of(name), now), "k", before, now).told()

        self.assertEqual(told("limit", b"5", b"20"), "limit 5 -> 20")
        self.assertEqual(told("cps", None, b"1.5"), "cps (not set) -> 1.5")
        self.assertEqual(told("cps", b"1.5", None), "cps 1.5 -> (not set)")
        secret = told("variables.sip_auth_password", b'"old"', b'"new"')
        self.assertEqual(secret, "variables.sip_auth_password *** -> ***")
        self.assertLess(len(told("remark", b"9" * 10_000, b"1" * 10_000)), 300)
