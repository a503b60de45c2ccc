"""What is foreseen of a list, held against the laboratory and against plain arithmetic."""

from __future__ import annotations

import random
from datetime import datetime
from functools import cache
from typing import Any

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.pacing_world import Conditions
from ctidialer.contract.agent_dialing import AgentDialing, DialMode
from ctidialer.contract.callee import CalleeRules, RetryPlan, RetryRule
from ctidialer.contract.forecast import Forecast
from ctidialer.contract.hours import ALL_HOURS, CallingHours, Window
from ctidialer.contract.record import Outcome
from ctidialer.rules.forecast.actors import Bounds
from ctidialer.rules.forecast.callees import Mix
from ctidialer.rules.forecast.flow import summed
from ctidialer.rules.forecast.numbers import CallRules, NumbersLeft, Part, Sampled
from ctidialer.rules.forecast.paces import pace_of
from ctidialer.rules.forecast.runs import MOST_EACH, Question, foresee
from ctidialer.rules.forecast.summing import CALLS, FLOW, closed_seconds, summed_up
from ctidialer.rules.forecast.world import HOUR, World
from ctidialer.rules.permission import LastMoments
from ctidialer.rules.prediction.feedback import Ledger
from ctidialer.rules.prediction.pacer import Learnt

MORNING = datetime.fromisoformat("2026-11-30 09:00+00:00").timestamp()
DAY = 24 * HOUR
YEAR = 366 * DAY
FREE = CallRules(ALL_HOURS, "UTC", CalleeRules(), LastMoments())
OFFICE = CallingHours(windows=(Window(9 * 3600, 17 * 3600),))
PREDICTIVE = AgentDialing(mode=DialMode.PREDICTIVE, group="sales")
PROGRESSIVE = evolve(PREDICTIVE, mode=DialMode.PROGRESSIVE)


def asked(total: int, agents: int | None, dialing: AgentDialing | None, **more: Any) -> Question:
    given = {
        "rules": FREE,
        "learnt": Learnt(),
        "truth": more.get("learnt", Learnt()),
        "mix": Mix(),
        "bounds": Bounds(),
        "horizon": YEAR,
        "waiting": Part(),
        **more,
    }
    return Question(fresh=Part(total), agents=agents, dialing=dialing, now=MORNING, **given)


def forecast(question: Question) -> Forecast:
    return summed_up("t", "fs1", question, foresee(question), ())


def ends_in(found: Forecast) -> float:
    assert found.ends_at is not None
    return found.ends_at.middle - found.at


AGENTS = 20
CONDITIONS = Conditions(agents=AGENTS, handle_mean=60.0)


def laboratory(chance: random.Random, **more: Any) -> World:
    return World(lambda _: CONDITIONS, pace_of(PREDICTIVE), chance=chance, **more)


@cache
def learnt_in_laboratory() -> tuple[float, Learnt]:
    """Return how busy its agents are when they have got going, and what was learnt by then."""
    world = laboratory(random.Random(11))
    later = summed(world.run(4 * HOUR)[1:])
    return later.busy_seconds / later.agent_seconds, evolve(world.learnt, ledger=Ledger())


class LaboratoryTests(SynchronousTestCase):
    """The laboratory's callees and agents are not those of the forecast: their handle times are
    lognormal, and the forecast knows only what was learnt of them."""

    def setUp(self) -> None:
        self.use, self.learnt = learnt_in_laboratory()

    def test_a_long_list_keeps_agents_as_busy_as_the_laboratory_does(self) -> None:
        found = forecast(asked(500_000, AGENTS, PREDICTIVE, learnt=self.learnt))
        assert found.agent_use is not None
        assert found.abandoned_share is not None
        self.assertEqual(found.method, FLOW)
        self.assertApproximates(found.agent_use.middle, self.use, 0.04)
        self.assertLessEqual(found.abandoned_share.middle, PREDICTIVE.abandon_rate)
        self.assertApproximates(found.answered.middle / found.calls.middle, 0.3, 0.02)

    def test_a_short_list_ends_when_the_laboratory_ends_it(self) -> None:
        total, chance = 1000, random.Random(12)
        numbers = NumbersLeft.of(Part(total), Part(), FREE, Mix(), chance, MORNING, total)
        truth = laboratory(chance, numbers=numbers, learnt=self.learnt)
        truth.run(YEAR)
        self.assertTrue(numbers.is_over)
        assert numbers.tally.last_end is not None
        found = forecast(asked(total, AGENTS, PREDICTIVE, learnt=self.learnt))
        self.assertEqual((found.method, found.ends, found.calls.middle), (CALLS, 1.0, total))
        self.assertApproximates(ends_in(found) / numbers.tally.last_end, 1.0, 0.15)


