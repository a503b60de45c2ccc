"""Tasks that are paced by their agents, with the dialer's own parts around switch and store in
memory."""

from __future__ import annotations

import json
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.said import Said
from ctidialer.dialer.agents.memory import LEARNT, LEDGER
from ctidialer.dialer.agents.roster import NamesAgents
from ctidialer.dialer.life.number_in_hand import Progress
from ctidialer.esl.errors import ConnectionGone
from ctidialer.rules.agents import AgentsNow
from ctidialer.rules.attempt import Attempt, answered
from ctidialer.rules.itinerary import Itinerary
from tests.dialer.agents.paced_world import PacedWorld
from tests.dialer.fakes import ZSET, answer_event, bridge_event, hang_up_event
from tests.support.logbook import logged_by

NUMBERS = [f"138{index:08d}" for index in range(500)]


BROKEN = {
    "params": {
        "enable": True,
        "line_group": ["main"],
        "limit": 5,
        "number_queue": "other",
        "destination_extension": "8888",
        "agent_queue": "broken",
    }
}


class PacedCase(SynchronousTestCase):
    started = False

    def setUp(self) -> None:
        self.world = PacedWorld()
        self.world.put_numbers(*NUMBERS)

    def task(self, **params: Any) -> None:
        usual = {"agent_queue": "sales", "limit": 100, "line_group": ["main"]}
        self.world.put_task(**{**usual, **params})
        if not self.started:
            self.started = True
            self.world.start()
        self.world.runs_for(0.1)

    def agents(self, free: int, **more: Any) -> None:
        self.world.agents(AgentsNow(free=free, **more))

    @property
    def placed(self) -> int:
        return len(self.world.switch.placed)

    def uuid(self, index: int) -> str:
        return self.world.switch.placed[index].uuid

    def answers(self, index: int, late: float = 0.0) -> None:
        """``late``: seconds by which it is heard late."""
        self.world.calls.event(answer_event(self.uuid(index), self.now() - late))

    def bridges(self, index: int, late: float = 0.0) -> None:
        self.world.calls.event(bridge_event(self.uuid(index), sent_at=self.now() - late))

    def now(self) -> float:
        return self.world.clock.seconds()

    def hangs_up(self, index: int, **more: Any) -> None:
        self.world.calls.event(hang_up_event(self.uuid(index), **more))
        self.world.runs_for(0.05)


class ProgressiveTests(PacedCase):
    def test_one_call_for_each_free_agent(self) -> None:
        self.agents(3)
        self.task()
        self.assertEqual(self.placed, 3)
        self.world.runs_for(5.0)
        self.assertEqual(self.placed, 3)

    def test_limit_stays_an_upper_bound(self) -> None:
        self.agents(30)
        self.task(limit=4)
        self.assertEqual(self.placed, 4)

    def test_nobody_is_called_without_agents(self) -> None:
        self.agents(0)
        self.task()
        self.world.runs_for(3.0)
        self.assertEqual(self.placed, 0)

    def test_an_agent_more_is_a_call_more_at_once(self) -> None:
        self.agents(1)
        self.task()
        self.agents(2)
        self.world.runs_for(0.04)
        self.assertEqual(self.placed, 2)

    def test_a_call_that_ends_is_followed_by_another(self) -> None:
        self.agents(1)
        self.task()
        self.hangs_up(0, cause="USER_BUSY", sip_code=486)
        self.assertEqual(self.placed, 2)

    def test_who_waits_for_an_agent_counts_as_on_his_way(self) -> None:
        self.agents(2)
        self.task()
        self.answers(0)
        self.world.runs_for(1.5)
        self.assertEqual(self.placed, 2)

    def test_who_is_offered_to_an_agent_has_one(self) -> None:
        self.agents(2)
        self.task()
        self.answers(0)
        self.agents(1, ringing=1)
        self.world.runs_for(1.0)
        self.assertEqual(self.placed, 2)
        self.agents(2, ringing=1)
        self.world.runs_for(0.05)
        self.assertEqual(self.placed, 3)

    def test_an_agent_who_is_still_shown_as_free_is_not_given_a_second_call(self) -> None:
        self.agents(1)
        self.task()
        self.answers(0)
        self.bridges(0)
        self.world.runs_for(0.5)
        self.assertEqual(self.placed, 1)
        self.agents(0, talking=1, busy=(0.5,))
        self.world.runs_for(5.0)
        self.agents(1, talking=1, busy=(5.5,))
        self.world.runs_for(0.05)
        self.assertEqual(self.placed, 2)

    def test_agents_who_vanish_end_the_dialing_at_once(self) -> None:
        self.agents(5)
        self.task()
        for index in range(5):
            self.hangs_up(index, cause="NO_ANSWER")
        placed = self.placed
        self.assertEqual(placed, 10)
        self.world.agents(AgentsNow(problem=Said("no heart", "没有心跳")))
        for index in range(5, 10):
            self.hangs_up(index, cause="NO_ANSWER")
        self.world.runs_for(2.0)
        self.assertEqual(self.placed, placed)

    def test_a_redial_waits_for_an_agent_and_goes_before_fresh_numbers(self) -> None:
        group = {"redialer_count": 1, "rest": 1000, "redialer_rule": {"hangup_cause": [17]}}
        self.world.put_group("main", "gw1", **group)
        self.agents(1)
        self.task()
        self.hangs_up(0, cause="USER_BUSY", sip_code=486)
        self.world.runs_for(0.2)
        self.assertEqual(self.placed, 2)  # a fresh one, while the first rests
        self.world.runs_for(3.0)
        self.assertEqual(self.placed, 2)
        self.hangs_up(1, cause="NO_ANSWER")
        self.world.runs_for(0.5)
        self.assertEqual(self.placed, 3)
        self.assertEqual(self.world.switch.placed[2].number, self.world.switch.placed[0].number)

    def test_a_fault_in_the_pacing_of_one_task_keeps_no_other_from_dialing(self) -> None:
        def fails(named: NamesAgents, now: float) -> AgentsNow:
            if named.queue == "broken":
                raise ZeroDivisionError
            return whole(named, now)

        whole = self.world.roster.now
        self.patch(self.world.roster, "now", fails)
        self.agents(2)
        self.world.put("cti_queue_dialer_task@fs1", "a", BROKEN)
        self.task()
        self.world.runs_for(3.0)
        self.assertTrue(self.flushLoggedErrors(ZeroDivisionError))
        self.assertEqual(self.placed, 2)


