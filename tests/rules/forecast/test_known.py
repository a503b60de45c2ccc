"""What a forecast may rest on: what was learnt, else the last records, else a guess."""

from __future__ import annotations

import random

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.agent_dialing import AgentDialing, DialMode
from ctidialer.contract.record import Kind, Outcome
from ctidialer.contract.record_summary import AttemptSummary, RecordSummary
from ctidialer.rules.forecast.callees import Callees
from ctidialer.rules.forecast.known import ENOUGH, Known, known, mix_of, without_guess
from ctidialer.rules.prediction.pacer import Learnt

PREDICTIVE = AgentDialing(mode=DialMode.PREDICTIVE, group="sales")


def record(
    outcome: Outcome | str,
    *,
    answered: bool = False,
    calls: int = 1,
    rings: float = 10.0,
    lasts: float = 30.0,
    wait: float | None = None,
) -> RecordSummary:
    """Return a record whose last call was answered after ``rings`` and was up for ``lasts``."""
    answered_at = 1000.0 + rings if answered else None
    last = AttemptSummary(
        dialed_at=1000.0,
        answered_at=answered_at,
        bridged_at=None if answered_at is None or wait is None else answered_at + wait,
        ended_at=1000.0 + rings + (lasts if answered else 0.0),
    )
    before = AttemptSummary(dialed_at=900.0, ended_at=900.0 + rings)
    word = outcome if isinstance(outcome, str) else outcome.value
    attempts = (*[before] * (calls - 1), last)
    return RecordSummary(
        kind=Kind.QUEUE,
        outcome=word,
        ended_at=2000.0,
        task="t",
        answered=answered,
        attempts=attempts if calls else (),
    )


class MixTests(SynchronousTestCase):
    def test_shares(self) -> None:
        found = mix_of(
            [
                *[record(Outcome.ANSWERED, answered=True)] * 3,
                record(Outcome.MACHINE, answered=True),
                *[record(Outcome.BUSY, calls=2)] * 2,
                *[record(Outcome.NO_ANSWER)] * 2,
                *[record(Outcome.FAILED, rings=4.0)] * 2,
                record("something of a later version"),
            ]
        )
        self.assertEqual(found.machine, 0.25)
        self.assertEqual(found.unanswered, {Outcome.BUSY: 2, Outcome.NO_ANSWER: 2})
        self.assertApproximates(found.failed, 2 / 13, 1e-9)
        self.assertEqual(found.fails_after, 4.0)
        self.assertApproximates(found.redialed, 2 / 9, 1e-9)

    def test_nothing_but_answers(self) -> None:
        found = mix_of([record(Outcome.ANSWERED, answered=True)])
        self.assertEqual((found.failed, found.redialed), (0.0, 0.0))
        self.assertEqual(found.outcome(random.Random(1)), Outcome.NO_ANSWER)


class KnownTests(SynchronousTestCase):
    def said(self, found: Known) -> str:
        return " ".join(one.en for one in found.assumptions)

    def test_what_was_learnt_counts_before_the_records(self) -> None:
        learnt = Learnt()
        for _ in range(50):
            learnt = learnt.answered(5.0).freed(60.0)
        talked = [record(Outcome.ANSWERED, answered=True, lasts=31.0, wait=1.0)] * 30
        found = known(learnt, talked, PREDICTIVE)
        self.assertIs(found.learnt, learnt)
        self.assertEqual(found.lasted, ())
        self.assertApproximates(found.talk, 30.0 / found.truth.handle.curve(()).mean, 1e-9)
        self.assertIn("as the task has learnt", self.said(found))
        self.assertNotIn("guess", self.said(found))

    def test_the_guess_it_began_with_is_taken_out_again(self) -> None:
        """Agents are busy for four seconds: the guess of 90 would count for months."""
        learnt, chance = Learnt(), random.Random(3)
        for _ in range(300):
            learnt = learnt.answered(chance.uniform(2.0, 9.0)).unanswered(20.0).unanswered(20.0)
            learnt = learnt.freed(chance.expovariate(0.25))
        self.assertGreater(learnt.handle.curve(()).mean, 8.0)
        truth = known(learnt, [], PREDICTIVE).truth
        self.assertApproximates(truth.handle.curve(()).mean, 4.0, 0.7)
        self.assertApproximates(truth.ring.curve(()).answer_rate, 1 / 3, 0.002)

    def test_of_few_calls_nothing_is_taken_out(self) -> None:
        learnt = Learnt().answered(5.0).freed(5.0)
        self.assertIs(without_guess(learnt), learnt)

    def test_a_task_that_has_just_begun_says_how_little_it_knows(self) -> None:
        found = known(Learnt().unanswered(30.0), [], PREDICTIVE)
        self.assertIn("from 1 calls only, so partly guessed", self.said(found))
        self.assertIn("assumed that all of them are no_answer", self.said(found))

    def test_records_without_agents(self) -> None:
        records = [
            *[record(Outcome.ANSWERED, answered=True, lasts=40.0)] * ENOUGH,
            *[record(Outcome.BUSY, rings=3.0)] * (3 * ENOUGH),
        ]
        found = known(None, records, None)
        self.assertEqual(found.lasted, (40.0,) * ENOUGH)
        curve = found.learnt.ring.curve(())
        self.assertApproximates(curve.answer_rate, 0.25, 0.01)
        self.assertIn("in the last 80 records", self.said(found))
        self.assertNotIn("wrap-up", self.said(found))
        callees = Callees(1, curve, found.learnt.handle.curve(()), found.mix, found.lasted)
        self.assertEqual(callees.handle_time(random.Random(1)), 40.0)

    def test_records_with_agents_say_nothing_of_wrap_up(self) -> None:
        records = [record(Outcome.ANSWERED, answered=True, lasts=41.0, wait=1.0)] * ENOUGH
        found = known(None, records, PREDICTIVE)
        self.assertEqual(found.lasted, (40.0,) * ENOUGH)
        self.assertIn("wrap-up of the agents is not known", self.said(found))

    def test_what_was_learnt_of_agents_is_none_of_a_task_without(self) -> None:
        dialing = evolve(PREDICTIVE, mode=DialMode.BATCH)
        found = known(Learnt().answered(1.0), [], dialing)
        self.assertEqual(found.learnt, Learnt())

    def test_nothing_is_known(self) -> None:
        found = known(None, [record(Outcome.INVALID, calls=0)], None)
        self.assertIn("assumed that 50.0 % answer", self.said(found))

    def test_calls_that_the_line_lost_say_nothing_of_callees(self) -> None:
        answers = [record(Outcome.ANSWERED, answered=True)] * ENOUGH
        with_lost = known(None, [*answers, *[record(Outcome.FAILED)] * ENOUGH], None)
        without = known(None, answers, None)
        self.assertEqual(with_lost.learnt, without.learnt)
        self.assertEqual(with_lost.mix.failed, 0.5)
