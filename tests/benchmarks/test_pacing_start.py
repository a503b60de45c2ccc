"""Cold starts in virtual time, with the very rules."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.pacing_start import figures, start
from benchmarks.pacing_world import Conditions
from ctidialer.rules.prediction.feedback import MIN_ANSWERS
from ctidialer.rules.prediction.pacer import PacingRules

BEARABLE = PacingRules().ceiling * MIN_ANSWERS
"""Calls that may be abandoned of the first 200 answers."""

UNDER_WAY = 3
"""Calls that may be lost after the task has gone back to one call an agent: they rang already."""


class StartTests(SynchronousTestCase):
    """Nothing was learnt, and all agents are free."""

    def test_everybody_answers_at_once(self) -> None:
        for handle_mean in (6.0, 60.0):
            everybody = Conditions(
                agents=40,
                answer_rate=1.0,
                answer_from=0.5,
                answer_until=2.0,
                handle_mean=handle_mean,
            )
            begun = start(everybody, seed=1)
            self.assertEqual(len(begun.abandoned), 3)
            self.assertLessEqual(begun.abandoned[0], BEARABLE / 2)
            self.assertLessEqual(begun.abandoned[1], BEARABLE)
            self.assertGreater(begun.use, 0.85)

    @settings(deadline=None, max_examples=10, derandomize=True)
    @given(
        st.integers(1, 60),
        st.floats(0.1, 1.0),
        st.floats(0.1, 8.0),
        st.floats(0.1, 20.0),
        st.sampled_from((6.0, 20.0, 60.0, 180.0)),
        st.integers(0, 1000),
    )
    def test_whatever_callees_do(
        self, agents: int, rate: float, first: float, span: float, handle_mean: float, seed: int
    ) -> None:
        conditions = Conditions(
            agents=agents,
            answer_rate=rate,
            answer_from=first,
            answer_until=first + span,
            ring_out=first + span + 5.0,
            handle_mean=handle_mean,
        )
        for abandoned in start(conditions, seed, hours=0.25, marks=(100, 200)).abandoned:
            self.assertLessEqual(abandoned, BEARABLE + UNDER_WAY, conditions)

    def test_the_line_that_is_printed(self) -> None:
        few = Conditions(agents=2)
        line = figures(few, [start(few, seed=1, hours=2.0)])
        self.assertEqual((line["agents"], line["most_of_500"]), (2, None))
        self.assertIsNotNone(line["abandoned_of_100"])