class ListTests(SynchronousTestCase):
    def test_call_by_call_and_as_a_flow_it_ends_at_the_same_time(self) -> None:
        for agents, dialing in ((10, PROGRESSIVE), (None, None)):
            bounds = Bounds(limit=50 if agents is None else 1000)
            question = asked(MOST_EACH, agents, dialing, bounds=bounds)
            each, flows = forecast(question), forecast(evolve(question, fresh=Part(MOST_EACH + 1)))
            self.assertEqual((each.method, flows.method), (CALLS, FLOW))
            self.assertApproximates(ends_in(flows) / ends_in(each), 1.0, 0.15)

    def test_the_rate_bounds_a_task_without_agents(self) -> None:
        for total, rate in ((600, 1.0), (1_000_000, 20.0)):
            found = forecast(asked(total, None, None, bounds=Bounds(limit=50_000, cps=rate)))
            took, calls_take = ends_in(found), 1000.0
            self.assertTrue(total / rate - 1.0 <= took <= total / rate + calls_take, took)
            self.assertIsNone(found.agent_use)
            self.assertIsNone(found.abandoned_share)

    def test_nights_between(self) -> None:
        rules = evolve(FREE, hours=OFFICE)
        bounds = Bounds(limit=100_000, cps=10.0)
        found = forecast(asked(700_000, None, None, bounds=bounds, rules=rules))
        # 288,000 calls in eight hours: the third day, at about half past twelve.
        self.assertApproximates(ends_in(found), 2 * DAY + 3.44 * HOUR, 600.0)
        self.assertApproximates(found.held.closed_seconds, 32 * HOUR, 1.0)

    def test_it_does_not_end_in_time(self) -> None:
        for total in (3000, 300_000):
            question = asked(total, None, None, bounds=Bounds(cps=0.5), horizon=1000.0)
            found = forecast(question)
            self.assertIsNone(found.ends_at)
            self.assertEqual((found.ends, found.until), (0.0, MORNING + 1000.0))
            self.assertApproximates(found.left.middle, total - 500, 90)

    def test_nothing_is_called_without_room_for_a_call(self) -> None:
        for total in (10, 100_000):
            found = forecast(asked(total, 5, PREDICTIVE, bounds=Bounds(limit=0)))
            self.assertEqual((found.ends_at, found.calls.high, found.left.low), (None, 0, total))

    def test_an_empty_list_is_over_now(self) -> None:
        found = forecast(asked(0, 5, PROGRESSIVE))
        self.assertEqual((ends_in(found), found.calls.high, found.outcomes), (0.0, 0, {}))

    def test_what_holds_back(self) -> None:
        plan = RetryPlan((RetryRule(frozenset({"no_answer"}), (HOUR,), 1),))
        callee = CalleeRules(hours=(OFFICE,), retry=plan)
        sample = (
            *[Sampled(zones=("Europe/London",))] * 6,
            *[Sampled(zones=("Asia/Tokyo",))] * 2,  # it is evening there
            Sampled(zones=("Europe/London",), ends=Outcome.DNC),
            Sampled(ends=Outcome.INVALID),
        )
        question = evolve(
            asked(0, None, None, rules=evolve(FREE, callee=callee), bounds=Bounds(limit=50)),
            fresh=Part(1000, sample),
        )
        found = forecast(question)
        self.assertEqual((found.held.dnc, found.held.invalid), (100, 100))
        self.assertGreaterEqual(found.held.callee_hours, 200)
        self.assertApproximates(found.held.retries, 400, 60)  # half of them answer the first time
        self.assertGreater(found.held.idle_seconds, 6 * HOUR)
        self.assertEqual(sum(found.outcomes.values()), 1000)

    def test_the_same_seed_foresees_the_same(self) -> None:
        question = asked(200, 5, PREDICTIVE)
        self.assertEqual(forecast(question), forecast(question))
        self.assertNotEqual(forecast(question), forecast(evolve(question, seed=2)))

    def test_the_ceiling_holds_back_calls_by_ratio(self) -> None:
        """A ledger without slack: no more calls than agents are free, so nobody is abandoned."""
        dialing = evolve(PROGRESSIVE, mode=DialMode.RATIO, ratio=3.0)
        spent = evolve(Learnt(), ledger=Ledger(1000, 60))
        free, held = (
            forecast(asked(500, 10, dialing, learnt=learnt)) for learnt in (Learnt(), spent)
        )
        self.assertGreater(free.abandoned.middle, 0)
        self.assertEqual(held.abandoned.high, 0)
        self.assertGreater(ends_in(held), ends_in(free))

    def test_calls_are_given_up_where_the_task_allows_it(self) -> None:
        question = asked(400, 10, evolve(PREDICTIVE, ring_release=True, ring_min=0.0))
        found = forecast(question)
        self.assertEqual(sum(found.outcomes.values()), 400)


class AnyAgentsTests(SynchronousTestCase):
    @settings(max_examples=8, deadline=None)
    @given(
        total=st.integers(50, 200),
        agents=st.integers(1, 20),
        mode=st.sampled_from([DialMode.PROGRESSIVE, DialMode.RATIO, DialMode.PREDICTIVE]),
        failed=st.floats(0.0, 0.5),
    )
    def test_with_many_more_agents_it_does_not_end_later(
        self, total: int, agents: int, mode: DialMode, failed: float
    ) -> None:
        dialing = evolve(PREDICTIVE, mode=mode, ratio=2.0)
        few, many = (
            forecast(asked(total, count, dialing, mix=Mix(failed=failed)))
            for count in (agents, 3 * agents)
        )
        self.assertEqual((few.ends, many.ends), (1.0, 1.0))
        self.assertLessEqual(ends_in(many), ends_in(few) * 1.1 + 300.0)  # the last calls last long
        for found in (few, many):
            assert found.agent_use is not None
            self.assertTrue(0.0 <= found.agent_use.low <= found.agent_use.high <= 1.0)


class ClosedTests(SynchronousTestCase):
    def test_closed_seconds(self) -> None:
        rules = evolve(FREE, hours=OFFICE)
        self.assertEqual(closed_seconds(rules, MORNING, MORNING + 2 * DAY), 32 * HOUR)
        self.assertEqual(closed_seconds(FREE, MORNING, MORNING + 2 * DAY), 0.0)
        self.assertEqual(closed_seconds(rules, MORNING, MORNING), 0.0)