class RatioTests(PacedCase):
    def test_calls_for_free_and_for_busy_agents(self) -> None:
        self.agents(2, busy=(10.0, 20.0, 30.0, 40.0), talking=4)
        self.task(dial_mode="ratio", agent_ratio=1.5, agent_busy_ratio=0.5)
        self.assertEqual(self.placed, 5)

    def test_the_ceiling_makes_it_progressive(self) -> None:
        self.agents(2)
        self.task(dial_mode="ratio", agent_ratio=3, abandon_rate=0)
        self.assertEqual(self.placed, 2)
        status = self.world.pacing()
        self.assertTrue(status.is_progressive)


class PredictiveTests(PacedCase):
    def test_more_calls_than_free_agents(self) -> None:
        self.agents(10, busy=(30.0,) * 10, talking=10)
        self.task(dial_mode="predictive")
        self.assertGreater(self.placed, 10)
        self.assertLess(self.placed, 60)

    def test_what_was_learnt_and_counted_is_written(self) -> None:
        self.agents(5)
        self.task(dial_mode="predictive")
        self.answers(0)
        self.world.runs_for(3.0)
        fields = self.world.pacing_store.fields
        self.assertIn(LEARNT, fields)
        self.assertIn(b'"abandoned":1', fields[f"{LEDGER}fs1"])

    def test_a_daemon_goes_on_where_the_last_one_was_killed(self) -> None:
        self.agents(5)
        self.task(dial_mode="predictive")
        for index in range(3):
            self.answers(index)
        self.world.runs_for(12.0)
        before = self.world.pacing()
        self.assertEqual((before.answered, before.abandoned), (3, 3))
        after = PacedWorld(self.world.pacing_store)
        after.put_task(agent_queue="sales", dial_mode="predictive", limit=100)
        after.agents(AgentsNow(free=1))
        after.start()
        after.runs_for(1.0)
        then = after.pacing()
        self.assertEqual((then.answered, then.abandoned), (3, 3))
        assert before.risk is not None
        assert then.risk is not None
        self.assertAlmostEqual(before.risk, then.risk, places=4)

    def test_nobody_is_called_before_redis_has_said_what_was_counted(self) -> None:
        self.world.pacing_store.is_silent = True
        self.agents(5)
        self.task(dial_mode="predictive")
        self.world.runs_for(3.0)
        self.assertEqual(self.placed, 0)


