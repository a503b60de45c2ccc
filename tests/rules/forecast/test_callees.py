"""Calls that are drawn by curves come out as the curves say."""

from __future__ import annotations

import random
from statistics import mean

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.record import Outcome
from ctidialer.rules.forecast.actors import RingEnd
from ctidialer.rules.forecast.callees import Callees, Mix
from ctidialer.rules.prediction.handle_time import HandleTimes
from ctidialer.rules.prediction.ringing import RingTimes

DRAWS = 20_000


def learnt() -> Callees:
    ring, handle = RingTimes().faded(0.001), HandleTimes().faded(0.001)
    for second in range(100):
        if second < 30:
            ring = ring.was_answered(5.5 + second % 10)
        else:
            ring = ring.was_ended(20.5 if second < 60 else 30.5)
        handle = handle.ended(10.0 if second < 50 else 200.0)
    return Callees(agents=5, ring_curve=ring.curve(()), handle_curve=handle.curve(()))


class CalleesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.chance = random.Random(7)
        self.callees = learnt()

    def test_as_many_answer_as_have_answered(self) -> None:
        drawn = [self.callees.ring(self.chance) for _ in range(DRAWS)]
        answered = [age for end, age in drawn if end is RingEnd.ANSWERED]
        ended = [age for end, age in drawn if end is RingEnd.UNANSWERED]
        self.assertEqual(len(answered) + len(ended), DRAWS)
        self.assertApproximates(len(answered) / DRAWS, 0.3, 0.015)
        self.assertApproximates(mean(5.0 <= age < 15.0 for age in answered), 1.0, 0.01)
        self.assertApproximates(mean(20.0 <= age < 21.0 for age in ended), 3 / 7, 0.02)
        self.assertApproximates(mean(30.0 <= age < 31.0 for age in ended), 4 / 7, 0.02)

    def test_agents_are_busy_for_as_long(self) -> None:
        seconds = [self.callees.handle_time(self.chance) for _ in range(DRAWS)]
        self.assertGreaterEqual(min(seconds), 0.0)
        wanted = self.callees.handle_curve.mean
        self.assertApproximates(mean(seconds), wanted, 0.03 * wanted)
        within = self.callees.handle_curve.ends_within(0.0, 30.0)
        self.assertApproximates(mean(one <= 30.0 for one in seconds), within, 0.015)

    def test_machines_and_calls_that_the_line_loses(self) -> None:
        mix = Mix(machine=0.5, failed=0.2, fails_after=3.0)
        callees = evolve(self.callees, mix=mix)
        drawn = [callees.ring(self.chance) for _ in range(DRAWS)]
        ends = [end for end, _ in drawn]
        self.assertApproximates(ends.count(RingEnd.FAILED) / DRAWS, 0.2, 0.015)
        self.assertApproximates(ends.count(RingEnd.MACHINE) / DRAWS, 0.12, 0.015)
        self.assertApproximates(ends.count(RingEnd.ANSWERED) / DRAWS, 0.12, 0.015)
        self.assertEqual({age for end, age in drawn if end is RingEnd.FAILED}, {3.0})

    def test_outcomes_of_tries_without_an_answer(self) -> None:
        mix = Mix(unanswered={Outcome.BUSY: 1.0, Outcome.NO_ANSWER: 3.0})
        drawn = [mix.outcome(self.chance) for _ in range(DRAWS)]
        self.assertApproximates(drawn.count(Outcome.BUSY) / DRAWS, 0.25, 0.015)
        self.assertEqual(set(drawn), {Outcome.BUSY, Outcome.NO_ANSWER})
