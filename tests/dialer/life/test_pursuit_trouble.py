"""The life of one number where something fails: nothing sent, refused, lost, closed, drained."""

from __future__ import annotations

from ctidialer.contract.record import Outcome
from ctidialer.dialer.life.closing import GATHER_INTERVAL
from ctidialer.dialer.life.number_in_hand import Progress
from ctidialer.dialer.readiness import Condition
from ctidialer.esl.errors import CommandRefused, ConnectionGone
from ctidialer.rules.attempt import LINGER_SECONDS
from ctidialer.rules.turned_away import MAX_TIMES
from ctidialer.store.errors import LeaseLost, StoreUnavailable, WrongType
from ctidialer.store.in_flight import NO_CALL
from tests.dialer.fakes import ROUND_TRIP, Placed, answer_event, hang_up_event
from tests.dialer.life.pursuit_case import PursuitCase

AWAY = ConnectionGone("away", may_have_been_executed=False)


class NotSentTests(PursuitCase):
    def test_before_the_first_call_the_number_goes_back(self) -> None:
        self.world.switch.error = AWAY
        self.dial("1001", "1002")
        self.world.readiness.lost(Condition.FREESWITCH)
        self.world.runs_for(GATHER_INTERVAL + 0.1)
        self.assertEqual(sorted(self.world.queue), ["1001", "1002"])
        self.assert_all_done()

    def test_before_a_further_call_the_number_waits_for_freeswitch(self) -> None:
        self.dial()
        self.world.switch.error = AWAY
        self.world.readiness.lost(Condition.FREESWITCH)
        self.world.ends("USER_BUSY")
        self.world.runs_for(5)
        self.world.switch.comes_back()
        self.assertEqual(len(self.world.switch.placed), 1)
        self.world.readiness.met(Condition.FREESWITCH, Condition.RECOVERY)
        self.world.runs_for(0.1)
        self.assertEqual(len(self.world.switch.placed), 2)
        self.world.ends(answered=True)
        self.assertEqual(len(self.record().attempts), 2)
        self.assert_all_done()

    def test_redis_away_at_the_note_sends_nothing(self) -> None:
        self.world.put_numbers("1001")
        self.world.clock.advance(0.05)
        self.world.clock.advance(ROUND_TRIP)  # the look into the queue is answered, a claim is sent
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

    def test_a_fault_of_ours_harms_no_account(self) -> None:
        """The number stays in flight for the next start; its line is free for others."""

        def fails(job_id: str, command: str) -> None:
            raise ZeroDivisionError

        self.patch(self.world.switch, "background", fails)
        self.dial("1001")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual([state.calls for state in self.world.lines.states.values()], [0])
        self.assertEqual([entry.entry for entry in self.world.store.flying.values()], [b"1001"])
        self.assertEqual(self.world.slots.calls, 0)
        self.world.stop()

    def test_a_note_that_redis_refuses_harms_no_account(self) -> None:
        self.world.put_numbers("1001")
        self.world.clock.advance(0.05)
        self.world.clock.advance(ROUND_TRIP)  # the look into the queue is answered, a claim is sent
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
        self.world.clock.advance(ROUND_TRIP)  # the look into the queue is answered, a claim is sent
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
        self.world.switch.job("-ERR DESTINATION_OUT_OF_ORDER")
        self.world.runs_for(0.2)
        self.assertTrue(self.world.limits.backpressure.holds(self.world.clock.seconds()))
        self.assertEqual(self.world.queue, ["1002"])
        self.world.runs_for(LINGER_SECONDS - 0.2 + GATHER_INTERVAL + 0.03)
        self.assertEqual(self.world.queue, ["1001", "1002"])
        self.world.runs_for(0.5)
        self.assertEqual(self.dialed(), ["1001", "1001"])
        self.world.ends(answered=True)
        self.world.runs_for(0.1)
        self.assertEqual(self.world.lines.states["gw1"].faults, 0)
        self.world.ends(answered=True)
        self.world.runs_for(0.6)
        self.assertFalse(self.world.limits.is_refused(self.world.clock.seconds()))
        self.assert_all_done()

    def test_they_never_end_a_number_by_themselves(self) -> None:
        self.dial()
        for _ in range(4 * MAX_TIMES):
            self.world.is_refused()
            self.world.runs_for(20)
        self.assertEqual(self.world.store.records, [])
        self.assertEqual(len(self.world.switch.placed), 4 * MAX_TIMES + 1)
        self.world.ends(answered=True)
        self.assertIs(self.record().outcome, Outcome.ANSWERED)
        self.assert_all_done()

    def test_only_a_number_that_is_refused_while_others_are_not_is_given_up(self) -> None:
        self.world.put_task(limit=1)
        self.world.put_task("u", limit=1, number_queue="r")
        self.dial("1001")
        for turn in range(MAX_TIMES):
            self.assertEqual(len(self.world.store.records), turn)
            self.world.is_refused(self.of("1001")[-1])
            self.world.put_numbers("2002", queue="r")
            self.world.runs_for(20)
            self.world.ends(answered=True, placed=self.of("2002")[-1])
            self.world.runs_for(20)
        outcomes = {one.number: one.outcome for one in self.world.store.records}
        self.assertEqual(outcomes, {"1001": Outcome.FAILED, "2002": Outcome.ANSWERED})
        self.assertEqual(len(self.of("1001")), MAX_TIMES)
        self.assert_all_done()

    def test_so_is_one_that_is_refused_while_others_talk(self) -> None:
        self.world.put_task(limit=1)
        self.world.put_task("u", limit=100, number_queue="r")
        self.dial("1001")
        for turn in range(MAX_TIMES):
            self.assertEqual(self.world.store.records, [])
            self.world.is_refused(self.of("1001")[-1])
            other = f"200{turn}"
            self.world.put_numbers(other, queue="r")
            self.world.runs_for(20)
            self.world.calls.event(answer_event(self.of(other)[-1].uuid))
            self.world.runs_for(1)
        self.assertEqual([one.number for one in self.world.store.records], ["1001"])

    def test_calls_that_end_while_freeswitch_is_paused_cost_no_number(self) -> None:
        """They went out before: their end does not say that FreeSWITCH takes calls now."""
        self.world.put_task(limit=1)
        self.world.put_task("u", limit=100, number_queue="r")
        others = [f"20{at:02d}" for at in range(3 * MAX_TIMES)]
        self.world.put_numbers(*others, queue="r")
        self.world.runs_for(5)
        for other in others:
            self.world.calls.event(answer_event(self.of(other)[-1].uuid))
        self.dial("1001")
        for other in others:
            self.world.is_refused(self.of("1001")[-1])
            self.world.ends(placed=self.of(other)[-1])
            self.world.runs_for(20)
        self.assertNotIn("1001", [one.number for one in self.world.store.records])
        self.assertEqual(len(self.of("1001")), len(others) + 1)

    def test_the_rate_is_raised_while_a_call_rings(self) -> None:
        self.dial("1001")
        self.world.is_refused()
        self.assertGreater(self.world.limits.backpressure.pause, 0)
        self.world.runs_for(1)
        self.assertEqual(len(self.world.switch.placed), 2)
        self.assertEqual(self.world.limits.backpressure.pause, 0)

    def of(self, number: str) -> list[Placed]:
        return [placed for placed in self.world.switch.placed if placed.number == number]

    def test_refusals_of_a_further_call_let_the_number_wait(self) -> None:
        self.dial()
        self.world.ends("USER_BUSY", 486)
        for _ in range(4 * MAX_TIMES):
            self.world.is_refused()
            self.assertGreater(self.world.limits.backpressure.pause, 0)
            self.world.runs_for(2)
        self.assertEqual(self.world.store.records, [])
        self.world.ends(answered=True)
        self.assertIs(self.record().outcome, Outcome.ANSWERED)
        self.assertEqual(len(self.record().attempts), 2)
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


