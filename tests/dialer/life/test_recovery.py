"""What an earlier daemon of this host left in flight."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import AttemptRecord, Kind, Outcome
from ctidialer.contract.task import Side
from ctidialer.dialer.life.number_in_hand import Progress
from ctidialer.dialer.life.recovery import Recovered, Recovery
from ctidialer.rules.attempt import LINGER_SECONDS
from ctidialer.rules.itinerary import Itinerary
from ctidialer.store.in_flight import NO_CALL, Dialing, InFlight
from tests.dialer.fakes import NOW, ZSET, hang_up_event
from tests.dialer.world import World

FAILED = AttemptRecord("u-0", "gw1", "main", NOW - 9, ended_at=NOW - 8, hangup_cause="USER_BUSY")
FRESH = Progress(Itinerary(("main", "backup")))
SECOND = Progress(Itinerary(("main", "backup"), position=1), (FAILED,))


class RecoveryCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.recovery = Recovery(
            "me",
            self.world.numbers,
            self.world.closing,
            {
                Kind.QUEUE: self.world.queue_dialer.errand_of,
                Kind.SCHEDULE: self.world.schedule_dialer.errand_of,
            },
        )

    def entry(self, index: int, dialing: Dialing | None = None, daemon: str = "old") -> InFlight:
        return InFlight(
            f"{daemon}-1-{index}",
            str(1000 + index).encode(),
            NOW - 10,
            Kind.QUEUE,
            "q",
            Side.LEFT,
            "t",
            dialing=dialing,
        )

    def dialing(
        self, uuid: str, progress: Progress, *, dialed_at: float | None = NOW - 3
    ) -> Dialing:
        noted = replace(progress, dialed_at=dialed_at)
        return Dialing(uuid, "gw1", "main", len(progress.attempts) + 1, noted.encode())

    def take_up(self, *entries: InFlight) -> Recovered:
        self.world.store.flying.update({one.id: one for one in entries})
        found = self.recovery.take_up(entries)
        self.world.runs_for(0.05)
        return found

    def check_even(self) -> None:
        self.assertEqual(self.world.left_behind(), {})
        self.assertEqual(self.world.store.flying, {})
        self.assertEqual(self.world.clock.getDelayedCalls(), [])


class UntouchedTests(RecoveryCase):
    @settings(deadline=None, max_examples=30)
    @given(st.permutations(range(6)))
    def test_what_was_never_sent_goes_back_in_order(self, order: list[int]) -> None:
        self.setUp()
        found = self.take_up(*(self.entry(index) for index in order))
        self.assertEqual(found, Recovered(6, 0))
        self.assertEqual(self.world.queue, [str(1000 + index) for index in range(6)])
        self.check_even()

    def test_this_daemons_own_are_left_alone(self) -> None:
        found = self.take_up(
            self.entry(1, daemon="me"), self.entry(2, self.dialing("u", FRESH), "me")
        )
        self.assertEqual(found, Recovered(0, 0))
        self.assertEqual(len(self.world.numbers), 0)

    def test_once_more_while_they_are_in_hand(self) -> None:
        entry = self.entry(1, self.dialing("u-1", FRESH))
        self.take_up(entry)
        self.assertEqual(self.take_up(entry), Recovered(0, 0))
        self.world.calls.event(hang_up_event("u-1", talked=1))
        self.world.runs_for(0.05)
        self.assertEqual(len(self.world.store.records), 1)
        self.check_even()

    def test_once_more_while_they_go_back(self) -> None:
        entry = self.entry(1)
        self.recovery.take_up([entry])
        self.take_up(entry)
        self.assertEqual(self.world.queue, ["1001"])
        self.check_even()


class DialedTests(RecoveryCase):
    def test_a_call_that_is_up_is_followed(self) -> None:
        self.world.switch.existing = {"u-1"}
        self.assertEqual(self.take_up(self.entry(1, self.dialing("u-1", FRESH))), Recovered(0, 1))
        self.world.calls.ask()
        self.world.runs_for(LINGER_SECONDS * 2)
        self.assertEqual(self.world.store.records, [])
        self.world.calls.event(hang_up_event("u-1", talked=30))
        self.world.runs_for(0.05)
        (record,) = self.world.store.records
        self.assertIs(record.outcome, Outcome.ANSWERED)
        self.assertEqual(record.attempts[0].dialed_at, NOW - 3)
        self.check_even()

    def test_a_call_whose_answer_was_noted_is_answered_although_its_end_was_not_heard(self) -> None:
        noted = evolve(self.dialing("u-1", FRESH), answered_at=NOW - 2)
        self.take_up(self.entry(1, noted))
        self.world.calls.ask()
        self.world.runs_for(LINGER_SECONDS + 0.1)
        (record,) = self.world.store.records
        self.assertIs(record.outcome, Outcome.ANSWERED)
        self.assertEqual(record.attempts[0].answered_at, NOW - 2)
        self.assertEqual(self.world.switch.placed, [])
        self.check_even()

    def test_a_call_that_freeswitch_does_not_know_is_unknown_and_never_redialed(self) -> None:
        self.world.put_group("main", "gw1", redialer_count=5)
        self.take_up(self.entry(1, self.dialing("u-1", FRESH)))
        self.world.calls.ask()
        self.world.runs_for(LINGER_SECONDS + 0.1)
        (record,) = self.world.store.records
        self.assertIs(record.outcome, Outcome.UNKNOWN)
        self.assertEqual([one.uuid for one in record.attempts], ["u-1"])
        self.assertEqual(self.world.switch.placed, [])
        self.check_even()

    def test_a_call_that_fails_later_goes_on_to_the_next_group(self) -> None:
        self.take_up(self.entry(1, self.dialing("u-1", FRESH)))
        self.world.calls.event(hang_up_event("u-1", "USER_BUSY", 486))
        self.world.runs_for(0.05)
        self.world.ends(answered=True)
        (record,) = self.world.store.records
        self.assertEqual([one.line for one in record.attempts], ["gw1", "gw2"])
        self.check_even()

    def test_a_number_between_two_calls_goes_on_where_it_was(self) -> None:
        self.take_up(self.entry(1, self.dialing(NO_CALL, SECOND, dialed_at=None)))
        self.assertEqual(self.world.switch.asked, [])
        (placed,) = self.world.switch.placed
        self.assertIn("sofia/gateway/gw2/", placed.command)
        self.world.ends(answered=True)
        (record,) = self.world.store.records
        self.assertEqual(len(record.attempts), 2)
        self.check_even()

    def test_a_number_between_two_calls_whose_task_is_gone_ends_with_what_it_has(self) -> None:
        self.world.put("cti_queue_dialer_task@fs1", "t", None)
        self.take_up(self.entry(1, self.dialing(NO_CALL, SECOND, dialed_at=None)))
        (record,) = self.world.store.records
        self.assertIs(record.outcome, Outcome.BUSY)
        self.assertEqual(self.world.switch.placed, [])
        self.check_even()

    def test_progress_that_cannot_be_read_loses_no_call(self) -> None:
        for raw in (b"", b"[]", b"{}", b"nonsense", b'{"itinerary":{"groups":5}}'):
            entry = self.entry(1, Dialing("u-1", "gw1", "backup", 3, raw))
            self.take_up(entry)
            (attempt,) = self.world.calls
            self.assertEqual(attempt.dialed_at, entry.taken_at)
            self.world.calls.event(hang_up_event("u-1", talked=4))
            self.world.runs_for(0.05)
            self.assertIs(self.world.store.records[-1].outcome, Outcome.ANSWERED)
            self.check_even()

    def test_two_entries_that_name_one_call(self) -> None:
        first, second = (self.entry(i, self.dialing("crm-7", FRESH)) for i in (1, 2))
        self.take_up(first, second)
        self.world.calls.event(hang_up_event("crm-7", talked=4))
        self.world.runs_for(0.05)
        found = {record.outcome for record in self.world.store.records}
        self.assertEqual(found, {Outcome.ANSWERED, Outcome.UNKNOWN})
        self.check_even()

    def test_a_line_that_is_no_more(self) -> None:
        dialing = Dialing("u-1", "old-line", "old-group", 1, FRESH.encode())
        self.take_up(self.entry(1, dialing))
        self.world.calls.event(hang_up_event("u-1", talked=4))
        self.world.runs_for(0.05)
        self.assertEqual(self.world.store.records[0].attempts[0].line, "old-line")
        self.check_even()

    def test_scheduled_members(self) -> None:
        self.world.put_schedule()
        member = b'{"params":{"number":"1001","config":"s"}}'
        entry = InFlight("old-1-0", member, NOW - 5, Kind.SCHEDULE, ZSET, score=NOW - 6)
        dialed = evolve(entry, id="old-1-1", dialing=self.dialing("u-1", FRESH))
        self.assertEqual(self.take_up(entry, dialed), Recovered(1, 1))
        self.assertEqual(self.world.store.due[ZSET], {member: NOW - 6})
        self.world.calls.event(hang_up_event("u-1", "USER_BUSY"))
        self.world.runs_for(0.05)
        self.world.ends(answered=True)
        self.assertEqual(self.world.store.records[0].kind, Kind.SCHEDULE)
        self.assertEqual(len(self.world.store.records[0].attempts), 2)
        self.check_even()


class ProgressTests(SynchronousTestCase):
    texts = st.text(max_size=10)
    moments = st.none() | st.floats(0, 1e10)
    attempts = st.builds(
        AttemptRecord,
        uuid=texts,
        line=st.none() | texts,
        line_group=texts,
        dialed_at=st.floats(0, 1e10),
        progress_at=moments,
        answered_at=moments,
        ended_at=moments,
        hangup_cause=st.none() | texts,
        sip_code=st.none() | st.integers(100, 699),
    )

    @settings(deadline=None, max_examples=100)
    @given(
        st.builds(
            Progress,
            st.builds(
                Itinerary,
                st.lists(texts, max_size=4).map(tuple),
                st.integers(0, 5),
                st.integers(0, 5),
            ),
            st.lists(attempts, max_size=3).map(tuple),
            moments,
        )
    )
    def test_what_is_written_is_read(self, progress: Progress) -> None:
        self.assertEqual(Progress.decode(progress.encode()), progress)

    @settings(deadline=None, max_examples=150)
    @given(st.binary(max_size=40) | st.sampled_from([b"{}", b"null", b'{"itinerary":null}']))
    def test_anything_else_is_a_value_error(self, raw: bytes) -> None:
        self.assertRaises(ValueError, Progress.decode, raw)
