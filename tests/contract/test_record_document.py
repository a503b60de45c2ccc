from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.faults import ContractError
from ctidialer.contract.record import AttemptRecord, Kind, Outcome, Record
from ctidialer.contract.record_document import decode_record, encode_record
from tests.contract.documents import faults_of, paths_of

BUSY = AttemptRecord(
    uuid="u1",
    line="移动",
    line_group="主",
    dialed_at=1000.0,
    ended_at=1005.0,
    hangup_cause="USER_BUSY",
    sip_code=486,
)
ANSWERED = AttemptRecord(
    uuid="u2",
    line=None,
    line_group="备用",
    dialed_at=1006.0,
    progress_at=1007.5,
    answered_at=1010.25,
    ended_at=1070.5,
    hangup_cause="NORMAL_CLEARING",
    sip_code=200,
    bridged_at=1012.25,
)
RECORD = Record(
    id="r1",
    kind=Kind.QUEUE,
    task="催收",
    number="13800138000",
    entry=b"13800138000",
    outcome=Outcome.ANSWERED,
    taken_at=999.5,
    ended_at=1070.5,
    host="fs1",
    attempts=(BUSY, ANSWERED),
    requested_uuid="mine",
    reason="",
    agent="1001@default",
    variables={"customer": "42", "billsec": 60.0},
    abandoned=True,
)


def written(record: Record) -> dict[str, Any]:
    found = json.loads(encode_record(record))
    assert isinstance(found, dict)
    return found


class EncodingTests(SynchronousTestCase):
    def test_every_field(self) -> None:
        self.assertEqual(
            written(RECORD),
            {
                "id": "r1",
                "entry_id": "r1",
                "try": 1,
                "final": True,
                "next_at": None,
                "uuid": "u2",
                "requested_uuid": "mine",
                "kind": "queue",
                "task": "催收",
                "number": "13800138000",
                "entry": "13800138000",
                "outcome": "answered",
                "answered": True,
                "hangup_cause": "NORMAL_CLEARING",
                "q850": 16,
                "sip_code": 200,
                "line": None,
                "line_group": "备用",
                "attempts": [
                    {
                        "uuid": "u1",
                        "line": "移动",
                        "line_group": "主",
                        "dialed_at": 1000.0,
                        "progress_at": None,
                        "answered_at": None,
                        "ended_at": 1005.0,
                        "hangup_cause": "USER_BUSY",
                        "sip_code": 486,
                        "bridged_at": None,
                        "ring_seconds": 5.0,
                    },
                    {
                        "uuid": "u2",
                        "line": None,
                        "line_group": "备用",
                        "dialed_at": 1006.0,
                        "progress_at": 1007.5,
                        "answered_at": 1010.25,
                        "ended_at": 1070.5,
                        "hangup_cause": "NORMAL_CLEARING",
                        "sip_code": 200,
                        "bridged_at": 1012.25,
                        "ring_seconds": 2.75,
                    },
                ],
                "taken_at": 999.5,
                "ended_at": 1070.5,
                "bill_seconds": 60.25,
                "connect_seconds": 2.0,
                "talk_seconds": 58.25,
                "agent": "1001@default",
                "variables": {"customer": "42", "billsec": 60.0},
                "abandoned": True,
                "host": "fs1",
                "reason": "",
                "version": 1,
            },
        )

    def test_a_later_version_is_read_as_far_as_it_goes(self) -> None:
        document = {**written(RECORD), "version": 2, "new": {"a": 1}}
        self.assertEqual(decode_record(json.dumps(document).encode()), RECORD)

    def test_a_scheduled_number_names_its_config(self) -> None:
        found = written(replace(RECORD, kind=Kind.SCHEDULE))
        self.assertEqual((found["kind"], found["config"]), ("schedule", "催收"))
        self.assertNotIn("task", found)

    def test_a_number_that_was_never_dialed(self) -> None:
        found = written(replace(RECORD, attempts=(), outcome=Outcome.INVALID, number=None))
        for key in ("uuid", "number", "hangup_cause", "q850", "sip_code", "line", "line_group"):
            self.assertIsNone(found[key], key)
        self.assertEqual((found["answered"], found["bill_seconds"]), (False, 0.0))
        self.assertEqual(found["attempts"], [])

    def test_the_last_attempt_decides(self) -> None:
        found = written(replace(RECORD, attempts=(ANSWERED, BUSY), outcome=Outcome.BUSY))
        self.assertEqual(
            (found["answered"], found["q850"], found["sip_code"], found["bill_seconds"]),
            (False, 17, 486, 0.0),
        )

    def test_an_answered_call_whose_end_is_not_known(self) -> None:
        lost = replace(ANSWERED, ended_at=None, hangup_cause=None)
        found = written(replace(RECORD, attempts=(lost,), outcome=Outcome.UNKNOWN))
        self.assertEqual(
            (found["answered"], found["bill_seconds"], found["q850"]), (True, None, None)
        )

    def test_a_clock_set_back(self) -> None:
        backwards = replace(ANSWERED, ended_at=1.0)
        self.assertEqual(written(replace(RECORD, attempts=(backwards,)))["bill_seconds"], 0.0)

    def test_times_have_microseconds(self) -> None:
        found = written(replace(RECORD, taken_at=1700000000.1234567))
        self.assertEqual(found["taken_at"], 1700000000.123457)
        for moment in (0.0, 1700000000.0000005, 3999999999.999999, -1.5, 4e9 + 0.25, 1e308):
            found = written(replace(RECORD, ended_at=moment))
            self.assertLess(abs(found["ended_at"] - moment), 0.76e-6)
            self.assertEqual(found["ended_at"], round(found["ended_at"], 6))

    def test_an_entry_in_utf8_is_as_it_was(self) -> None:
        for entry in ("中文", "\0\n\x1b", '{"a":"\\u4e2d"}', ""):
            found = written(replace(RECORD, entry=entry.encode()))
            self.assertEqual(found["entry"], entry)
            self.assertNotIn("entry_base64", found)

    def test_an_entry_that_is_no_utf8(self) -> None:
        found = written(replace(RECORD, entry=b"138\xff\x80"))
        self.assertEqual(found["entry"], "138\\xff\\x80")
        self.assertEqual(base64.b64decode(found["entry_base64"]), b"138\xff\x80")

    def test_text_that_is_no_unicode(self) -> None:
        cause = replace(BUSY, hangup_cause="X\udcff")
        found = written(replace(RECORD, reason="\ud800", attempts=(cause,)))
        self.assertEqual((found["reason"], found["hangup_cause"]), ("\\ud800", "X\\udcff"))

    def test_a_try_that_another_one_follows(self) -> None:
        again = replace(RECORD, entry_id="r0", try_number=2, is_final=False, next_at=2000.5)
        found = written(again)
        self.assertEqual(
            (found["entry_id"], found["try"], found["final"], found["next_at"]),
            ("r0", 2, False, 2000.5),
        )
        self.assertEqual((RECORD.first_id, again.first_id), ("r1", "r0"))

    def test_it_is_one_line(self) -> None:
        self.assertNotIn(b"\n", encode_record(replace(RECORD, reason="a\nb")))


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
MOMENTS = st.integers(0, 4_000_000_000_000_000).map(lambda us: round(us / 1e6, 6))
ATTEMPTS = st.builds(
    AttemptRecord,
    uuid=TEXT,
    line=st.none() | TEXT,
    line_group=TEXT,
    dialed_at=MOMENTS,
    progress_at=st.none() | MOMENTS,
    answered_at=st.none() | MOMENTS,
    ended_at=st.none() | MOMENTS,
    hangup_cause=st.none() | TEXT,
    sip_code=st.none() | st.integers(100, 699),
)
RECORDS = st.builds(
    Record,
    id=TEXT,
    kind=st.sampled_from(Kind),
    task=st.none() | TEXT,
    number=st.none() | TEXT,
    entry=st.binary() | TEXT.map(str.encode),
    outcome=st.sampled_from(Outcome),
    taken_at=MOMENTS,
    ended_at=MOMENTS,
    host=TEXT,
    attempts=st.lists(ATTEMPTS, max_size=3).map(tuple),
    requested_uuid=st.none() | TEXT,
    reason=TEXT,
    try_number=st.integers(1, 99),
    is_final=st.booleans(),
    next_at=st.none() | MOMENTS,
)


