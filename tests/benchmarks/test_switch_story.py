"""What FreeSWITCH said of a call is held against its record, and what is wrong is seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.switch_story import (
    Line,
    Service,
    Story,
    disagreements,
    read_lines,
    services,
    stories,
    use,
)
from benchmarks.switch_witness import line_of
from ctidialer.contract.record import AttemptRecord, Kind, Outcome, Record

HOST, CALL, LEG, QUEUE = "bench", "c1", "agent-leg", "sales@default"
CREATED: Line = {"name": "CHANNEL_CREATE", "at": 100.0, "uuid": CALL, "host": HOST}
ANSWERED: Line = {"name": "CHANNEL_ANSWER", "at": 110.0, "uuid": CALL}
STARTS: Line = {
    "name": "CUSTOM",
    "at": 110.2,
    "action": "bridge-agent-start",
    "agent": "a1",
    "member": CALL,
    "queue": QUEUE,
}
BRIDGED: Line = {
    "name": "CHANNEL_BRIDGE",
    "at": 110.2,
    "uuid": LEG,
    "a_leg": LEG,
    "b_leg": CALL,
}
ENDED: Line = {
    "name": "CHANNEL_HANGUP_COMPLETE",
    "at": 140.0,
    "uuid": CALL,
    "cause": "NORMAL_CLEARING",
    "disposition": "send_bye",
}
LET_GO: Line = {
    "name": "CUSTOM",
    "at": 140.1,
    "action": "bridge-agent-end",
    "agent": "a1",
    "member": CALL,
    "queue": QUEUE,
}
SERVED: Line = {"name": "CUSTOM", "at": 140.1, "action": "member-queue-end", "member": CALL}
SERVED["queue_cause"] = "Terminated"
LEFT: Line = {**SERVED, "queue_cause": "Cancel"}
REACHED = (CREATED, ANSWERED, STARTS, BRIDGED, ENDED, LET_GO, SERVED)

ATTEMPT = AttemptRecord(
    CALL, "l", "g", 100.0, None, 110.0, 140.0, "NORMAL_CLEARING", bridged_at=110.2
)
RECORD = Record(
    "id", Kind.QUEUE, "t", "1", b"1", Outcome.ANSWERED, 99.0, 140.0, HOST, (ATTEMPT,), agent="a1"
)


def record(*, abandoned: bool = False, agent: str | None = "a1", **attempt: Any) -> Record:
    return replace(
        RECORD, attempts=(replace(ATTEMPT, **attempt),), abandoned=abandoned, agent=agent
    )


class DisagreementTests(SynchronousTestCase):
    def differ(self, *records: Record, lines: tuple[Line, ...] = REACHED) -> list[str]:
        return disagreements(records, stories(lines, HOST))

    def test_none(self) -> None:
        self.assertEqual(self.differ(RECORD), [])

    def test_a_call_without_a_record(self) -> None:
        self.assertEqual(self.differ(), [f"{CALL}: no record of it"])

    def test_a_record_without_a_call(self) -> None:
        self.assertIn("knows of no such call", self.differ(RECORD, record(uuid="c2"))[0])

    def test_a_call_in_two_records(self) -> None:
        self.assertEqual(self.differ(RECORD, RECORD), [f"{CALL}: 2 attempts in the records"])

    def test_a_call_that_was_placed_twice(self) -> None:
        self.assertIn("created 2 times", self.differ(RECORD, lines=(CREATED, *REACHED))[0])

    def test_each_field(self) -> None:
        wrong = {
            "answered_at": record(answered_at=109.0),
            "bridged_at": record(bridged_at=None),
            "ended_at": record(ended_at=141.0),
            "cause": record(hangup_cause="USER_BUSY"),
            "agent": record(agent="a2"),
            "abandoned": record(abandoned=True),
        }
        for field, one in wrong.items():
            (found,) = self.differ(one)
            self.assertIn(f"{field} ", found)

    def test_an_abandoned_call(self) -> None:
        lines = (CREATED, ANSWERED, ENDED, LEFT)
        left = record(abandoned=True, agent=None, bridged_at=None)
        self.assertEqual(self.differ(left, lines=lines), [])
        (found,) = self.differ(replace(left, abandoned=False), lines=lines)
        self.assertIn("waited 30.0 s", found)
        (found,) = self.differ(left, lines=(*lines[:3], SERVED))
        self.assertIn("left the queue", found)

    def test_one_who_is_transferred_and_connected_at_once(self) -> None:
        answered: Line = {**ANSWERED, "at": 108.1}
        lines = (CREATED, answered, STARTS, LEFT, BRIDGED, ENDED, LET_GO, SERVED)
        both = record(abandoned=True, answered_at=108.1)
        self.assertEqual(self.differ(both, lines=lines), [])

    def test_calls_of_others_are_left_out(self) -> None:
        others: Line = {**CREATED, "uuid": "c9", "host": "another"}
        self.assertEqual(self.differ(RECORD, lines=(*REACHED, others)), [])


class WaitTests(SynchronousTestCase):
    def may_be(self, **story: Any) -> tuple[bool, bool]:
        """Return whether a record may say abandoned, or not."""
        told = Story(created=1, answered_at=10.0, **story)
        return told.may_be(abandoned=True), told.may_be(abandoned=False)

    def test_an_agent_came(self) -> None:
        self.assertEqual(self.may_be(bridged_at=11.0), (False, True))
        self.assertEqual(self.may_be(bridged_at=13.0), (True, False))
        self.assertEqual(self.may_be(bridged_at=12.1), (True, True))

    def test_no_agent_came(self) -> None:
        self.assertEqual(self.may_be(ended_at=11.0, disposition="recv_bye"), (False, True))
        self.assertEqual(self.may_be(ended_at=11.0, disposition="send_bye"), (True, False))

    def test_nobody_answered(self) -> None:
        self.assertFalse(Story(created=1, ended_at=30.0).may_be(abandoned=True))


class UseTests(SynchronousTestCase):
    def test_services(self) -> None:
        others: Line = {**STARTS, "queue": "another", "agent": "a9"}
        still: Line = {**STARTS, "at": 150.0}
        self.assertEqual(
            services((others, *REACHED, still), QUEUE),
            [Service("a1", 110.2, 140.1)],
        )

    def test_only_what_is_within_counts(self) -> None:
        served = [Service("a1", 90.0, 105.0), Service("a2", 195.0, 300.0)]
        # 5 s of talk and 5 of wrap-up at the begin, 5 s at the end, of two agents in 100 s.
        self.assertAlmostEqual(use(served, 2, 5.0, 100.0, 200.0), 15 / 200)


class WitnessTests(SynchronousTestCase):
    def test_an_event_becomes_a_line(self) -> None:
        event = {
            "Event-Name": "CHANNEL_ANSWER",
            "Event-Date-Timestamp": "110500000",
            "Unique-ID": CALL,
            "variable_cti_host": HOST,
            "Answer-State": "answered",
        }
        body = json.dumps(event).encode()
        head = b"Content-Length: %d\nContent-Type: text/event-json\n\n" % len(body)
        path = Path(self.mktemp())
        path.write_text(line_of(head + body) + '{"at": 1', "utf-8")
        (line,) = read_lines(path)
        self.assertEqual(line, {"at": 110.5, "name": "CHANNEL_ANSWER", "uuid": CALL, "host": HOST})
        self.assertEqual(line_of(b"Content-Type: command/reply\nReply-Text: +OK\n\n"), "")
