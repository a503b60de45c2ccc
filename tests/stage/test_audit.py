"""The audit of a campaign: each kind of fault, and none where there is none."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import AttemptRecord, Kind, Outcome, Record
from ctidialer.stage.audit import audit, audit_channels


def attempt(uuid: str, **more: Any) -> AttemptRecord:
    return AttemptRecord(uuid, "gw1", "main", 1.0, **more)


def record(entry: str, *uuids: str, outcome: Outcome = Outcome.BUSY) -> Record:
    return Record(
        id=f"id-{entry}",
        kind=Kind.QUEUE,
        task="t",
        number=entry,
        entry=entry.encode(),
        outcome=outcome,
        taken_at=1.0,
        ended_at=2.0,
        host="fs1",
        attempts=tuple(attempt(uuid) for uuid in uuids),
    )


GOOD = [record("1", "a"), record("2", "b", "c", outcome=Outcome.ANSWERED), record("3")]
ENTRIES = [b"1", b"2", b"3"]
DIALED = ["a", "b", "c"]


class AuditTests(SynchronousTestCase):
    def fault(self, entries: list[bytes], records: list[Record], dialed: list[str] | None) -> str:
        (fault,) = audit(entries, records, dialed).faults
        return fault

    def test_what_agrees_has_no_fault(self) -> None:
        found = audit(ENTRIES, GOOD, DIALED)
        self.assertEqual(found.faults, ())
        self.assertEqual(found.outcomes, {Outcome.BUSY: 2, Outcome.ANSWERED: 1})
        self.assertEqual(found.attempts, 3)

    def test_the_order_does_not_matter(self) -> None:
        self.assertEqual(audit(ENTRIES[::-1], GOOD, DIALED[::-1]).faults, ())

    def test_a_number_without_a_record(self) -> None:
        self.assertEqual(self.fault([*ENTRIES, b"4"], GOOD, DIALED), "'4': 1 without a record")

    def test_a_number_that_was_put_in_twice_needs_two_records(self) -> None:
        self.assertEqual(self.fault([*ENTRIES, b"3"], GOOD, DIALED), "'3': 1 without a record")
        self.assertEqual(audit([*ENTRIES, b"3"], [*GOOD, GOOD[2]], DIALED).faults, ())

    def test_a_record_too_many(self) -> None:
        self.assertEqual(self.fault(ENTRIES, [*GOOD, GOOD[2]], DIALED), "'3': 1 records too many")

    def test_a_record_of_nobodys_number(self) -> None:
        records = [*GOOD, record("9")]
        self.assertEqual(self.fault(ENTRIES, records, DIALED), "'9': 1 records too many")

    def test_a_call_that_stands_in_no_record(self) -> None:
        self.assertEqual(self.fault(ENTRIES, GOOD, [*DIALED, "d"]), "call d stands in no record")

    def test_a_call_that_was_never_placed(self) -> None:
        self.assertEqual(
            self.fault(ENTRIES, GOOD, DIALED[1:]), "the switch was never asked for call a"
        )

    def test_a_call_that_was_placed_twice(self) -> None:
        self.assertIn("asked for 2 times", self.fault(ENTRIES, GOOD, [*DIALED, "a"]))

    def test_a_call_that_stands_in_two_records(self) -> None:
        records = [GOOD[0], GOOD[1], record("3", "a")]
        self.assertIn("in the records 2 times", self.fault(ENTRIES, records, DIALED))

    def test_without_a_log_only_the_numbers_are_compared(self) -> None:
        self.assertEqual(audit(ENTRIES, GOOD, None).faults, ())
        self.assertEqual(len(audit(ENTRIES, GOOD[1:], None).faults), 1)

    def test_entries_are_shown_plainly_and_cut(self) -> None:
        fault = self.fault([b"\x1b[2J\xff" + b"9" * 1000], [], None)
        self.assertTrue(fault.isascii() and fault.isprintable(), fault)
        self.assertLess(len(fault), 120)

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.integers(0, 4)), st.lists(st.integers(0, 4)))
    def test_no_fault_means_the_same_numbers(self, put_in: list[int], recorded: list[int]) -> None:
        entries = [str(number).encode() for number in put_in]
        records = [record(str(number)) for number in recorded]
        faults = audit(entries, records, []).faults
        self.assertEqual(not faults, Counter(put_in) == Counter(recorded))


class ChannelTests(SynchronousTestCase):
    """What a real switch was seen to make."""

    def test_an_attempt_need_not_make_a_channel(self) -> None:
        self.assertEqual(audit_channels(GOOD, Counter({"a": 1})), ())

    def test_each_fault(self) -> None:
        talked = replace(GOOD[0], attempts=(attempt("a", answered_at=1.5),))
        self.assertEqual(
            audit_channels([talked], Counter({"a": 2, "x": 1})),
            ("call x stands in no record", "call a was made 2 times"),
        )
        self.assertEqual(
            audit_channels([talked], Counter()), ("call a was answered, but never made",)
        )