class DecodingTests(SynchronousTestCase):
    @settings(deadline=None)
    @given(RECORDS)
    def test_what_was_written_is_read(self, record: Record) -> None:
        self.assertEqual(decode_record(encode_record(record)), record)

    @settings(deadline=None)
    @given(st.binary())
    def test_any_bytes(self, raw: bytes) -> None:
        with self.assertRaises(ContractError):
            decode_record(raw)

    def test_faults(self) -> None:
        whole = written(RECORD)
        table: list[tuple[dict[str, object], str]] = [
            ({"kind": "other"}, "$.kind"),
            ({"outcome": 7}, "$.outcome"),
            ({"taken_at": "now"}, "$.taken_at"),
            ({"attempts": [{"uuid": 1}]}, "$.attempts[0].uuid"),
            ({"entry_base64": "中"}, "$.entry_base64"),
            ({"entry_base64": "a"}, "$.entry_base64"),
        ]
        for changed, path in table:
            raw = json.dumps({**whole, **changed}).encode()
            self.assertEqual(paths_of(decode_record, raw), [path], changed)

    def test_what_a_fault_quotes_is_short_and_can_be_shown(self) -> None:
        for kind in ("x" * 10_000, "\x1b[2J\n"):
            raw = json.dumps({**written(RECORD), "kind": kind}).encode()
            (fault,) = faults_of(decode_record, raw)
            self.assertEqual(fault.path, "$.kind")
            self.assertTrue(fault.problem.isprintable(), fault.problem)
            self.assertLess(len(fault.problem), 200)

    def test_rubbish(self) -> None:
        for raw in (b"", b"{}", b"[]", b"\xff", b'{"id":"\xff"}', b'{"x":' * 100_000):
            self.assertEqual(len(faults_of(decode_record, raw)), 1)

    def test_a_record_of_before_the_retries_is_the_only_one_of_its_number(self) -> None:
        old = written(RECORD)
        for key in ("entry_id", "try", "final", "next_at"):
            del old[key]
        found = decode_record(json.dumps(old).encode())
        self.assertEqual(found, RECORD)
        self.assertEqual(
            (found.first_id, found.try_number, found.is_final, found.next_at), ("r1", 1, True, None)
        )

    def test_keys_of_a_later_version_are_passed_over(self) -> None:
        raw = json.dumps({**written(RECORD), "new": [1, {}]}).encode()
        self.assertEqual(decode_record(raw), RECORD)
