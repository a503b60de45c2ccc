"""What was learnt comes back as it was written."""

from __future__ import annotations

import json
import math

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.rules.prediction.keeping import decode, encode
from ctidialer.rules.prediction.pacer import Learnt, PacingRules

AGES = st.floats(0.0, 7200.0)


class KeepingTests(SynchronousTestCase):
    @given(st.lists(AGES, max_size=20), st.lists(AGES, max_size=20), st.booleans())
    def test_both_ways(self, rang: list[float], talked: list[float], abandoned: bool) -> None:
        learnt = Learnt().judged(PacingRules(), is_abandoned=abandoned)
        for age in rang:
            learnt = learnt.answered(age).unanswered(age)
        for age in talked:
            learnt = learnt.freed(age)
        found = decode(encode(learnt))
        self.assertAlmostEqual(found.risk.log, learnt.risk.log, places=3)
        before, after = learnt.handle.curve(()).mean, found.handle.curve(()).mean
        self.assertLess(abs(after - before), 0.001 * before)
        self.assertAlmostEqual(
            found.ring.curve(()).answer_rate, learnt.ring.curve(()).answer_rate, places=3
        )

    def test_what_is_something_else_is_refused(self) -> None:
        kept = json.loads(encode(Learnt()))
        for changed in (
            {"version": 2},
            {"exposure": [1.0]},
            {"at_risk": [-1.0] * 120},
            {"ended": None},
        ):
            with self.assertRaises(ValueError):
                decode(json.dumps({**kept, **changed}).encode())
        for raw in (b"", b"[]", b"\xff", b"[" * 100_000):
            with self.assertRaises(ValueError):
                decode(raw)

    def test_a_risk_beyond_its_bounds_is_brought_back(self) -> None:
        kept = json.loads(encode(Learnt()))
        found = decode(json.dumps({**kept, "risk": 1e9}).encode())
        self.assertLess(math.exp(found.risk.log), 1.0)
