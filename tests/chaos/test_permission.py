"""The audit finds each call that was not allowed, and each way to miscount the tries."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from chaos.callees import CAP, MAX_TRIES, OPENING, PAUSING, USUAL, Callees, zone_of
from chaos.permission import Rules, ends_unfairly, not_allowed, tries_differ
from ctidialer.contract.hours import Window
from ctidialer.contract.record import Kind, Outcome, Record
from ctidialer.rules.callee_hours import all_open
from ctidialer.switchsim.calllog import OriginateLine
from tests.chaos.test_auditor import originate
from tests.contract.test_callee_document import task

BEGAN = 1_800_000_000.0
CALLEES = Callees(BEGAN)


def found(number: str, *after: float, slack: float = 0.0, **opted_out: float) -> str:
    """Return what is said of calls at these seconds after the beginning."""
    lines: list[OriginateLine] = [originate(f"u{at}", number, BEGAN + at) for at in after]
    rules = Rules(CALLEES, {name[1:]: BEGAN + at for name, at in opted_out.items()})
    return " | ".join(not_allowed(rules, {number: lines}, lambda at: slack))


class AllowedTests(SynchronousTestCase):
    def test_what_is_allowed(self) -> None:
        self.assertEqual(found("1390", 1, 2, 5, 7), "")
        self.assertEqual(found("1370", 49, 81), "")
        self.assertEqual(found("1360", 41), "")
        self.assertEqual(found("1350", 1, n1350=2), "")

    def test_a_call_after_opting_out(self) -> None:
        self.assertIn("after it had opted out", found("1350", 1, 3, n1350=2))
        self.assertEqual(found("1350", 3, slack=1.5, n1350=2), "")

    def test_a_call_outside_the_callees_hours(self) -> None:
        for number, at in (("1370", 50), ("1370", 79), ("1360", 39)):
            self.assertIn("outside its hours", found(number, at))
        self.assertEqual(found("1370", 51, slack=1.5), "")
        self.assertIn("outside its hours", found("1370", 79, slack=1.5))

    def test_more_calls_than_the_cap(self) -> None:
        self.assertIn("3 times within 3.900 s", found("1390", 1, 2, 4.9))
        self.assertEqual(found("1390", 1, 2, 1 + CAP.seconds), "")
        self.assertEqual(found("1390", 1, 2, 4.9, slack=0.2), "")

    def test_the_hours_of_the_tasks_are_those_of_the_audit(self) -> None:
        rules = task(**CALLEES.params()).callee
        self.assertTrue(all(isinstance(one, Window) for one in rules.hours[0].windows))
        for zone in (USUAL, PAUSING, OPENING):
            for after in (-100.0, 0.0, 39.0, 41.0, 49.0, 51.0, 79.0, 81.0, 900.0):
                at = BEGAN + after
                self.assertEqual(
                    all_open(rules.hours, (zone.name,), at).open,
                    CALLEES.is_open(zone.prefix, at),
                    (zone.name, after),
                )

    def test_where_a_number_lives(self) -> None:
        self.assertIs(zone_of("1370"), PAUSING)
        self.assertIs(zone_of("1380"), USUAL)


def record(try_number: int, **more: Any) -> Record:
    base = Record(
        id=f"id{try_number}",
        kind=Kind.QUEUE,
        task="t",
        number="1390",
        entry=b"1390",
        outcome=Outcome.BUSY,
        taken_at=1.0,
        ended_at=2.0,
        host="fs1",
        entry_id="id1",
        try_number=try_number,
        is_final=False,
        next_at=3.0,
    )
    return replace(base, **more)


LAST: dict[str, Any] = {"is_final": True, "next_at": None}


class TryTests(SynchronousTestCase):
    def said(self, *records: Record) -> str:
        return " | ".join(tries_differ(records))

    def test_tries_that_are_as_they_should_be(self) -> None:
        self.assertEqual(self.said(record(2, **LAST), record(1)), "")
        self.assertEqual(self.said(record(1, **LAST)), "")

    def test_one_that_is_missing_or_stands_twice(self) -> None:
        self.assertIn("has the tries [1, 3]", self.said(record(1), record(3, **LAST)))
        self.assertIn("has the tries [1, 1]", self.said(record(1), record(1, **LAST)))

    def test_not_one_final_record_or_not_the_last(self) -> None:
        self.assertIn("not one final", self.said(record(1)))
        self.assertIn("not one final", self.said(record(1, **LAST), record(2, **LAST)))
        self.assertIn("not one final", self.said(record(1, **LAST), record(2)))

    def test_more_than_the_plan_allows(self) -> None:
        many = [record(number) for number in range(1, MAX_TRIES + 1)]
        self.assertIn("tries", self.said(*many, record(MAX_TRIES + 1, **LAST)))

    def test_one_that_does_not_say_what_is_next(self) -> None:
        self.assertIn("what is next", self.said(record(1, next_at=None), record(2, **LAST)))

    def test_an_end_without_a_call_needs_its_reason(self) -> None:
        rules = Rules(CALLEES, {"1390": 5.0})
        for outcome, number, unfair in (
            (Outcome.DNC, "1390", False),
            (Outcome.DNC, "1391", True),
            (Outcome.INVALID, "1391", False),
            (Outcome.CLOSED, "1391", True),
            (Outcome.CAPPED, "1391", True),
        ):
            self.assertIs(ends_unfairly(rules, record(1, outcome=outcome, number=number)), unfair)
