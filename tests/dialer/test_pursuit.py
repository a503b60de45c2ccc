"""The life of one number, from its claim to its record or back."""

from __future__ import annotations

import json
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import Outcome, Record
from ctidialer.dialer.number_in_hand import Progress
from ctidialer.dialer.pursuit import NO_CALL, REFUSALS_IN_A_ROW
from ctidialer.dialer.readiness import Condition
from ctidialer.esl.errors import CommandRefused, ConnectionGone
from ctidialer.rules.attempt import LINGER
from ctidialer.store.errors import LeaseLost, StoreUnavailable, WrongType
from tests.dialer.fakes import World, answer_event, hang_up_event

AWAY = ConnectionGone("away", may_have_been_executed=False)


class PursuitCase(SynchronousTestCase):
    """The world's one task dials at most one number at a time, first through main, then backup."""

    def setUp(self) -> None:
        self.world = World()
        self.world.put_task(limit=1)
        self.world.start()

    def dial(self, *numbers: str) -> None:
        self.world.put_numbers(*numbers or ("1001",))
        self.world.runs_for(0.1)

    def record(self) -> Record:
        (record,) = self.world.store.records
        return record

    def dialed(self) -> list[str]:
        return [placed.number for placed in self.world.switch.placed]

    def assert_all_done(self) -> None:
        self.world.queue_dialer.stop()
        self.world.runs_for(0.05)
        self.assertEqual(self.world.left_behind(), {})
        self.assertEqual(self.world.store.flying, {})
        self.assertEqual(self.world.clock.getDelayedCalls(), [])


class WayTests(PursuitCase):
    """Group after group, as the rules say."""

    def test_answered(self) -> None:
        self.dial()
        self.world.ends(answered=True)
        self.assertIs(self.record().outcome, Outcome.ANSWERED)
        self.assertEqual(len(self.record().attempts), 1)
        self.assert_all_done()

    def test_the_call_is_noted_before_it_is_placed(self) -> None:
        self.world.put_numbers("1001")
        self.world.store.error = None
        while not self.world.store.notes:
            self.world.clock.advance(0.001)
        self.assertEqual(self.world.switch.placed, [])
        self.world.clock.advance(0.002)
        (placed,) = self.world.switch.placed
        (noted,) = self.world.store.notes
        self.assertEqual(noted.uuid, placed.uuid)
        self.assertEqual((noted.line, noted.group, noted.attempt), ("gw1", "main", 1))
        self.world.ends()

    def test_failed_then_the_next_group(self) -> None:
        self.dial()
        self.world.ends("NORMAL_TEMPORARY_FAILURE", 503)
        self.assertEqual(len(self.world.switch.placed), 2)
        self.world.ends(answered=True)
        attempts = self.record().attempts
        self.assertEqual([one.line for one in attempts], ["gw1", "gw2"])
        self.assertEqual([one.line_group for one in attempts], ["main", "backup"])
        self.assertEqual(len({one.uuid for one in attempts}), 2)
        self.assert_all_done()

    def test_all_groups_failed(self) -> None:
        self.dial()
        self.world.ends("NORMAL_TEMPORARY_FAILURE", 503)
        self.world.ends("USER_BUSY", 486)
        self.assertIs(self.record().outcome, Outcome.BUSY)
        self.assertEqual(len(self.record().attempts), 2)
        self.assert_all_done()

    def test_redial_with_a_rest_holds_the_slot_and_notes_that_no_call_is_up(self) -> None:
        self.world.put_group("main", "gw1", redialer_count=1, rest=5000)
        self.dial("1001", "1002")
        self.world.ends("USER_BUSY", 486)
        self.assertEqual(self.world.store.notes[-1].uuid, NO_CALL)
        self.world.runs_for(4.5)
        self.assertEqual(self.dialed(), ["1001"])
        self.world.runs_for(1)
        self.assertEqual(self.dialed(), ["1001", "1001"])
        self.world.ends(answered=True)
        self.assertIs(self.record().outcome, Outcome.ANSWERED)
        self.assertEqual([one.line for one in self.record().attempts], ["gw1", "gw1"])
        self.world.runs_for(0.1)
        self.assertEqual(self.dialed()[2:], ["1002"])
        self.world.ends(answered=True)
        self.assert_all_done()

    def test_a_rule_finishes_the_number(self) -> None:
        self.world.put_group("main", "gw1", no_redialer_rule={"hangup_sipcode": [486]})
        self.dial()
        self.world.ends("USER_BUSY", 486)
        self.assertEqual(len(self.record().attempts), 1)
        self.assert_all_done()

    def test_progress_is_noted_with_every_call(self) -> None:
        self.dial()
        self.world.ends("NORMAL_TEMPORARY_FAILURE", 503)
        progress = Progress.decode(self.world.store.notes[-1].progress)
        self.assertEqual(
            [one.hangup_cause for one in progress.attempts], ["NORMAL_TEMPORARY_FAILURE"]
        )
        self.assertEqual(progress.itinerary.position, 1)
        self.assertIsNotNone(progress.dialed_at)
        self.world.ends()


