"""Calls that are counted over hosts: when they have a place, and when it is left."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract import keys
from ctidialer.contract.counted import TOGETHER
from ctidialer.contract.record import Outcome
from ctidialer.dialer.dispatch import shared_places
from ctidialer.store.errors import Denied
from ctidialer.store.in_flight import NO_CALL, InFlight
from ctidialer.store.places import Asking
from tests.dialer.fakes import MemoryPlaces
from tests.dialer.shared_world import LINE, TASK, TRUNK, SharedWorld, in_flight


class SharedPlacesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = SharedWorld()
        self.world.wire()
        places = self.world.store.places
        assert isinstance(places, MemoryPlaces)
        self.redis = places

    def dial(self, *numbers: str) -> None:
        self.world.put_numbers(*numbers)
        self.world.start()
        self.world.runs_for(0.3)

    def lines_dialed(self) -> list[str]:
        return [one.command.partition("sofia/gateway/")[2][:3] for one in self.world.switch.placed]

    def test_a_call_takes_a_place_and_leaves_it(self) -> None:
        self.world.share_line()
        self.dial("1001")
        (taken,) = self.redis.taken[LINE]
        self.assertEqual(taken[0], "me")
        self.world.ends(answered=True)
        self.assertEqual(self.world.left_behind(), {})
        self.world.runs_for(0.1)
        self.assertEqual(self.redis.taken[LINE], [])
        self.world.runs_for(0.1)
        self.assertEqual(self.world.places._held.own, {})

    def test_a_place_that_nobody_lacks_is_left_later(self) -> None:
        self.world.share_line(count=6, cps=10)
        self.dial("1001")
        self.world.ends(answered=True)
        self.redis.others_take(LINE, "a", "b", "c")
        self.world.put_numbers("1002")
        self.world.runs_for(0.3)
        self.world.ends(answered=True)
        self.assertEqual([can_wait for _, can_wait in self.redis.left], [True, False])

    def test_a_call_on_a_trunk_with_a_rate_alone_leaves_nothing(self) -> None:
        self.world.share("cti_gateway@fs1", "trunk", cps=5, scope="domain")
        self.world.share_line(scope="host", gateway="trunk")
        self.dial("1001")
        self.world.ends(answered=True)
        self.assertIsNotNone(self.world.places.things.of_key(TRUNK))
        self.assertEqual((self.lines_dialed(), self.redis.left), (["gw1"], []))

    def test_nor_is_anything_left_there_after_a_recovery(self) -> None:
        self.world.share("cti_gateway@fs1", "trunk", cps=5, scope="domain")
        self.world.share_line(scope="host", gateway="trunk")
        self.dial("1001")
        self.recover()
        self.world.ends(answered=True)
        self.world.runs_for(0.1)
        self.assertEqual((self.redis.taken[TRUNK], self.world.places._held.own), ([], {}))

    def test_a_place_of_before_is_left_where_no_count_is_any_more(self) -> None:
        self.world.share("cti_gateway@fs1", "trunk", cps=5, scope="domain")
        self.world.share_line("gone", scope="host", gateway="trunk")
        self.redis.taken[TRUNK] = [("me", "m-1-1")]
        self.recover(in_flight("m-1-1", "a-call"))
        self.assertEqual(self.redis.taken[TRUNK], [("me", "m-1-1")])
        self.world.places.left("m-1-1", was_placed=True)
        self.world.runs_for(0.1)
        self.assertEqual((self.redis.taken[TRUNK], self.world.places._held.own), ([], {}))

    def test_a_count_that_was_lowered_meanwhile_is_full(self) -> None:
        self.world.share_line(count=100, cps=20)
        self.dial("1001")
        self.world.share_line(count=1, cps=20)
        self.world.ends(answered=True)
        self.assertEqual([can_wait for _, can_wait in self.redis.left], [False])

    def test_where_others_have_all_places_the_next_line_is_tried(self) -> None:
        self.world.share_line()
        self.redis.others_take(LINE, "a", "b")
        self.dial("1001", "1002")
        self.assertEqual(self.lines_dialed(), ["gw2", "gw2"])

    def test_where_no_line_has_a_place_the_number_stays_and_one_asks(self) -> None:
        self.world.share_line()
        self.world.share_line("gw2")
        self.redis.others_take(LINE, "a", "b")
        self.redis.others_take(keys.counted_calls("fs1", "line", "gw2"), "a", "b")
        self.dial("1001")
        self.assertEqual((self.world.switch.placed, self.world.queue), ([], ["1001"]))
        self.world.runs_for(4)
        asked = [key for asking, key in self.redis.asked if asking is not Asking.PASS]
        self.assertTrue(2 <= asked.count(LINE) <= 5, asked)
        self.redis.others_leave(LINE)
        self.world.runs_for(1.2)
        self.assertEqual(self.lines_dialed(), ["gw1"])

    def test_who_is_told_of_a_place_takes_it_at_once(self) -> None:
        self.world.share_line(count=1)
        self.world.put_group("backup", "nothing")
        self.redis.others_take(LINE, "a")
        self.dial("1001")
        self.redis.others_leave(LINE)
        self.world.places.questions.place_is_free(LINE)
        self.world.runs_for(0.05)
        self.assertEqual(len(self.world.switch.placed), 1)

    def test_who_wants_it_no_more_passes_it_on(self) -> None:
        self.world.share_line(count=1)
        self.world.put_group("backup", "nothing")
        self.redis.others_take(LINE, "a")
        self.dial("1001")
        self.world.runs.pause(["t"])
        self.world.runs_for(3)
        self.world.places.questions.place_is_free(LINE)
        self.assertEqual(self.redis.asked[-1], (Asking.PASS, LINE))

    def test_a_place_for_which_no_number_was_left_is_passed_on(self) -> None:
        self.world.share_line(count=1)
        self.world.put_group("backup", "nothing")
        self.redis.others_take(LINE, "a")
        self.dial("1001")
        self.world.store.queues["q"].clear()
        self.redis.others_leave(LINE)
        self.world.places.questions.place_is_free(LINE)
        self.world.runs_for(4)
        self.assertEqual(self.redis.asked[-1], (Asking.PASS, LINE))

    def test_lines_of_one_gateway(self) -> None:
        self.world.share("cti_gateway@fs1", "trunk", count=1, scope="domain")
        for name in ("gw1", "gw2"):
            self.world.put_line(name, gateway="trunk")
        self.dial("1001", "1002")
        self.assertEqual(len(self.world.switch.placed), 1)
        self.world.ends(answered=True)
        self.world.runs_for(0.3)
        self.assertEqual(len(self.world.switch.placed), 2)
        self.assertEqual(len(self.redis.taken[TRUNK]), 1)

    def test_the_limit_of_a_task_stays_taken_between_two_calls(self) -> None:
        self.world.share_task()
        self.redis.others_take(TASK, "a")
        self.dial("1001", "1002")
        self.assertEqual((len(self.world.switch.placed), self.world.queue), (1, ["1002"]))
        self.world.ends("USER_BUSY", 486)  # the next group is tried
        self.assertEqual(len(self.world.switch.placed), 2)
        self.assertEqual(len(self.redis.taken[TASK]), 2)
        self.world.ends(answered=True)
        self.world.runs_for(0.3)
        self.assertEqual((len(self.world.switch.placed), self.world.queue), (3, []))

    def test_a_start_that_is_given_ahead_is_waited_for(self) -> None:
        self.world.share_line(cps=4)
        self.redis.start_in = 0.25
        self.world.put_numbers("1001")
        self.world.start()
        self.world.runs_for(0.2)
        self.assertEqual(self.world.switch.placed, [])
        self.world.runs_for(0.1)
        self.assertEqual(len(self.world.switch.placed), 1)

    def test_a_task_that_is_paused_meanwhile_places_no_call(self) -> None:
        self.world.share_line(cps=4)
        self.redis.start_in = 0.25
        self.world.put_numbers("1001")
        self.world.start()
        self.world.runs_for(0.1)
        self.world.runs.pause(["t"])
        self.world.runs_for(0.5)
        self.assertEqual((self.world.switch.placed, self.world.queue), ([], ["1001"]))
        self.assertEqual(self.redis.taken[LINE], [])

    def test_the_start_of_a_number_that_is_not_to_be_called_is_given_back(self) -> None:
        """The number after it has its start; that one's own goes back to Redis."""
        self.world.share_line(cps=40)
        self.world.share_task(limit_scope="host", dnc=["dnc:us"])
        self.world.store.denials.append(Denied("dnc:us"))
        self.redis.start_in = 0.25
        self.world.put_numbers("1001", "1002")
        self.world.start()
        self.world.runs_for(0.5)
        (record,) = self.world.store.records
        self.assertEqual((record.number, record.outcome), ("1001", Outcome.DNC))
        self.assertEqual(len(self.world.switch.placed), 1)
        self.assertEqual(len(self.redis.given_back), 1)
        self.assertEqual(len(self.redis.taken[LINE]), 1)

    def test_a_call_that_was_not_sent_after_such_a_halt_does_not_count_for_its_callee(self) -> None:
        self.world.share_line(cps=40)
        self.world.share_task(limit_scope="host", callee_limit=[{"count": 1, "time": 60}])
        self.redis.is_displaced = True
        self.dial("1001")
        noted = [one.uuid for one in self.world.store.notes]
        self.assertEqual((self.world.switch.placed, bool(noted)), ([], True))
        self.assertEqual(self.world.store.uncounted, noted)

    def test_a_halt_between_the_note_and_its_turn_is_followed_by_no_call(self) -> None:
        """Another daemon may have closed the number, and said so in its record."""
        self.world.share_line(cps=40)
        self.redis.is_displaced = True
        self.dial("1001")
        self.assertEqual(self.world.switch.placed, [])

    def after_a_slow_note(self) -> None:
        """The first call is sent late, so the second waits for its turn after it was noted."""
        self.world.share_line(cps=2)
        self.world.share_task(limit_scope="host", dnc=["dnc:us"])
        self.world.store.slow_notes.append(0.45)
        self.world.put_numbers("1001")
        self.world.start()
        self.world.runs_for(0.02)
        self.redis.start_in = 0.5
        self.world.put_numbers("1002")
        self.world.runs_for(0.6)
        self.assertEqual((len(self.world.switch.placed), len(self.world.store.notes)), (1, 2))

    def test_a_call_that_waits_long_for_its_turn_is_noted_again(self) -> None:
        """The rules of its callee hold for when it is placed."""
        self.after_a_slow_note()
        self.world.runs_for(1.5)
        self.assertEqual(len(self.world.switch.placed), 2)
        first, second, again = (one.uuid for one in self.world.store.notes)
        self.assertNotEqual(first, second)
        self.assertEqual(second, again)
        self.assertEqual(len(self.world.store.permits), 3)

    def test_a_number_that_opts_out_while_its_call_waits_is_not_called(self) -> None:
        self.after_a_slow_note()
        self.world.store.denials.append(Denied("dnc:us"))
        self.world.runs_for(1.5)
        self.assertEqual(len(self.world.switch.placed), 1)
        (record,) = self.world.store.records
        self.assertEqual((record.number, record.outcome), ("1002", Outcome.DNC))

    def test_no_more_numbers_are_taken_while_starts_are_asked_for(self) -> None:
        """What Redis gives to those that ask is not there for others: they would go back."""
        self.world.share_line(cps=20, count=100)
        self.world.put_group("backup", "nothing")
        self.redis.round_trip = 0.2
        self.world.put_numbers(*(str(number) for number in range(1001, 1011)))
        self.world.start()
        self.world.runs_for(0.15)
        at_once = int(20 * TOGETHER)
        self.assertEqual(len(self.world.queue), 10 - at_once)
        self.world.runs_for(0.2)
        self.assertEqual(len(self.world.switch.placed), at_once)
        self.world.runs_for(1)
        self.assertEqual(len(self.world.switch.placed), 10)

    def test_the_next_number_takes_a_place_as_soon_as_it_is_known_to_be_free(self) -> None:
        self.world.share_line(count=1, cps=100)
        self.world.put_group("backup", "nothing")
        self.world.put_numbers("1001", "1002")
        self.world.queue_dialer.start(100.0)  # nothing but an answer of Redis wakes it
        self.world.runs_for(0.3)
        self.assertEqual(len(self.world.switch.placed), 1)
        self.redis.round_trip = 0.2
        self.world.ends(answered=True)
        self.world.runs_for(0.15)
        self.assertEqual(len(self.world.switch.placed), 1)
        self.world.runs_for(0.3)
        self.assertEqual(len(self.world.switch.placed), 2)

    def test_what_it_had_before_a_restart_it_has_until_it_knows_its_calls(self) -> None:
        self.redis.taken[LINE] = [("me", "x"), ("other", "a")]
        self.world.share_line()
        self.assertIn(("me", "x"), self.redis.taken[LINE])
        self.recover()
        self.assertEqual(self.redis.taken[LINE], [("other", "a")])

    def test_a_call_of_before_keeps_the_place_on_a_line_that_it_is_not_on_by_now(self) -> None:
        self.redis.taken[LINE] = [("me", "m-1-1"), ("me", "m-1-2"), ("me", "m-1-3")]
        self.redis.taken[TASK] = [("me", "m-1-1"), ("me", "m-1-2"), ("me", "m-1-3")]
        self.world.share_line(count=5)
        self.recover(in_flight("m-1-1", "u1"), in_flight("m-1-2", NO_CALL))
        self.assertEqual(self.redis.taken[LINE], [("me", "m-1-1")])
        self.world.share_task()
        self.assertEqual(self.redis.taken[TASK], [("me", "m-1-1"), ("me", "m-1-2")])
        self.world.places.left("m-1-1", was_placed=True)
        self.assertEqual(self.redis.taken[LINE], [])
        for name in ("m-1-1", "m-1-2"):
            self.world.places.over(name)
        self.assertEqual(self.redis.taken[TASK], [])

    def test_a_call_that_ends_while_places_are_set_right_leaves_all_of_its_own(self) -> None:
        self.patch(shared_places, "KEYS_AT_ONCE", 1)
        self.world.share_line()
        self.world.share_task()
        self.dial("1001")
        self.redis.righting = 1.0
        recovery = Deferred.fromCoroutine(self.world.places.recover(()))
        self.world.ends(answered=True)
        self.world.runs_for(3)
        self.successResultOf(recovery)
        self.assertEqual((self.redis.taken[LINE], self.redis.taken[TASK]), ([], []))

    def test_a_call_of_before_that_ends_while_places_are_set_right_keeps_none(self) -> None:
        self.redis.taken[LINE] = [("me", "m-1-1")]
        self.redis.taken[TASK] = [("me", "m-1-1")]
        self.world.share_line()
        self.world.share_task()
        self.redis.righting = 1.0
        recovery = Deferred.fromCoroutine(self.world.places.recover([in_flight("m-1-1", "u1")]))
        self.assertEqual(self.redis.taken[LINE], [("me", "m-1-1")])
        self.world.places.left("m-1-1", was_placed=True)
        self.world.places.over("m-1-1")
        self.world.runs_for(3)
        self.successResultOf(recovery)
        self.assertEqual((self.redis.taken[LINE], self.redis.taken[TASK]), ([], []))

    def recover(self, *entries: InFlight) -> None:
        self.successResultOf(Deferred.fromCoroutine(self.world.places.recover(entries)))

    def test_a_line_that_is_counted_no_more(self) -> None:
        self.world.share_line(count=1)
        self.world.put_group("backup", "nothing")
        self.redis.others_take(LINE, "a")
        self.dial("1001")
        self.world.share_line(count=1, scope="host")
        self.world.runs_for(0.3)
        self.assertEqual(len(self.world.switch.placed), 1)
        self.assertEqual(self.redis.taken[LINE], [("other", "a")])