class JudgingTests(PacedCase):
    def test_who_waits_too_long_is_abandoned_and_transferred(self) -> None:
        self.agents(1)
        self.task(abandon_extension="8999")
        self.answers(0)
        self.world.runs_for(1.9)
        self.assertEqual(self.world.commands("uuid_transfer"), [])
        self.world.runs_for(0.2)
        self.assertEqual(
            self.world.commands("uuid_transfer"),
            [f"uuid_transfer {self.uuid(0)} 8999 XML default"],
        )
        self.assertEqual(self.world.pacing().abandoned, 1)

    def test_who_cannot_be_transferred_goes_on_waiting(self) -> None:
        self.world.hearing.forbidden = {"uuid_transfer", "uuid_getvar"}
        self.agents(1)
        self.task(abandon_extension="8999")
        self.answers(0)
        self.world.runs_for(3.0)
        status = self.world.pacing()
        self.assertEqual((status.abandoned, status.waiting), (1, 1))

    def test_who_has_an_agent_in_time_is_not_transferred(self) -> None:
        self.agents(1)
        self.task(abandon_extension="8999")
        self.answers(0)
        self.world.runs_for(1.0)
        self.bridges(0)
        self.world.runs_for(5.0)
        self.assertEqual(self.world.commands("uuid_transfer"), [])
        status = self.world.pacing()
        self.assertEqual((status.answered, status.abandoned), (1, 0))

    def test_who_was_connected_this_very_moment_is_not_torn_away(self) -> None:
        self.agents(1)
        self.task(abandon_extension="8999")
        self.answers(0)
        self.world.hearing.variables["signal_bond"] = "agent-leg"
        self.world.runs_for(3.0)
        self.assertEqual(self.world.commands("uuid_transfer"), [])

    def test_who_hangs_up_sooner_counts_in_neither(self) -> None:
        self.agents(1)
        self.task()
        self.answers(0)
        self.world.runs_for(1.0)
        self.hangs_up(0, talked=1.0)
        status = self.world.pacing()
        self.assertEqual((status.answered, status.abandoned), (0, 0))

    def test_a_machine_is_taken_out_of_the_count_when_it_is_known(self) -> None:
        self.agents(1)
        rule = [{"variable": "amd", "value": "M*", "outcome": "machine"}]
        self.task(outcome_rule=rule)
        self.answers(0)
        self.world.runs_for(3.0)
        self.assertEqual(self.world.pacing().abandoned, 1)
        self.hangs_up(0, talked=3.0, more={"variable_amd": "MACHINE"})
        status = self.world.pacing()
        self.assertEqual((status.answered, status.abandoned), (0, 0))

    def test_the_ledger_agrees_with_the_records(self) -> None:
        self.agents(3)
        self.task()
        for index in range(3):
            self.answers(index)
        self.world.runs_for(1.0)
        self.bridges(0)
        self.world.runs_for(2.0)
        self.bridges(1)
        self.world.runs_for(2.0)
        for index in range(3):
            self.hangs_up(index, talked=5.0)
        abandoned = [record.abandoned for record in self.world.store.records]
        self.assertEqual(abandoned, [False, True, True])
        status = self.world.pacing()
        self.assertEqual((status.answered, status.abandoned), (3, 2))

    def test_after_a_stop_what_is_heard_late_has_happened_earlier(self) -> None:
        """One callee waited as long as we stopped, the other had an agent meanwhile."""
        self.agents(3)
        self.task(abandon_extension="8999")
        self.answers(0)
        self.world.runs_for(2.5)
        self.answers(1, late=2.4)
        self.world.runs_for(0.01)
        self.assertEqual(self.world.pacing().abandoned, 2)
        self.bridges(0, late=1.5)
        status = self.world.pacing()
        self.assertEqual((status.answered, status.abandoned), (2, 1))
        self.bridges(1)
        self.assertEqual(self.world.pacing().abandoned, 1)
        for index in range(2):
            self.hangs_up(index, talked=9.0)
        abandoned = [record.abandoned for record in self.world.store.records]
        self.assertEqual(abandoned, [False, True])

    def test_the_end_of_a_greeting_gives_more_time(self) -> None:
        self.agents(1)
        self.task(abandon_from="greeting", abandon_extension="8999")
        self.answers(0)
        self.world.hearing.variables["cti_greeting_end"] = str(self.world.clock.seconds() + 3.0)
        self.world.runs_for(4.8)
        self.assertEqual(self.world.pacing().abandoned, 0)
        self.world.runs_for(0.5)
        self.assertEqual(self.world.pacing().abandoned, 1)

    def owed_at_the_end_of_his_time(self, **params: Any) -> Deferred[str]:
        """Let a callee wait in vain; return the answer that FreeSWITCH owes us then.  To all that
        is asked later it says that there is no such channel."""
        self.agents(1)
        self.task(abandon_extension="8999", **params)
        self.answers(0)
        owed: Deferred[str] = Deferred()
        answers = iter([owed])
        no_channel = "-ERR No such channel!"
        self.patch(self.world.hearing, "api", lambda _: next(answers, None) or succeed(no_channel))
        self.world.runs_for(2.1)
        return owed

    def test_who_hangs_up_while_he_is_asked_for_is_not_counted_later(self) -> None:
        owed = self.owed_at_the_end_of_his_time(abandon_from="greeting")
        greeted = {"variable_cti_greeting_end": str(self.now() - 0.5)}
        self.hangs_up(0, talked=2.1, more=greeted)
        owed.callback("-ERR No such channel!")
        self.world.runs_for(10.0)
        status = self.world.pacing()
        self.assertEqual((status.answered, status.abandoned), (0, 0))
        self.assertFalse(self.world.store.records[0].abandoned)

    def test_after_a_stop_nobody_is_asked_for_any_more(self) -> None:
        owed = self.owed_at_the_end_of_his_time(abandon_from="greeting")
        assert self.world.pacers is not None
        self.world.stop()
        self.world.pacers.stop()
        self.world.runs_for(2.0)
        left = len(self.world.clock.getDelayedCalls())
        owed.errback(ConnectionGone("closed", may_have_been_executed=False))
        self.assertEqual(len(self.world.clock.getDelayedCalls()), left)

    def test_who_hangs_up_while_he_is_transferred_is_not_warned_of(self) -> None:
        owed = self.owed_at_the_end_of_his_time()
        book = logged_by(self)
        self.hangs_up(0, talked=2.1)
        owed.callback("-ERR No such channel!")
        self.assertEqual([one["log_format"] for one in book], [])

    def test_batch_with_abandon_time_judges_and_paces_nothing(self) -> None:
        self.task(agent_queue=None, abandon_time=2, limit=7)
        self.assertEqual(self.placed, 7)
        self.answers(0)
        self.world.runs_for(3.0)
        self.assertEqual(self.world.pacing().abandoned, 1)

    def test_a_schedule_configuration_judges_and_transfers(self) -> None:
        world = self.world
        world.put_schedule(abandon_time=1, abandon_extension="8999", line_group=["main"])
        number = {"params": {"number": "13800000009", "config": "s"}}
        world.store.due[ZSET] = {json.dumps(number).encode(): world.clock.seconds()}
        world.schedule_dialer.start(1.0)
        world.runs_for(0.5)
        self.answers(0)
        world.runs_for(1.1)
        self.assertEqual(
            world.commands("uuid_transfer"), [f"uuid_transfer {self.uuid(0)} 8999 XML default"]
        )
        self.hangs_up(0, talked=1.1)
        self.assertTrue(world.store.records[-1].abandoned)

    def test_a_call_that_an_earlier_daemon_placed_is_counted_when_it_ends(self) -> None:
        self.agents(1)
        self.task()
        (entry,) = self.world.store.flying.values()
        uuid = self.uuid(0)
        assert entry.dialing is not None
        answered = evolve(entry.dialing, answered_at=self.world.clock.seconds())
        later = PacedWorld()
        later.put_task(agent_queue="sales", limit=100, line_group=["main"])
        later.store.flying[entry.id] = evolve(entry, dialing=answered)
        errand = later.queue_dialer.errand_of(later.store.flying[entry.id])
        under_way = attempt_answered(uuid, later.clock.seconds())
        later.numbers.resume(errand, under_way, Progress(Itinerary(groups=("main",))))
        later.runs_for(5.0)
        self.assertEqual(later.pacing().answered, 0)
        later.calls.event(hang_up_event(uuid, talked=5.0))
        later.runs_for(0.1)
        self.assertEqual((later.pacing().answered, later.pacing().abandoned), (1, 1))

    def test_an_abandoned_call_is_written_at_once_also_after_a_slow_write(self) -> None:
        slow = self.slow_write()
        self.answers(0)
        self.world.runs_for(2.1)
        slow.callback(None)
        self.assertIn(b'"abandoned":1', self.world.pacing_store.fields[f"{LEDGER}fs1"])

    def test_so_is_what_was_counted_last_when_the_daemon_stops(self) -> None:
        slow = self.slow_write()
        self.answers(0)
        self.bridges(0)
        assert self.world.pacers is not None
        self.world.pacers.stop()
        slow.callback(None)
        self.assertIn(b'"answers":1', self.world.pacing_store.fields[f"{LEDGER}fs1"])

    def slow_write(self) -> Deferred[None]:
        """Begin to write; return when Redis answers."""
        self.agents(1)
        self.task()
        slow: Deferred[None] = Deferred()
        self.world.pacing_store.slow_answers.append(slow)
        self.world.runs_for(1.0)
        self.assertEqual(self.world.pacing_store.slow_answers, [])
        return slow

    def test_what_was_counted_stays_where_somebody_is_abandoned_before_the_first_look(self) -> None:
        task: dict[str, Any] = {"agent_queue": "sales", "abandon_time": 0.5}
        task["line_group"] = ["main"]
        self.agents(1)
        self.task(**task)
        self.answers(0)
        self.world.runs_for(2.0)
        (entry,) = self.world.store.flying.values()
        later = PacedWorld(self.world.pacing_store)
        later.clock.advance(self.now() - later.clock.seconds())
        later.put_task(**task, stop_time="2001-01-01")  # it is closed: it has this call only
        assert entry.dialing is not None
        later.store.flying[entry.id] = evolve(
            entry, dialing=evolve(entry.dialing, uuid="of-an-earlier-daemon")
        )
        errand = later.queue_dialer.errand_of(later.store.flying[entry.id])
        rings = Attempt("of-an-earlier-daemon", "gw1", "main", dialed_at=self.now())
        later.numbers.resume(errand, rings, Progress(Itinerary(groups=("main",))))
        later.calls.event(answer_event("of-an-earlier-daemon"))
        later.runs_for(5.0)
        self.assertEqual((later.pacing().answered, later.pacing().abandoned), (2, 2))

    def test_what_was_learnt_is_written_when_the_daemon_stops(self) -> None:
        self.agents(1)
        self.task()
        before = self.world.pacing_store.fields[LEARNT]
        self.hangs_up(0, cause="NO_ANSWER")
        self.assertEqual(self.world.pacing_store.fields[LEARNT], before)
        assert self.world.pacers is not None
        self.world.pacers.stop()
        self.assertNotEqual(self.world.pacing_store.fields[LEARNT], before)