class NoLineTests(PursuitCase):
    def test_no_line_before_the_first_call_leaves_the_number_in_its_queue(self) -> None:
        for line in ("gw1", "gw2"):
            self.world.put_line(line, count=0)
        self.world.store.asked_for.clear()
        self.dial()
        self.assertEqual(self.world.queue, ["1001"])
        self.assertEqual(self.world.store.asked_for, [])
        self.assert_all_done()

    def test_a_line_that_was_taken_meanwhile_sends_the_number_back(self) -> None:
        self.world.put_task(limit=2, line_group=["main"])
        self.world.put_line("gw1", count=1)
        self.world.put_task("u", line_group=["main"], number_queue="r", limit=1)
        self.world.put_numbers("1001")
        self.world.put_numbers("2001", queue="r")
        self.world.runs_for(0.2)
        self.assertEqual(len(self.world.switch.placed), 1)
        self.assertEqual(len(self.world.queue) + len(self.world.store.queues["r"]), 1)
        self.assertEqual(self.world.store.records, [])
        self.world.ends(answered=True)
        self.world.runs_for(0.2)
        self.world.ends(answered=True)
        self.assertEqual(len(self.world.store.records), 2)
        self.assert_all_done()

    def test_no_line_for_a_further_call_ends_the_number(self) -> None:
        self.dial()
        self.world.put_line("gw2", count=0)
        self.world.ends("USER_BUSY", 486)
        record = self.record()
        self.assertIs(record.outcome, Outcome.BUSY)
        self.assertIn("no line is free", record.reason)
        self.assert_all_done()


class UncarriableTests(PursuitCase):
    def entry(self, **variables: str) -> str:
        return json.dumps({"params": {"number": "1001"}, "variables": variables})

    def test_at_the_first_call_the_number_is_invalid(self) -> None:
        self.dial(self.entry(x="a{b"))
        record = self.record()
        self.assertIs(record.outcome, Outcome.INVALID)
        self.assertEqual((record.number, record.attempts), ("1001", ()))
        self.assertIn("brace", record.reason)
        self.assertEqual(self.world.switch.placed, [])
        self.assert_all_done()

    def test_a_uuid_that_cannot_be_one(self) -> None:
        for uuid in ("a b", "x" * 65, "a\nb", "ü"):
            self.dial(self.entry(origination_uuid=uuid))
        self.assertEqual({one.outcome for one in self.world.store.records}, {Outcome.INVALID})
        self.assertEqual(len(self.world.store.records), 4)
        self.assertEqual(self.world.switch.asked, [])
        self.assert_all_done()


