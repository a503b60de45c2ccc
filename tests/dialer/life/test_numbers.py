"""The numbers in hand: counted from their claim until their last call is over."""

from __future__ import annotations

from typing import Any

from attrs import define
from msgspec.structs import replace
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.faults import ContractError, EntryError, Fault
from ctidialer.contract.record import Kind, Outcome
from ctidialer.contract.task import Destination, Side
from ctidialer.dialer.dispatch.slots import Slots
from ctidialer.dialer.life.closing import GATHER_INTERVAL
from ctidialer.dialer.life.errand import GoesBack, ReadEntry
from ctidialer.dialer.life.number_in_hand import (
    Finished,
    NotDialed,
    NumberInHand,
    Progress,
    Suspended,
    Verdict,
    finished,
)
from ctidialer.rules.attempt import Attempt, gone
from ctidialer.rules.attempt import attempt_record as record_of
from ctidialer.rules.itinerary import Itinerary
from ctidialer.rules.table_names import Named
from ctidialer.store.errors import NotInFlight, StoreUnavailable
from ctidialer.store.in_flight import Claimed
from ctidialer.store.waiting import Waiting
from tests.dialer.fakes import NOW, ROUND_TRIP, hang_up_event
from tests.dialer.world import World


@define(eq=False)
class PlainErrand:
    """An errand that does what a test says, and tells ``case`` what it was told."""

    slots: Slots
    claim: Claimed
    reading: ReadEntry | Exception
    end: Finished | GoesBack
    case: NumbersCase
    kind: Kind = Kind.QUEUE
    name: str = "t"

    @property
    def source(self) -> tuple[str | None, str | None]:
        return "q", "left"

    def place(self) -> Waiting:
        return Waiting("fs1", self.kind, self.name)

    def unknown(self) -> Named:
        return Named()

    def read(self) -> ReadEntry:
        if isinstance(self.reading, Exception):
            raise self.reading
        return self.reading

    def resumed(self) -> None:
        self.slots.occupy(None)

    def may_dial(self) -> bool:
        return True

    def held(self) -> bool:
        return False

    def waits(self, due: float) -> None:
        pass

    def goes_on(self) -> None:
        pass

    def starts(self) -> bool:
        return True

    def turn(self) -> Deferred[bool]:
        return succeed(True)

    def sent(self, decided: float) -> None:
        pass

    def unspent(self) -> None:
        pass

    def unplaced(self, verdict: NotDialed) -> Finished | GoesBack:
        self.case.unplaced.append(verdict)
        return self.end

    def over(self, verdict: Verdict) -> None:
        self.slots.leave(None)
        self.case.freed.append(verdict)


class NumbersCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.freed: list[Verdict] = []
        self.unplaced: list[NotDialed] = []

    def claim(self, entry: str = "1001") -> Claimed:
        self.world.put_numbers(entry)
        claiming = self.world.store.claim("q", Side.LEFT, 1, task="t")
        self.world.clock.advance(ROUND_TRIP)
        (claim,) = self.successResultOf(claiming)
        return claim

    def errand(self, claim: Claimed, reading: Any = None, end: Any = None) -> PlainErrand:
        number = NumberInHand(claim, Kind.QUEUE, "t", claim.entry.decode(), Destination("8888"))
        usual = (number, Progress(Itinerary(("main", "backup"))))
        return PlainErrand(self.world.slots, claim, reading or usual, end or GoesBack(), self)

    def take(self, errand: PlainErrand) -> None:
        self.world.slots.enter(None, 1, NOW)
        self.world.numbers.take(errand)
        self.world.runs_for(0.05)

    def check_even(self) -> None:
        self.assertEqual(self.world.left_behind(), {})
        self.assertEqual(self.world.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.freed), 1)


