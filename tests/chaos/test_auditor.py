"""The audit finds each way in which a number can be lost or called twice."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from chaos.auditor import Evidence, Findings, Moment, Unknown, Written, examine
from chaos.callees import Callees
from chaos.permission import Rules
from ctidialer.contract.record import AttemptRecord, Kind, Outcome, Record
from ctidialer.switchsim.calllog import AnswerLine, CallLog, EndLine, OriginateLine


def originate(uuid: str, number: str, at: float) -> OriginateLine:
    return OriginateLine(at, 0, "", uuid_asked=uuid, uuid=uuid, number=number)


def end(uuid: str, number: str, at: float, answered: bool) -> EndLine:
    cause = "NORMAL_CLEARING" if answered else "USER_BUSY"
    return EndLine(at, 0, uuid, number, answered, cause)


def never_left(uuid: str, number: str, at: float, call: int) -> tuple[OriginateLine, EndLine]:
    """Return what the switch logs of a call for which it makes no channel."""
    return (
        OriginateLine(at, call, "", uuid_asked=uuid, uuid=uuid, number=number),
        EndLine(at, call, uuid, number, False, "GATEWAY_DOWN"),
    )


def record(number: str, outcome: Outcome, *uuids: str, at: float = 20.0) -> Written:
    answered_at = 12.0 if outcome is Outcome.ANSWERED else None
    attempts = tuple(
        AttemptRecord(uuid, "a", "main", 10.0, answered_at=answered_at) for uuid in uuids
    )
    document = Record(
        id=f"id-{number}",
        kind=Kind.QUEUE,
        task="t",
        number=number,
        entry=number.encode(),
        outcome=outcome,
        taken_at=9.0,
        ended_at=at,
        host="fs1",
        attempts=attempts,
    )
    return Written(document, at)


CLEAN = Evidence(
    entries=(b"1", b"2", b"3"),
    left=(b"3",),
    in_flight=0,
    records=(record("1", Outcome.ANSWERED, "a"), record("2", Outcome.BUSY, "b", "c")),
    cdr_ids=("id-1", "id-2"),
    log=CallLog(
        originates=(
            originate("a", "1", 10.0),
            originate("b", "2", 10.0),
            originate("c", "2", 14.0),
        ),
        ends=(end("a", "1", 15.0, True), end("b", "2", 12.0, False), end("c", "2", 16.0, False)),
    ),
    moments=(),
    most_calls=2,
    rules=Rules(Callees(0.0), {}),
)
"""Number 1 answered, 2 was busy twice, 3 still waits."""


class AuditorTests(SynchronousTestCase):
    def examined(self, **changes: Any) -> Findings:
        return examine(evolve(CLEAN, **changes))

    def assert_found(self, sentence: str, **changes: Any) -> None:
        found = self.examined(**changes).faults
        self.assertIn(sentence, " | ".join(found))

    def with_unknown(self, **changes: Any) -> Evidence:
        """Return the evidence of number 1 having gone lost in a fault at 11 s."""
        unknown = record("1", Outcome.UNKNOWN, "a")
        moments = (Moment(11.0, frozenset({"a"})),)
        ends = tuple(line for line in CLEAN.log.ends if line.uuid != "a")
        log = evolve(CLEAN.log, ends=ends)
        records = (unknown, CLEAN.records[1])
        return evolve(CLEAN, **{"records": records, "moments": moments, "log": log, **changes})

    def test_clean_evidence_is_clean(self) -> None:
        found = self.examined()
        self.assertEqual(found.faults, ())
        self.assertEqual((found.left, found.calls, found.redials), (1, 3, 1))

    def test_an_entry_without_a_record(self) -> None:
        self.assert_found("'2': 1 without a record", records=CLEAN.records[:1], cdr_ids=["id-1"])

    def test_two_records_of_one_entry(self) -> None:
        twice = (*CLEAN.records, CLEAN.records[0])
        self.assert_found("'1': 1 records too many", records=twice)
        self.assert_found("entry id-1 has 2 records", records=twice)

    def test_a_record_of_what_still_waits(self) -> None:
        self.assert_found("'1': 1 records too many", left=(b"1", b"3"))

    def test_what_is_left_more_often_than_it_was_put_in(self) -> None:
        self.assert_found("more often than it was put in", left=(b"3", b"3"))

    def test_an_entry_in_nobodys_hands(self) -> None:
        self.assert_found("1 entries are in flight", in_flight=1)

    def test_the_list_lacks_a_record(self) -> None:
        self.assert_found("id-2 is in the stream, not in the list", cdr_ids=["id-1"])

    def test_a_call_that_stands_in_no_record(self) -> None:
        log = evolve(CLEAN.log, originates=(*CLEAN.log.originates, originate("x", "9", 11.0)))
        self.assert_found("call x stands in no record", log=log)

    def test_a_call_that_was_never_placed(self) -> None:
        log = evolve(CLEAN.log, originates=CLEAN.log.originates[1:])
        self.assert_found("the switch was never asked for call a", log=log)

    def test_a_call_placed_twice(self) -> None:
        log = evolve(CLEAN.log, originates=(*CLEAN.log.originates, CLEAN.log.originates[0]))
        self.assert_found("call a was placed 2 times", log=log)

    def test_a_redial_while_the_call_before_was_up(self) -> None:
        ends = (CLEAN.log.ends[0], end("b", "2", 15.0, False), CLEAN.log.ends[2])
        self.assert_found("while the call before was up", log=evolve(CLEAN.log, ends=ends))

    def test_a_redial_after_an_answer(self) -> None:
        ends = (CLEAN.log.ends[0], end("b", "2", 12.0, True), CLEAN.log.ends[2])
        self.assert_found("although it had answered", log=evolve(CLEAN.log, ends=ends))

    def test_a_redial_after_a_call_of_which_nothing_is_known(self) -> None:
        ends = (CLEAN.log.ends[0], CLEAN.log.ends[2])
        self.assert_found("nobody knows how the call before", log=evolve(CLEAN.log, ends=ends))

    def test_more_calls_than_the_rules_allow(self) -> None:
        self.assert_found("2 was dialed 2 times", most_calls=1)

    def test_a_call_after_the_record(self) -> None:
        early = (record("1", Outcome.ANSWERED, "a", at=9.5), CLEAN.records[1])
        self.assert_found("1 was dialed 0.500 s after its record (answered)", records=early)

    def test_an_outcome_that_the_switch_denies(self) -> None:
        wrong = (record("1", Outcome.BUSY, "a"), CLEAN.records[1])
        self.assert_found("1 answered, and is recorded as busy", records=wrong)
        wrong = (CLEAN.records[0], record("2", Outcome.ANSWERED, "b", "c"))
        self.assert_found("call b of 2 is recorded as answered, and was not", records=wrong)

    def test_unknown_after_a_fault_is_accepted_and_counted(self) -> None:
        found = examine(self.with_unknown())
        self.assertEqual(found.faults, ())
        self.assertEqual(found.unknown, Unknown(forgotten=1))
        self.assertEqual(found.noted, 1)

    def test_unknown_because_it_never_reached_the_switch(self) -> None:
        log = evolve(CLEAN.log, originates=CLEAN.log.originates[1:], ends=CLEAN.log.ends[1:])
        found = examine(self.with_unknown(log=log))
        self.assertEqual(found.faults, ())
        self.assertEqual(found.unknown, Unknown(never_there=1))

    def test_unknown_because_its_end_was_not_heard(self) -> None:
        found = examine(self.with_unknown(log=CLEAN.log))
        self.assertEqual(found.faults, ())
        self.assertEqual(found.unknown, Unknown(unheard=1))

    def with_void(self, uuid: str, number: str) -> CallLog:
        """Return the log with one more originate that made no channel."""
        asked, ended = never_left(uuid, number, 9.5, 77)
        log = CLEAN.log
        return evolve(log, originates=(asked, *log.originates), ends=(ended, *log.ends))

    def test_what_never_left_is_no_call(self) -> None:
        """The number went back, and was dialed later, even under the UUID that it asks for."""
        for uuid in ("v", "a"):
            self.assertEqual(self.examined(log=self.with_void(uuid, "1")).faults, (), uuid)

    def test_what_never_left_may_stand_among_the_attempts(self) -> None:
        records = (record("1", Outcome.ANSWERED, "v", "a"), CLEAN.records[1])
        self.assertEqual(self.examined(log=self.with_void("v", "1"), records=records).faults, ())

    def test_a_number_that_ended_by_a_call_that_never_left(self) -> None:
        records = (record("1", Outcome.FAILED, "v"), CLEAN.records[1])
        log = self.with_void("v", "1")
        log = evolve(log, originates=tuple(line for line in log.originates if line.uuid != "a"))
        self.assert_found("1 ended as failed by a call that never left", log=log, records=records)

    def test_a_refusal_is_no_verdict(self) -> None:
        refused = OriginateLine(9.5, 78, "", uuid_asked="v", uuid="", number="1")
        log = evolve(CLEAN.log, originates=(refused, *CLEAN.log.originates))
        self.assertEqual(self.examined(log=log).faults, ())
        records = (record("1", Outcome.FAILED, "v"), CLEAN.records[1])
        self.assert_found("1 ended as failed by a call that never left", log=log, records=records)

    def test_a_number_that_ended_without_any_call(self) -> None:
        records = (record("1", Outcome.FAILED), CLEAN.records[1])
        self.assert_found("1 ended as failed without a call", records=records)

    def test_unknown_though_it_had_answered(self) -> None:
        for moment, is_found in ((10.4, True), (10.8, False)):
            log = evolve(CLEAN.log, answers=(AnswerLine(moment, 0, "a"),))
            said = " ".join(examine(self.with_unknown(log=log)).faults)
            self.assertEqual("though it had answered" in said, is_found, said)

    def test_unknown_without_a_fault(self) -> None:
        found = examine(self.with_unknown(moments=()))
        self.assertIn("was not being dialed at any fault", " ".join(found.faults))
        self.assertIn("more numbers are unknown than", " ".join(found.faults))

    def test_unknown_although_the_call_had_ended_before_the_fault(self) -> None:
        ends = (end("a", "1", 10.2, True), *CLEAN.log.ends[1:])
        evidence = self.with_unknown(log=evolve(CLEAN.log, ends=ends))
        self.assertIn("ended before any fault", " ".join(examine(evidence).faults))
        self.assertEqual(examine(evolve(evidence, silent="1")).faults, ())