class RequestedUuidTests(PursuitCase):
    ENTRY = json.dumps({"params": {"number": "1001"}, "variables": {"origination_uuid": "crm-7"}})

    def test_the_first_call_has_it_and_the_next_does_not(self) -> None:
        self.dial(self.ENTRY)
        self.assertEqual(self.world.switch.last.uuid, "crm-7")
        self.world.ends("USER_BUSY")
        self.assertNotEqual(self.world.switch.last.uuid, "crm-7")
        self.world.ends(answered=True)
        self.assertEqual(self.record().requested_uuid, "crm-7")
        self.assert_all_done()

    def test_where_a_call_with_it_exists_another_is_taken(self) -> None:
        self.world.switch.existing = {"crm-7"}
        self.dial(self.ENTRY)
        self.assertNotEqual(self.world.switch.last.uuid, "crm-7")
        self.world.ends(answered=True)
        self.assertEqual(self.record().requested_uuid, "crm-7")
        self.assert_all_done()

    def test_two_numbers_that_ask_for_the_same_one(self) -> None:
        self.world.put_task(limit=2)
        self.world.switch.silent = True
        self.dial(self.ENTRY, self.ENTRY)
        self.world.switch.answers("false")
        self.world.runs_for(0.05)
        uuids = [placed.uuid for placed in self.world.switch.placed]
        self.assertEqual((len(uuids), uuids.count("crm-7")), (2, 1))
        for placed in list(self.world.switch.placed):
            self.world.ends(answered=True, placed=placed)
        self.assert_all_done()

    def test_freeswitch_goes_away_while_it_is_asked(self) -> None:
        self.world.switch.silent = True
        self.dial(self.ENTRY)
        self.world.readiness.lost(Condition.FREESWITCH)
        self.world.switch.goes_away()
        self.world.runs_for(0.05)
        self.assertEqual(self.world.queue, [self.ENTRY])
        self.world.switch.comes_back()
        self.world.switch.silent = False
        self.world.readiness.met(Condition.FREESWITCH)
        self.world.runs_for(0.1)
        self.assertEqual(self.world.switch.last.uuid, "crm-7")
        self.world.ends()
        self.world.ends()
        self.assert_all_done()


class NotSentTests(PursuitCase):
    def test_before_the_first_call_the_number_goes_back(self) -> None:
        self.world.switch.error = AWAY
        self.dial("1001", "1002")
        self.world.readiness.lost(Condition.FREESWITCH)
        self.world.runs_for(0.1)
        self.assertEqual(self.world.queue, ["1001", "1002"])
        self.assert_all_done()

    def test_before_a_further_call_the_number_waits_for_freeswitch(self) -> None:
        self.dial()
        self.world.switch.error = AWAY
        self.world.readiness.lost(Condition.FREESWITCH)
        self.world.ends("USER_BUSY")
        self.world.runs_for(5)
        self.world.switch.comes_back()
        self.assertEqual(len(self.world.switch.placed), 1)
        self.world.readiness.met(Condition.FREESWITCH)
        self.world.runs_for(0.1)
        self.assertEqual(len(self.world.switch.placed), 2)
        self.world.ends(answered=True)
        self.assertEqual(len(self.record().attempts), 2)
        self.assert_all_done()

    def test_redis_away_at_the_note_sends_nothing(self) -> None:
        self.world.put_numbers("1001")
        self.world.clock.advance(0.05)
        self.world.store.error = StoreUnavailable("away", True)
        self.world.writable.shut()
        self.world.readiness.lost(Condition.REDIS)
        self.world.runs_for(1)
        self.assertEqual(self.world.switch.placed, [])
        self.assertEqual(self.world.closing.unwritten, 1)
        self.world.store.error = None
        self.world.writable.open()
        self.world.runs_for(0.3)
        self.assertEqual(self.world.queue, ["1001"])
        self.assert_all_done()

    def test_a_note_that_redis_refuses_harms_no_account(self) -> None:
        self.world.put_numbers("1001")
        self.world.clock.advance(0.05)
        self.world.store.error = WrongType("cti_dialer_inflight@fs1", "string", "hash")
        self.world.readiness.lost(Condition.REDIS)
        self.world.runs_for(0.5)
        self.world.store.error = None
        self.world.runs_for(1.5)
        self.assertEqual(self.world.queue, ["1001"])
        self.assert_all_done()

    def test_a_lost_lease_sends_nothing(self) -> None:
        self.world.put_numbers("1001")
        self.world.clock.advance(0.05)
        self.world.store.error = LeaseLost("fs1", "pid 7 on fs1")
        self.world.readiness.lost(Condition.LEASE)
        self.world.runs_for(1)
        self.assertEqual(self.world.switch.placed, [])
        self.world.queue_dialer.stop()
        self.assertEqual(self.world.left_behind(), {})
        self.assertEqual(len(self.world.store.flying), 1)  # it is the other daemon's now

    def test_a_number_that_another_daemon_took_over_is_let_go(self) -> None:
        self.dial()
        self.world.store.flying.clear()
        self.world.ends("USER_BUSY")
        self.world.runs_for(0.2)
        self.assertEqual(len(self.world.switch.placed), 1)
        self.assertEqual(self.world.store.records, [])
        self.assert_all_done()


