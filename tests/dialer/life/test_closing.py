"""The end of a number: its record is written, or it goes back, whatever it takes."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import provider

from ctidialer.contract.record import Kind, Outcome
from ctidialer.contract.task import Side
from ctidialer.dialer.life.closing import (
    GATHER_INTERVAL,
    MAX_GATHER,
    REFUSED_INTERVAL,
    RETRY_INTERVAL,
    Closing,
)
from ctidialer.dialer.life.journal import Journal
from ctidialer.dialer.life.number_in_hand import Finished
from ctidialer.dialer.readiness import Condition, Readiness
from ctidialer.glue import Gate
from ctidialer.store.errors import LeaseLost, StoreUnavailable, WrongType
from ctidialer.store.in_flight import Claimed
from tests.dialer.fakes import NOW, ROUND_TRIP, ZSET, MemoryStore, clock, let_run

BUSY = Finished(Outcome.BUSY, "")
AWAY = StoreUnavailable("away", True)


class ClosingCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = clock()
        self.store = MemoryStore(self.clock)
        self.writable = Gate()
        self.writable.open()
        self.readiness = Readiness()
        self.readiness.met(*Condition)
        self.closing = Closing(
            self.clock, "fs1", self.store, self.writable, self.readiness, Journal()
        )

    def claimed(self, *entries: str) -> list[Claimed]:
        self.store.queues["q"] = [entry.encode() for entry in entries]
        claiming = self.store.claim("q", Side.LEFT, len(entries), task="t")
        self.clock.advance(ROUND_TRIP)
        return self.successResultOf(claiming)

    def settle(self, claim: Claimed) -> Deferred[Any]:
        return Deferred.fromCoroutine(
            self.closing.settle(claim, Kind.QUEUE, "t", BUSY, number="1001", requested_uuid="x")
        )

    def recovers(self) -> None:
        self.store.error = None
        let_run(self.clock, REFUSED_INTERVAL + RETRY_INTERVAL + 0.1)

    def log_of(self, cls: type) -> list[str]:
        """Return what is logged of a class from now on."""
        said: list[str] = []

        @provider(ILogObserver)
        def hear(event: LogEvent) -> None:
            if str(event.get("log_namespace")).endswith(cls.__name__):
                said.append(formatEvent(event))

        globalLogPublisher.addObserver(hear)
        self.addCleanup(globalLogPublisher.removeObserver, hear)
        return said

    def assert_quiet(self) -> None:
        self.assertEqual(self.closing.unwritten, 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class SettleTests(ClosingCase):
    def test_the_record(self) -> None:
        (claim,) = self.claimed("1001")
        settling = self.settle(claim)
        self.assertEqual(self.closing.unwritten, 1)
        self.clock.advance(ROUND_TRIP)
        self.successResultOf(settling)
        (record,) = self.store.records
        self.assertEqual((record.id, record.kind, record.task), (claim.id, Kind.QUEUE, "t"))
        self.assertEqual((record.number, record.entry), ("1001", b"1001"))
        self.assertEqual((record.host, record.requested_uuid), ("fs1", "x"))
        self.assertEqual(record.taken_at, NOW)
        self.assert_quiet()

    def test_it_is_written_when_redis_is_back(self) -> None:
        (claim,) = self.claimed("1001")
        self.store.error = AWAY
        self.writable.shut()
        settling = self.settle(claim)
        let_run(self.clock, 30)
        self.assertNoResult(settling)
        self.assertEqual(self.clock.getDelayedCalls(), [])  # it waits at the gate
        self.store.error = None
        self.writable.open()
        self.clock.advance(ROUND_TRIP)
        self.successResultOf(settling)
        self.assertEqual(len(self.store.records), 1)
        self.assert_quiet()

    def test_redis_is_there_and_does_not_answer_for_a_moment(self) -> None:
        (claim,) = self.claimed("1001")
        self.store.error = AWAY
        settling = self.settle(claim)
        let_run(self.clock, 1)
        self.recovers()
        self.successResultOf(settling)
        self.assertEqual(len(self.store.records), 1)
        self.assert_quiet()

    def test_the_answer_was_lost_and_the_record_is_not_written_twice(self) -> None:
        (claim,) = self.claimed("1001")
        settling = self.settle(claim)
        self.clock.advance(ROUND_TRIP)
        self.successResultOf(settling)
        again = self.settle(claim)
        self.clock.advance(ROUND_TRIP)
        self.successResultOf(again)
        self.assertEqual(len(self.store.records), 1)

    def test_a_number_that_is_no_longer_in_flight_is_said_and_not_counted(self) -> None:
        gone, there = self.claimed("1001", "1002")
        del self.store.flying[gone.id]
        said = self.log_of(Closing)
        for claim in (gone, there):
            settling = self.settle(claim)
            self.clock.advance(ROUND_TRIP)
            self.successResultOf(settling)
        self.assertEqual(self.closing.lost_in_flight, 1)
        self.assertEqual(self.closing.outcomes, {Outcome.BUSY: 1})
        error, record = said
        for part in ("Number 1001 of t", gone.id, "ended as busy", "not in Redis"):
            self.assertIn(part, error)
        self.assertIn(f'"id":"{gone.id}"', record)
        self.assert_quiet()

    def test_what_a_lost_answer_has_written_counts_as_written(self) -> None:
        (claim,) = self.claimed("1001")
        self.store.error = AWAY
        settling = self.settle(claim)
        let_run(self.clock, 0.05)
        del self.store.flying[claim.id]  # it was written all the same
        self.recovers()
        self.successResultOf(settling)
        self.assertEqual(self.closing.lost_in_flight, 0)
        self.assertEqual(self.closing.outcomes, {Outcome.BUSY: 1})

    def test_what_another_daemon_has_now_is_not_counted(self) -> None:
        (claim,) = self.claimed("1001")
        self.store.error = LeaseLost("fs1", "pid 7 on fs1")
        settling = self.settle(claim)
        self.clock.advance(ROUND_TRIP)
        self.successResultOf(settling)
        self.assertEqual((self.closing.lost_in_flight, self.closing.outcomes), (0, {}))

    def test_an_entry_that_is_too_long(self) -> None:
        (claim,) = self.claimed("x" * 10)
        self.store.digests[claim.id] = "abc"
        settling = self.settle(replace(claim, length=9_000_000))
        let_run(self.clock, 0.1)
        self.successResultOf(settling)
        (record,) = self.store.records
        self.assertEqual(record.entry, b"x" * 10)
        self.assertEqual((record.entry_length, record.entry_sha256), (9_000_000, "abc"))
        self.assertEqual(self.store.apart, [claim.id])

    def test_another_daemon_has_the_number_now(self) -> None:
        (claim,) = self.claimed("1001")
        self.store.error = LeaseLost("fs1", "pid 7 on fs1")
        settling = self.settle(claim)
        self.clock.advance(ROUND_TRIP)
        self.successResultOf(settling)
        self.assertEqual(self.store.records, [])
        self.assert_quiet()

    def test_a_lease_that_only_lapsed_is_waited_for(self) -> None:
        (claim,) = self.claimed("1001")
        self.store.error = LeaseLost("fs1")
        settling = self.settle(claim)
        let_run(self.clock, 2)
        self.assertNoResult(settling)
        self.recovers()
        self.successResultOf(settling)
        self.assertEqual(len(self.store.records), 1)
        self.assert_quiet()

    def test_a_record_that_redis_refuses_is_tried_until_it_is_taken(self) -> None:
        (claim,) = self.claimed("1001")
        self.store.error = WrongType("cti_dialer_record@fs1", "string", "stream")
        settling = self.settle(claim)
        let_run(self.clock, 3)
        self.assertNoResult(settling)
        self.assertEqual(self.readiness.missing, (Condition.RECORDS,))
        self.assertIn("must hold a stream", self.closing.problem)
        self.assertFalse(self.readiness.gate.is_open)
        self.recovers()
        self.successResultOf(settling)
        self.assertEqual(len(self.store.records), 1)
        self.assertEqual(self.closing.problem, "")
        self.assertTrue(self.readiness.gate.is_open)
        self.assert_quiet()


class GiveBackTests(ClosingCase):
    def test_those_of_one_turn_go_together_in_their_order(self) -> None:
        claims = self.claimed("1", "2", "3")
        for claim in reversed(claims):
            self.closing.give_back(claim)
        self.assertEqual(self.closing.unwritten, 1)
        let_run(self.clock, 0.05)
        self.assertEqual(len(self.store.returned), 1)
        self.assertEqual(self.store.queues["q"], [b"1", b"2", b"3"])
        self.assert_quiet()

    def test_those_that_come_while_redis_is_away_go_with_the_others(self) -> None:
        claims = self.claimed("1", "2", "3", "4")
        self.store.error = AWAY
        self.writable.shut()
        for claim in (claims[1], claims[3], claims[0], claims[2]):
            self.closing.give_back(claim)
            let_run(self.clock, 0.5)
        self.store.error = None
        self.writable.open()
        let_run(self.clock, 0.5)
        self.assertEqual(self.store.queues["q"], [b"1", b"2", b"3", b"4"])
        self.assert_quiet()

    def test_those_that_come_during_a_write_come_after_it(self) -> None:
        claims = self.claimed("1", "2")
        self.closing.give_back(claims[0])
        self.clock.advance(0)
        self.closing.give_back(claims[1])
        let_run(self.clock, 0.05)
        self.assertEqual(len(self.store.returned), 2)
        self.assertEqual(sorted(self.store.queues["q"]), [b"1", b"2"])
        self.assert_quiet()
        self.closing.give_back(claims[0])  # once more: it is no longer in flight
        let_run(self.clock, 0.05)
        self.assertEqual(len(self.store.queues["q"]), 2)

    def test_refusals_of_one_burst_go_back_together_in_their_order(self) -> None:
        """A busy FreeSWITCH tells of a burst's refusals within a tenth of a second, not at once."""
        claims = self.claimed("1", "2", "3", "4")
        for claim in claims:
            self.closing.give_back_soon(claim)
            let_run(self.clock, GATHER_INTERVAL * 0.6)
        self.assertEqual(self.store.returned, [])
        let_run(self.clock, GATHER_INTERVAL)
        self.assertEqual(len(self.store.returned), 1)
        self.assertEqual(self.store.queues["q"], [b"1", b"2", b"3", b"4"])
        self.assert_quiet()

    def test_refusals_that_do_not_end_hold_no_number_back(self) -> None:
        claims = self.claimed(*(str(at) for at in range(40)))
        began = self.clock.seconds()
        for claim in claims:
            self.closing.give_back_soon(claim)
            let_run(self.clock, GATHER_INTERVAL * 0.6)
            since = self.clock.seconds() - began
            if since > MAX_GATHER + 2 * GATHER_INTERVAL:
                self.assertIn(b"0", self.store.queues["q"])
        let_run(self.clock, GATHER_INTERVAL + 0.1)
        self.assertEqual(len(self.store.queues["q"]), 40)
        self.assert_quiet()

    def test_another_daemon_has_them_now(self) -> None:
        (claim,) = self.claimed("1")
        self.store.error = LeaseLost("fs1", "pid 7 on fs1")
        self.closing.give_back(claim)
        let_run(self.clock, 1)
        self.assertEqual(self.store.queues["q"], [])
        self.assert_quiet()

    def test_what_cannot_go_back_stops_no_dialing(self) -> None:
        (claim,) = self.claimed("1")
        self.store.error = WrongType("q", "string", "list")
        self.closing.give_back(claim)
        let_run(self.clock, 3)
        self.assertEqual(self.readiness.missing, ())
        self.recovers()
        self.assertEqual(self.store.queues["q"], [b"1"])
        self.assert_quiet()