class SlotTests(NumbersCase):
    def test_a_slot_is_held_until_the_last_call_is_over(self) -> None:
        claim = self.claim()
        self.take(self.errand(claim))
        self.assertEqual((len(self.world.numbers), self.world.slots.calls), (1, 1))
        self.assertIn(claim.id, self.world.numbers)
        self.world.ends("USER_BUSY")
        self.assertEqual((self.freed, self.world.slots.calls), ([], 1))
        self.world.ends(answered=True)
        self.assertNotIn(claim.id, self.world.numbers)
        self.assertIs(self.world.store.records[0].outcome, Outcome.ANSWERED)
        self.check_even()

    def test_the_slot_is_free_before_the_record_is_written(self) -> None:
        self.take(self.errand(self.claim()))
        self.world.store.error = StoreUnavailable("away", True)
        self.world.ends(answered=True)
        self.assertEqual((len(self.freed), self.world.slots.calls), (1, 0))
        self.assertEqual(len(self.world.numbers), 1)
        self.world.runs_for(1)
        self.world.store.error = None
        self.world.runs_for(1)
        self.assertEqual(len(self.world.store.records), 1)
        self.check_even()

    def test_what_could_be_read_of_an_invalid_entry_stands_in_its_record(self) -> None:
        faults = [Fault("$.variables.x", "must be a string")]
        error = EntryError(faults, number="138", requested_uuid="crm-1")
        self.take(self.errand(self.claim(), error))
        (record,) = self.world.store.records
        self.assertIs(record.outcome, Outcome.INVALID)
        self.assertEqual((record.number, record.requested_uuid), ("138", "crm-1"))
        self.check_even()

    def test_what_cannot_be_read_is_invalid_at_once(self) -> None:
        error = ContractError([Fault("$.params.number", "must be a number")])
        self.take(self.errand(self.claim(), error))
        (record,) = self.world.store.records
        self.assertIs(record.outcome, Outcome.INVALID)
        self.assertIsNone(record.number)
        self.assertIn("$.params.number", record.reason)
        self.check_even()

    def test_what_is_finished_before_it_began(self) -> None:
        ended = Finished(Outcome.EXPIRED, "too late")
        self.take(self.errand(self.claim(), ended))
        self.assertIs(self.world.store.records[0].outcome, Outcome.EXPIRED)
        self.check_even()

    def test_a_bug_frees_the_slot_and_leaves_the_entry_in_flight(self) -> None:
        claim = self.claim()
        self.take(self.errand(claim, ZeroDivisionError()))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.freed, [Suspended()])
        self.assertIn(claim.id, self.world.store.flying)
        self.check_even()

    def test_a_number_that_is_another_daemons_by_now_is_not_written(self) -> None:
        self.take(self.errand(self.claim()))
        self.world.store.error = NotInFlight("x")
        self.world.ends("USER_BUSY")
        self.world.store.error = None
        self.world.runs_for(0.2)
        self.assertEqual(self.world.store.records, [])
        self.check_even()


class UnplacedTests(NumbersCase):
    def test_it_goes_back_or_ends_as_its_errand_says(self) -> None:
        for line in ("gw1", "gw2"):
            self.world.put_line(line, count=0)
        self.take(self.errand(self.claim()))
        self.assertEqual([one.no_line for one in self.unplaced], [True])
        self.world.runs_for(GATHER_INTERVAL)
        self.assertEqual(self.world.queue, ["1001"])
        self.check_even()
        self.freed.clear()
        ended = Finished(Outcome.NO_LINE, "none")
        self.world.store.queues.clear()
        self.take(self.errand(self.claim(), end=ended))
        self.assertIs(self.world.store.records[0].outcome, Outcome.NO_LINE)
        self.check_even()


class ResumeTests(NumbersCase):
    def test_it_counts_itself(self) -> None:
        attempt = Attempt("u-1", "gw1", "main", NOW - 5)
        progress = Progress(Itinerary(("main", "backup")))
        self.world.numbers.resume(self.errand(self.claim()), attempt, progress)
        self.assertEqual(self.world.slots.calls, 1)
        self.world.calls.event(hang_up_event("u-1", talked=2))
        self.world.runs_for(0.05)
        self.assertIs(self.world.store.records[0].outcome, Outcome.ANSWERED)
        self.check_even()

    def test_what_its_entry_means_today_does_not_matter_to_its_call(self) -> None:
        error = ContractError([Fault("$", "is broken")])
        attempt = Attempt("u-1", "gw1", "main", NOW - 5)
        progress = Progress(Itinerary(("main", "backup")))
        self.world.numbers.resume(self.errand(self.claim(), error), attempt, progress)
        self.world.calls.event(hang_up_event("u-1", "USER_BUSY", 486))
        self.world.runs_for(0.05)
        self.assertIs(self.world.store.records[0].outcome, Outcome.BUSY)
        self.assertEqual(self.world.switch.placed, [])
        self.check_even()


class FinishedTests(SynchronousTestCase):
    """How a number is closed by its last attempt."""

    def test_without_any_attempt_it_is_unknown(self) -> None:
        self.assertIs(finished(Progress(Itinerary(()))).outcome, Outcome.UNKNOWN)

    def test_lost_is_unknown_unless_it_was_answered(self) -> None:
        sent = Attempt("u", None, "g", NOW)
        for attempt, outcome in (
            (sent, Outcome.UNKNOWN),
            (replace(sent, answered_at=NOW + 1), Outcome.ANSWERED),
        ):
            progress = Progress(Itinerary(()), (record_of(gone(attempt, NOW + 9)),))
            found = finished(progress, lost=True)
            self.assertIs(found.outcome, outcome)
            self.assertEqual(bool(found.reason), outcome is Outcome.UNKNOWN)