class RefusalTests(PursuitCase):
    """FreeSWITCH itself turns calls away."""

    def test_the_number_goes_back_and_calls_pause(self) -> None:
        self.dial("1001", "1002")
        self.world.is_refused()
        self.assertEqual(self.world.queue, ["1001", "1002"])
        self.assertTrue(self.world.limits.backpressure.holds(self.world.clock.seconds()))
        self.world.runs_for(0.6)
        self.assertEqual(self.dialed(), ["1001", "1001"])
        self.world.ends(answered=True)
        self.assertEqual(self.world.lines.states["gw1"].faults, 0)
        self.world.runs_for(0.1)
        self.world.ends(answered=True)
        self.assertEqual(self.world.limits.backpressure.pause, 0)
        self.assert_all_done()

    def test_five_refusals_in_a_row_end_the_number(self) -> None:
        self.dial()
        for _ in range(REFUSALS_IN_A_ROW):
            self.assertEqual(self.world.store.records, [])
            self.world.is_refused()
            self.world.runs_for(20)
        self.assertEqual(len(self.world.switch.placed), REFUSALS_IN_A_ROW)
        self.assertIs(self.record().outcome, Outcome.FAILED)
        self.assertIn("5 times in a row", self.record().reason)
        self.assert_all_done()

    def test_a_call_between_them_begins_the_row_anew(self) -> None:
        entries = ("1001",) * 2
        self.dial(entries[0])
        for _ in range(REFUSALS_IN_A_ROW - 1):
            self.world.is_refused()
            self.world.runs_for(20)
        self.world.ends(answered=True)
        self.dial(entries[1])
        self.world.is_refused()
        self.world.runs_for(20)
        self.assertEqual(len(self.world.store.records), 1)
        self.world.ends(answered=True)
        self.assert_all_done()

    def test_refusals_of_a_further_call_end_the_number_with_what_it_has(self) -> None:
        self.dial()
        self.world.ends("USER_BUSY", 486)
        for _ in range(REFUSALS_IN_A_ROW):
            self.world.is_refused()
            self.world.runs_for(2)
        record = self.record()
        self.assertIs(record.outcome, Outcome.BUSY)
        self.assertEqual(len(record.attempts), 1)
        self.assertIn("refuses", record.reason)
        self.assert_all_done()

    def test_no_permission_is_no_number_lost(self) -> None:
        self.world.switch.error = CommandRefused("bgapi", "permission denied")
        self.dial("1001", "1002")
        self.world.runs_for(2)
        self.assertEqual(self.world.store.records, [])
        self.assertEqual(self.world.queue, ["1001", "1002"])
        self.assertLess(len(self.world.store.asked_for), 10)
        self.world.switch.comes_back()
        self.world.runs_for(20)
        self.world.ends(answered=True)
        self.world.runs_for(1)
        self.world.ends(answered=True)
        self.assertEqual(len(self.world.store.records), 2)
        self.assert_all_done()


class LostTests(PursuitCase):
    def lose(self) -> None:
        self.world.switch.goes_away()
        self.world.switch.comes_back()
        self.world.calls.ask()
        self.world.runs_for(LINGER + 0.1)

    def test_a_lost_call_is_unknown_and_never_redialed(self) -> None:
        self.world.put_group("main", "gw1", redialer_count=3)
        self.world.put_line("gw1", fault_threshold=1, fault_try_interval=60000)
        self.dial()
        self.lose()
        self.assertIs(self.record().outcome, Outcome.UNKNOWN)
        self.assertEqual(len(self.world.switch.placed), 1)
        self.assertFalse(self.world.lines.states["gw1"].out_of_use)
        self.assert_all_done()

    def test_a_lost_call_that_was_answered_is_answered(self) -> None:
        self.dial()
        self.world.calls.event(answer_event(self.world.switch.last.uuid))
        self.lose()
        self.assertIs(self.record().outcome, Outcome.ANSWERED)
        self.assert_all_done()

    def test_a_lost_second_call_is_unknown_too(self) -> None:
        self.dial()
        self.world.ends("USER_BUSY", 486)
        self.lose()
        self.assertIs(self.record().outcome, Outcome.UNKNOWN)
        self.assertEqual(len(self.record().attempts), 2)
        self.assert_all_done()


