from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.notice import TABLES, ConfigChange, decode_notice
from tests.contract.documents import as_json


def notice(**changed: object) -> ConfigChange | None:
    return decode_notice(as_json({"type": "config_change", "table": "cti_line", **changed}))


class NoticeTests(SynchronousTestCase):
    def test_a_field_changed(self) -> None:
        for table in TABLES:
            self.assertEqual(notice(table=table, key="催收"), ConfigChange(table, "催收"))

    def test_a_table_changed(self) -> None:
        self.assertEqual(notice(), ConfigChange("cti_line", None))
        self.assertEqual(notice(key=None), ConfigChange("cti_line", None))
        self.assertEqual(notice(key=""), ConfigChange("cti_line", None))

    def test_a_key_that_is_a_number(self) -> None:
        self.assertEqual(notice(key=7), ConfigChange("cti_line", "7"))

    def test_a_table_with_its_suffix(self) -> None:
        self.assertEqual(
            notice(table="cti_queue_dialer_task@template", key="a"),
            ConfigChange("cti_queue_dialer_task", "a"),
        )

    def test_rubbish(self) -> None:
        for raw in (b"", b"hello", b"{", b"[]", b"null", b'"config_change"', b"\xff", b"[" * 9999):
            self.assertIsNone(decode_notice(raw), raw[:20])
        rubbish: list[dict[str, object]] = [
            {"type": "reload"},
            {"type": None},
            {"type": ["config_change"]},
            {"table": "cti_agents"},
            {"table": None},
            {"table": ["cti_line"]},
            {"table": ""},
            {"key": []},
            {"key": {"a": 1}},
            {"key": True},
            {"key": 1.5},
        ]
        for changed in rubbish:
            self.assertIsNone(notice(**changed), changed)

    @given(st.binary())
    def test_any_bytes(self, raw: bytes) -> None:
        self.assertIsNone(decode_notice(raw))