class NeverLeftTests(PursuitCase):
    """FreeSWITCH makes no channel: no verdict on the number."""

    def never_leaves(self, word: str = "INVALID_GATEWAY") -> None:
        self.world.switch.job(f"-ERR {word}")
        self.world.runs_for(0.03)

    def test_the_next_group_is_tried_at_once(self) -> None:
        self.dial()
        self.never_leaves()
        self.assertEqual(self.world.lines.states["gw1"].never_left, "INVALID_GATEWAY")
        self.world.ends(answered=True)
        self.assertEqual([one.line for one in self.record().attempts], ["gw2"])
        self.assert_all_done()

    def test_with_no_group_left_it_goes_back_and_waits_for_the_trial(self) -> None:
        self.dial("1001", "1002")
        self.never_leaves()
        self.never_leaves("GATEWAY_DOWN")
        self.world.runs_for(25)
        self.assertEqual((self.world.queue, self.world.store.records), (["1001", "1002"], []))
        self.assertEqual(len(self.world.switch.placed), 2)
        self.world.runs_for(6)
        self.assertEqual(self.dialed(), ["1001"] * 3)
        self.world.ends(answered=True)
        self.world.runs_for(0.1)
        self.world.ends(answered=True)
        self.assertEqual([one.number for one in self.world.store.records], ["1001", "1002"])
        self.assert_all_done()

    def test_a_further_call_waits_for_its_line_and_then_ends_by_its_own_verdict(self) -> None:
        self.world.put_task(limit=1, line_group=["main", "backup"])
        self.dial()
        self.world.ends("USER_BUSY", 486)
        self.never_leaves()
        self.world.runs_for(25)
        self.assertEqual(self.world.store.records, [])
        self.world.runs_for(6)
        self.assertIs(self.record().outcome, Outcome.BUSY)
        self.assertEqual(len(self.record().attempts), 1)
        self.assert_all_done()

    def test_a_task_that_closes_meanwhile_places_no_other_call(self) -> None:
        self.dial()
        self.world.put_task(limit=1, enable=False)
        self.never_leaves()
        self.world.runs_for(GATHER_INTERVAL)
        self.assertEqual(len(self.world.switch.placed), 1)
        self.assertEqual((self.world.queue, self.world.store.records), (["1001"], []))
        self.assert_all_done()

    def test_a_channel_that_failed_is_a_verdict(self) -> None:
        self.dial()
        self.world.calls.event(hang_up_event(self.world.switch.last.uuid, "INVALID_GATEWAY"))
        self.world.runs_for(0.03)
        self.world.ends("USER_BUSY", 486)
        self.assertEqual(len(self.record().attempts), 2)
        self.assert_all_done()