def attempt_answered(uuid: str, now: float) -> Attempt:
    """Return a call that was answered a moment ago."""
    return answered(Attempt(uuid, "gw1", "main", dialed_at=now - 5.0), now)


class ReleaseTests(PacedCase):
    def test_calls_that_rang_long_enough_are_given_up_when_agents_leave(self) -> None:
        self.agents(3)
        self.task(ring_release=True, ring_min=15)
        for index in range(3):
            self.world.rings(self.uuid(index))
        self.agents(1)
        self.world.runs_for(14.0)
        self.assertEqual(self.world.commands("uuid_kill"), [])
        self.world.runs_for(3.0)
        self.assertEqual(len(self.world.commands("uuid_kill")), 2)

    def test_a_call_that_cannot_be_ended_goes_on_counting(self) -> None:
        self.world.hearing.forbidden = {"uuid_kill"}
        self.agents(2)
        self.task(ring_release=True, ring_min=5)
        for index in range(2):
            self.world.rings(self.uuid(index))
        self.agents(0)
        self.world.runs_for(10.0)
        self.assertEqual(len(self.world.commands("uuid_kill")), 2)
        self.agents(2)
        self.world.runs_for(2.0)
        self.assertEqual(self.placed, 2)

    def test_no_call_is_given_up_without_it(self) -> None:
        self.agents(3)
        self.task()
        for index in range(3):
            self.world.rings(self.uuid(index))
        self.agents(0)
        self.world.runs_for(30.0)
        self.assertEqual(self.world.commands("uuid_kill"), [])


class HearingTests(PacedCase):
    def heard(self) -> set[str]:
        return {more.name for more in self.world.hearing.heard}

    def test_more_events_only_while_a_task_needs_them(self) -> None:
        self.task(agent_queue=None, limit=5)
        self.world.runs_for(2.0)
        self.assertEqual(self.heard(), set())
        self.task()
        self.assertEqual(self.heard(), {"CHANNEL_BRIDGE"})
        self.task(ring_release=True)
        self.world.runs_for(1.1)
        self.assertLessEqual({"CHANNEL_BRIDGE", "CHANNEL_PROGRESS"}, self.heard())
        self.world.put_task(enable=False)
        for index in range(self.placed):
            self.hangs_up(index, cause="NO_ANSWER")
        self.world.runs_for(2.1)
        self.assertEqual(self.heard(), set())
