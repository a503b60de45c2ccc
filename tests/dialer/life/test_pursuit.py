"""The life of one number, from its claim to its record: group after group, its UUID."""

from __future__ import annotations

import json

from ctidialer.contract.record import Outcome
from ctidialer.dialer.life.closing import GATHER_INTERVAL
from ctidialer.dialer.life.number_in_hand import Progress
from ctidialer.dialer.readiness import Condition
from ctidialer.esl.errors import ConnectionGone
from ctidialer.store.errors import StoreUnavailable
from ctidialer.store.in_flight import NO_CALL
from tests.dialer.fakes import answer_event
from tests.dialer.life.pursuit_case import PursuitCase

AWAY = ConnectionGone("away", may_have_been_executed=False)


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
        for _ in range(100):
            if not self.world.store.notes:
                self.world.clock.advance(0.001)
        self.assertEqual(self.world.switch.placed, [])
        self.world.clock.advance(0.002)
        (placed,) = self.world.switch.placed
        (noted,) = self.world.store.notes
        self.assertEqual(noted.uuid, placed.uuid)
        self.assertEqual((noted.line, noted.group, noted.attempt), ("gw1", "main", 1))
        self.world.ends()

    def test_the_answer_is_noted_when_it_is_heard(self) -> None:
        self.dial()
        self.world.calls.event(answer_event(self.world.switch.last.uuid))
        self.world.runs_for(0.03)
        (entry,) = self.world.store.flying.values()
        assert entry.dialing is not None
        self.assertIsNotNone(entry.dialing.answered_at)
        self.world.ends()
        self.assert_all_done()

    def test_an_answer_that_cannot_be_noted_harms_nothing(self) -> None:
        self.dial()
        self.world.store.error = StoreUnavailable("away", True)
        self.world.calls.event(answer_event(self.world.switch.last.uuid))
        self.world.runs_for(0.03)
        self.world.store.error = None
        self.world.ends()
        self.assertIs(self.record().outcome, Outcome.ANSWERED)
        self.assert_all_done()

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

    def test_it_can_be_asked_for_again_when_its_call_is_over(self) -> None:
        for _ in range(2):
            self.dial(self.ENTRY)
            self.assertEqual(self.world.switch.last.uuid, "crm-7")
            self.world.ends(answered=True)
        self.assertEqual(len(self.world.store.records), 2)
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
        self.world.runs_for(GATHER_INTERVAL + 0.05)
        self.assertEqual(self.world.queue, [self.ENTRY])
        self.world.switch.comes_back()
        self.world.switch.silent = False
        self.world.readiness.met(Condition.FREESWITCH, Condition.RECOVERY)
        self.world.runs_for(0.1)
        self.assertEqual(self.world.switch.last.uuid, "crm-7")
        self.world.ends()
        self.world.ends()
        self.assert_all_done()