class PutAsideTests(ClosingCase):
    """The key of one queue cannot take its entries: it alone waits."""

    def set_aside(self, *claims: Claimed) -> None:
        self.store.unreturnable = {claim.id for claim in claims}

    def test_the_others_go_back_at_once(self) -> None:
        claims = self.claimed("1", "2", "3")
        self.set_aside(claims[1])
        said = self.log_of(Closing)
        self.closing.give_back(claims[1])
        let_run(self.clock, 0.5)
        for claim in (claims[0], claims[2]):
            self.closing.give_back(claim)
            let_run(self.clock, 0.1)
            self.assertNotIn(claim.id, self.store.flying)
        self.assertEqual(self.store.queues["q"], [b"3", b"1"])
        self.assertEqual(self.closing.unwritten, 1)
        let_run(self.clock, 3)
        self.assertEqual(self.readiness.missing, ())
        self.assertEqual(len(said), 1)
        self.set_aside()
        let_run(self.clock, REFUSED_INTERVAL + 0.2)
        self.assertEqual(self.store.queues["q"], [b"2", b"3", b"1"])
        self.assert_quiet()


class WriteBackTests(ClosingCase):
    def test_a_scheduled_number_is_due_later(self) -> None:
        self.store.due[ZSET] = {b"{}": 5.0}
        claiming = self.store.claim_due(ZSET, 1, NOW)
        self.clock.advance(ROUND_TRIP)
        (claim,) = self.successResultOf(claiming)
        self.store.error = AWAY
        self.closing.write_back(claim, NOW + 60)
        let_run(self.clock, 0.5)
        self.assertEqual(self.closing.unwritten, 1)
        self.recovers()
        self.assertEqual(self.store.due[ZSET], {b"{}": NOW + 60})
        self.assert_quiet()
