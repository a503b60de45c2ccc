"""What the channel variables of an ended call mean."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.after_call import NOTHING_MORE, AfterCall, OutcomeRule, WantedVariable
from ctidialer.contract.record import Outcome
from ctidialer.rules.after_call import MAX_VALUE, agent, carried, cut, ruled


class CarriedTests(SynchronousTestCase):
    def test_numbers_and_texts(self) -> None:
        wanted = AfterCall(
            (
                WantedVariable("billsec", "billsec", as_number=True),
                WantedVariable("score", "score", as_number=True),
                WantedVariable("recording", "record_filename"),
                WantedVariable("absent", "absent"),
            )
        )
        said = {"billsec": "12.5", "score": "good", "record_filename": "/r/1.wav"}
        self.assertEqual(
            carried(wanted, said), {"billsec": 12.5, "score": "good", "recording": "/r/1.wav"}
        )

    def test_what_json_has_no_number_for_stays_text(self) -> None:
        wanted = AfterCall((WantedVariable("n", "n", as_number=True),))
        for text in ("nan", "inf", "-inf", "1e400"):
            self.assertEqual(carried(wanted, {"n": text}), {"n": text})

    @given(st.text(max_size=3000))
    def test_a_value_is_cut_at_a_whole_character(self, value: str) -> None:
        kept = cut(value)
        self.assertTrue(value.startswith(kept))
        self.assertLessEqual(len(kept.encode("utf-8", "surrogatepass")), max(MAX_VALUE, 3 * 1))
        if len(value.encode("utf-8", "surrogatepass")) <= MAX_VALUE:
            self.assertEqual(kept, value)


class RuledTests(SynchronousTestCase):
    RULES = AfterCall(
        rules=(
            OutcomeRule("a", "x*", Outcome.BUSY),
            OutcomeRule("b", "*", Outcome.MACHINE),
        )
    )

    def test_the_first_that_matches_decides(self) -> None:
        self.assertIs(ruled(self.RULES, {"a": "XY", "b": "1"}), Outcome.BUSY)
        self.assertIs(ruled(self.RULES, {"a": "y", "b": "1"}), Outcome.MACHINE)

    def test_none_does(self) -> None:
        self.assertIsNone(ruled(self.RULES, {"a": "y"}))
        self.assertIsNone(ruled(NOTHING_MORE, {"a": "x"}))


class AgentTests(SynchronousTestCase):
    def test_who_talked(self) -> None:
        named = AfterCall(agent_variable="who")
        self.assertEqual(agent(named, {"cc_agent": "1001@default", "who": "ann"}), "1001@default")
        self.assertEqual(agent(named, {"who": "ann"}), "ann")
        self.assertIsNone(agent(NOTHING_MORE, {"who": "ann"}))