class WaitForLineTests(PursuitCase):
    """A further call without a line waits for one."""

    def setUp(self) -> None:
        super().setUp()
        self.world.put_task("u", limit=5, number_queue="r", line_group=["main"])
        self.world.put_line("gw1", count=1)
        self.world.put_line("gw2", count=0)

    def of(self, number: str) -> list[Placed]:
        return [placed for placed in self.world.switch.placed if placed.number == number]

    def test_a_redial_waits_for_its_own_group(self) -> None:
        self.world.put_group("main", "gw1", redialer_count=1, rest=1000)
        self.world.put_line("gw2", count=1)
        self.dial("1001")
        self.world.ends("USER_BUSY", 486)
        self.world.put_numbers("2001", queue="r")
        self.world.runs_for(20)
        run = self.world.runs.get("t")
        assert run is not None
        self.assertEqual((len(self.of("1001")), len(run.waiting), run.calls), (1, 1, 1))
        self.world.ends(answered=True, placed=self.of("2001")[0])
        self.assertEqual(len(self.of("1001")), 2)
        self.assertEqual((run.waiting, run.next_call(0.0)), ({}, None))
        self.world.ends(answered=True, placed=self.of("1001")[1])
        self.assertEqual([one.line for one in self.world.store.records[-1].attempts], ["gw1"] * 2)
        self.assert_all_done()

    def test_after_thirty_seconds_it_gives_way_to_the_next_group(self) -> None:
        self.world.put_group("main", "gw1", redialer_count=1, rest=1000)
        self.world.put_line("gw2", count=1)
        self.dial("1001")
        self.world.ends("USER_BUSY", 486)
        self.world.put_numbers("2001", queue="r")
        self.world.runs_for(30.5)
        self.assertEqual(len(self.of("1001")), 1)
        self.world.runs_for(1)
        self.world.ends(answered=True, placed=self.of("1001")[1])
        lines = [one.line for one in self.world.store.records[-1].attempts]
        self.assertEqual(lines, ["gw1", "gw2"])
        self.world.ends(answered=True, placed=self.of("2001")[0])
        self.assert_all_done()

    def test_a_further_group_is_waited_for_and_the_number_ends_by_its_last_call(self) -> None:
        self.dial("1001")
        self.world.ends("USER_BUSY", 486)
        self.world.runs_for(29)
        self.assertEqual(self.world.store.records, [])
        self.world.runs_for(1.5)
        self.assertIs(self.record().outcome, Outcome.BUSY)
        self.assertIn("no line is free", self.record().reason)
        self.assert_all_done()

    def test_an_edit_of_the_tables_gives_a_line(self) -> None:
        self.dial("1001")
        self.world.ends("USER_BUSY", 486)
        self.world.put_line("gw2", count=1)
        self.world.runs_for(1.1)
        self.world.ends(answered=True)
        self.assertEqual([one.line for one in self.record().attempts], ["gw1", "gw2"])
        self.assert_all_done()

    def test_the_drain_ends_the_wait(self) -> None:
        self.dial("1001")
        self.world.ends("USER_BUSY", 486)
        self.world.stop()
        self.world.runs_for(0.05)
        self.assertEqual(self.world.left_behind(), {})
        self.assertEqual(len(self.world.store.flying), 1)
        self.assertEqual(self.world.clock.getDelayedCalls(), [])


class LostTests(PursuitCase):
    def lose(self) -> None:
        self.world.switch.goes_away()
        self.world.switch.comes_back()
        self.world.calls.ask()
        self.world.runs_for(LINGER_SECONDS + 0.1)

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
        self.world.clock.advance(0.05)
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