class ClosedTests(PursuitCase):
    def test_a_task_that_closed_places_no_further_call(self) -> None:
        self.dial()
        self.world.put_task(limit=1, enable=False)
        self.world.ends("USER_BUSY", 486)
        record = self.record()
        self.assertIs(record.outcome, Outcome.BUSY)
        self.assertIn("closed", record.reason)
        self.assert_all_done()

    def test_a_task_that_was_removed_finishes_its_call(self) -> None:
        self.dial()
        self.world.put("cti_queue_dialer_task@fs1", "t", None)
        self.world.ends(answered=True)
        self.assertIs(self.record().outcome, Outcome.ANSWERED)
        self.assertIsNone(self.world.runs.get("t"))
        self.assert_all_done()

    def test_a_task_that_closes_while_a_number_rests(self) -> None:
        self.world.put_group("main", "gw1", redialer_count=1, rest=5000)
        self.dial()
        self.world.ends("USER_BUSY", 486)
        self.world.put_task(limit=1, enable=False)
        self.world.runs_for(6)
        self.assertEqual(len(self.world.switch.placed), 1)
        self.assertIs(self.record().outcome, Outcome.BUSY)
        self.assert_all_done()


class DrainTests(PursuitCase):
    """SIGTERM: no further call, and nobody waits for one."""

    def test_a_number_that_was_claimed_but_not_called_goes_back(self) -> None:
        self.world.put_numbers("1001")
        self.world.clock.advance(0.05)  # the claim is under way
        self.world.stop()
        self.world.runs_for(0.1)
        self.assertEqual(self.world.switch.placed, [])
        self.assertEqual(self.world.queue, ["1001"])
        self.assert_all_done()

    def test_a_call_is_followed_to_its_end_and_none_comes_after(self) -> None:
        self.dial()
        self.world.stop()
        self.world.runs_for(5)
        self.world.ends("USER_BUSY", 486)
        self.world.runs_for(5)
        self.assertEqual(len(self.world.switch.placed), 1)
        self.assertEqual(self.world.store.records, [])
        (entry,) = self.world.store.flying.values()
        assert entry.dialing is not None
        self.assertEqual(entry.dialing.uuid, NO_CALL)
        self.assertEqual(len(Progress.decode(entry.dialing.progress).attempts), 1)
        self.assertEqual(self.world.left_behind(), {})

    def test_the_last_call_of_a_number_is_recorded(self) -> None:
        self.dial()
        self.world.stop()
        self.world.ends(answered=True)
        self.assertIs(self.record().outcome, Outcome.ANSWERED)
        self.assert_all_done()

    def test_a_number_that_rests_is_let_go_at_once(self) -> None:
        self.world.put_group("main", "gw1", redialer_count=1, rest=600_000)
        self.dial()
        self.world.ends("USER_BUSY", 486)
        self.world.stop()
        self.world.runs_for(0.05)
        self.assertEqual(self.world.left_behind(), {})
        self.assertEqual(len(self.world.store.flying), 1)
        self.assertEqual(self.world.clock.getDelayedCalls(), [])

    def test_a_number_that_waits_for_freeswitch_is_let_go_at_once(self) -> None:
        self.dial()
        self.world.switch.error = AWAY
        self.world.readiness.lost(Condition.FREESWITCH)
        self.world.ends("USER_BUSY", 486)
        self.world.runs_for(5)
        self.assertEqual(len(self.world.numbers), 1)
        self.world.stop()
        self.world.runs_for(0.05)
        self.assertEqual(self.world.left_behind(), {})
        (entry,) = self.world.store.flying.values()
        assert entry.dialing is not None
        self.assertEqual(entry.dialing.uuid, NO_CALL)


