"""The audit finds abandoned calls that the hosts have not counted together, or counted twice."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from twisted.trial.unittest import SynchronousTestCase

from chaos.abandoned_audit import AbandonedFindings, Ledger, examine_abandoned
from ctidialer.switchsim.calllog import AnswerLine, CallLog, EndLine

LEFT, BRIDGED, LATE, SOON, CLOSE, OTHER = "left", "bridged", "late", "soon", "close", "other"
ANSWERED = 10.0
LOG = CallLog(
    answers=tuple(
        AnswerLine(ANSWERED, 1, uuid) for uuid in (LEFT, BRIDGED, LATE, SOON, CLOSE, OTHER)
    ),
    ends=tuple(
        EndLine(end, 1, uuid, "", True, "NORMAL_CLEARING")
        for uuid, end in [(LEFT, 14.0), (BRIDGED, 15.0), (LATE, 15.0), (SOON, 11.0), (CLOSE, 12.1)]
    ),
)
CONNECTED = {BRIDGED: 10.5, LATE: 13.0}
"""Abandoned are the one who left after 4 s, and the one whom an agent took after 3 s."""


class AbandonedTests(SynchronousTestCase):
    def examined(
        self,
        *ledgers: Ledger,
        doubtful: Collection[str] = (),
        bridged: Mapping[str, float] = CONNECTED,
    ) -> AbandonedFindings:
        calls = {LEFT, BRIDGED, LATE, SOON, CLOSE}
        return examine_abandoned(LOG, calls, bridged, doubtful, ledgers)

    def test_two_hosts_have_counted_them_together(self) -> None:
        found = self.examined(Ledger(2, 1), Ledger(1, 1))
        self.assertEqual(found, AbandonedFindings(5, 2, 1, Ledger(3, 2)))

    def test_one_too_few_and_one_too_many(self) -> None:
        for counted in (1, 4):
            said = " ".join(self.examined(Ledger(4, counted)).faults)
            self.assertIn(f"have counted {counted} abandoned calls together", said)
            self.assertIn("there were 2, and perhaps 1 more", said)

    def test_what_was_noted_at_a_fault_may_have_been_counted_or_not(self) -> None:
        for counted in (1, 2, 3):
            self.assertEqual(self.examined(Ledger(3, counted), doubtful={LEFT}).faults, ())

    def test_more_answers_than_there_were(self) -> None:
        said = " ".join(self.examined(Ledger(6, 2)).faults)
        self.assertIn("the hosts have counted 6 answers, of 5", said)

    def test_a_callee_whom_nobody_took(self) -> None:
        self.assertEqual(self.examined(Ledger(3, 3), bridged={}).surely, 3)
