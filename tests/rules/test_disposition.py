"""The outcome table of docs/redis-contract.rst."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import Outcome
from ctidialer.rules.disposition import outcome

# cause, SIP status, outcome: what FreeSWITCH gives and what docs/redis-contract.rst makes of it.
TABLE: tuple[tuple[str | None, int | None, Outcome], ...] = (
    ("USER_BUSY", 486, Outcome.BUSY),
    ("USER_BUSY", 600, Outcome.BUSY),
    ("USER_BUSY", None, Outcome.BUSY),
    ("NO_ANSWER", None, Outcome.NO_ANSWER),
    ("NO_USER_RESPONSE", 480, Outcome.NO_ANSWER),
    ("SUBSCRIBER_ABSENT", None, Outcome.NO_ANSWER),
    ("ALLOTTED_TIMEOUT", None, Outcome.NO_ANSWER),
    ("PROGRESS_TIMEOUT", None, Outcome.NO_ANSWER),
    ("ORIGINATOR_CANCEL", 487, Outcome.NO_ANSWER),
    ("RECOVERY_ON_TIMER_EXPIRE", 408, Outcome.NO_ANSWER),
    ("NORMAL_TEMPORARY_FAILURE", 408, Outcome.NO_ANSWER),
    ("CALL_REJECTED", 402, Outcome.REJECTED),
    ("CALL_REJECTED", 403, Outcome.REJECTED),
    ("CALL_REJECTED", 603, Outcome.REJECTED),
    ("CALL_REJECTED", 608, Outcome.REJECTED),
    ("UNWANTED", 607, Outcome.REJECTED),
    ("UNALLOCATED_NUMBER", 404, Outcome.UNALLOCATED),
    ("NO_ROUTE_DESTINATION", 604, Outcome.UNALLOCATED),
    ("INVALID_NUMBER_FORMAT", 484, Outcome.UNALLOCATED),
    ("NUMBER_CHANGED", 410, Outcome.UNALLOCATED),
    ("RECOVERY_ON_TIMER_EXPIRE", 504, Outcome.FAILED),
    ("RECOVERY_ON_TIMER_EXPIRE", None, Outcome.FAILED),
    ("NORMAL_TEMPORARY_FAILURE", 503, Outcome.FAILED),
    ("NETWORK_OUT_OF_ORDER", 502, Outcome.FAILED),
    ("INCOMPATIBLE_DESTINATION", 488, Outcome.FAILED),
    ("GATEWAY_DOWN", None, Outcome.FAILED),
    ("DESTINATION_OUT_OF_ORDER", None, Outcome.FAILED),
    ("NORMAL_CLEARING", None, Outcome.FAILED),
    ("", None, Outcome.FAILED),
    (None, None, Outcome.FAILED),
)


class OutcomeTests(SynchronousTestCase):
    def test_the_table(self) -> None:
        for cause, sip_code, expected in TABLE:
            got = outcome(answered=False, cause=cause, sip_code=sip_code)
            self.assertIs(got, expected, f"{cause} {sip_code}")

    def test_an_answer_decides_whatever_came_after(self) -> None:
        for cause, sip_code, _ in TABLE:
            self.assertIs(outcome(answered=True, cause=cause, sip_code=sip_code), Outcome.ANSWERED)

    def test_a_reason_header_overrides_the_status(self) -> None:
        # Recorded: 480 with Q.850 cause 17 in its Reason header.
        self.assertIs(outcome(answered=False, cause="USER_BUSY", sip_code=480), Outcome.BUSY)

    def test_without_a_cause_the_status_stands_for_it(self) -> None:
        for cause, sip_code, _ in TABLE:
            if cause and sip_code and sip_code != 408:
                self.assertIs(
                    outcome(answered=False, cause=None, sip_code=sip_code),
                    outcome(answered=False, cause=cause, sip_code=None),
                    str(sip_code),
                )