ENDINGS = st.sampled_from(
    [
        "answered",
        "busy",
        "unreachable",
        "refused",
        "no gateway",
        "usage",
        "other uuid",
        "lost",
        "cut",
        "redis away",
        "redis refuses",
        "wait",
    ]
)


class AnyLifeTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=150)
    @given(st.lists(ENDINGS, max_size=25), st.integers(1, 4), st.integers(0, 2), st.booleans())
    def test_every_number_ends_once_or_goes_back_and_every_account_is_even(
        self, endings: list[str], limit: int, redials: int, drains: bool
    ) -> None:
        world = World()
        world.put_group("main", "gw1", redialer_count=redials, rest=200)
        world.put_task(limit=limit)
        numbers = [str(1000 + index) for index in range(8)]
        world.put_numbers(*numbers)
        world.start()
        world.runs_for(0.1)
        for ending in endings:
            self.happens(world, ending)
        if drains:
            world.stop()
        for _ in range(400):
            for attempt in list(world.calls):
                world.calls.event(hang_up_event(attempt.uuid, "USER_BUSY", 486))
            world.runs_for(0.3)
            if not world.numbers and (drains or not world.queue):
                break
        world.queue_dialer.stop()
        world.runs_for(2)
        self.check(world, numbers)

    def happens(self, world: World, what: str) -> None:
        up = list(world.calls)
        uuid = up[0].uuid if up else ""
        placed = next((one for one in world.switch.placed if one.uuid == uuid), None)
        if what == "answered" and up:
            world.calls.event(answer_event(uuid))
            world.calls.event(hang_up_event(uuid, talked=1))
        elif what == "busy" and up:
            world.calls.event(hang_up_event(uuid, "USER_BUSY", 486))
        elif what == "unreachable" and placed:
            world.switch.job("-ERR NORMAL_TEMPORARY_FAILURE", placed)
        elif what == "refused" and placed:
            world.switch.job("-ERR DESTINATION_OUT_OF_ORDER", placed)
        elif what == "no gateway" and placed:
            world.switch.job("-ERR GATEWAY_DOWN", placed)
        elif what == "usage" and placed:
            world.switch.job("-USAGE: <call url>", placed)
        elif what == "other uuid" and placed:
            world.switch.job(f"+OK other-{uuid}", placed)
        elif what == "lost":
            world.calls.ask()
            world.runs_for(LINGER)
        elif what == "cut":
            world.readiness.lost(Condition.FREESWITCH)
            world.switch.goes_away()
            world.runs_for(0.2)
            world.switch.comes_back()
            world.switch.existing = {one.uuid for one in up[::2]}
            world.calls.ask()
            world.readiness.met(Condition.FREESWITCH)
        elif what.startswith("redis"):
            refuses = what == "redis refuses"
            world.store.error = (
                WrongType("k", "string", "hash") if refuses else StoreUnavailable("away", True)
            )
            world.readiness.lost(Condition.REDIS)
            if not refuses:
                world.writable.shut()
            world.runs_for(0.3)
            world.store.error = None
            world.writable.open()
            world.readiness.met(Condition.REDIS)
        world.runs_for(0.15)

    def check(self, world: World, numbers: list[str]) -> None:
        recorded = Counter(record.entry.decode() for record in world.store.records)
        resting = Counter(entry.entry.decode() for entry in world.store.flying.values())
        self.assertEqual(recorded + resting + Counter(world.queue), Counter(numbers))
        self.assertEqual(world.queue, sorted(world.queue))
        self.assertEqual(world.left_behind(), {})
        self.assertEqual(world.clock.getDelayedCalls(), [])
        uuids = [placed.uuid for placed in world.switch.placed]
        self.assertEqual(len(uuids), len(set(uuids)))
        for record in world.store.records:
            last = record.attempts[-1] if record.attempts else None
            answered = last is not None and last.answered_at is not None
            self.assertEqual(record.outcome is Outcome.ANSWERED, answered)
